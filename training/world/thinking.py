"""What a thinking model thinks before it answers: a sentence or two, and the working of sums.

A thought names what is asked and holds the answer, so that the answer only copies it. Beside tools
it lists them first, each by the word that people say. A sum is written down whole, then worked from
its ones, whose carry a tiny model would have to guess.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from training.world.stories import Wish
from training.world.unknown import with_article

CAPITAL = "They ask for the capital of {country}. It is {capital}."
COLOUR = "They ask for the colour of {an}. It is {colour}."
LEGS = "They ask for the legs of {an}. It has {legs}."
TELL_NAME = "They tell me the name {n}."
ASK_NAME = "They ask for their name. It is {n}."
NO_NAME = "They ask for their name. I was not told."
TELL_NUMBER = "They tell me the number {k}."
ASK_NUMBER = "They ask for their number. It is {k}."
NO_NUMBER = "They ask for their number. I was not told."
TELL_BOTH = "They tell me the name {n} and the number {k}."
STORY = "They want a story about {hero}."
OPEN_STORY = "They want a story. I take {hero}."
UNKNOWN = "They ask for something else. I do not know that."
OFFERED = "{word} is {name}"
CALL = "They say {word}: {word} is {name}."
CALL_AGAIN = "They ask once more: {word} is {name}."
RESULT = "The tool says {value}."
SMALL_TALK = {
    "hello": "They greet me.",
    "how_are_you": "They ask how I am.",
    "thanks": "They thank me.",
    "goodbye": "They say goodbye.",
    "who": "They ask who I am.",
    "can_do": "They ask what I can do.",
    "fine": "They are pleased.",
}


def offered(tools: Sequence[tuple[str, str]]) -> str:
    """Which tool is told by which word, each as (word, name).

    >>> offered([("weather", "get_weather"), ("roll", "roll_dice")])
    'weather is get_weather, roll is roll_dice.'
    """
    return ", ".join(OFFERED.format(word=word, name=name) for word, name in tools) + "."


def story(wish: Wish) -> str:
    """Whom a wished-for story is about."""
    hero = with_article(f"{wish.colour} {wish.hero}" if wish.colour else wish.hero)
    return STORY.format(hero=f"{hero} named {wish.name}" if wish.name else hero)


def open_story(wish: Wish) -> str:
    """Whom a story is about when the person leaves it open."""
    return OPEN_STORY.format(hero=with_article(wish.hero))


def totals(numbers: list[int], ops: list[str]) -> list[int]:
    """The running totals from left to right, the first number included.

    >>> totals([12, 30, 5], ["+", "-"])
    [12, 42, 37]
    """
    signed = [n if op == "+" else -n for op, n in zip(ops, numbers[1:], strict=True)]
    return list(accumulate([numbers[0], *signed]))


def expression(numbers: list[int], ops: list[str]) -> str:
    """The sum in signs.

    >>> expression([12, 30, 5], ["+", "-"])
    '12 + 30 - 5'
    """
    steps = zip(ops, map(str, numbers[1:]), strict=True)
    return " ".join([str(numbers[0]), *(part for step in steps for part in step)])


def sum_thought(numbers: list[int], ops: list[str]) -> str:
    """The whole sum, so that the working copies from nearby, and below it the working."""
    return f"{expression(numbers, ops)}\n{working(numbers, ops)}"


def working(numbers: list[int], ops: list[str]) -> str:
    """One line for each step, from left to right."""
    steps = zip(totals(numbers, ops), ops, numbers[1:], strict=False)
    return "\n".join(map(_step, *zip(*steps, strict=True)))


def _step(a: int, op: str, b: int) -> str:
    """The ones, the sum of plain numbers, and the sum as asked; equal ones once.

    >>> _step(142, "-", 85)
    '12 - 5 = 7, so 142 - 85 = 57'
    >>> _step(-18, "+", 5)
    '8 - 5 = 3, so 18 - 5 = 13, so -18 + 5 = -13'
    """
    plain = _plain(a, op, b)
    return ", so ".join(dict.fromkeys((_ones(*plain), _equation(*plain), _equation(a, op, b))))


def _plain(a: int, op: str, b: int) -> tuple[int, str, int]:
    """The step without a number below nought, the larger first when it takes away."""
    same_way = (a < 0) == (op == "-")
    if same_way:
        return abs(a), "+", b
    return max(abs(a), b), "-", min(abs(a), b)


def _ones(a: int, op: str, b: int) -> str:
    top, low = a % 10, b % 10
    return _equation(top + 10 if op == "-" and top < low else top, op, low)


def _equation(a: int, op: str, b: int) -> str:
    return f"{a} {op} {b} = {a + b if op == '+' else a - b}"
