#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the headers against rooms.txt and the rules for headers.

check.py DIRECTORY     checks DIRECTORY/futon
check.py --self-test   checks that each file of samples/ is refused with the words that it expects
"""
import fnmatch
import pathlib
import re
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from cpp_source import line_of, without_comments_and_literals  # noqa: E402

ASIO_GATE = "futon/core/asio.hpp"
SYSTEM_HEADER = "futon/service/macros.hpp"
LONGEST = 300

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(<[^>\n]*>|"[^"\n]*")', re.MULTILINE)


class Table:
    """rooms.txt."""

    def __init__(self, path):
        self.kinds, self.rooms, self.headers, self.light = {}, {}, {}, {}
        groups = {"kind": self.kinds, "room": self.rooms, "header": self.headers, "light": self.light}
        for line in path.read_text(encoding="utf-8").splitlines():
            line = line.split("#")[0].strip()
            if not line:
                continue
            head, _, rest = line.partition(":")
            group, name = head.split()
            groups[group].setdefault(name, []).extend(rest.split())
        for name, allowed in [*self.rooms.items(), *self.headers.items(), *self.light.items()]:
            for word in allowed:
                if word != "*" and word not in self.rooms and word not in self.kinds:
                    sys.exit(f"{path}: {name}: {word} is neither a room nor a kind")

    def is_kind(self, name, include):
        patterns = self.kinds.get(name, [])
        return (any(fnmatch.fnmatchcase(include, p) for p in patterns if not p.startswith("!")) and
                not any(fnmatch.fnmatchcase(include, p[1:]) for p in patterns if p.startswith("!")))


class Header:
    def __init__(self, root, path):
        self.name = path.relative_to(root).as_posix()            # futon/wire/detail/x.hpp
        parts = self.name.split("/")
        self.room = parts[1] if len(parts) > 2 else None         # None: directly in include/futon
        self.text = path.read_text(encoding="utf-8")
        self.code = without_comments_and_literals(self.text)
        self.includes = []                                       # (what is between the brackets, line, quoted)
        for match in INCLUDE.finditer(self.text):
            # A commented-out include is blank in the code.
            if self.code[match.start():match.end()].lstrip().startswith("#"):
                what = match.group(1)
                self.includes.append((what[1:-1], line_of(self.text, match.start(1)), what[0] == '"'))


def room_of(include):
    parts = include.split("/")
    return parts[1] if parts[0] == "futon" and len(parts) > 2 else None


def bodies_of(name):
    """What a header may include at its end although that includes it: see core/bodies.hpp."""
    room, _, short = name.rpartition("/")
    return f"{room.removesuffix('/detail')}/detail/{short.removesuffix('.hpp')}_bodies.hpp"


class Checker:
    def __init__(self, root, table):
        self.root, self.table, self.problems = root, table, []
        self.headers = {}
        for path in sorted((root / "futon").rglob("*")):
            if path.is_file():
                if path.suffix != ".hpp":
                    self.problems.append(f"{path.relative_to(root).as_posix()}: headers end in .hpp")
                    continue
                header = Header(root, path)
                self.headers[header.name] = header
        self.closures = {}

    def say(self, header, line, words):
        self.problems.append(f"{header.name}:{line}: {words}")

    def run(self):
        for header in self.headers.values():
            self.check_form(header)
            self.check_includes(header)
            self.check_code(header)
        self.check_cycles()
        self.check_light()
        return self.problems

    def check_form(self, header):
        lines = header.text.splitlines()
        if not lines or not re.fullmatch(r"// SPDX-License-Identifier: Apache-2\.0", lines[0]):
            self.say(header, 1, "the first line must be '// SPDX-License-Identifier: Apache-2.0'")
        if not re.search(r"^#pragma once$", header.text, re.MULTILINE):
            self.say(header, 1, "#pragma once is missing")
        said = re.search(r"^/// \\file\n(?P<words>(?:///.*\n)*)", header.text, re.MULTILINE)
        if not said or not said.group("words").replace("/", "").strip():
            self.say(header, 1, "the '/// \\file' comment that says what the header is for is missing")
        elif len(lines) > LONGEST and "One thing because" not in said.group("words"):
            self.say(header, 1, f"{len(lines)} lines are more than {LONGEST}: split it, or say 'One thing because ...' in \\file")

    def allowed_of(self, header):
        if header.room is None:
            return self.table.headers.get(header.name.split("/")[-1])
        return self.table.rooms.get(header.room)

    def check_includes(self, header):
        allowed = self.allowed_of(header)
        if allowed is None:
            self.say(header, 1, "neither this room nor this header is in tests/layering/rooms.txt")
            allowed = ["*"]
        who = f"room {header.room}" if header.room else header.name
        reached = set()
        for include, line, quoted in header.includes:
            if quoted:
                self.say(header, line, f'"{include}": headers of futon include with <> and the full path')
                continue
            if include.startswith("futon/"):
                self.check_own_include(header, include, line, allowed, who)
                reached |= {include} | self.closure(include)
                continue
            if include == "asio.hpp" or include.startswith("asio/"):
                if header.name != ASIO_GATE and ASIO_GATE not in reached:
                    self.say(header, line, f"<{include}>: include <{ASIO_GATE}> first, which checks how Asio is compiled")
            standard = "/" not in include and "." not in include
            if not standard and "*" not in allowed and not any(self.table.is_kind(kind, include) for kind in allowed):
                self.say(header, line, f"{who} may not include <{include}>")

    def check_own_include(self, header, include, line, allowed, who):
        room = room_of(include)
        if include not in self.headers:
            self.say(header, line, f"<{include}> does not exist")
        elif room is None:
            if "*" not in allowed:
                self.say(header, line, f"{who} may not include the umbrella <{include}>")
        elif "/detail/" in include and room != header.room:
            self.say(header, line, f"<{include}> is private to room {room}")
        elif room not in (header.room, "core") and room not in allowed and "*" not in allowed:
            self.say(header, line, f"{who} may not include room {room} (<{include}>)")

    def check_code(self, header):
        for match in re.finditer(r"^[ \t]*#[ \t]*pragma[ \t]+GCC[ \t]+system_header", header.code, re.MULTILINE):
            line = line_of(header.code, match.start())
            if header.name != SYSTEM_HEADER:
                self.say(header, line, f"only {SYSTEM_HEADER} may be a system header: it hides warnings")
            for include, place, _ in header.includes:
                if place > line:
                    self.say(header, place, f"<{include}> after #pragma GCC system_header would lose its warnings")
        for match in re.finditer(r"\busing\s+namespace\b", header.code):
            if at_namespace_scope(header.code, match.start()):
                self.say(header, line_of(header.code, match.start()), "using namespace leaks into every file that includes this")
        lines = header.code.splitlines()
        for number, line in enumerate(lines, 1):
            if re.search(r"\bthread_local\b", line) and not re.search(r"noinline|NOINLINE", "\n".join(lines[max(0, number - 5):number])):
                self.say(header, number, "thread_local must stand within the first lines of a noinline function: "
                                         "clang keeps its address over a suspension point")

    def closure(self, name):
        """Every futon header that a header reaches."""
        if name not in self.closures:
            self.closures[name] = reached = set()
            if name in self.headers:
                for include, _, _ in self.headers[name].includes:
                    if include.startswith("futon/"):
                        reached.add(include)
                        reached |= self.closure(include)
        return self.closures[name]

    def check_cycles(self):
        done, seen = set(), set()

        def visit(name, trail):
            if name in trail:
                cycle = trail[trail.index(name):]
                start = cycle.index(min(cycle))
                cycle = cycle[start:] + cycle[:start]
                if tuple(cycle) not in seen:
                    seen.add(tuple(cycle))
                    self.problems.append(f"{cycle[0]}: a cycle of includes: {' -> '.join([*cycle, cycle[0]])}")
                return
            if name in done or name not in self.headers:
                return
            for include, _, _ in self.headers[name].includes:
                if include != bodies_of(name):
                    visit(include, [*trail, name])
            done.add(name)

        for name in self.headers:
            visit(name, [])

    def check_light(self):
        for short, kinds in self.table.light.items():
            start = f"futon/{short}"
            if start not in self.headers:
                continue
            for name in [start, *sorted(self.closure(start))]:
                for include, line, _ in self.headers[name].includes if name in self.headers else []:
                    for kind in kinds:
                        if self.table.is_kind(kind, include):
                            self.problems.append(f"{name}:{line}: {start} is light, yet reaches <{include}>")


def at_namespace_scope(code, offset):
    """Whether every open brace before the offset belongs to a namespace or an extern "C"."""
    stack, start = [], 0
    for match in re.finditer(r"[{};]", code[:offset]):
        if match.group() == "{":
            head = code[start:match.start()]
            stack.append(re.search(r'\bnamespace\b[^()=]*$|\bextern\s*"\s*"\s*$', head) is not None)
        elif match.group() == "}" and stack:
            stack.pop()
        start = match.end()
    return all(stack)


def check(root):
    return Checker(root, Table(HERE / "rooms.txt")).run()


def self_test():
    """A sample is a list of files, each after a line '=== name'; before them, lines 'expect: words'."""
    failed = 0
    samples = sorted((HERE / "samples").glob("*.txt"))
    for sample in samples:
        head, *files = re.split(r"^=== (.+)\n", sample.read_text(encoding="utf-8"), flags=re.MULTILINE)
        expected = sorted(re.findall(r"^expect: (.+)$", head, re.MULTILINE))
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory)
            for name, text in zip(files[::2], files[1::2]):
                path = root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                repeat = re.search(r"^REPEAT (\d+) (.*)\n", text, re.MULTILINE)
                if repeat:
                    text = text.replace(repeat.group(), f"{repeat.group(2)}\n" * int(repeat.group(1)))
                path.write_text(text, encoding="utf-8")
            problems = sorted(check(root))
        if problems != expected:
            failed += 1
            print(f"{sample.name}: expected\n  " + "\n  ".join(expected or ["nothing"]) + "\nbut the check said\n  " +
                  "\n  ".join(problems or ["nothing"]))
    print(f"layering self-test: {len(samples) - failed} of {len(samples)} samples judged right")
    return 1 if failed or not samples else 0


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    problems = check(pathlib.Path(sys.argv[1]).resolve())
    for problem in problems:
        print(f"include/{problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
