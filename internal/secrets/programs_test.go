package secrets

import (
	"strings"
	"testing"
)

// TestPrograms: what an option means depends on the program before it.
func TestPrograms(t *testing.T) {
	const pw = "S3cretWort12"
	for _, s := range []string{
		"docker login -u u -p " + pw, "docker login registry.example.com -u u -p'" + pw + "'", "echo a && podman login -p " + pw + " ghcr.io", "az login --service-principal -u x -p " + pw + " --tenant t", "helm registry login -u u -p " + pw + " r",
		"skopeo copy --src-creds u:" + pw + " docker://a dir:b", "buildah push --creds=u:" + pw + " i", "vault login hvs." + pw,
		"mysql -u root -p" + pw + " db", "mysqldump -uroot -p'" + pw + "' db > f", `/usr/bin/mysql -p"` + pw + `"`, "docker exec db mysqladmin -p" + pw + " ping", `C:\bin\mysql.exe -p` + pw,
		"sshpass -p " + pw + " ssh h", "sshpass -p" + pw + " ssh -p 22 h", "sshpass -p '" + pw + "' scp a b", "Run `sshpass -p " + pw + " ssh h` first.", "redis-cli -h h -a " + pw + " ping", "redis-cli --pass " + pw, "timeout 5 redis-cli \\\n  -a " + pw,
		"mongo -u u -p " + pw, "mongodump --db d -p" + pw, "openssl enc -aes-256-cbc -pass pass:" + pw, "openssl rsa -in k -passin pass:" + pw + " -passout file:x", "openssl pkcs12 -export -passout 'pass:" + pw + "'", "openssl enc -d -k " + pw,
		"keytool -genkey -storepass " + pw, "apksigner sign --ks-pass pass:" + pw + " a.apk", "ssh-keygen -t ed25519 -N " + pw + " -f k", "cqlsh -u c -p " + pw, "sqlcmd -S s -U sa -P " + pw + " -Q q", "sqlplus scott/" + pw + "@db", "influx -username u -password " + pw,
		"plink -pw " + pw + " u@h", "ldapsearch -x -D cn=admin -w " + pw + " -b dc=x", "smbclient //h/s -U u%" + pw, "lftp -u u," + pw + " h", "snmpwalk -v3 -A " + pw + " h", "7z x -p" + pw + " a.7z", "unrar x -hp" + pw + " a", "zip -r -P " + pw + " a.zip d",
		"xfreerdp /u:u /p:" + pw + " /v:h", "curl -uu:" + pw + " https://h", "curl -u admin:geheimwort https://h", "curl --user admin:geheim https://h", "etcdctl --user root:geheim get a", "x -u admin:" + pw, "curl -U u:" + pw + " https://h", "curl -E client.pem:" + pw + " https://h", "http -a u:" + pw + " h", "aws configure set aws_secret_access_key " + pw, "htpasswd -bc f u " + pw, "htpasswd -nbB u " + pw,
		"rabbitmqctl add_user u " + pw, "mc alias set m https://h AK " + pw, `ConvertTo-SecureString "` + pw + `" -AsPlainText -Force`, "$ConvertTo = 1; $(mysql -p" + pw + ")", "- run: |\n    set -e\n    mysql -uroot -p" + pw + " < f\n", `sh -c "mysql -p` + pw + `"`, `{"cmd": "mysql -p` + pw + ` db"}`,
		strings.Repeat("mysql -p db; ", 50_000) + "mysql -p" + pw,
	} {
		if In(s) == "" {
			t.Errorf("%.200s: not found", s)
		}
	}
	for _, s := range []string{
		"docker run -p 8080:80 img1", "docker run -p 127.0.0.1:8080:80/tcp login1", "docker login && docker run -p 8080:80a i", "docker login -u u --password-stdin", "docker login -p $PASS1", "docker login -p ${PASS1}", "docker login -p \"$(cat f1)\"", "docker login -p <password1>", "docker login -p ***", "podman run --name a1b2c3d4 -p x1y2z3",
		"ssh -p 22 h1", "ssh -p a1b2c3d4", "mkdir -p dir/a1b2c3d4", "cp -p a1b2c3d4 b", "mysql -p", "mysql -u root -p db1test2", "mysql -p$PASS1", `mysql -p"${PASS1}"`, "mysql -p`cat f1`", "mysql -p{{ pass1 }}", "mysql -P3306 -h h1", `f"mysql -p{pw1}"`, `cmd = "mysql -p" + pass1`, "mysql -p%PASS1%", `"sshpass -p " + pw1 + " ssh"`, "sshpass -p %s1234 ssh",
		"sshpass -p \"$P\" scp -p file1.txt h:", "sshpass -f file1 ssh -p h1ab", "sshpass -e rsync -p src12/ h:", "redis-cli -a", "redis-cli -h a1b2c3d4 ping", "redis-cli -a $REDIS1", "mongo -p --db d1b2", "mongo mongodb://h1:27017/d", "openssl enc -pass env:PASS1", "openssl enc -pass file:p1.txt", "openssl rsa -passin stdin", "openssl dgst -sha256 -k1 f", "openssl rand -base64 32",
		"az account show -p a1b2c3d4", "vault login page2 is shown", "az login --identity", "vault login -method=userpass username=u1abc", "ssh-keygen -t ed25519 -N '' -f k1abc", "curl -U $U1:$P1 h", "curl -u 1000:1000 h", "docker run -u 1000:1000 img", "docker run --user www-data:www-data img", "curl -u user:password https://h", "curl -u $U:secret h", "curl --cert C:\\cert1.pem h", "curl -E client1.pem h", "7z a -p a1.7z", "zip -r a1b2c3.zip d", "htpasswd -b creates user2abc", "set the mysql option -p and then type it, 12 letters",
		"the docker login option -p takes a password, see chapter 12", "mysql reads -p interactively2", "sqlplus / as sysdba1", "sqlplus scott@db1", "net use x1abc", "python -p a1b2c3d4", "http://h/-a/u:a1b2c3", "import a1b2c3d4e5 -p", "https -a",
		"kubectl exec -it db1 -- mysql -u root -p", "a set of 4 new add words1234", "mc set a1b2c3d4 x", "mc set 1 2 3 a1b2c3d4", "imp x/y12345@z", "don't use mysql -p'", "a1b2c3d4 `mysql -p`", "-pS3cretWort12", "x -p S3cretWort12",
	} {
		if what := In(s); what != "" {
			t.Errorf("%s: %s", s, what)
		}
	}
}

