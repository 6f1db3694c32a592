"""What a made-up function takes: its parameters, and what people give for them.

Most arguments can't be guessed: they are made up or come from long lists.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from training.world.facts import COUNTRIES
from training.world.names import person_name
from training.world.phrasings import Phrasings
from training.world.tasks import Talk
from training.world.text import entries, words
from training.world.vocabulary import any_noun, unknown_word


@dataclass(frozen=True)
class Slot:
    """A parameter: the names it may have, its JSON type, what a person may give for it."""

    names: tuple[str, ...]
    type: str
    about: str
    give: Callable[[Talk], Any]


CITIES = tuple(country.capital for country in COUNTRIES) + entries(
    "Barcelona|Milan|Munich|Hamburg|Sydney|Melbourne|Toronto|Montreal|Chicago|Boston|Seattle|"
    "Denver|Dallas|Miami|Glasgow|Leeds|Bristol|Lyon|Nice|Porto|Naples|Turin|Geneva|Zurich|Basel|"
    "Malmo|Bergen|Aarhus|Krakow|Gdansk|Split|Mumbai|Kolkata|Shanghai|Osaka|Kyoto|Busan|Dubai|"
    "Lagos|Cape Town|Nairobi|Cusco|Rio|Quito|Salem|Austin|Paris|New York|San Diego|Los Angeles"
)
HELD_OUT_CITIES = entries(
    "Seville|Cologne|Perth|Vancouver|Houston|Liverpool|Marseille|Venice|Lausanne|Uppsala|Odense|"
    "Tampere|Dresden|Chennai|Kobe|Mombasa|Santa Fe|Portland|Atlanta|Hobart|Salzburg|Pisa"
)
ITEMS = words(
    "lamp chair table phone laptop bag pen book clock mirror kettle bike camera hat coat shirt "
    "guitar piano drum ball tent rope knife spoon plate bottle bed sofa desk printer radio "
    "umbrella wallet watch ring shoe bread milk cheese"
)
HELD_OUT_ITEMS = words("blanket carpet pillow ladder bucket candle helmet jacket violin tractor")
MESSAGES = entries(
    "see you soon|I am late|call me|happy birthday|the train is late|dinner is ready|good luck|"
    "we won|come home|I am here|bring the keys|the door is open|thank you|well done|wait for me|"
    "meet me at ten|the shop is closed|all is well|do not worry|I have the book"
)
HELD_OUT_MESSAGES = entries(
    "I miss you|the bus is here|come to the party|see you on Monday|the cake is good|I am at home"
)
TONGUES = Phrasings(
    words("French German Spanish Italian Russian Latin Dutch Greek Polish Danish Turkish Korean"),
    words("Swedish Finnish Hindi Czech"),
)
UNITS = Phrasings(
    words("euros dollars pounds yen metres miles feet inches hours minutes grams kilos francs"),
    words("litres cups ounces crowns yards seconds"),
)
VALUES = words(
    "sunny cloudy rainy windy warm cold dry wet high low good bad open closed red green blue "
    "early late heavy light busy quiet ready full empty Monday Friday noon ten yes no ok done"
)
KEYS = words("value result answer temp amount total level data status text output")


# The share of arguments that come from no short list.
OPEN_SHARE = 0.6


def _one_of(
    train: tuple[str, ...], held_out: tuple[str, ...], other: Callable[[Talk], str]
) -> Callable[[Talk], str]:
    """A word of a short list, or more often some other one."""

    def give(talk: Talk) -> str:
        if talk.rng.random() < OPEN_SHARE:
            return talk.style.typed(other(talk))
        return talk.style.typed(talk.rng.choice(held_out if talk.held_out else train))

    return give


def _any_city(talk: Talk) -> str:
    place = unknown_word(talk.rng, talk.held_out).capitalize()
    return place + talk.rng.choice(("", "", "", "", "ville", "burg", " Bay", " Hill"))


def _any_noun(talk: Talk) -> str:
    return any_noun(talk.rng, talk.held_out)


def _any_unit(talk: Talk) -> str:
    return any_noun(talk.rng, talk.held_out) + "s"


def _any_tongue(talk: Talk) -> str:
    stem = unknown_word(talk.rng, talk.held_out).capitalize()
    return stem + talk.rng.choice(("", "ish", "ese", "ian", "ic"))


def _any_message(talk: Talk) -> str:
    """`the ladder is gone`, with a word that is not expected."""
    noun = any_noun(talk.rng, talk.held_out)
    return talk.rng.choice(_TELLINGS).format(n=noun, k=talk.rng.randint(1, 99))


_TELLINGS = entries(
    "the {n} is here|bring the {n}|I like the {n}|where is my {n}|we have {k} {n}s|no {n} today|"
    "{n}|buy {k} {n}s|the {n} is gone|my {n} is ready|call {n}|I lost the {n}|{n} at {k}|a {n}"
)
_city = _one_of(CITIES, HELD_OUT_CITIES, _any_city)
_item = _one_of(ITEMS, HELD_OUT_ITEMS, _any_noun)


def _person(talk: Talk) -> str:
    while True:  # an apostrophe would be typed in several ways
        name = person_name(talk.rng, talk.held_out).split(" ")[0]
        if "'" not in name:
            return talk.style.typed(name)


def _word(talk: Talk) -> str:
    return unknown_word(talk.rng, talk.held_out) if talk.rng.random() < 0.5 else _item(talk)


def _count(talk: Talk) -> int:
    return talk.rng.randint(1, talk.rng.choice((9, 20, 99, 500)))


def _number(talk: Talk) -> int | float:
    if talk.rng.random() < 0.3:
        return float(f"{talk.rng.randint(0, 99)}.{talk.rng.randint(1, 9)}")
    return _count(talk)


PLACE = Slot(words("city town place location"), "string", "The city", _city)
PERSON = Slot(words("name person user friend"), "string", "The name", _person)
ITEM = Slot(words("item product thing article"), "string", "The item", _item)
WORD = Slot(words("word text input"), "string", "The word", _word)
COUNT = Slot(words("count number amount quantity"), "integer", "How many", _count)
LEVEL = Slot(words("level value setting"), "integer", "The level", _count)
MESSAGE = Slot(
    words("message content text"),
    "string",
    "The text",
    _one_of(MESSAGES, HELD_OUT_MESSAGES, _any_message),
)
TONGUE = Slot(
    words("language target"),
    "string",
    "The language",
    _one_of(TONGUES.train, TONGUES.held_out, _any_tongue),
)
UNIT = Slot(
    words("unit target to"), "string", "The unit", _one_of(UNITS.train, UNITS.held_out, _any_unit)
)
AMOUNT = Slot(words("amount value quantity"), "number", "The amount", _number)
FIRST = Slot(words("a x first left"), "number", "The first number", _number)
SECOND = Slot(words("b y second right"), "number", "The second number", _number)
