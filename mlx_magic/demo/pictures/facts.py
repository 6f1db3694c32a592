"""What is true of a picture, as short canonical values, and one plain question for each fact."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Fact:
    """One true thing: its kind, the words that a question about it needs, the short answer."""

    kind: str
    slots: Mapping[str, str]
    value: str


# One question for each kind; `training/pictures/phrasings.py` has the many other ways to ask.
QUESTIONS = {
    "count_all": "How many shapes are there?",
    "count_shape": "How many {things} are there?",
    "count_colour": "How many {colour} shapes are there?",
    "colour_of": "What colour is the {thing}?",
    "shape_of": "What shape is the {colour} one?",
    "spot": "Where is the {thing}?",
    "where": "Is the {a} {choice} the {b}?",
    "relation": "Is the {a} {relation} the {b}?",
    "bigger": "Which is {more}, the {a} or the {b}?",
    "exists": "Is there {a_thing}?",
    "describe": "Describe the picture.",
    "chart_kind": "What kind of chart is this?",
    "chart_count": "How many {things} are there?",
    "largest": "What colour is the {most} {thing}?",
    "smallest": "What colour is the {most} {thing}?",
    "trend": "Is the line rising or falling?",
    "describe_chart": "Describe the picture.",
    "reads": "What does it say?",
    "word_or_number": "Is it a word or a number?",
    "describe_text": "Describe the picture.",
}


def question(fact: Fact) -> str:
    """The plain question about a fact.

    >>> question(Fact("colour_of", {"thing": "star"}, "red"))
    'What colour is the star?'
    """
    return QUESTIONS[fact.kind].format_map(fact.slots)


def with_article(noun: str) -> str:
    """`a red star`, `an orange star`."""
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def plural(noun: str) -> str:
    """`stars`, `crosses`."""
    return noun + ("es" if noun.endswith("s") else "s")


def listed(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))
