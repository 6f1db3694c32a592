"""Names that people give: real ones, and made-up ones that no table can hold."""

from __future__ import annotations

import random
import zlib

from training.world.text import words

TRAIN_NAMES = words(
    "Adam Aisha Alan Alex Alice Amelia Amir Andrea Anja Anton Aria Arthur Astrid Ben Bianca Bjorn "
    "Boris Bruno Camille Carla Carlos Carmen Charlie Chen Chloe Chris Clara Claire Daniel Daria "
    "David Diego Dora Edgar Elena Elias Elif Elsa Emil Emily Emma Erik Eva Fatima Felix Fiona "
    "Finn Frank Freya Gabriel Georg Gina Grace Greta Hana Hans Harry Hassan Helen Henry Hugo Ida "
    "Igor Ines Ingrid Irene Isaac Ivan Jack Jan Jane Jasmin Jean Jill Joe John Jonas Jorge Jose "
    "Juan Julia Kai Karen Karl Kate Kenji Kim Klaus Lara Laura Leila Lena Leo Lily Linda Lisa "
    "Liam Lucas Lucy Luis Luna Magda Marco Maria Marie Mark Marta Mary Matt Max Mia Michael "
    "Miguel Mila Milo Mohamed Nadia Naomi Nick Nils Nina Noah Olaf Olga Oliver Omar Oscar Otto "
    "Pablo Paul Paula Pedro Peter Petra Pierre Priya Rachel Raj Rita Robert Rosa Ruth Sally Sam "
    "Sara Sarah Simon Sofia Sophie Stefan Stella Sven Tara Theo Thomas Tim Tina Tom Uma Ursula "
    "Vera Victor Viktor Vera Wei Will Xavier Yara Yuki Yusuf Zara Zoe Mary-Ann Jean-Luc O'Neil "
    "Ana Bob Sue Ann Abdul Ming Ravi"
)
HELD_OUT_NAMES = words(
    "Ada Agnes Basil Beatrix Cedric Dolores Edith Farid Gustav Hilda Imogen Jacob Kofi Lorenzo "
    "Matilda Nikolai Ophelia Quentin Rupert Saskia Tobias Valeria Wendy Yolanda Zelda Ludwig "
    "Margaret Winston Tamara Rohan Leonard Heidi Grigori Esme Dmitri Cleo Anouk Bartholomew "
    "Ravenna"
)
SURNAMES = words(
    "Smith Jones Brown Garcia Muller Rossi Tanaka Silva Kowalski Hansen Dubois Novak Khan Singh "
    "Lee Wang Lovelace Hopper Turing Gray Stone Hill Baker Young King Moore Petrov Costa Berg"
)

_ONSETS = words(
    "b c d f g h j k l m n p r s t v w x y z b d f g l m n p r s t bl br ch cl cr dr fl fr gl gr "
    "kr pl pr qu sh sk sl sm sn sp st sw th tr tw wh zw"
)
_NUCLEI = words("a e i o u a e i o u ai ee ia io oo ou y")
_ENDS = words(
    "b d g k l m n p r s t x z ck ff ft ld lk ll mp nd ng nk nt pt rd rk rm rn rt sh sk sp ss st"
)
_CODAS = ("", "", "", *_ENDS)


def is_held_out(text: str, share: float = 0.1) -> bool:
    """Whether a text belongs to the held-out side; the same on every machine.

    >>> is_held_out("7,12") == is_held_out("7,12")
    True
    """
    return zlib.crc32(text.encode()) % 1000 < share * 1000


def made_up_word(rng: random.Random, held_out: bool) -> str:
    """A pronounceable word in lower case, from the asked side of the split."""
    while True:
        parts = (
            rng.choice(_ONSETS) + rng.choice(_NUCLEI) + rng.choice(_CODAS)
            for _ in range(rng.choice((1, 2, 2, 2, 3)))
        )
        word = "".join(parts)
        if 3 <= len(word) <= 10 and is_held_out(word) == held_out:
            return word


def person_name(rng: random.Random, held_out: bool) -> str:
    """A person's name: real, made up, sometimes with a surname."""
    if rng.random() < 0.45:
        name = rng.choice(HELD_OUT_NAMES if held_out else TRAIN_NAMES)
    else:
        name = made_up_word(rng, held_out).capitalize()
    return f"{name} {rng.choice(SURNAMES)}" if rng.random() < 0.08 else name


def remembered_number(rng: random.Random, held_out: bool) -> str:
    """A number of one to five digits; whole numbers are split, not digits."""
    while True:
        number = str(rng.randrange(10 ** rng.choice((1, 2, 2, 3, 4, 5))))
        if is_held_out(f"number {number}", 0.2) == held_out:
            return number
