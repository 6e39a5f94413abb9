# SPDX-License-Identifier: Apache-2.0
"""Compiles the programs of benchmarks/compile and prints what that cost; see compile_cost.sh."""

import argparse
import json
import os
import pathlib
import shlex
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent.parent
FLOOR = "asio.hpp + msgpack.hpp"
FURTHER_METHODS = 32
PROGRAMS = [
    (FLOOR, "floor.cpp", []),
    ("contract only", "contract.cpp", []),
    ("calls", "calls.cpp", []),
    ("futon.hpp, unused", "unused.cpp", []),
    ("client", "client.cpp", []),
    ("server", "server.cpp", []),
    ("client + server", "client_server.cpp", []),
    ("the same, futon::compiled", "client_server.cpp", ["-DFUTON_COMPILED"]),
    ("futon::compiled itself", "../../src/compiled.cpp", ["-DFUTON_COMPILED"]),
    ("1 method", "methods.cpp", []),
    ("33 methods", "methods.cpp", ["-DMANY"]),
]


def flags(compiler):
    """Those of the CMake target."""
    made = ["-std=c++20", f"-I{HERE.parent / 'include'}", "-DASIO_STANDALONE", "-DMSGPACK_NO_BOOST"]
    version = subprocess.run([*compiler, "--version"], capture_output=True, text=True, check=True).stdout
    if "clang" in version:
        made += ["-DASIO_HAS_CO_AWAIT", "-DASIO_HAS_STD_COROUTINE"]
    return made, version.splitlines()[0]


def compile_once(command):
    """CPU seconds of the compiler with its assembler, and its largest memory in MiB."""
    child = subprocess.Popen(command, env=os.environ | {"CCACHE_DISABLE": "1"})
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"compile_cost: failed: {shlex.join(command)}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", help="rows whose name contains this, beside the yardstick")
    parser.add_argument("--json")
    with_ = parser.parse_args()
    runs = 1 if with_.smoke else with_.runs
    programs = [each for each in PROGRAMS if each[0] == FLOOR or not with_.only or with_.only in each[0]]
    levels = ["-O0"] if with_.smoke else ["-O0", "-O2"]
    compiler = shlex.split(os.environ.get("CXX", "g++"))
    common, version = flags(compiler)
    print(f"{version}; CPU seconds (user + system), least of {runs}; peak memory")

    # Round by round, so that a disturbance of the machine falls on all programs alike.
    best = {}
    for _ in range(runs):
        for level in levels:
            for name, source, more in programs:
                command = [*compiler, *common, *more, level, "-c", str(HERE / "compile" / source), "-o", os.devnull]
                seconds, memory = compile_once(command)
                before = best.get((name, level), (seconds, memory))
                best[name, level] = (min(seconds, before[0]), min(memory, before[1]))

    figures = {"compiler": version, "runs": runs, "levels": {}}
    for level in levels:
        floor_seconds, floor_memory = best[FLOOR, level]
        print(f"\n{level:26} {'seconds':>8} {'ratio':>6} {'MiB':>6} {'ratio':>6}")
        rows = figures["levels"][level] = {}
        for name, _, _ in programs:
            seconds, memory = best[name, level]
            rows[name] = {"seconds": seconds, "ratio": seconds / floor_seconds, "mib": memory, "memory_ratio": memory / floor_memory}
            print(f"{name:26} {seconds:8.2f} {seconds / floor_seconds:6.2f} {memory:6.0f} {memory / floor_memory:6.2f}")
        if not {"1 method", "33 methods"} <= rows.keys():
            continue
        each = (best["33 methods", level][0] - best["1 method", level][0]) / FURTHER_METHODS
        each_memory = (best["33 methods", level][1] - best["1 method", level][1]) / FURTHER_METHODS
        rows["each further method"] = {"seconds": each, "mib": each_memory}
        print(f"{'each further method':26} {each:8.3f} {'':6} {each_memory:6.1f}")
    if with_.json:
        pathlib.Path(with_.json).write_text(json.dumps(figures, indent=1) + "\n")


main()
