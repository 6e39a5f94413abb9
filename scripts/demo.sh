#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing (Debian 12), builds the demo, starts a server process, and runs a client process that calls it
# in every way; then three servers that a client finds in a registry, of which one is slow and one is killed. Ends by itself.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/packages.sh

need_build_packages
cmake --preset debug
cmake --build --preset debug --target demo_server demo_client demo_quotes_server demo_quotes_client

programs=build/debug/examples
output=$(mktemp)
registry=$(mktemp -d)
server=
quotes=()
# Sends SIGTERM and waits for the end, at most 30 s: the server finishes the calls in flight first. Returns its status.
stop_server() {
    local pid=$server tries
    server=
    kill -TERM "$pid" 2>/dev/null || true
    for ((tries = 0; tries < 300; ++tries)); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    kill -KILL "$pid" 2>/dev/null || true
    wait "$pid"
}
stop_quotes() {
    local pid
    for pid in "${quotes[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
    for pid in "${quotes[@]}"; do wait "$pid" || true; done
    quotes=()
}
trap '[[ -z $server ]] || stop_server || true; stop_quotes; rm -rf "$output" "$registry"' EXIT

echo
echo "== starting: demo_server --listen tcp://127.0.0.1:0"
"$programs/demo_server" --listen tcp://127.0.0.1:0 >"$output" 2>&1 &
server=$!

# The server prints the address that it got; the port is the system's choice.
address=
for ((tries = 0; tries < 200; ++tries)); do
    address=$(grep -o -m1 'tcp://[^ ]*' "$output" || true)
    [[ -n $address ]] && break
    kill -0 "$server" 2>/dev/null || break
    sleep 0.05
done
if [[ -z $address ]]; then
    echo "The server did not print its address. It said:" >&2
    cat "$output" >&2
    exit 1
fi

echo "== running: demo_client $address"
status=0
timeout 60 "$programs/demo_client" "$address" || status=$?

echo "== stopping the server (SIGTERM)"
stopped=0
stop_server || stopped=$?
echo "== the server had printed:"
sed 's/^/   /' "$output"
if ((status != 0 || stopped != 0)); then
    echo "The client ended with status $status, the server with $stopped." >&2
    exit 1
fi

echo
echo "== a cluster: three servers in the registry file://$registry; c answers after 20 ms"
"$programs/demo_quotes_server" "file://$registry" a &
quotes+=($!)
"$programs/demo_quotes_server" "file://$registry" b &
victim=$!
"$programs/demo_quotes_server" "file://$registry" c 20 &
quotes+=($!)
echo "== running: demo_quotes_client file://$registry 4; each half second, who answered how many calls"
timeout 60 "$programs/demo_quotes_client" "file://$registry" 4 &
client=$!
sleep 1.5
echo "== killing b (SIGKILL)"
kill -KILL "$victim"
wait "$victim" 2>/dev/null || true
sleep 1
echo "== starting d"
"$programs/demo_quotes_server" "file://$registry" d &
quotes+=($!)
wait "$client" || status=$?
stop_quotes
if ((status != 0)); then
    echo "The cluster's client ended with status $status." >&2
    exit 1
fi
echo "== done"
