#!/usr/bin/env bash
# Installs the program of one release, and nothing else: what it downloads is not run. From the environment: VERSION; SHA256 of
# the archive, or empty; RELEASES, the URL above all releases; KEY, the file of the release's public key; and of the runner:
# RUNNER_OS, RUNNER_ARCH, RUNNER_TEMP, GITHUB_PATH, GITHUB_OUTPUT.
set -euo pipefail
umask 077

fail() {
	printf '::error title=runattest::%s\n' "$1" >&2
	exit 1
}

# Nothing is done with the version before it has this form.
[[ $VERSION =~ ^v[0-9]{1,9}\.[0-9]{1,9}\.[0-9]{1,9}(-(alpha|beta|rc)\.[0-9]{1,9})?$ ]] || fail 'version: want one such as v0.1.0'
[[ $SHA256 =~ ^([0-9a-f]{64})?$ ]] || fail 'sha256: want 64 lower-case hexadecimal digits'
[[ -f $KEY ]] || fail 'the public key of the releases is not in this commit of the action: there is no release yet'

program=runattest suffix=tar.gz
case $RUNNER_OS in
Linux) os=linux ;;
macOS) os=darwin ;;
Windows) os=windows program=runattest.exe suffix=zip ;;
*) fail "there is no program for a runner with RUNNER_OS=$RUNNER_OS" ;;
esac
case $RUNNER_ARCH in
X64) arch=amd64 ;;
ARM64) arch=arm64 ;;
*) fail "there is no program for a runner with RUNNER_ARCH=$RUNNER_ARCH" ;;
esac
folder=runattest_${VERSION#v}_${os}_${arch}
archive=$folder.$suffix

work=$(mktemp -d "$RUNNER_TEMP/runattest.XXXXXXXX")
trap 'rm -rf "$work"' EXIT

# download NAME
download() {
	local protocol='=https'
	[[ $RELEASES != http://127.0.0.1:* ]] || protocol='=http' # a server of this machine
	curl --silent --show-error --fail --location --proto "$protocol" --proto-redir "$protocol" --connect-timeout 30 --max-time 600 \
		--retry 3 --max-filesize 134217728 --output "$work/$1" "$RELEASES/$VERSION/$1" ||
		fail "$1 of $VERSION could not be downloaded: is that version released?"
}

download checksums.txt
download checksums.txt.sig
# openssl overlooks some bytes that are not base64.
[[ $(head -c 200 "$work/checksums.txt.sig" | tr -d '\0') =~ ^[A-Za-z0-9+/]{1,96}={0,2}$ ]] || fail "checksums.txt.sig of $VERSION is malformed"
openssl base64 -d -A -in "$work/checksums.txt.sig" -out "$work/signature" || fail "checksums.txt.sig of $VERSION is malformed"
openssl dgst -sha256 -verify "$KEY" -signature "$work/signature" "$work/checksums.txt" >/dev/null 2>&1 ||
	fail "the signature of checksums.txt of $VERSION is not by the release's key"
# The name has the version in it: an older release's list does not have it.
want=$(awk -v name="$archive" 'NF == 2 && $2 == name { print $1; n++ } END { exit n != 1 }' "$work/checksums.txt") ||
	fail "checksums.txt of $VERSION does not list $archive once"
[[ $want =~ ^[0-9a-f]{64}$ ]] || fail 'checksums.txt is malformed'
[[ -z $SHA256 || $SHA256 == "$want" ]] || fail "$archive has the SHA-256 $want, and not the one that sha256 asks for"

download "$archive"
got=$(openssl dgst -sha256 -r "$work/$archive")
[[ ${got%% *} == "$want" ]] || fail "$archive is not the one that the release's key signed"

mkdir "$work/out"
if [[ $suffix == zip ]]; then
	unzip -q -j "$work/$archive" "$folder/$program" -d "$work/out" || fail "$archive has no $folder/$program"
else
	tar -xzf "$work/$archive" -C "$work/out" --strip-components 1 "$folder/$program" || fail "$archive has no $folder/$program"
fi
[[ -f $work/out/$program && ! -L $work/out/$program ]] || fail "$archive has no program that is a file"
chmod 755 "$work/out/$program"

# A folder for each version: nothing is installed over another one.
place=$RUNNER_TEMP/runattest-$VERSION-$os-$arch
rm -rf "$place"
mv "$work/out" "$place"
chmod 755 "$place"
if [[ $RUNNER_OS == Windows ]] && command -v cygpath >/dev/null; then
	place=$(cygpath -w "$place")
fi
printf '%s\n' "$place" >>"$GITHUB_PATH"
printf 'path=%s\n' "$place" >>"$GITHUB_OUTPUT"
printf 'installed %s in %s\n' "$archive" "$place"
