#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compiles headers alone: headers_alone.py BUILD_DIRECTORY [--jobs N]

The public ones, with the compiler and the flags of that build, headers only, warnings as errors, and without making code. One that
another includes before anything else is compiled alone there, and not again. The CMake target futon_verify_interface_header_sets
compiles every one, and takes several times as long.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FIRST_INCLUDE = re.compile(r"\A[^#]*#pragma once[^#]*#include <(futon/[^>]+)>")
OPTIONAL = re.compile(r"(etcd|zookeeper)")  # Their libraries may not be there; their own tests begin with them.


def flags_of(build):
    entries = json.loads((build / "compile_commands.json").read_text())
    entry = next(e for e in entries if e["file"].endswith("tests/main.cpp"))
    words, kept, skip = shlex.split(entry["command"]), [], False
    for word in words:
        if skip:
            skip = False
        elif word in ("-o", "-c", "-MT", "-MF"):
            skip = True
        elif word not in ("-MD", "-DFUTON_COMPILED"):
            kept.append(word)
    return [w for w in kept if "ccache" not in w], pathlib.Path(entry["directory"])


def beginning(header):
    """What the header includes before anything else, what that includes before anything else, and so on."""
    while first := FIRST_INCLUDE.match((ROOT / "include" / header).read_text()):
        header = first.group(1)
        yield header


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    arguments = parser.parse_args()

    headers = [h.relative_to(ROOT / "include").as_posix() for h in sorted((ROOT / "include" / "futon").rglob("*.hpp"))]
    wanted = [h for h in headers if "/detail/" not in h and not OPTIONAL.search(h)]
    begin_others = {other for h in wanted for other in beginning(h)}
    alone = [h for h in wanted if h not in begin_others]
    command, directory = flags_of(arguments.build)

    def compile_alone(header):
        run = subprocess.run([*command, "-fsyntax-only", "-x", "c++", "-"], cwd=directory, text=True,
                             input=f"#include <{header}>\n", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return header, run.returncode, run.stdout

    failed = 0
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for header, status, output in pool.map(compile_alone, alone):
            if status:
                failed += 1
                print(f"{header} does not stand alone:\n{output}", flush=True)
    print(f"{len(headers)} headers; {len(wanted)} public: {len(alone)} compiled alone, which begin with the others; {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
