#!/bin/sh
# A program that calls a model gets one environment variable: its calls are signed before they leave, one is refused by a
# policy, and the journal verifies offline. Usage: demo.sh RUNATTEST PYTHON, where PYTHON has the package openai.
set -eu
runattest=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
python=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
stop() {
	[ -z "${gateway:-}" ] || kill "$gateway" 2>/dev/null || true
	[ -z "${upstream:-}" ] || kill "$upstream" 2>/dev/null || true
	rm -rf "$work"
}
trap stop EXIT
cp "$here/policy.yaml" "$work"
cd "$work"

say() { printf '\n# %s\n' "$*"; }
# wait_for PATTERN FILE prints what the pattern finds in the file, once it is there.
wait_for() {
	i=0
	until grep -o "$1" "$2" 2>/dev/null | head -n 1 | grep .; do
		i=$((i + 1))
		[ $i -lt 100 ] || { cat "$2" >&2; exit 1; }
		sleep 0.1
	done
}

say 'A stand-in for a model API, and the gateway in front of it, with a policy.'
"$python" "$here/upstream.py" >upstream.log 2>&1 </dev/null &
upstream=$!
address=$(wait_for 'http://127.0.0.1:[0-9]*' upstream.log)
"$runattest" keygen --no-password 2>/dev/null
echo '$ runattest gateway --key runattest.key --journal journal --upstream ... --provider openai --policy policy.yaml &'
"$runattest" gateway --key runattest.key --journal journal --upstream "$address" --provider openai \
	--policy policy.yaml --listen 127.0.0.1:0 >gateway.log 2>&1 &
gateway=$!
address=$(wait_for 'http://127.0.0.1:[0-9]*' gateway.log)

say 'A program with the package openai, unchanged: one variable sends its calls through the gateway.'
echo '$ export OPENAI_BASE_URL=http://127.0.0.1:.../v1'
export OPENAI_BASE_URL="$address/v1" OPENAI_API_KEY=not-a-key NO_PROXY=127.0.0.1
echo '$ python program.py 100'
"$python" "$here/program.py" 100

say 'A call that the policy denies is not forwarded; the reason is in the exception of the package.'
echo '$ python program.py 100000'
if "$python" "$here/program.py" 100000; then
	echo 'a denied call was forwarded' >&2
	exit 1
fi

say 'The gateway stops, and closes its journal. An auditor has the journal and the public key, and no network.'
kill "$gateway"
wait "$gateway"
gateway=
echo '$ runattest journal verify --key runattest.pub --closed journal'
if unshare -n true 2>/dev/null; then # really without one, where the system lets us
	unshare -n "$runattest" journal verify --key runattest.pub --closed journal
else
	"$runattest" journal verify --key runattest.pub --closed journal
fi
