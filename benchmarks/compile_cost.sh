#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What including futon costs the compiler: seconds and memory of several programs, beside one that only includes Asio and
# msgpack. --smoke: once, without optimisation. --runs N, --only TEXT, --json FILE. The compiler is $CXX, else g++.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
exec python3 support/compile_cost.py "$@"
