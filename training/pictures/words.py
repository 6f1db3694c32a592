"""Made-up words that can be said aloud, so that letters must be read and not words guessed."""

from __future__ import annotations

import random

from mlx_magic.demo.pictures.words import WORDS, word_held_out

_STARTS = (
    *"bcdfghjklmnprstvwz", *"bdfgklmnprst",
    "bl", "br", "ch", "cl", "cr", "dr", "fl", "fr", "gl", "gr", "pl", "pr", "qu", "sh", "sk",
    "sl", "sm", "sn", "sp", "st", "sw", "th", "tr", "tw", "wh", "y", "x", "",
)  # fmt: skip
_VOWELS = (
    "a",
    "e",
    "i",
    "o",
    "u",
    "a",
    "e",
    "i",
    "o",
    "u",
    "ai",
    "ea",
    "ee",
    "oo",
    "ou",
    "y",
    "au",
)
_ENDS = (
    "", "", "", *"bdgklmnprstxz", "ck", "ff", "ld", "ll", "lk", "mp", "nd", "ng", "nk", "nt", "rd",
    "rk", "rm", "rn", "rt", "sh", "sk", "ss", "st", "th", "ft", "pt", "sp",
)  # fmt: skip
_NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_KNOWN = frozenset((*WORDS, *_NUMBERS, "word", "number"))  # none of these can be made up


def made_up_word(rng: random.Random, held_out: bool = False) -> str:
    """A word of three to seven letters that is in no list, from that side of the split."""
    length = rng.randint(3, 7)
    while True:
        word = ""
        while len(word) < length:
            word += rng.choice(_STARTS) + rng.choice(_VOWELS)
            if rng.random() < 0.4:
                word += rng.choice(_ENDS)
        word = word[:length]
        if word not in _KNOWN and word_held_out(word) == held_out:
            return word
