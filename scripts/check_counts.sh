#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Compares how many instructions, allocations and system calls some operations take with benchmarks/counts.json, where they are
# kept for each compiler and library; more than 5 % above is a failure. Where a change is meant:
#   scripts/check_counts.sh --renew     writes what was counted to that file, to be committed with the change
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/packages.sh

if (($# > 1)) || [[ ${1:---renew} != --renew ]]; then
    echo "usage: ${BASH_SOURCE[0]} [--renew]" >&2
    exit 2
fi
need_build_packages
need_packages valgrind
cmake --preset bench
cmake --build --preset bench --target benchmark_counts benchmark_call
python3 benchmarks/support/check_counts.py build/bench/benchmarks benchmarks/counts.json "$@"
