package secrets

import (
	"strings"
	"sync"
	"unicode"

	"github.com/runattest/runattest/internal/lazyregexp"
)

// Passwords in the arguments of programs. What an option means depends on the program: -p is the password of sshpass, and the port of
// ssh.

// A program says where its arguments have a password.
type program struct {
	names  string // separated by blanks, as all lists here
	behind string // words, of which one must stand before; "" for none
	own    string // options whose value is the next word, or stands behind =
	joined string // options whose value is the rest of their word
	named  bool   // the word behind the name of a credential is one
	place  int    // which word behind it is a password, beginning with 1; 0 for none
	after  string // what the value begins with, or, if it is one byte, what stands behind the user's name in it
	before string // what stands behind the password in the value
}

var programs = []program{
	{names: "docker podman nerdctl buildah skopeo helm oras crane cosign regctl az", behind: "login", own: "-p", joined: "-p"},
	{names: "skopeo buildah podman", own: "--creds --src-creds --dest-creds", after: ":"},
	{names: "vault", own: "login", after: "hvs."},
	{names: "mysql mysqldump mysqladmin mysqlimport mysqlcheck mysqlshow mysqlbinlog mysqlslap mysqlpump mysqlsh mariadb mariadb-dump mariadb-admin mariadb-check mariadb-import", joined: "-p"},
	{names: "mongo mongosh mongodump mongorestore mongoexport mongoimport mongostat mongotop mongofiles", own: "-p", joined: "-p"},
	{names: "sshpass", own: "-p", joined: "-p"},
	{names: "redis-cli valkey-cli keydb-cli redis-benchmark", own: "-a --pass"},
	{names: "openssl", own: "-pass -passin -passout -passcerts -password -dpass", after: "pass:"},
	{names: "openssl", behind: "enc", own: "-k"},
	{names: "keytool jarsigner", own: "-storepass -keypass -srcstorepass -deststorepass -srckeypass -destkeypass -new"},
	{names: "apksigner", own: "--ks-pass --key-pass", after: "pass:"},
	{names: "ssh-keygen", own: "-N -P"},
	{names: "gpg gpg2", own: "--passphrase"},
	{names: "cqlsh cypher-shell couchbase-cli cbq rabbitmqadmin ncftpget ncftpput evil-winrm", own: "-p"},
	{names: "sqlcmd bcp mosquitto_pub mosquitto_sub ipmitool", own: "-P"},
	{names: "sqlplus expdp impdp sqlldr", after: "/", before: "@", place: 1},
	{names: "influx plink pscp psftp putty", own: "-password -pw"},
	{names: "ldapsearch ldapmodify ldapadd ldapdelete ldapwhoami ldappasswd ldapcompare ldapmodrdn", own: "-w"},
	{names: "ldappasswd", own: "-s -a"},
	{names: "smbclient rpcclient smbget net", own: "-U --user", after: "%"},
	{names: "lftp", own: "-u", after: ","},
	{names: "snmpget snmpwalk snmpset snmpbulkwalk snmpbulkget snmpgetnext", own: "-A -X"},
	{names: "7z 7za 7zr 7zz", joined: "-p"},
	{names: "rar unrar", joined: "-p -hp"},
	{names: "zip unzip", own: "-P", joined: "-P"},
	{names: "qpdf", own: "--password", joined: "--password="},
	{names: "pdftotext pdftoppm pdfinfo pdfimages", own: "-upw -opw"},
	{names: "xfreerdp wfreerdp mstsc", joined: "/p:"},
	{names: "rdesktop", own: "-p"},
	{names: "curl", own: "-u -U --user --proxy-user", joined: "-u -U", after: ":"},
	{names: "curl", own: "-E --cert --proxy-cert", after: ":"},
	{names: "curl", own: "--pass --proxy-pass"},
	{names: "etcdctl wget aria2c", own: "--user", after: ":"},
	{names: "http https xh xhs", own: "-a --auth", after: ":"},
	{names: "ab hey", own: "-A -a", after: ":"},
	{names: "aws", behind: "configure", named: true},
	{names: "npm yarn pnpm pip poetry git gcloud", behind: "config set", named: true},
	{names: "ENV ARG setx", named: true},
	{names: "requirepass masterauth", place: 1},
	{names: "cmdkey", joined: "/pass: /p:"},
	{names: "wmic", joined: "/password:"},
	{names: "schtasks", own: "/rp /p"},
	{names: "psexec psexec64", own: "-p"},
	{names: "htpasswd", behind: "-b -cb -bc -bB -Bb -cbB -cBb", place: 3},
	{names: "htpasswd", behind: "-nb -bn -nbB -nBb -bnB -Bbn -Bnb", place: 2},
	{names: "rabbitmqctl", behind: "add_user change_password authenticate_user", place: 2},
	{names: "mc", behind: "alias host", place: 5},
	{names: "ConvertTo-SecureString", place: 1},
	{names: "ConvertTo-SecureString", own: "-String"},
	// Others that these start, and whose options mean something else.
	{names: "ssh scp sftp rsync ssh-copy-id cp mkdir tar tee install python python3 node npx bash sh kubectl psql"},
}