// TestInArguments: a list is one of arguments for certain, so that its passwords may be words.
func TestInArguments(t *testing.T) {
	for _, c := range []struct {
		program string
		args    string
		want    int
	}{
		{"", "docker login -u u -p geheim", 5}, {"docker", "login -u u -p geheim", 4}, {"/usr/bin/mysql", "-uroot -pgeheim db", 1}, {"", "sudo sshpass -p geheim ssh h", 3}, {"redis-cli", "-a geheim", 1}, {"", "openssl enc -pass pass:geheim", 3},
		{"docker", "run -p 8080:80 i", -1}, {"ssh", "-p 2222 h", -1}, {"mkdir", "-p dir", -1}, {"mysql", "-p db", -1}, {"mysql", "-p$PASS", -1}, {"redis-cli", "-a ${PASS}", -1}, {"openssl", "enc -pass env:PASSWORD", -1}, {"sshpass", "-e ssh -p 2222 h", -1}, {"", "", -1}, {"docker", "login -p", -1},
		{"docker", "compose run -p proj login", -1}, {"mongosh", "mongodb://h -p --norc", -1},
	} {
		if got := InArguments(c.program, strings.Fields(c.args)); got != c.want {
			t.Errorf("%s %s: got %d, want %d", c.program, c.args, got, c.want)
		}
	}
	if got := InArguments("sshpass", []string{"-p", "correct horse", "ssh"}); got != 1 {
		t.Errorf("a password of two words: got %d", got)
	}
}
