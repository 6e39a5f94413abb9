#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that a mistake does not compile, and what the compiler says about it.

check.py BUILD_DIRECTORY CASE.cpp
    CASE.cpp says in comments "// error: TEXT" which texts must appear, and marks the user's line with "// HERE".
    It must fail to compile with the compiler and the flags of the project. With g++ the first line of the output that
    names a line of a file must name the marked one, and the whole output must be shorter than 25 lines. "// HERE, not first"
    where another library's templates stand between: the line is named, before line 40.
    CASE.ok.cpp must compile.
check.py BUILD_DIRECTORY --self-test
"""
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
LINES, LINES_WHERE_NOT_FIRST = 25, 40
PLACE = re.compile(r"^(?P<file>[^\s:][^:\n]*):(?P<line>\d+)(?::\d+)?:", re.MULTILINE)


def compiler_and_flags(build):
    """Those of tests/main.cpp, which every build of the tests compiles; and as for futon::compiled, in half of the time: what
    is said of a mistake stands in the headers of both."""
    for entry in json.loads((build / "compile_commands.json").read_text(encoding="utf-8")):
        if entry["file"] == str(HERE.parent / "main.cpp"):
            words = shlex.split(entry["command"])
            break
    else:
        sys.exit(f"{build}/compile_commands.json does not have tests/main.cpp")
    words = words[:words.index("-o")] if "-o" in words else words
    return [word for word in words if word not in ("-c", entry["file"])] + ["-DFUTON_COMPILED", "-DASIO_SEPARATE_COMPILATION"]


def compile_case(command, case):
    with tempfile.TemporaryDirectory() as directory:
        run = subprocess.run([*command, "-o", os.path.join(directory, "case.o"), "-c", str(case)], text=True, check=False,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace",
                             env={**os.environ, "LC_ALL": "C", "GCC_COLORS": ""})
    return run.returncode, run.stdout


def problems_of(command, case):
    text = case.read_text(encoding="utf-8")
    status, output = compile_case(command, case)
    if case.name.endswith(".ok.cpp"):
        return (["it must compile"] if status != 0 else []), output

    wanted = re.findall(r"^\s*// error: (.+?)\s*$", text, re.MULTILINE)
    marked = [number for number, line in enumerate(text.splitlines(), 1) if re.search(r"// HERE(, not first)?\s*$", line)]
    if not wanted:
        return ["the case has no line '// error: TEXT'"], output
    if len(marked) != 1:
        return ["the case must mark exactly one line with '// HERE'"], output
    if status == 0:
        return ["it compiled"], output

    problems = [f"the output does not say: {words}" for words in wanted if words not in output]
    if "clang" not in os.path.basename(command_name(command)):
        not_first = re.search(r"// HERE, not first\s*$", text, re.MULTILINE)
        places = [(os.path.realpath(place["file"]), int(place["line"])) for place in PLACE.finditer(output)] or [("no place", 0)]
        if (os.path.realpath(case), marked[0]) not in (places if not_first else places[:1]):
            problems.append(f"the first place named is {places[0][0]}:{places[0][1]}, not line {marked[0]} of the case")
        count, most = len(output.splitlines()), LINES_WHERE_NOT_FIRST if not_first else LINES
        if count >= most:
            problems.append(f"the output has {count} lines, {most} or more")
    return problems, output


def command_name(command):
    return command[1] if os.path.basename(command[0]) == "ccache" else command[0]


def self_test(command):
    """Each sample says in '// verdict: TEXT' what this check must find; none: nothing."""
    failed, samples = 0, sorted((HERE / "samples").glob("*.cpp"))
    gnu = "clang" not in os.path.basename(command_name(command))
    for sample in samples:
        text = sample.read_text(encoding="utf-8")
        expected = re.findall(r"^// verdict: (.+)$", text, re.MULTILINE)
        if not gnu:
            expected = [words for words in expected if not words.startswith(("the first place", "the output has"))]
        problems, output = problems_of(command, sample)
        if len(problems) != len(expected) or any(not p.startswith(e) for p, e in zip(problems, expected)):
            failed += 1
            print(f"{sample.name}: expected {expected}, found {problems}; the compiler said:\n{output}")
    print(f"must-not-compile self-test: {len(samples) - failed} of {len(samples)} samples judged right")
    return 1 if failed or not samples else 0


def main():
    command = compiler_and_flags(pathlib.Path(sys.argv[1]))
    if sys.argv[2] == "--self-test":
        return self_test(command)
    problems, output = problems_of(command, pathlib.Path(sys.argv[2]).resolve())
    for problem in problems:
        print(f"{sys.argv[2]}: {problem}")
    if problems:
        print(f"The compiler said:\n{output}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
