"""Untrusted text made harmless for a terminal or a single line."""

import re

# Everything that steers a terminal or reorders a line: C0 and C1 controls but tab and newline,
# and the Unicode marks that override the writing direction.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_HALVES = re.compile("[\ud800-\udfff]")


def plain_text(text: str) -> str:
    """Text without control characters: safe in a terminal, readable in a saved notebook."""
    return whole(_CONTROLS.sub("", text.replace("\r\n", "\n")))


def whole(text: str) -> str:
    """Text without halves of characters (lone surrogates), which nothing can encode."""
    return _HALVES.sub("\N{REPLACEMENT CHARACTER}", text)


def one_line(text: str, most: int = 500) -> str:
    """Plain text on one line of at most `most` characters."""
    line = " ".join(plain_text(text).split())
    return line if len(line) <= most else line[: most - 1] + "…"
