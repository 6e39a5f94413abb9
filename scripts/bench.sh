#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the benchmarks with -O2 and runs them one after the other. --smoke: a short run that only shows that they work.
# --json DIRECTORY: leaves the figures of each in a file there. --peers: gRPC, Cap'n Proto and Thrift as well, from Debian's
# packages. docs/performance.md says what is measured.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/packages.sh

options=()
json=
peers=OFF
while (($#)); do
    case $1 in
        --smoke) options+=(--smoke) ;;
        --peers) peers=ON ;;
        --json) json=$(realpath -m "${2:?--json needs a directory}"); shift ;;
        *) echo "usage: ${BASH_SOURCE[0]} [--smoke] [--peers] [--json DIRECTORY]" >&2; exit 2 ;;
    esac
    shift
done
[[ -z $json ]] || mkdir -p "$json"

run() {
    local name=${1##*/}
    echo "== $name"
    "$1" "${options[@]}" ${json:+--json "$json/${name%.*}.json"}
    echo
}

need_build_packages
if [[ $peers == ON ]]; then
    need_packages pkg-config libgrpc++-dev libprotobuf-dev protobuf-compiler-grpc libcapnp-dev capnproto libthrift-dev thrift-compiler libevent-dev
fi
cmake --preset bench -D FUTON_BENCHMARK_PEERS=$peers
cmake --build --preset bench
shopt -s nullglob
programs=(build/bench/benchmarks/benchmark_*)
if [[ $peers == ON ]]; then programs+=(build/bench/benchmarks/peers/benchmark_peers); fi
for program in "${programs[@]}"; do
    # What is counted instead of timed has a script of its own, check_counts.sh.
    if [[ -f $program && -x $program && $program != *_counts ]]; then run "$program"; fi
done
for script in benchmarks/*.sh; do run "$script"; done