// byProgram are the entries of the table by name.
var byProgram = sync.OnceValue(func() map[string][]*program {
	all := map[string][]*program{}
	for i := range programs {
		for _, name := range strings.Fields(programs[i].names) {
			all[name] = append(all[name], &programs[i])
		}
	}
	return all
})

// A commandReader reads the words of a command, one after the other.
type commandReader struct {
	isList bool // the words are arguments for certain, and no prose
	of     []*program
	behind []int // of each program, how many words stand behind the one that it wants, that one included; 0 if it has not come
	value  *program
}

// reads tells whether the next word has a password in it, as it stands there.
func (c *commandReader) reads(word string) bool {
	if p := c.value; p != nil {
		if c.value = nil; !strings.HasPrefix(word, "-") {
			return c.isPassword(p, word)
		}
	}
	if of := byProgram()[programName(word)]; of != nil {
		c.of, c.behind = of, make([]int, len(of))
		return false
	}
	for i, p := range c.of {
		if c.behind[i] > 0 || p.behind == "" || hasWord(p.behind, word) {
			c.behind[i]++
		}
		if c.behind[i] > 0 && c.readsFor(p, i, word) {
			return true
		}
	}
	return false
}

func (c *commandReader) readsFor(p *program, i int, word string) bool {
	n := c.behind[i]
	if p.behind != "" {
		n-- // the word itself
	}
	if p.place > 0 && strings.HasPrefix(word, "-") && n > 0 {
		c.behind[i]-- // options stand anywhere
		return false
	}
	if p.place > 0 && n == p.place {
		return (p.after != "" || c.isList || isMadeUp(word)) && c.isPassword(p, word)
	}
	if hasWord(p.own, word) || p.named && n > 0 && isPasswordName(word[strings.LastIndexByte(word, ':')+1:]) {
		c.value = p
		return false
	}
	if option, value, ok := strings.Cut(word, "="); ok && hasWord(p.own, option) {
		return c.isPassword(p, value)
	}
	for option := range strings.FieldsSeq(p.joined) {
		if value, ok := strings.CutPrefix(word, option); ok && value != "" && c.isPassword(p, value) {
			return true
		}
	}
	return false
}

// wordForOne is what prose has in the place of a password: curl -u user:password.
var wordForOne = lazyregexp.New(`(?i)^(?:my|your|the)?[-_]?(?:pass|passw(?:or)?d|passwort|pwd?|secret|token|(?:api)?[-_]?key)$`)

