"""Made-up functions that a model may call: what they are named, how people ask.

Function names are a verb and a noun; whole nouns and verbs are held out, as are phrasings. Most
names of functions and parameters can't be guessed, so that copying is the only way.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from training.world.arguments import (
    AMOUNT,
    COUNT,
    FIRST,
    ITEM,
    LEVEL,
    MESSAGE,
    PERSON,
    PLACE,
    SECOND,
    TONGUE,
    UNIT,
    WORD,
    Slot,
)
from training.world.phrasings import GIVE, TELL, Phrasings, widened
from training.world.remarks import AND_THIS
from training.world.text import entries, words
from training.world.vocabulary import (
    NOUNS,
    PARAMETERS,
    any_noun,
    any_verb,
    long_made_up_word,
)

JSON = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """Functions of one sort. `{v}` is the verb, `{n}` the noun, `{x}` and `{y}` the arguments.

    `told_by` is the word that a question shares with the function's name.
    """

    verbs: Phrasings
    nouns: Phrasings
    slots: tuple[Slot, ...]
    about: tuple[str, ...]
    questions: Phrasings
    answer: str
    told_by: str = "n"
    again: tuple[str, ...] = ()
    fixed_verb: bool = False


@dataclass(frozen=True)
class Function:
    """One function of a kind, with its parameters' names; `camel`: `getAirQuality`."""

    kind: Kind
    verb: str
    noun: str
    about: str
    parameters: tuple[str, ...]
    camel: bool = False

    @property
    def name(self) -> str:
        """`get_air_quality`, or in camel case."""
        return _joined(f"{self.verb} {self.noun}", self.camel)

    @property
    def told_by(self) -> str:
        """The word by which a question is known to mean this function."""
        return self.noun if self.kind.told_by == "n" else self.verb

    @property
    def schema(self) -> JSON:
        """The function as chat programs describe it."""
        properties = {
            name: {"type": slot.type, "description": slot.about}
            for name, slot in zip(self.parameters, self.kind.slots, strict=True)
        }
        return {
            "type": "function",
            "function": {
                "name": self.name,
                "description": self.about,
                "parameters": {
                    "type": "object",
                    "properties": properties,
                    "required": list(self.parameters),
                },
            },
        }


def _joined(text: str, camel: bool) -> str:
    """The words as one name.

    >>> _joined("air quality", True), _joined("air quality", False)
    ('airQuality', 'air_quality')
    """
    if not camel:
        return text.replace(" ", "_")
    first, *others = text.replace("_", " ").split(" ")
    return first + "".join(map(str.capitalize, others))


