#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Joins test files into one translation unit: unity.py OUTPUT INPUT...

Unnamed namespaces become named after their file, so that two files may use the same names in them; #line keeps
diagnostics at the original place.
"""
import pathlib
import re
import sys

# g++ warns of closures in coroutine frames where the file named by #line is not the one that it was given.
PROLOGUE = """#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wsubobject-linkage"
#endif
"""

UNNAMED = re.compile(r"^(\s*(?:inline\s+)?namespace)(\s*\{)", re.MULTILINE)


def joined(files):
    parts = []
    for path in files:
        text = path.read_text(encoding="utf-8")
        name = "unity_" + re.sub(r"\W", "_", path.stem)
        parts.append(f'#line 1 "{path}"\n' + UNNAMED.sub(rf"\1 {name}\2", text))
    return PROLOGUE + "\n".join(parts)


if __name__ == "__main__":
    output = pathlib.Path(sys.argv[1])
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(joined([pathlib.Path(name) for name in sys.argv[2:]]), encoding="utf-8")
