# SPDX-License-Identifier: Apache-2.0
"""Counts with benchmark_counts and benchmark_call, and compares with a baseline; see scripts/check_counts.sh."""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

TOLERANCE = 0.05
# What a batch holds depends a little on the machine's mood, what it costs does not.
SYSTEM_CALL_TOLERANCE = 0.25
CALLS = ["ping-pong, callback", "64 in flight, callback"]

# The C library picks its memcpy by the processor; this makes it pick the same one everywhere.
ENVIRONMENT = os.environ | {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX,-AVX2,-AVX512F,-AVX512VL,-ERMS,-FSRM"}


def operations(program):
    """Name -> {instructions, allocations} for one operation, and what the program was built with."""
    with tempfile.TemporaryDirectory() as directory:
        command = ["valgrind", "--quiet", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={directory}/out", program]
        told = json.loads(subprocess.run(command, env=ENVIRONMENT, check=True, capture_output=True, text=True).stdout)
        totals = {}
        for dump in pathlib.Path(directory).iterdir():
            text = dump.read_text()
            name = re.search(r"^desc: Trigger: Client Request: (.*)$", text, re.M)
            total = re.search(r"^(?:totals|summary): (\d+)", text, re.M)
            if name and total:
                totals[name[1]] = int(total[1])
    if not totals:
        sys.exit("check_counts: nothing was counted: is <valgrind/callgrind.h> there when benchmark_counts is built?")
    counted = {}
    for each in told["operations"]:
        counted[each["name"]] = {
            "instructions": round(totals[each["name"]] / each["times"], 1),
            "allocations": round(each["allocations"], 3),
        }
    return counted, told["built_with"]


def system_calls(program):
    """Name -> {system_calls} for one call, of the side that makes more."""
    counted = {}
    with tempfile.TemporaryDirectory() as directory:
        out = f"{directory}/calls.json"
        for name in CALLS:
            command = [program, "--counts", "--window", "400", "--only", name, "--json", out]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            for row in json.loads(pathlib.Path(out).read_text())["rows"]:
                if row["name"] == name:
                    most = max(row[side]["system_calls"] for side in ("client_per_call", "server_per_call"))
                    counted[name] = {"system_calls": round(most, 3)}
    return counted


def tolerance(kind):
    return SYSTEM_CALL_TOLERANCE if kind == "system_calls" else TOLERANCE


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("programs", type=pathlib.Path)
    parser.add_argument("baseline", type=pathlib.Path)
    parser.add_argument("--renew", action="store_true")
    with_ = parser.parse_args()

    counted, key = operations(with_.programs / "benchmark_counts")
    counted |= system_calls(with_.programs / "benchmark_call")
    kept = json.loads(with_.baseline.read_text()) if with_.baseline.exists() else {}
    expected = kept.get(key, {})
    print(f"{key}\n\n{'':44} {'':13} {'counted':>9} {'baseline':>9} {'ratio':>6}")
    failed, lower, new = [], [], []
    for name, kinds in counted.items():
        for kind, value in kinds.items():
            base = expected.get(name, {}).get(kind)
            line = f"{name:44} {kind:13} {value:9.6g}"
            if base is None:
                new.append(name)
                print(line)
                continue
            verdict = ""
            # 0.01 of an allocation is a block that one side had not yet seen come back.
            if value > base * (1 + tolerance(kind)) + (0.01 if kind == "allocations" else 0):
                verdict = "  MORE"
                failed.append(name)
            elif value < base * (1 - tolerance(kind)):
                verdict = "  less"
                lower.append(name)
            print(f"{line} {base:9.6g} {value / base if base else 1:6.3f}{verdict}")
    print()

    if with_.renew:
        kept[key] = counted
        with_.baseline.write_text(json.dumps(kept, indent=1) + "\n")
        print(f"Written to {with_.baseline}.")
        return
    if not expected:
        print(f"Skipped: counts depend on compiler and libraries, and {with_.baseline} has none for these, only for:")
        print("\n".join(f"  {each}" for each in kept))
        print("scripts/check_counts.sh --renew adds them.")
        return
    gone = [name for name in expected if name not in counted]
    if lower:
        print("Some take less than they did: scripts/check_counts.sh --renew, so that it stays so.")
    if new or gone:
        print("Some operations are new or gone: scripts/check_counts.sh --renew.")
    if failed:
        sys.exit(f"More than {TOLERANCE:.0%} above the baseline (system calls: {SYSTEM_CALL_TOLERANCE:.0%}): {'; '.join(dict.fromkeys(failed))}.\n"
                 "If that is meant, run scripts/check_counts.sh --renew, and say in the commit why it is worth it.")
    print("All within the tolerance.")


main()