LOOK = Phrasings(
    words("get find check show fetch read look_up give tell"), words("query retrieve view")
)
# Frames around an order: `send the note`.
_DO_IT = (
    "{Q}.", "{Q}.", "{q}", "Please {q}.", "Can you {q}?", "Will you {q}?", "I want to {q}.",
    "I want you to {q}.", "Now {q}.", "I would like to {q}.", "Let us {q}.", "Help me {q}.",
    "Could we {q}?", "You should {q}.", "Please, {q}!", "I must {q}.", "Try to {q}.", "Then {q}.",
    "I have to {q}.", "We need to {q}.", "Can we {q}?", "You can {q}.", "Next, {q}.", "Just {q}.",
    "May I ask you to {q}?", "My boss wants me to {q}.", "Let me {q}.", "Next we {q}.",
    "It is my turn to {q}.", "Is it time to {q}?", "Time to {q}!", "Go and {q}.", "So {q}.",
    "Would you {q} for me?", "I need you to {q}.", "Could you {q} for us?", "You may {q}.",
    "Shall we {q}?", "First {q}.", "Quickly {q}!", "I ask you to {q}.", "Do {q}.",
)  # fmt: skip
_IN_PLACE = (
    "I am in {x}, {q}", "I am going to {x}: {q}", "We are off to {x}. {Q}", "I live in {x}. {Q}",
    "{x}: {q}", "About {x}, {q}", "In {x}, {q}", "I fly to {x}. {Q}", "My aunt is in {x}. {Q}",
)  # fmt: skip
OF_PLACE = Kind(
    verbs=LOOK,
    nouns=Phrasings(
        entries(
            "weather|temperature|wind|forecast|traffic|population|time|sunrise|sunset|tide|"
            "humidity|pollen|snow|fog|parking|rent|air quality|water level|bus fare|house price|"
            "mayor|news|moon|rain|climate|dialect"
        ),
        entries("rainfall|storm|taxi fare|noise level|holiday|curfew|pressure|visibility"),
    ),
    slots=(PLACE,),
    about=("Get the {n} in a city.", "The {n} of a place.", "{n} by city"),
    questions=widened(
        (
            "What is the {n} in {x}?", "What's the {n} in {x}?", "{n} in {x}?", "the {n} in {x}",
            "Tell me the {n} in {x}.", "How is the {n} in {x}?", "Check the {n} in {x}.",
            "Get the {n} in {x}.", "Do you know the {n} in {x}?", "Find the {n} in {x}.",
            "I am going to {x}. What is the {n} there?", "Can you look up the {n} in {x}?",
            "I need the {n} in {x}.", "What is the {n} like in {x}?", "{x}: what is the {n}?",
            "Show me the {n} of {x}.", "What is {x} like? I mean the {n}.",
        "Could you tell me the {n} in {x}?", "So what is the {n} in {x}?",
            "I want to know the {n} in {x}.", "Look up the {n} in {x}.",
            "What would the {n} in {x} be?", "I wonder what the {n} in {x} is.",
            "We are in {x}, what is the {n} here?",), (GIVE, ("the {n} in {x}", "the {n} of {x}",
            "{x}'s {n}")), (TELL, ("the {n} in {x}", "what the {n} in {x} is",
            "how the {n} is in {x}")), (_IN_PLACE, ("what is the {n} there?", "tell me the {n}.",
            "what about the {n}?", "{n}?", "what will the {n} be?"))),
    answer="The {n} in {x} is {r}.",
    again=(*AND_THIS, "And in {x}?", "and in {x}"),
)  # fmt: skip
_OF = (
    "What is the {n} of {x}?", "What's the {n} of {x}?", "{n} of {x}?", "the {n} of {x}",
    "Tell me the {n} of {x}.", "Which {n} does {x} have?", "Check the {n} of {x}.",
    "Get the {n} of {x}.", "Do you know the {n} of {x}?", "Find the {n} of {x}.",
    "I need the {n} of {x}.", "Can you look up the {n} of {x}?", "Show me the {n} of {x}.",
    "What {n} has {x} got?", "Could you tell me the {n} of {x}?", "So what is the {n} of {x}?",
    "I want to know the {n} of {x}.", "Look up the {n} of {x}.", "What would the {n} of {x} be?",
    "I wonder what the {n} of {x} is.", "For {x}, what is the {n}?", "{x}: what is the {n}?",
    "For {x}, tell me the {n}.", "About {x}, what is the {n}?", "I have {x}. What is the {n}?",
)  # fmt: skip
_OF_PARTS = (
    (GIVE, ("the {n} of {x}", "{x}'s {n}", "the {n} for {x}")),
    (TELL, ("the {n} of {x}", "what the {n} of {x} is", "which {n} {x} has")),
)
OF_PERSON = Kind(
    verbs=LOOK,
    nouns=Phrasings(
        entries(
            "birthday|address|score|grade|salary|team|shift|account|rank|job title|phone number|"
            "locker|room|seat|hobby|mail|points|office|badge|post code"
        ),
        entries("nickname|diet|blood type|bonus|mentor|timetable"),
    ),
    slots=(PERSON,),
    about=("Get the {n} of a person.", "The {n} of someone", "{n} by name"),
    questions=widened(_OF, *_OF_PARTS),
    answer="The {n} of {x} is {r}.",
    again=(*AND_THIS, "And of {x}?"),
)
OF_ITEM = Kind(
    verbs=LOOK,
    nouns=Phrasings(
        entries(
            "price|stock|weight|size|discount|brand|shelf|maker|code|rating|delivery date|tax|"
            "material|width|sale price"
        ),
        entries("warranty|barcode|shipping cost|length|supplier"),
    ),
    slots=(ITEM,),
    about=("Get the {n} of an item.", "The {n} of a product", "{n} by item"),
    questions=widened(
        (
            *_OF, "What is the {n} of the {x}?", "Tell me the {n} of the {x}.",
            "So what is the {n} of the {x}?", "I need to know the {n} of the {x}.",
        ),
        *_OF_PARTS,
        (GIVE, ("the {n} of the {x}",)),
    ),
    answer="The {n} of {x} is {r}.",
    again=(*AND_THIS, "And of {x}?"),
)  # fmt: skip
CONVERT = Kind(
    verbs=Phrasings(("convert",), ("convert",)),
    nouns=Phrasings(
        entries("money|length|time|distance|currency|units|amount|price"),
        entries("weight|volume|value"),
    ),
    slots=(AMOUNT, UNIT),
    about=("Convert the {n} to another unit.", "Converts {n}", "Convert {n} to a unit."),
    questions=widened(
        (
            "Convert {x} to {y}.", "Convert {x} into {y}.", "Can you convert {x} to {y}?",
            "Please convert {x} to {y}.", "I want to convert {x} into {y}.", "convert {x} to {y}",
            "Do you convert {x} to {y}?",
        "Could you convert {x} into {y}?", "I need you to convert {x} to {y}.",
            "So convert {x} to {y}.", "Would you convert {x} to {y} for me?",
            "Would you mind if we convert {x} into {y}?",), (_DO_IT, ("convert {x} to {y}",
            "convert {x} into {y}", "convert {x} to the unit {y}"))),
    answer="That is {r} {y}.",
    told_by="v",
    fixed_verb=True,
)  # fmt: skip
TAKE = Kind(
    verbs=Phrasings(
        words("roll draw pick order buy throw pack print reserve plant deliver open"),
        words("fetch shuffle collect rent"),
    ),
    nouns=Phrasings(
        words(
            "dice cards tickets pizzas rooms pages seats coins letters boxes flowers trees "
            "bottles balls stickers eggs"
        ),
        words("tokens parcels lemons posters bricks"),
    ),
    slots=(COUNT,),
    about=("{V} some {n}.", "{V} a number of {n}.", "Lets you {v} {n}"),
    questions=widened(
        (
            "{V} {x} {n}.", "Please {v} {x} {n}.", "Can you {v} {x} {n}?", "I want {x} {n}.",
            "{v} {x} {n}", "I want you to {v} {x} {n}.", "Now {v} {x} {n}.",
            "I would like to {v} {x} {n}.", "Let us {v} {x} {n}.", "Give me {x} {n}.",
        "Could you {v} {x} {n}?", "I need {x} {n}.", "So {v} {x} {n}.",
            "Go and {v} {x} {n}.", "Would you {v} {x} {n} for me?",
            "It is time to {v} {x} {n}.",), (_DO_IT, ("{v} {x} {n}",)), (GIVE, ("{x} {n}",))),
    answer="The result for {x} {n} is {r}.",
)  # fmt: skip
CHANGE = Kind(
    verbs=Phrasings(
        words("reverse spell hash encode shorten define translit stretch trim clean repeat wrap"),
        words("encrypt rhyme scramble index"),
    ),
    nouns=Phrasings(words("word text string term input"), words("word text phrase token")),
    slots=(WORD,),
    about=("{V} a {n}.", "{V} one {n}", "Lets you {v} a {n}."),
    questions=widened(
        (
            "{V} the word {x}.", "{V} {x}.", "Please {v} {x}.", "Can you {v} the word {x}?",
            "{v} {x}", "I want you to {v} {x}.", "Now {v} {x}.", "Can you {v} {x}?",
            "I would like to {v} {x}.",
        "Could you {v} the word {x}?", "So {v} {x}.", "I need you to {v} {x}.",
        "Would you {v} {x} for me?", "It is time to {v} {x}.",), (_DO_IT, ("{v} {x}",
        "{v} the word {x}", "{v} this: {x}"))),
    answer="The result for {x} is {r}.",
    told_by="v",
    again=AND_THIS,
)  # fmt: skip
TRANSLATE = Kind(
    verbs=Phrasings(("translate",), ("translate",)),
    nouns=Phrasings(words("word text term noun"), words("phrase expression")),
    slots=(WORD, TONGUE),
    about=("Translate a {n}.", "Translates a {n} into a language"),
    questions=widened(
        (
            "Translate {x} into {y}.", "Translate {x} to {y}.", "Can you translate {x} to {y}?",
            "Please translate the word {x} into {y}.", "translate {x} into {y}",
            "I want to translate {x} into {y}.",
        "Could you translate {x} into {y}?", "I need you to translate {x} to {y}.",
        "Would you translate {x} into {y} for me?",
        "It is time to translate {x} to {y}.",), (_DO_IT, ("translate {x} into {y}",
        "translate {x} to {y}", "translate the word {x} into {y}"))),
    answer="In {y} it is {r}.",
    told_by="v",
    fixed_verb=True,
)  # fmt: skip
COMBINE = Kind(
    verbs=Phrasings(
        words("multiply divide compare average mix blend scale match"),
        words("combine balance merge"),
    ),
    nouns=Phrasings(words("numbers values amounts figures"), words("numbers quantities")),
    slots=(FIRST, SECOND),
    about=("{V} two {n}.", "{V} {n}", "Lets you {v} two {n}."),
    questions=widened(
        (
            "{V} {x} and {y}.", "{V} {x} by {y}.", "Please {v} {x} and {y}.",
            "Can you {v} {x} by {y}?", "{v} {x} and {y}", "I want you to {v} {x} and {y}.",
            "Can you {v} {x} and {y}?", "Now {v} {x} with {y}.",
        "Could you {v} {x} and {y}?", "So {v} {x} by {y}.", "I need you to {v} {x} and {y}.",
        "Would you {v} {x} and {y} for me?",
        "It is time to {v} {x} and {y}.",), (_DO_IT, ("{v} {x} and {y}", "{v} {x} by {y}",
        "{v} {x} with {y}"))),
    answer="The result for {x} and {y} is {r}.",
    told_by="v",
)  # fmt: skip
SEND = Kind(
    verbs=Phrasings(words("send write post"), words("send mail")),
    nouns=Phrasings(
        words("message email letter note text reminder card fax"), words("telegram invite memo")
    ),
    slots=(PERSON, MESSAGE),
    about=("Send a {n} to a person.", "Sends a {n}"),
    questions=widened(
        (
            'Send the {n} "{y}" to {x}.', 'Send {x} the {n} "{y}".', 'Write the {n} "{y}" to {x}.',
            'Can you send the {n} "{y}" to {x}?', 'Please send {x} a {n}: "{y}"',
            'I want to send the {n} "{y}" to {x}.', '{n} to {x}: "{y}"',
        'Could you send {x} the {n} "{y}"?', 'Let {x} have the {n} "{y}".',
        'Would you send the {n} "{y}" to {x} for me?',
        'It is time to send {x} the {n} "{y}".',), (_DO_IT, ('send the {n} "{y}" to {x}',
        'send {x} the {n} "{y}"', 'write the {n} "{y}" to {x}', 'give {x} the {n} "{y}"',
        'let {x} get the {n} "{y}"'))),
    answer="The {n} to {x} is {r}.",
)  # fmt: skip
BOOK = Kind(
    verbs=Phrasings(words("book find reserve order plan"), words("book arrange")),
    nouns=Phrasings(
        words("table hotel flight taxi tour boat cabin bus court museum"),
        words("hostel ferry concert villa"),
    ),
    slots=(COUNT, PLACE),
    about=("Book a {n} in a city.", "A {n} for some people", "Finds a {n} in a city."),
    questions=widened(
        (
            "Book a {n} for {x} in {y}.", "I need a {n} for {x} people in {y}.",
            "A {n} for {x} in {y}, please.", "Can you book a {n} for {x} in {y}?",
            "We are {x} in {y}. Find a {n}.", "{n} for {x} in {y}",
            "I want a {n} in {y} for {x} people.", "Please find a {n} for {x} in {y}.",
        "Could you book a {n} for {x} people in {y}?", "I would like a {n} for {x} in {y}.",
            "Get me a {n} for {x} in {y}.", "Would you book a {n} in {y} for {x}?",
            "We want to be in {y}, {x} of us. Book a {n}.",), (_DO_IT, ("book a {n} for {x} in {y}",
            "find a {n} for {x} in {y}", "get a {n} in {y} for {x}",
            "find {x} people a {n} in {y}")), (GIVE, ("a {n} for {x} in {y}",
            "a {n} in {y} for {x} people"))),
    answer="The {n} for {x} in {y} is {r}.",
)  # fmt: skip
ADJUST = Kind(
    verbs=Phrasings(words("set change start adjust put"), words("set move")),
    nouns=Phrasings(
        words(
            "timer alarm volume brightness speed heating fan light oven radio clock heater lamp "
            "shower"
        ),
        words("thermostat zoom boiler contrast dimmer"),
    ),
    slots=(LEVEL,),
    about=("Set the {n}.", "Change the {n} to a level.", "Sets the {n}"),
    questions=widened(
        (
            "Set the {n} to {x}.", "Put the {n} to {x}.", "Change the {n} to {x}.", "{n} to {x}",
            "Can you set the {n} to {x}?", "I want the {n} at {x}.", "Please put the {n} on {x}.",
            "Set the {n} at {x}.", "The {n} should be {x}.",
        "Could you set the {n} to {x}?", "Turn the {n} to {x}.", "So set the {n} to {x}.",
        "Would you set the {n} to {x} for me?",
        "I like the {n} best at {x}.",), (_DO_IT, ("set the {n} to {x}", "put the {n} on {x}",
        "change the {n} to {x}", "bring the {n} to {x}", "adjust the {n} to {x}"))),
    answer="The {n} is {r}.",
)  # fmt: skip
KINDS = {
    OF_PLACE: 22,
    OF_PERSON: 13,
    OF_ITEM: 12,
    CONVERT: 8,
    TAKE: 10,
    CHANGE: 9,
    TRANSLATE: 6,
    COMBINE: 9,
    SEND: 7,
    BOOK: 8,
    ADJUST: 8,
}


