#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Refuses what g++ 12 compiles wrongly: a temporary aggregate or a capturing lambda in a co_await expression, which it
destroys twice; and a co_await in the condition of if, while or switch, which crashes where the coroutine's outermost
block declares nothing.

co_await.py FILE...       checks C++ files, and the C++ blocks of Markdown files
co_await.py --self-test   checks samples/co_await.txt

What stands in braces, with or without a type before it, counts as an aggregate, since a type's constructors cannot be
seen here; a lambda that captures only by reference is harmless. Name the thing on a line of its own before the
expression. A line that must keep one says why: // co_await-temporary: REASON
"""
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from cpp_source import line_of, without_comments_and_literals  # noqa: E402

TOKEN = re.compile(r'[A-Za-z_]\w*|\.?\d[\w.\']*|"[^"]*"|::|->|\S')
CLOSING = {"(": ")", "[": "]", "{": "}"}
BEFORE_A_VALUE = {"return", "co_return", "co_await", "co_yield", "case", "throw", "new", "else", "do", "typename", "in"}
BLOCK_WORDS = {"else", "do", "try", "const", "noexcept", "mutable", "override", "final", "constexpr"}
TYPE_WORDS = {"struct", "class", "enum", "union", "namespace", "extern", "concept", "requires"}


class Token:
    kind = None

    def __init__(self, text, offset):
        self.text, self.offset = text, offset


class Group:
    """What stands between two brackets; items are tokens and groups."""

    def __init__(self, kind, offset):
        self.kind, self.offset, self.items, self.block = kind, offset, [], False
        self.text = kind


def parse(code):
    top = Group("{", 0)
    stack = [top]
    for match in TOKEN.finditer(re.sub(r"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", lambda m: re.sub(r"[^\n]", " ", m.group()), code,
                                       flags=re.MULTILINE)):
        text = match.group()
        if text in CLOSING:
            group = Group(text, match.start())
            stack[-1].items.append(group)
            stack.append(group)
        elif text in CLOSING.values():
            if len(stack) > 1 and CLOSING[stack[-1].kind] == text:
                stack.pop()
        else:
            stack[-1].items.append(Token(text, match.start()))
    return top


def is_lambda_introducer(items, index):
    """Whether the [...] at index starts a lambda: it does not stand behind a value, nor is it an attribute."""
    group = items[index]
    if group.kind != "[" or (group.items and isinstance(group.items[0], Group) and group.items[0].kind == "["):
        return False
    before = items[index - 1] if index else None
    if before is None or isinstance(before, Group) and before.kind == "{":
        return True
    if isinstance(before, Group):
        return False
    if before.text == "auto":
        return False                                            # auto [a, b] = ...
    return before.text in BEFORE_A_VALUE or not re.fullmatch(r'\w+|"[^"]*"|>', before.text)


def is_block(items, index, start):
    """Whether the braces at index hold statements (of a function, lambda, type, namespace), not a value."""
    before = items[index - 1] if index > start else None
    if before is None or before.text in (";", ":") or before.text in BLOCK_WORDS:
        return before is None or before.text != ":" or not any(i.text == "?" for i in items[start:index])
    if isinstance(before, Group):
        return before.kind != "[" or is_lambda_introducer(items, index - 1)
    head = items[start:index]
    if any(item.text in TYPE_WORDS for item in head) and not any(item.text in ("=", "return") for item in head):
        return True
    # A trailing return type: walk back over the type to "->" behind the parameters.
    at = index - 1
    while at > start and (re.fullmatch(r"\w+|::|<|>|\*|&|,", items[at].text) or items[at].kind == "("):
        at -= 1
    return at > start and items[at].text == "->" and (
        isinstance(items[at - 1], Group) or items[at - 1].text in BLOCK_WORDS)


def statements(items):
    """Splits the items of a block: at semicolons, behind blocks, and behind the head of if, for, while, switch."""
    start, index = 0, 0
    while index < len(items):
        item = items[index]
        if item.text == ";":
            yield items[start:index]
            start = index + 1
        elif item.text in ("if", "for", "while", "switch"):
            at = index + 1
            while at < len(items) and not isinstance(items[at], Group):
                at += 1
            if at < len(items) and items[at].kind == "(":
                yield from statements(items[at].items)
                start, index = at + 1, at
        elif isinstance(item, Group) and item.kind == "{" and is_block(items, index, start):
            item.block = True
            # A lambda's body ends nothing; a function's or a type's does.
            if not is_lambda_body(items, index, start):
                yield items[start:index + 1]
                start = index + 1
        index += 1
    if start < len(items):
        yield items[start:]


def is_lambda_body(items, index, start):
    """Whether the braces at index follow [...], perhaps with parameters and a result type between."""
    at = index - 1
    while at >= start and not (isinstance(items[at], Group) and items[at].kind == "["):
        if items[at].text in ("=", ";", "?", ".") or isinstance(items[at], Group) and items[at].kind == "{":
            return False
        at -= 1
    return at >= start and is_lambda_introducer(items, at)


def captures_by_value(group):
    entry = []
    for item in [*group.items, Token(",", 0)]:
        if item.text == ",":
            # By value: "=", "x", "*this", "x = ..."; by reference: "&", "&x", "this", and "&x = ...".
            if entry and entry[0].text != "&" and [i.text for i in entry] != ["this"]:
                return True
            entry = []
        else:
            entry.append(item)
    return False


def walk(items, start_of_statement, found, inner):
    """Collects the co_awaits, brace values and capturing lambdas of one full expression; blocks go to inner."""
    for index, item in enumerate(items):
        if not isinstance(item, Group):
            if item.text == "co_await":
                found["co_await"].append(item.offset)
            continue
        if item.kind == "[":
            if is_lambda_introducer(items, index):
                if captures_by_value(item):
                    found["bad"].append((item.offset, "a capturing lambda"))
                continue
        if item.kind == "{":
            if item.block or is_lambda_body(items, index, 0):
                inner.append(item)
                continue
            if not (start_of_statement and initialises_a_name(items, index)):
                found["bad"].append((item.offset, "a temporary in braces"))
        walk(item.items, False, found, inner)


def initialises_a_name(items, index):
    """'Type name{...}': the named object itself, not a temporary."""
    if index < 2 or isinstance(items[index - 1], Group) or not re.fullmatch(r"[A-Za-z_]\w*", items[index - 1].text):
        return False
    type_end = items[index - 2]
    if isinstance(type_end, Group) or any(item.text in ("=", "co_await", "return", "co_return") for item in items[:index]):
        return False
    return re.fullmatch(r"\w+|>|\*|&", type_end.text) is not None and type_end.text not in BEFORE_A_VALUE


def check_block(group, report):
    for statement in statements(group.items):
        found, inner = {"co_await": [], "bad": []}, []
        walk(statement, True, found, inner)
        if found["co_await"]:
            for offset, words in found["bad"]:
                report(offset, words)
        for block in inner:
            check_block(block, report)


def awaits(items):
    """Whether there is a co_await in them, other than in a lambda of their own."""
    return any(awaits(item.items) if isinstance(item, Group) and item.kind != "{" else item.text == "co_await" for item in items)


def declares(condition):
    """Whether it is a declaration: has "=", and not as a part of "==", "!=", "<=", ">="."""
    texts = ["", *(item.text for item in condition), ""]
    return any(texts[at] == "=" and texts[at - 1] not in tuple("=!<>") and texts[at + 1] != "=" for at in range(1, len(texts) - 1))


def check_conditions(items, report):
    for index, item in enumerate(items):
        if not isinstance(item, Group):
            continue
        before = [i.text for i in items[max(0, index - 2):index]]
        if item.kind == "(" and before and before[-1] in ("if", "while", "switch"):
            condition = item.items
            for at, each in enumerate(item.items):
                if each.text == ";":
                    condition = item.items[at + 1:]
            if awaits(condition) and not declares(condition):
                report(item.offset)
        check_conditions(item.items, report)


def problems_of(text, first_line=1):
    lines = text.splitlines()
    problems = []

    def report(offset, words):
        line = line_of(text, offset)
        if not re.search(r"// co_await-temporary: \S", lines[line - 1]):
            problems.append((line + first_line - 1, f"{words} in a co_await expression is destroyed twice by g++ 12: name it first"))

    def report_condition(offset):
        line = line_of(text, offset)
        if not re.search(r"// co_await-condition: \S", lines[line - 1]):
            problems.append((line + first_line - 1, "a co_await in a condition may crash with g++ 12: name its value first"))

    top = parse(without_comments_and_literals(text))
    check_block(top, report)
    check_conditions(top.items, report_condition)
    return sorted(problems)


def problems_of_file(path):
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".md":
        return problems_of(text)
    problems = []
    for match in re.finditer(r"^[ \t]*```(?:cpp|c\+\+)\b[^\n]*\n(.*?)^[ \t]*```", text, re.MULTILINE | re.DOTALL):
        problems += problems_of(match.group(1), line_of(text, match.start(1)))
    return problems


def self_test():
    """In samples/co_await.txt each case follows a line '=== bad' or '=== good'."""
    parts = re.split(r"^=== (good|bad)\n", (HERE / "samples" / "co_await.txt").read_text(encoding="utf-8"), flags=re.MULTILINE)
    cases = list(zip(parts[1::2], parts[2::2]))
    failed = 0
    for verdict, code in cases:
        problems = problems_of(code)
        if (verdict == "bad") != bool(problems):
            failed += 1
            print(f"expected {verdict}, found {problems}:\n{code}")
    print(f"co_await self-test: {len(cases) - failed} of {len(cases)} samples judged right")
    return 1 if failed or not cases else 0


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    bad = False
    for argument in sys.argv[1:]:
        root = pathlib.Path(argument)
        files = [root] if root.is_file() else sorted(p for s in ("cpp", "hpp", "md") for p in root.rglob(f"*.{s}"))
        for path in files:
            for line, words in problems_of_file(path):
                bad = True
                print(f"{path}:{line}: {words}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
