# SPDX-License-Identifier: Apache-2.0
"""Counts what programs of benchmarks/compile give the compiler to do, and compares; see scripts/check_compile_cost.sh."""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

TOLERANCE = 0.05
HERE = pathlib.Path(__file__).resolve().parent.parent
PROGRAMS = [
    ("contract only", "contract.cpp", []),
    ("calls", "calls.cpp", []),
    ("client + server", "client_server.cpp", []),
    ("client + server, futon::compiled", "client_server.cpp", ["-DFUTON_COMPILED"]),
]
VERSIONS = "#include <asio/version.hpp>\n#include <msgpack/version_master.hpp>\n"


def run(command, given=None):
    done = subprocess.run(command, input=given, capture_output=True, text=True, env=os.environ | {"CCACHE_DISABLE": "1", "LC_ALL": "C"})
    if done.returncode != 0:
        sys.exit(f"check_compile_cost: failed: {shlex.join(command)}\n{done.stderr}")
    return done


def toolchain(compiler):
    """What the counts depend on: headers of the standard library, of Asio and of msgpack-cxx count like futon's."""
    text = run([*compiler, "-std=c++20", "-E", "-dM", "-x", "c++", "-"], VERSIONS).stdout
    macros = dict(re.findall(r"^#define (\w+) (.*)$", text, re.M))
    asio = int(macros["ASIO_VERSION"])
    msgpack = ".".join(macros[f"MSGPACK_VERSION_{part}"] for part in ("MAJOR", "MINOR", "REVISION"))
    return (f"g++ {macros['__GNUC__']}.{macros['__GNUC_MINOR__']}, Asio {asio // 100000}.{asio // 100 % 1000}.{asio % 100}, "
            f"msgpack-cxx {msgpack}")


def count(compiler, source, more):
    """The lines of all headers together, and the template specialisations that g++ has made at the end."""
    command = [*compiler, "-std=c++20", f"-I{HERE.parent / 'include'}", "-DASIO_STANDALONE", "-DMSGPACK_NO_BOOST", *more,
               str(HERE / "compile" / source)]
    text = run([*command, "-E", "-P"]).stdout
    statistics = run([*command, "-fsyntax-only", "-fstats"]).stderr
    made = re.findall(r"^(?:decl|type)_specializations: size \d+, (\d+) elements", statistics, re.M)
    if len(made) != 2:
        sys.exit("check_compile_cost: this compiler does not say how many template specialisations it has made")
    return {"lines": len(text.splitlines()), "specialisations": sum(map(int, made))}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("baseline", type=pathlib.Path)
    parser.add_argument("--renew", action="store_true")
    with_ = parser.parse_args()
    compiler = shlex.split(os.environ.get("CXX", "g++"))
    all_known = json.loads(with_.baseline.read_text()) if with_.baseline.exists() else {}
    where = toolchain(compiler)
    with concurrent.futures.ThreadPoolExecutor() as at_once:
        counts = at_once.map(lambda program: count(compiler, *program[1:]), PROGRAMS)
    counted = dict(zip((name for name, _, _ in PROGRAMS), counts))

    if with_.renew:
        all_known[where] = counted
        with_.baseline.write_text(json.dumps(all_known, indent=1) + "\n")
        print(f"{with_.baseline}: renewed for {where}")
        return
    if where not in all_known:
        print(f"There is no baseline for {where}; nothing was compared. scripts/check_compile_cost.sh --renew adds one.")
        return

    print(f"{where}\n\n{'':34}{'':16}{'baseline':>9}{'now':>9}{'change':>9}")
    worse = better = False
    for name, figures in counted.items():
        for what, now in figures.items():
            then = all_known[where].get(name, {}).get(what, now)
            change = now / then - 1
            worse |= change > TOLERANCE
            better |= change < -TOLERANCE
            print(f"{name:34}{what:16}{then:9}{now:9}{change:+9.1%}{'  MORE' if change > TOLERANCE else ''}")
    if better:
        print("Some of it is less than it was: scripts/check_compile_cost.sh --renew, so that it stays so.")
    if worse:
        sys.exit(f"More than {TOLERANCE:.0%} above the baseline: every file that includes futon pays for that.\n"
                 "If that is meant, run scripts/check_compile_cost.sh --renew, and say in the commit why it is worth it.")


main()
