#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# User instructions of a client per call, 64 in flight, for each way to wait for the reply, by callgrind. --smoke, --json FILE.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if ! command -v valgrind >/dev/null; then
    echo "There is no valgrind: nothing is counted."
    exit 0
fi
exec python3 benchmarks/support/instructions.py build/bench/benchmarks/benchmark_call "$@"
