# SPDX-License-Identifier: Apache-2.0
"""Checks that `simulate_cluster --seeds N` prints the medians of what N runs print: check_medians.py PROGRAM..."""
import statistics
import subprocess
import sys

OPTIONS = ["--scenario", "failing_one", "--policy", "random,peak_ewma", "--seconds", "0.3", "--clients", "10"]


def table(*more):
    """The figures of each policy, by its name."""
    out = subprocess.run([*sys.argv[1:], *OPTIONS, *more], check=True, capture_output=True, text=True).stdout
    rows = [line.split() for line in out.splitlines()[3:]]
    return {row[0]: [float("inf") if cell == "-" else float(cell) for cell in row[1:]] for row in rows}


runs = [table("--seed", str(seed)) for seed in (5, 6, 7)]
medians = table("--seed", "5", "--seeds", "3")
assert set(medians) == {"random", "peak_ewma"}, medians
for policy, figures in medians.items():
    expected = [statistics.median(each) for each in zip(*(run[policy] for run in runs))]
    assert figures == expected, f"{policy}: {figures}, of single runs {expected}"
assert runs[0] != runs[1]

refused = subprocess.run([*sys.argv[1:], "--seeds", "0"], capture_output=True, text=True)
assert refused.returncode == 2 and "--seeds needs at least 1" in refused.stderr, refused