def sample_function(rng: random.Random, held_out: bool) -> Function:
    """A function from the asked side of the split."""
    kind = rng.choices(list(KINDS), list(KINDS.values()))[0]
    verb, noun = _verb(rng, kind, held_out), _noun(rng, kind, held_out)
    about = rng.choice(kind.about).format(v=verb.replace("_", " "), V=verb.capitalize(), n=noun)
    camel = rng.random() < CAMEL_SHARE
    names = [_parameter(rng, slot, held_out, camel) for slot in kind.slots]
    while len(set(names)) < len(names):
        names = [_parameter(rng, slot, held_out, camel) for slot in kind.slots]
    return Function(kind, verb, noun, about, tuple(names), camel)


# The shares of names that come from the kind's own short lists.
OWN_VERB, OWN_NOUN, OWN_PARAMETER = 0.3, 0.3, 0.35
CAMEL_SHARE = 0.2


def _verb(rng: random.Random, kind: Kind, held_out: bool) -> str:
    if kind.fixed_verb or rng.random() < OWN_VERB:
        return rng.choice(kind.verbs.side(held_out))
    return any_verb(rng, held_out)


def _noun(rng: random.Random, kind: Kind, held_out: bool) -> str:
    """The kind's own, any, or two words."""
    if rng.random() < OWN_NOUN:
        return rng.choice(kind.nouns.side(held_out))
    noun = any_noun(rng, held_out)
    return f"{any_noun(rng, held_out)} {noun}" if rng.random() < 0.15 else noun


