#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Compares how many lines and template specialisations the compiler goes through for a contract, and for a client and server,
# with benchmarks/compile_counts.json, where they are kept for each g++ and library; more than 5 % above is a failure. Where a
# change is meant:
#   scripts/check_compile_cost.sh --renew     writes what was counted to that file, to be committed with the change
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/packages.sh

if (($# > 1)) || [[ ${1:---renew} != --renew ]]; then
    echo "usage: ${BASH_SOURCE[0]} [--renew]" >&2
    exit 2
fi
need_build_packages
python3 benchmarks/support/check_compile_cost.py benchmarks/compile_counts.json "$@"
