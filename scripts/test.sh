#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing (Debian 12), builds futon with g++ and runs its tests. Arguments go to ctest, e.g. -R wire.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/packages.sh

need_build_packages
cmake --preset debug
cmake --build --preset debug
# The consumer projects build futon again, four times; .ci/run has them.
ctest --preset debug --label-exclude consumer "$@"