def _parameter(rng: random.Random, slot: Slot, held_out: bool, camel: bool) -> str:
    """The slot's own name, any word, or two words: `city_name`, `cityName`."""
    draw = rng.random()
    if draw < OWN_PARAMETER:
        return rng.choice(slot.names)
    word = rng.choice(PARAMETERS.side(held_out))
    if draw < 0.6:
        return word
    made = long_made_up_word(rng, held_out)
    if draw < 0.8:
        return made
    first = made if rng.random() < 0.5 else rng.choice(NOUNS.side(held_out))
    return _joined(f"{first} {word}", camel)


# How many functions are offered at once, one, two or three: held out, and to learn from, where the
# right one must mostly be told from others.
OFFERED, OFFERED_TO_LEARN = (0.5, 0.5, 0.0), (0.2, 0.5, 0.3)


def sample_functions(rng: random.Random, held_out: bool) -> tuple[Function, ...]:
    """A few functions that no question can confuse."""
    listed = [sample_function(rng, held_out)]
    (count,) = rng.choices((1, 2, 3), OFFERED if held_out else OFFERED_TO_LEARN)
    while len(listed) < count:
        listed.append(other_function(rng, held_out, tuple(listed)))
    return tuple(listed)


def other_function(rng: random.Random, held_out: bool, listed: tuple[Function, ...]) -> Function:
    """A function that is told by another word than those listed."""
    while True:
        other = sample_function(rng, held_out)
        if not any(one.told_by in other.told_by or other.told_by in one.told_by for one in listed):
            return other
