"""A magic's line as words: split as a shell does, also when it is only half typed."""

import argparse
import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

# `--image {{ path }}` and `--image d['key']` are one word, whatever blanks and quotes are in it.
_PICTURE_FIELD = re.compile(
    r"(--image(?:=|\s+))(\{\{.*?\}\}|[A-Za-z_]\w*(?:\.\w+|\[[^\]]*\])+)(?!\S)"
)
_NUMBER = re.compile(r"-\d+|-\d*\.\d+")
_PLAIN = re.compile(r"[^\s'\"\\]+")


def split(line: str) -> list[str]:
    """The words of a whole line. Raises `ValueError` for an unclosed quote."""
    return shlex.split(_PICTURE_FIELD.sub(lambda m: m[1] + shlex.quote(m[2]), line))


def quoted(word: str) -> str:
    """A word as it must be typed so that `split` gives it back.

    >>> quoted("~/cat.png"), quoted("my cat.png"), quoted("it's.png")
    ('~/cat.png', "'my cat.png'", '"it\\'s.png"')
    """
    if _PLAIN.fullmatch(word):
        return word
    if "'" in word and not {'"', "\\"} & set(word):
        return f'"{word}"'
    return shlex.quote(word)


@dataclass(frozen=True)
class Typed:
    """What stands before the cursor: whole words, and the one that is being typed.

    `raw` is the last word as it stands there, quotes and all; `value` is what it stands for.
    """

    words: tuple[str, ...]
    raw: str
    value: str


def typed(text: str) -> Typed:
    """Split what was typed so far; a quote may still be open.

    >>> typed("eyes --image 'my c")
    Typed(words=('eyes', '--image'), raw="'my c", value='my c')
    """
    start, value = _last_word(text)
    before = _PICTURE_FIELD.sub(lambda m: m[1] + shlex.quote(m[2]), text[:start])
    return Typed(tuple(shlex.split(before)), text[start:], value)


def _last_word(text: str) -> tuple[int, str]:
    """Where the last word of a text begins, and what it stands for: shlex's rules by hand."""
    start, value, quote, escaped = 0, "", "", False
    for position, character in enumerate(text):
        if escaped:
            kept = quote and character not in (quote, "\\")
            value, escaped = value + ("\\" if kept else "") + character, False
        elif character == "\\" and quote != "'":
            escaped = True
        elif quote:
            quote, value = ("", value) if character == quote else (quote, value + character)
        elif character in "'\"":
            quote = character
        elif character.isspace():
            start, value = position + 1, ""
        else:
            value += character
    return start, value


@dataclass(frozen=True)
class Place:
    """What words have filled of a magic's arguments.

    `waiting` is the flag whose value comes next, `used` are the flags that were typed, `given` the
    words that belong to no flag, and `unknown` what looks like a flag and is none.
    """

    waiting: argparse.Action | None = None
    used: list[argparse.Action] = field(default_factory=list)
    given: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


def place(words: Sequence[str], actions: Iterable[argparse.Action]) -> Place:
    """Read words as argparse does, but for no other end than to know where they lead."""
    flags = {flag: action for action in actions for flag in action.option_strings}
    waiting: argparse.Action | None = None
    here = Place()
    for word in words:
        name, equals, _ = word.partition("=")
        action = flag_named(name, flags)
        if action is not None:
            here.used.append(action)
            waiting = action if action.nargs != 0 and not equals else None
        elif waiting is not None:
            waiting = None
        elif word.startswith("-") and not _is_value(word):
            if not any(flag.startswith(name) for flag in flags):  # else ambiguous, not unknown
                here.unknown.append(name)
        else:
            here.given.append(word)
    return Place(waiting, here.used, here.given, here.unknown)


def flag_named(name: str, flags: dict[str, argparse.Action]) -> argparse.Action | None:
    """The flag of that name, or the only one that begins so."""
    if name in flags:
        return flags[name]
    longer = [flag for flag in flags if flag.startswith(name)] if name.startswith("--") else []
    return flags[longer[0]] if len(longer) == 1 and len(name) > 2 else None


def _is_value(word: str) -> bool:
    """Whether argparse takes a word with a dash in front for a value all the same."""
    return word == "-" or " " in word or _NUMBER.fullmatch(word) is not None
