#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs an example and compares what it prints with its first comment: check_output.py [--server PROGRAM] SOURCE COMMAND...

The expected lines follow "// expected output:" up to the end of that comment. "..." in a line stands for any text,
"..." alone on a line for any number of lines. The program must exit with 0.

With --server, PROGRAM is started before, as PROGRAM ADDRESS, the command is run as COMMAND... ADDRESS, and then PROGRAM
must exit with 0 on SIGTERM.
"""
import contextlib
import pathlib
import re
import subprocess
import sys
import tempfile
import time

SECONDS = 60


def expected_lines(text):
    lines, found = [], False
    for line in text.splitlines():
        if not line.startswith("//"):
            if found or line.strip():
                break
            continue
        if found:
            lines.append(line[2:])
        found = found or re.fullmatch(r"//\s*expected output:\s*", line) is not None
    while lines and not lines[-1].strip():
        lines.pop()
    margin = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return [line[margin:].rstrip() for line in lines] if found else None


def pattern_of(lines):
    pattern = ""
    for line in lines:
        if line == "...":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*".join(re.escape(part) for part in line.split("...")) + r"[ \t]*\n"
    return re.compile(pattern)


def matches(lines, printed):
    if printed and not printed.endswith("\n"):
        printed += "\n"
    return pattern_of(lines).fullmatch(printed) is not None


@contextlib.contextmanager
def running(server):
    """Yields the address of the server, which no other process uses: a socket in a directory of its own."""
    with tempfile.TemporaryDirectory() as directory:
        socket = pathlib.Path(directory) / "socket"
        process = subprocess.Popen([*server, f"unix://{socket}"], stdin=subprocess.DEVNULL)
        try:
            until = time.monotonic() + SECONDS
            while not socket.exists() and process.poll() is None and time.monotonic() < until:
                time.sleep(0.01)
            yield f"unix://{socket}"
            process.terminate()
            if status := process.wait(SECONDS):
                sys.exit(f"{server[-1]}: exited with {status}")
        finally:
            process.kill()
            process.wait()


def main():
    arguments = sys.argv[1:]
    server = None
    if arguments[0] == "--server":
        server = arguments[1]
        del arguments[:2]
    source, command = pathlib.Path(arguments[0]), arguments[1:]
    if server is None:
        return compare(source, command)
    # What starts the program, if anything does, starts the server too.
    with running([*command[:-1], server]) as address:
        compare(source, [*command, address])


def compare(source, command):
    lines = expected_lines(source.read_text(encoding="utf-8"))
    if lines is None:
        sys.exit(f"{source}: its first comment has no line '// expected output:'")
    try:
        run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                             timeout=SECONDS, text=True, encoding="utf-8", errors="replace", check=False)
    except subprocess.TimeoutExpired as late:
        printed = late.stdout or b""
        sys.exit(f"{source}: still running after {SECONDS} s; it printed:\n{printed.decode(errors='replace')}")
    if run.returncode != 0:
        sys.exit(f"{source}: exited with {run.returncode}; it printed:\n{run.stdout}")
    if not matches(lines, run.stdout):
        sys.exit(f"{source}: expected output\n" + "".join(f"  {line}\n" for line in lines) + "but it printed\n" +
                 "".join(f"  {line}\n" for line in run.stdout.splitlines()))


if __name__ == "__main__":
    main()
