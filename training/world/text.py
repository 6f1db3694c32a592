"""Long tables of words, written as text."""

from __future__ import annotations


def words(text: str) -> tuple[str, ...]:
    """The words of a text.

    >>> words("red green")
    ('red', 'green')
    """
    return tuple(text.split())


def entries(text: str) -> tuple[str, ...]:
    """The entries of a text, which are parted by upright strokes.

    >>> entries("Costa Rica|Chad")
    ('Costa Rica', 'Chad')
    """
    return tuple(text.split("|"))
