"""A magic's line in words, whole or half typed."""

import argparse
import shlex

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mlx_magic.magics.words import place, quoted, split, typed


def actions() -> list[argparse.Action]:
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("model", nargs="?")
    parser.add_argument("--image", action="append")
    parser.add_argument("--think", action=argparse.BooleanOptionalAction)
    parser.add_argument("--temperature", type=float)
    parser.add_argument("-o", "--output")
    return list(parser._actions)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1), max_size=4))
@example(["it's", '"', "\\", "a b", "~/x", "{{ y }}"])
def test_what_is_quoted_comes_back_as_it_was(words: list[str]) -> None:
    assert shlex.split(" ".join(map(quoted, words))) == words
    line = "".join(quoted(word) + " " for word in words)
    assert (typed(line).words, typed(line).raw) == (tuple(words), "")
    assert not words or typed(line[:-1]).value == words[-1]


@pytest.mark.parametrize(
    "text, words, raw, value",
    [
        ("", (), "", ""),
        ("qw", (), "qw", "qw"),
        ("eyes --image 'my c", ("eyes", "--image"), "'my c", "my c"),
        ('eyes --image "my \\"c', ("eyes", "--image"), '"my \\"c', 'my "c'),
        ("--image my\\ c", ("--image",), "my\\ c", "my c"),
        ("--image 'my dir/'c", ("--image",), "'my dir/'c", "my dir/c"),
        ("--image {{ path }} --te", ("--image", "{{ path }}"), "--te", "--te"),
        ("--image d['a b'] q", ("--image", "d['a b']"), "q", "q"),
        ("a\\", (), "a\\", "a"),
    ],
)
def test_the_word_before_the_cursor_is_read_with_its_quote_still_open(
    text: str, words: tuple[str, ...], raw: str, value: str
) -> None:
    found = typed(text)
    assert (found.words, found.raw, found.value) == (words, raw, value)


@pytest.mark.parametrize(
    "line, waiting, given, unknown",
    [
        ("qwen", None, ["qwen"], []),
        ("qwen --image", "--image", ["qwen"], []),
        ("--image a b", None, ["b"], []),
        ("--image=a", None, [], []),
        ("--temp", "--temperature", [], []),  # argparse takes what is clear
        ("--t 1", None, ["1"], []),  # ambiguous: argparse says so
        ("--think", None, [], []),
        ("-o", "--output", [], []),
        ("--temprature 1", None, ["1"], ["--temprature"]),
        ("--temprature=1", None, [], ["--temprature"]),
        ("--image -1 -5 '-a b' -", None, ["-5", "-a b", "-"], []),
        ("-x", None, [], ["-x"]),
    ],
)
def test_words_lead_where_argparse_would_take_them(
    line: str, waiting: str | None, given: list[str], unknown: list[str]
) -> None:
    here = place(split(line), actions())
    assert (here.waiting.option_strings[-1] if here.waiting else None) == waiting
    assert (here.given, here.unknown) == (given, unknown)
