# SPDX-License-Identifier: Apache-2.0
"""Reads C++ sources well enough for the checks of layering and lint."""
import re

_BLANKED = re.compile(
    r'//(?:[^\n\\]|\\.|\\\n)*'                                 # line comment, perhaps continued
    r'|/\*.*?\*/'                                              # block comment
    r'|(?:u8|[uUL])?R"(?P<mark>[^()\s\\]{0,16})\(.*?\)(?P=mark)"'  # raw string
    r'|(?<![0-9A-Fa-f])\'(?:[^\'\\\n]|\\.)+\''                 # character, but not a digit separator
    r'|"(?:[^"\\\n]|\\.)*"',                                   # string
    re.DOTALL)


def _blank(match):
    text = match.group()
    if text.startswith("/"):
        return re.sub(r"[^\n]", " ", text)
    # A literal stays a token; what it says is gone.
    return '"' + re.sub(r"[^\n]", " ", text[1:-1]) + '"'


def without_comments_and_literals(text):
    """The same text at the same places, comments blank and literals as blank strings."""
    return _BLANKED.sub(_blank, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1