// isPassword tells a value that has a password in it. In prose one has letters and digits, or a user's name before it.
func (c *commandReader) isPassword(p *program, value string) bool {
	user, password, ok := strings.Cut(value, p.after)
	switch {
	case p.after == "":
		password = value
	case !ok, (user == "") != (len(p.after) > 1), isLocation(value), userAndGroup.MatchString(value):
		return false
	}
	if p.before != "" {
		if password, _, ok = strings.Cut(password, p.before); !ok {
			return false
		}
	}
	isWord := !c.isList && !hasBoth(password) && (user == "" || p.after != ":" || wordForOne.MatchString(password))
	return len(password) >= 4 && !isWord && !isTemplate(password)
}

// isTemplate tells what stands for a password in a command or in a program that makes one.
func isTemplate(s string) bool {
	return isPlaceholder(s) || strings.ContainsAny(s[:1], "$`{<[%@\\#(") || strings.Contains(s, "$(") || strings.Contains(s, "#{") ||
		strings.TrimSpace(s) != s || s[0] == '+' && s[len(s)-1] == '+'
}

// programName is the name of the program in a word that may be a path of one.
func programName(word string) string {
	word = word[strings.LastIndexAny(word, `/\`)+1:]
	return strings.TrimSuffix(strings.TrimSuffix(word, ".exe"), ".EXE")
}

func hasWord(list, word string) bool {
	for w := range strings.FieldsSeq(list) {
		if w == word {
			return true
		}
	}
	return false
}

// inCommand tells a text with a command in it that has a password among its arguments.
func inCommand(s string) bool {
	var c commandReader
	for at := 0; at < len(s); {
		switch {
		case s[at] == '\n' && !strings.HasSuffix(strings.TrimSuffix(s[:at], "\r"), `\`):
			c = commandReader{}
			at++
			continue
		case isBlank(s[at]):
			at++
			continue
		}
		word, end, ends := wordAt(s, at)
		if at = end; (c.of != nil || byProgram()[programName(word)] != nil) && c.reads(word) {
			return true
		}
		if ends {
			c = commandReader{}
		}
	}
	return false
}

// wordAt is the word that begins at i, without quotation marks around it or its value, where it ends, and whether a command ends there.
func wordAt(s string, i int) (word string, end int, ends bool) {
	for i < len(s) && strings.IndexByte("`($", s[i]) >= 0 && (i+1 == len(s) || s[i] != '$' || s[i+1] == '(') {
		i++ // $(COMMAND), `COMMAND`
	}
	for end = i; end < len(s) && !isBlank(s[end]); end++ {
		if c := s[end]; c == '"' || c == '\'' {
			rest := s[end+1 : min(end+1+behind, len(s))]
			if n := strings.IndexByte(rest, c); n >= 0 && (end == i || s[end-1] == '=' || s[i] == '-') && !strings.ContainsAny(rest[:n], "\r\n") && !isSentence(rest[:n]) {
				word = s[i:end] + rest[:n]
				return word, end + n + 2, false
			}
		}
	}
	word = strings.TrimRight(s[i:end], "`)\"'")
	rest := strings.TrimRight(word, ";&|,.")
	return strings.TrimLeft(rest, `"'`), end, strings.ContainsAny(word[len(rest):], ";&|") || word != s[i:end] && strings.ContainsAny(s[i+len(word):end], "`)")
}

// isSentence tells text in quotation marks that is a command, or prose, and no value.
func isSentence(s string) bool {
	return strings.ContainsFunc(s, unicode.IsSpace) && strings.Contains(s, " -")
}

// InArguments is which of the arguments is a password by the program that they are for, which may be a path, or stand among them. It is
// -1 without one.
func InArguments(program string, args []string) int {
	c := commandReader{isList: true}
	for word := range strings.FieldsSeq(program) {
		c.reads(word)
	}
	for i, a := range args {
		if c.value == nil && strings.ContainsFunc(a, unicode.IsSpace) {
			continue // a command in a word, or prose
		}
		if c.reads(a) {
			return i
		}
	}
	return -1
}
