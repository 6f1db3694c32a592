"""Made-up words, so that letters must be read and not words guessed."""

from __future__ import annotations

import random
from string import ascii_lowercase

from mlx_magic.demo.pictures.words import HELD_OUT_WORDS, TRAIN_WORDS, WORDS
from training.world import names
from training.world.vocabulary import blended_word

LEAST_LETTERS, MOST_LETTERS = 3, 7
# How often each kind of word is shown to learn reading from: a made-up word has few of the letters
# that stand together in everyday ones (`ea`, `igh`, `rr`), a blended one has them.
_MADE_UP, _BLENDED, _ANY_LETTERS = 40, 40, 20
_NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_KNOWN = frozenset((*WORDS, *_NUMBERS, "word", "number"))


def made_up_word(rng: random.Random, held_out: bool = False) -> str:
    """A word of three to seven letters that is in no list, from that side of the split."""
    while True:
        word = names.made_up_word(rng, held_out)
        if len(word) <= MOST_LETTERS and word not in _KNOWN:
            return word


def word_to_learn(rng: random.Random) -> str:
    """A word that is not held out: made up, blended of everyday ones, or any letters."""
    while True:
        kind = rng.choices("mba", (_MADE_UP, _BLENDED, _ANY_LETTERS))[0]
        if kind == "m":
            return made_up_word(rng)
        if kind == "b":
            word = blended_word(rng, TRAIN_WORDS)
        else:
            word = "".join(rng.choices(ascii_lowercase, k=rng.randint(LEAST_LETTERS, MOST_LETTERS)))
        if len(word) <= MOST_LETTERS and not (names.is_held_out(word) or word in HELD_OUT_WORDS):
            return word
