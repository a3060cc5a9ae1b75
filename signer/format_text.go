package signer

import (
	"encoding/json"
	"encoding/pem"
	"slices"
	"strings"

	"github.com/runattest/runattest/internal/lazyregexp"
)

// The patterns of mended, which awk reads as Go does: where a line ends, a label, and what is not PEM at either end of a line,
// such as the marks of a quotation and the numbers of lines.
const (
	lineEnd  = `\\r|\\n|["\047]|<[^>]*>`
	label    = `-----(BEGIN|END) [A-Z0-9 ]+-----`
	leading  = `^([^A-Za-z0-9+\/=-]|\/\/+ |[0-9]+[\t:])+`
	trailing = `[^A-Za-z0-9+\/=-]+$`
	letters  = `[A-Za-z0-9]`
	header   = `Proc-Type: 4,ENCRYPTED|DEK-Info: [A-Z0-9-]+,[0-9A-F]+` // RFC 1421, of a key that is encrypted as openssl did
	ends     = `^DEK-Info:`                                            // the last of these, which an empty line follows

	mendLines = `awk '{gsub(/\\r|\\n|["\047]|<[^>]*>/,"\n"); gsub(/` + label + `|` + header + `/,"\n&\n"); n=split($0,a,"\n"); for(i=1;i<=n;i++) ` +
		`{sub(/` + leading + `/,"",a[i]); sub(/` + trailing + `/,"",a[i]); if(a[i]~/` + letters + `/) print a[i]; if(a[i]~/` + ends + `/) print ""}}' FILE`
)

var (
	lineEnds = lazyregexp.New(lineEnd)
	labels   = lazyregexp.New(label + "|" + header)
	last     = lazyregexp.New(ends)
	content  = lazyregexp.New(letters)
	around   = lazyregexp.New(leading + "|" + trailing)
)

// mended is what mendLines makes of a text.
func mended(text string) string {
	text = labels.ReplaceAllString(lineEnds.ReplaceAllString(text, "\n"), "\n$0\n")
	var b strings.Builder
	for line := range strings.Lines(text) {
		if line = around.ReplaceAllString(strings.TrimSuffix(line, "\n"), ""); content.MatchString(line) {
			b.WriteString(line + "\n")
		}
		if last.MatchString(line) {
			b.WriteString("\n")
		}
	}
	return b.String()
}

func recognizeText(want, text string) (finding, bool) {
	starts := func(prefixes ...string) bool {
		for _, p := range prefixes {
			if strings.HasPrefix(text, p) {
				return true
			}
		}
		return false
	}
	if s, ok := recognizeForeign(text); ok {
		return s, true
	}
	switch {
	case strings.Contains(text, "-----BEGIN "):
		return damaged(text), true
	case strings.Contains(text, "---- BEGIN SSH2 PUBLIC KEY"):
		return sshPublic(want, ssh2Command(text)), true
	case starts("PuTTY-User-Key-File-"):
		return putty(want, text), true
	}
	if s, ok := recognizeSSH(want, text); ok {
		return s, true
	}
	if starts("{", "[") {
		return recognizeJSON(want, text)
	}
	return finding{}, false
}

// damaged offers to mend the lines where that makes PEM of it.
func damaged(text string) finding {
	const found = "the PEM is damaged: want -----BEGIN ...-----, the base64 and -----END ...----- on lines of their own"
	keys, rest := 0, []byte(mended(text))
	begun := strings.Count(string(rest), "-----BEGIN ")
	for block, more := pem.Decode(rest); block != nil; block, more = pem.Decode(more) {
		if begun--; !isParameters(block.Type) {
			keys++
		}
		if _, salt, encrypted := strings.Cut(block.Headers["DEK-Info"], ","); encrypted && len(salt) != 16 && len(salt) != 32 {
			return finding{found: found} // what follows has run into it
		}
	}
	if keys != 1 || begun != 0 {
		return finding{found: found}
	}
	return finding{found, writing(mendLines)}
}

// putty gives the file of PuTTY to OpenSSH.
func putty(want, text string) finding {
	public := "puttygen FILE -L | " + sshToPEM + "/dev/stdin"
	if kind, _, _ := strings.Cut(text, "\n"); strings.Contains(kind, "ssh-ed25519") {
		public = ed25519PEM("puttygen FILE -L | " + sshEd25519)
	}
	if want == wantPublic {
		return finding{"this is a private key of PuTTY; give the public one", writing(public)}
	}
	return finding{"this is a key of PuTTY", editing("puttygen NEW -O private-openssh -o NEW")}
}

type webKey struct {
	Type  string `json:"kty"`
	Curve string `json:"crv"`
	D     string `json:"d"`
	K     string `json:"k"`
}

// webKeys are a JSON Web Key, a set of them (RFC 7517), or a JWE with one in it.
type webKeys struct {
	webKey
	Keys       []webKey `json:"keys"`
	Ciphertext string   `json:"ciphertext"`
}

// isPrivateJSON tells JSON Web Keys with a private or secret part.
func isPrivateJSON(text string) bool {
	var key webKeys
	if json.Unmarshal([]byte(text), &key) != nil {
		return false
	}
	return slices.ContainsFunc(append(key.Keys, key.webKey), func(k webKey) bool { return k.Type != "" && k.D+k.K != "" })
}

func recognizeJSON(want, text string) (finding, bool) {
	var key webKeys
	if err := json.Unmarshal([]byte(text), &key); err != nil {
		return finding{}, false
	}
	member := ""
	if len(key.Keys) == 1 {
		key.webKey, member = key.Keys[0], ".keys[0]"
	}
	convert := func(do string) way {
		return writing(`node -e '` + strings.ReplaceAll(do, "KEY", `{key:JSON.parse(require("fs").readFileSync(process.argv[1]))`+member+`,format:"jwk"}`) + `' FILE`)
	}
	const (
		private = `process.stdout.write(require("crypto").createPrivateKey(KEY).export({type:"pkcs8",format:"pem"}))`
		public  = `process.stdout.write(require("crypto").createPublicKey(KEY).export({type:"spki",format:"pem"}))`
	)
	switch {
	case key.Keys != nil && len(key.Keys) != 1:
		return finding{found: "this is a set of JSON Web Keys (JWKS): choose one, and convert it"}, true
	case key.Type == "" && key.Ciphertext != "":
		return encryptedWebKey, true
	case key.Type == "":
		return finding{found: unknownJSON}, true
	case key.Type == "oct", strings.HasPrefix(key.Curve, "X"):
		return finding{"this is a JSON Web Key of the kind " + strings.TrimSpace(visibleWord(key.Type)+" "+visibleWord(key.Curve)) + ", which makes no signatures that others can verify; make a key pair", makeKeys}, true
	case webCurves[key.Curve] != "":
		return finding{"this is a JSON Web Key over " + webCurves[key.Curve] + wanted, makeKeys}, true
	case want == wantPublic:
		return finding{"this is a JSON Web Key (JWK)", convert(public)}, true
	case key.D == "":
		return finding{found: "this is a public JSON Web Key (JWK); sign with the private one, which has a member d"}, true
	}
	return finding{"this is a JSON Web Key (JWK)", convert(private)}, true
}

// webCurves are the curves of JSON Web Keys that this package does not sign with.
var webCurves = map[string]string{"secp256k1": "secp256k1", "Ed448": "Ed448"}

// visibleWord is as much of a word in a file as a message shows.
func visibleWord(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return -1
	}, s[:min(len(s), 12)])
}
