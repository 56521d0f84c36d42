#!/usr/bin/env bash
# deploy/demo keeps its ports from run to run, and takes another, saying so, when a program has taken one meanwhile.
set -euo pipefail

source=$(cd "$(dirname "$0")/../.." && pwd)
command -v ss >/dev/null || { echo "skipped: no ss"; exit 77; }
demo=$(mktemp -d)
taker=
trap '[ -z "$taker" ] || kill "$taker"; rm -rf "$demo"' EXIT
mkdir "$demo/pids" "$demo/logs"
# shellcheck source=deploy/demo-functions
. "$source/deploy/demo-functions"

fail() {
	echo "$*" >&2
	exit 1
}

ports() {
	echo "$PORT_GATEWAY $PORT_ENROL $PORT_VNC $PORT_RDP"
}

keep_ports >"$demo/said"
first=$(ports)
[ "$(tr ' ' '\n' <<<"$first" | sort -u | wc -l)" = 4 ] || fail "not four ports: $first"
[ ! -s "$demo/said" ] || fail "something was said of new ports"

load_kept
keep_ports >"$demo/said"
[ "$(ports)$(cat "$demo/said")" = "$first" ] || fail "kept ports have changed: $(ports)"

taken=$PORT_GATEWAY
python3 -c '
import signal, socket, sys
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
signal.pause()' "$taken" &
taker=$!
wait_for "the port to be taken" 10 listening "$taken"
keep_ports >"$demo/said"
[ "$PORT_GATEWAY" != "$taken" ] || fail "the taken port was kept"
[ "$PORT_ENROL $PORT_VNC $PORT_RDP" = "${first#* }" ] || fail "other ports have changed: $(ports)"
[ "$(tr ' ' '\n' <<<"$(ports)" | sort -u | wc -l)" = 4 ] || fail "a port is used twice: $(ports)"
grep -q "$taken.*$PORT_GATEWAY" "$demo/said" || fail "not said: $(cat "$demo/said")"

# One that our own gateway holds is not taken.
keep PORT_GATEWAY "$taken"
echo "$taker $(started_at "$taker")" >"$demo/pids/gateway"
keep_ports >"$demo/said"
[ "$PORT_GATEWAY$(cat "$demo/said")" = "$taken" ] || fail "our own port counts as taken"
