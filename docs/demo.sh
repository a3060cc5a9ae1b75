#!/bin/sh
# The main job on a fresh machine: declare, identify, sign, verify offline, and see a
# tampered bundle refused. Usage: demo.sh RUNATTEST
set -eu
runattest=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$root/testdata/declarations/chat-llama-3.1-8b.json" "$work/run.json"
cd "$work"

say() { printf '\n# %s\n' "$*"; }
show() {
	printf '$ runattest %s\n' "$*"
	"$runattest" "$@"
}

say 'A run is declared before it executes; the declaration has an identity.'
show id run.json
say 'The orchestrator makes a key once, and signs before it dispatches.'
show keygen --no-password
show sign --key runattest.key run.json
say 'The auditor has the bundle and the public key, and no network.'
rm run.json runattest.key
if unshare -n true 2>/dev/null; then # really without one, where the system lets us
	echo '(in a network namespace without interfaces)'
	printf '$ runattest verify --key runattest.pub run.json.sigstore.json\n'
	unshare -n "$runattest" verify --key runattest.pub run.json.sigstore.json
else
	show verify --key runattest.pub run.json.sigstore.json
fi
say 'The identity recomputes with nothing but sha256sum.'
echo '$ runattest inspect --declaration run.json.sigstore.json | sha256sum'
"$runattest" inspect --declaration run.json.sigstore.json | sha256sum
say 'The prompt in the bundle is changed: verification fails, and the report says why.'
echo '$ ... | sed s/21:30/09:30/ | ... > tampered.sigstore.json'
payload=$("$runattest" inspect --statement run.json.sigstore.json | sed 's/21:30/09:30/' | base64 | tr -d '\n')
sed "s|\"payload\":\"[^\"]*\"|\"payload\":\"$payload\"|" run.json.sigstore.json >tampered.sigstore.json
if show verify --key runattest.pub tampered.sigstore.json; then
	echo 'a tampered bundle was verified' >&2
	exit 1
fi
say 'Done.'
