# SPDX-License-Identifier: Apache-2.0
"""Counts the instructions of a client, the benchmark's own included, by running it twice; see instructions.sh."""

import argparse
import json
import pathlib
import re
import subprocess
import tempfile

# Row of benchmark_call -> what it may cost, as a multiple of the callback's.
ENDINGS = {"64 in flight, callback": None, "64 in flight, future": 1.25, "64 in flight, future with 3 stages": None,
           "64 in flight, task": None, "64 in flight, use_awaitable": None}


def instructions(program, row, port, calls, directory):
    """(instructions, calls) of a client from its start to its end."""
    out = f"{directory}/out"
    command = ["valgrind", "--quiet", "--tool=callgrind", f"--callgrind-out-file={out}", program, "--call", row, "--port", port, "--calls", str(calls)]
    done = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    total = re.search(r"^(?:totals|summary): (\d+)", pathlib.Path(out).read_text(), re.M)
    return int(total[1]), int(done.split()[0])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--json")
    with_ = parser.parse_args()
    few, many = (500, 1000) if with_.smoke else (5000, 25000)
    rows, targets = [], []
    print(f"{'':40} {'instructions':>12} {'to the callback':>16} {'target':>8}")
    for row, most in ENDINGS.items():
        server = subprocess.Popen([with_.program, "--serve", row], stdout=subprocess.PIPE, text=True)
        try:
            port = server.stdout.readline().strip()
            with tempfile.TemporaryDirectory() as directory:
                # The difference is calls alone, without the start.
                less, of_less = instructions(with_.program, row, port, few, directory)
                more, of_more = instructions(with_.program, row, port, many, directory)
        finally:
            server.kill()
            server.wait()
        each = (more - less) / (of_more - of_less)
        rows.append({"name": row, "instructions": each, "ratio": each / (rows[0]["instructions"] if rows else each)})
        ratio = rows[-1]["ratio"]
        verdict = ""
        if most:
            verdict = "PASS" if ratio <= most else "MISS"
            measured = {"median": ratio, "low": ratio, "high": ratio}
            targets.append({"name": f"{row}: user instructions, to the callback's", "measured": measured, "at_most": most, "verdict": verdict})
        print(f"{row:40} {each:12.0f} {ratio:16.2f} {f'<= {most}' if most else '':>8} {'' if with_.smoke else verdict}")
    if with_.json:
        pathlib.Path(with_.json).write_text(json.dumps({"rows": rows, "targets": targets}, indent=1) + "\n")


main()
