# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Sourced by the other scripts: installs Debian packages that are missing, and touches nothing if none is.

need_packages() {
    local package missing=() as_root=()
    if ! command -v dpkg-query >/dev/null; then
        echo "Not a Debian system; taking it that the likes of these are installed: $*"
        return 0
    fi
    for package in "$@"; do
        dpkg-query -W -f='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
    done
    ((${#missing[@]})) || return 0
    if ((EUID != 0)); then
        if ! command -v sudo >/dev/null; then
            echo "Missing packages: ${missing[*]}. Install them as root, or install sudo, and run this again." >&2
            return 1
        fi
        as_root=(sudo)
    fi
    echo "Installing: ${missing[*]}"
    # Another apt may hold the lock for a while on a fresh machine; an outdated list is not yet a failure.
    "${as_root[@]}" apt-get -o DPkg::Lock::Timeout=300 update -qq || true
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 \
        install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

need_build_packages() {
    need_packages g++ cmake ninja-build python3 libasio-dev libmsgpack-cxx-dev doctest-dev
    # Used where it is there, never asked for.
    if command -v ccache >/dev/null; then export CMAKE_CXX_COMPILER_LAUNCHER=ccache; fi
}

# Servers and libraries of the registries that are opt-in. Debian's packages start no server where there is no init.
need_registry_packages() {
    need_packages etcd-server libcurl4-openssl-dev nlohmann-json3-dev zookeeper libzookeeper-mt-dev
}
