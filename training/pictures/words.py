"""Made-up words, so that letters must be read and not words guessed."""

from __future__ import annotations

import random

from mlx_magic.demo.pictures.words import WORDS
from training.world import names

MOST_LETTERS = 7
_NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_KNOWN = frozenset((*WORDS, *_NUMBERS, "word", "number"))


def made_up_word(rng: random.Random, held_out: bool = False) -> str:
    """A word of three to seven letters that is in no list, from that side of the split."""
    while True:
        word = names.made_up_word(rng, held_out)
        if len(word) <= MOST_LETTERS and word not in _KNOWN:
            return word
