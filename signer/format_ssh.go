package signer

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"strings"

	"github.com/runattest/runattest/internal/lazyregexp"
)

const (
	// openssl reads an Ed25519 key that comes after the head of its DER form.
	privateHead = `printf '\060\056\002\001\000\060\005\006\003\053\145\160\004\042\004\040'`
	publicHead  = `printf '\060\052\060\005\006\003\053\145\160\003\041\000'`
	// from the base64 of an OpenSSH key without a password: the seed, by the lengths of what is before it
	seed = "base64 -d | tail -c +162 | head -c 32"

	// public keys of SSH as PEM
	sshToPEM = "ssh-keygen -e -m PKCS8 -f "

	// the bytes of an SSH public key; an Ed25519 key ends them, and stands in a certificate behind type and nonce
	sshBlob        = "awk '{print $2}' | base64 -d"
	sshEd25519     = sshBlob + " | tail -c 32"
	sshCertificate = sshBlob + " | tail -c +77 | head -c 32"
	ed25519Base64  = "AAAAC3NzaC1lZDI1NTE5" // how the bytes of an Ed25519 key begin

	// the key in a line of known_hosts or authorized_keys, in other text, or between comments
	sshLine = `awk '!/^[ \t]*#/ && match($0,/(ssh|ecdsa|sk)-[a-z0-9@.-]+[ \t]+AAAA[A-Za-z0-9+\/]+=*/) {print substr($0,RSTART,RLENGTH)}' FILE`
)

var sshKey = lazyregexp.New(`(?m)^(?:[ \t]*[^# \t\r\n].*?)??[ \t]*((?:ssh|ecdsa|sk)-[a-z0-9@.-]+)[ \t]+(AAAA[A-Za-z0-9+/]*=*)`)

// ed25519PEM makes PEM of the last 32 bytes that a command writes.
func ed25519PEM(raw string) string {
	return "(" + publicHead + "; " + raw + ") | openssl pkey -pubin -inform DER -pubout"
}

func sshPublic(want, command string) finding {
	if want == wantPrivate {
		return finding{found: "this is a public key of SSH; sign with the private one, whose file has the name without .pub"}
	}
	if command == "" {
		return finding{found: "this is a public key of SSH"}
	}
	return finding{"this is a public key of SSH", writing(command)}
}

// recognizeSSH finds the public keys of SSH in a text.
func recognizeSSH(want, text string) (finding, bool) {
	found := sshKey.FindAllStringSubmatch(text, 2)
	switch {
	case len(found) == 0:
		return finding{}, false
	case len(found) > 1:
		return finding{found: "these are several lines of SSH public keys; want one key"}, true // a command would take parts of them together
	}
	kind, blob := found[0][1], found[0][2]
	line, convert := "cat FILE", sshToPEM+"FILE"
	if strings.Contains(text, "\n") || !strings.HasPrefix(text, kind) {
		line, convert = sshLine, sshLine+" | "+sshToPEM+"/dev/stdin"
	}
	switch {
	case strings.HasPrefix(kind, "sk-"), strings.HasPrefix(kind, "ssh-dss"):
		return finding{"this is an SSH key that signs in SSH's own way; make a key pair", makeKeys}, true
	case !isSSHBlob(kind, blob):
		return sshPublic(want, ""), true
	case strings.HasPrefix(kind, "ssh-ed25519-cert-"):
		return sshPublic(want, ed25519PEM(line+" | "+sshCertificate)), true
	case kind == "ssh-ed25519":
		return sshPublic(want, ed25519PEM(line+" | "+sshEd25519)), true
	case strings.HasPrefix(kind, "ssh-rsa"), strings.HasPrefix(kind, "ecdsa-sha2-"):
		return sshPublic(want, convert), true
	}
	return sshPublic(want, ""), true
}

// isSSHBlob tells a whole key of that kind from one that was cut off (RFC 4253, section 6.6).
func isSSHBlob(kind, text string) bool {
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil || strings.Contains(kind, "-cert-") {
		return err == nil
	}
	for first := true; len(data) > 0; first = false {
		if len(data) < 4 {
			return false
		}
		n := binary.BigEndian.Uint32(data)
		if uint64(n) > uint64(len(data)-4) || first && string(data[4:4+n]) != kind {
			return false
		}
		data = data[4+n:]
	}
	return true
}

// ssh2Command is for a key in the form of RFC 4716.
func ssh2Command(text string) string {
	if strings.Contains(text, ed25519Base64) {
		return ed25519PEM("ssh-keygen -i -f FILE | " + sshEd25519)
	}
	return "ssh-keygen -i -f FILE | " + sshToPEM + "/dev/stdin"
}

func isOpensshEd25519(data []byte) bool {
	return bytes.Contains(data[:min(len(data), 200)], []byte("ssh-ed25519"))
}

func opensshPublic(data []byte) finding {
	const found = "this is a private key of OpenSSH; give the public one"
	if isOpensshEd25519(data) {
		return finding{found, writing(ed25519PEM("ssh-keygen -y -f FILE | " + sshEd25519))}
	}
	return finding{found, writing("ssh-keygen -y -f FILE | " + sshToPEM + "/dev/stdin")}
}

// opensshPrivate knows that ssh-keygen does not write Ed25519 keys as PKCS #8.
func opensshPrivate(data []byte) finding {
	const found = "this is a private key of OpenSSH"
	plain := bytes.HasPrefix(data, []byte("openssh-key-v1\x00\x00\x00\x00\x04none"))
	switch {
	case !isOpensshEd25519(data):
		return finding{found, editing("ssh-keygen -p -m PKCS8 -f NEW")}
	case plain:
		return finding{found, writing("(" + privateHead + "; sed /-----/d FILE | " + seed + ") | openssl pkey -inform DER")}
	}
	return finding{found, editing("ssh-keygen -p -N '' -f NEW && key=$(sed /-----/d NEW) && (" + privateHead + `; echo "$key" | ` + seed +
		") | openssl pkcs8 -topk8 -inform DER >|NEW")}
}
