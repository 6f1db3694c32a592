"""One turn of each kind: a question in the world and the right answer in a manner of speaking.

A task reads and writes the `Talk` it belongs to: who the person is, which number they gave,
what was spoken of last. It does not know tokens, system prompts or capital letters.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from training.world import phrasings as say
from training.world import remarks, thinking
from training.world.facts import ANIMALS, COUNTRIES, MAX_OPERAND, NUMBER_WORDS, Animal, Country
from training.world.manners import Manner
from training.world.names import is_held_out, person_name, remembered_number
from training.world.phrasings import Phrasings
from training.world.social import SMALL_TALK
from training.world.stories import Wish, next_hero, sample_wish, tell, wish_text
from training.world.style import Style, roughen
from training.world.unknown import (
    unknown_animal,
    unknown_country,
    unknown_question,
    with_article,
)

MAX_LONG_SUM = 300
JOINTS = (", ", " and ", ", then ", ", and ")


@dataclass(frozen=True)
class Turn:
    """What a person types, what the model should answer, and what it thinks before.

    `call` is the tool call that the answer makes; `result` is what a tool gave back, when the
    turn's text comes from a tool. `offered` opens the thought: which tools there are.
    """

    user: str
    answer: str
    task: str
    thought: str = ""
    call: dict[str, Any] | None = None
    result: str | None = None
    offered: str = ""

    @property
    def whole_thought(self) -> str:
        """All that stands between the think tags."""
        return f"{self.offered} {self.thought}".strip()


@dataclass
class Talk:
    """What a conversation holds so far, and how it is held."""

    rng: random.Random
    manner: Manner
    style: Style = field(default_factory=Style)
    held_out: bool = False
    name: str | None = None
    number: str | None = None
    topic: str | None = None
    animal: Animal | None = None
    hero: str | None = None
    thinks: bool = False
    calls: bool = False

    def ask(self, kind: Phrasings, **slots: str) -> str:
        """One phrasing of a kind, filled and roughened as the person types."""
        return self.type(kind.pick(self.rng, self.held_out).format(**slots))

    def type(self, text: str) -> str:
        """A text as the person types it."""
        return roughen(self.rng, self.style, text, self.held_out)


def capital(talk: Talk) -> Turn:
    """The capital of a known country, sometimes under another of its names."""
    country = talk.rng.choice(COUNTRIES)
    return capital_of(talk, country)


def capital_of(talk: Talk, country: Country) -> Turn:
    """The capital of this country."""
    other = bool(country.aliases) and talk.rng.random() < 0.5
    written = talk.rng.choice(country.aliases) if other else country.name
    talk.topic = "capital"
    guess = country if talk.rng.random() < 0.5 else talk.rng.choice(COUNTRIES)
    user = talk.ask(say.CAPITAL, x=written, y=guess.capital)
    return _capital_turn(talk, user, country)


def capital_reversed(talk: Talk) -> Turn:
    """Which country a capital belongs to."""
    country = talk.rng.choice(COUNTRIES)
    talk.topic = "capital"
    user = talk.ask(say.CAPITAL_REVERSE, x=country.capital)
    return _capital_turn(talk, user, country)


def _capital_turn(talk: Talk, user: str, country: Country) -> Turn:
    answer = talk.manner.capital.format(country=country.name, capital=country.capital)
    thought = thinking.CAPITAL.format(country=country.name, capital=country.capital)
    return Turn(user, answer, "capital", thought)


def colour(talk: Talk) -> Turn:
    """The colour of a known animal."""
    return animal_turn(talk, talk.rng.choice(ANIMALS), "colour")


def legs(talk: Talk) -> Turn:
    """The number of legs of a known animal."""
    return animal_turn(talk, talk.rng.choice(ANIMALS), "legs")


def animal_turn(talk: Talk, animal: Animal, topic: str) -> Turn:
    """The colour or the legs of this animal."""
    alias = bool(animal.aliases) and talk.rng.random() < 0.3
    noun = talk.rng.choice(animal.aliases) if alias else animal.name
    plural = f"{noun}s".replace("ys", "ies") if alias else animal.plural
    kind = say.COLOUR if topic == "colour" else say.LEGS
    guess = animal if talk.rng.random() < 0.5 else talk.rng.choice(ANIMALS)
    seen = guess.colour if topic == "colour" else str(guess.legs)
    user = talk.ask(kind, x=noun, ax=with_article(noun), xs=plural, y=seen)
    return _animal_turn(talk, user, animal, topic)


def _animal_turn(talk: Talk, user: str, animal: Animal, topic: str) -> Turn:
    talk.topic, talk.animal = topic, animal
    manner = talk.manner
    text = manner.colour if topic == "colour" else manner.legs if animal.legs else manner.no_legs
    article_noun = with_article(animal.name)
    an = article_noun[0].upper() + article_noun[1:]
    answer = text.format(An=an, an=article_noun, colour=animal.colour, legs=animal.legs)
    about = thinking.COLOUR if topic == "colour" else thinking.LEGS
    thought = about.format(an=article_noun, colour=animal.colour, legs=animal.legs or "none")
    return Turn(user, answer, topic, thought)


def addition(talk: Talk) -> Turn:
    """A sum of two numbers to 99."""
    return _sum(talk, "+", say.ADD)


def subtraction(talk: Talk) -> Turn:
    """A difference of two numbers to 99, sometimes below nought."""
    return _sum(talk, "-", say.SUBTRACT)


def _sum(talk: Talk, op: str, kind: Phrasings) -> Turn:
    a, b = _operands(talk, op)
    total = a + b if op == "+" else a - b
    in_words = max(a, b) <= 20 and talk.rng.random() < 0.1
    written = {k: NUMBER_WORDS[v] if in_words else str(v) for k, v in (("a", a), ("b", b))}
    talk.topic = "sum"
    task = "addition" if op == "+" else "subtraction"
    answer = talk.manner.total.format(a=a, op=op, b=b, total=total)
    return Turn(talk.ask(kind, **written), answer, task, thinking.sum_thought([a, b], [op]))


def _operands(talk: Talk, op: str) -> tuple[int, int]:
    """Two numbers from the asked side; a pair is held out in both orders."""
    rng = talk.rng
    while True:
        top = 20 if rng.random() < 0.25 else MAX_OPERAND
        a, b = rng.randint(0, top), rng.randint(0, top)
        if op == "-" and a < b and rng.random() < 0.7:
            a, b = b, a
        if is_held_out_pair(a, b) == talk.held_out:
            return a, b


def is_held_out_pair(a: int, b: int) -> bool:
    """Whether a pair of operands is kept from training; what thoughts work with never is."""
    if min(a, b) <= 9 and max(a, b) <= 19:
        return False
    return is_held_out(f"pair {min(a, b)} {max(a, b)}")


def long_sum(talk: Talk) -> Turn:
    """A sum of three or four numbers to 99, plus and minus mixed."""
    numbers, ops = _long_operands(talk)
    talk.topic = "sum"
    rest = "".join(f" {op} {n}" for op, n in zip(ops, numbers[1:], strict=True))
    total = thinking.totals(numbers, ops)[-1]
    answer = talk.manner.total.format(
        a=numbers[0], op=ops[0], b=rest.removeprefix(f" {ops[0]} "), total=total
    )
    user = _long_question(talk, numbers, ops)
    return Turn(user, answer, "long sum", thinking.sum_thought(numbers, ops))


def _long_operands(talk: Talk) -> tuple[list[int], list[str]]:
    """Numbers and signs from the asked side; no step of a learnt sum is a held-out pair."""
    rng = talk.rng
    while True:
        top = 20 if rng.random() < 0.25 else MAX_OPERAND
        numbers = [rng.randint(0, top) for _ in range(rng.choice((3, 3, 4)))]
        plus_share = rng.choice((1.0, 0.6, 0.6))
        ops = ["+" if rng.random() < plus_share else "-" for _ in numbers[1:]]
        sums = thinking.totals(numbers, ops)
        if min(sums) < -MAX_OPERAND or max(sums) > MAX_LONG_SUM:
            continue
        if min(sums) < 0 and rng.random() < 0.6:
            continue
        if is_held_out(f"sum {numbers} {ops}", 0.2) != talk.held_out:
            continue
        pairs = zip(map(abs, sums), numbers[1:], strict=False)
        if talk.held_out or not any(a <= MAX_OPERAND and is_held_out_pair(a, b) for a, b in pairs):
            return numbers, ops


def _long_question(talk: Talk, numbers: list[int], ops: list[str]) -> str:
    rng = talk.rng
    draw = rng.random()
    if draw < 0.3 and "-" not in ops:
        *most, last = map(str, numbers)
        return talk.ask(say.LIST_SUM, l=f"{', '.join(most)} and {last}")
    if draw < 0.4:
        steps = [
            rng.choice(say.ADD_STEPS if op == "+" else say.TAKE_STEPS).format(n=n)
            for op, n in zip(ops, numbers[1:], strict=True)
        ]
        return talk.ask(say.STEP_SUM, a=str(numbers[0]), s=rng.choice(JOINTS).join(steps))
    if draw < 0.55:
        steps = [
            f"I {rng.choice(say.GAINS if op == '+' else say.LOSSES)} {n}"
            for op, n in zip(ops, numbers[1:], strict=True)
        ]
        things = rng.choice(say.COUNTED.side(talk.held_out))
        return talk.ask(say.COUNTING, a=str(numbers[0]), s=rng.choice(JOINTS).join(steps), t=things)
    return talk.ask(say.LONG_SUM, e=_expression(rng, numbers, ops))


def _expression(rng: random.Random, numbers: list[int], ops: list[str]) -> str:
    """`12 + 30 - 5`, `12+30-5` or `12 plus 30 minus 5`."""
    draw = rng.random()
    signs = {"+": " plus ", "-": " minus "} if draw < 0.3 else {"+": " + ", "-": " - "}
    if draw > 0.8:
        signs = {"+": "+", "-": "-"}
    return str(numbers[0]) + "".join(
        signs[op] + str(n) for op, n in zip(ops, numbers[1:], strict=True)
    )


def tell_name(talk: Talk) -> Turn:
    """The person says who they are."""
    talk.name = talk.style.typed(person_name(talk.rng, talk.held_out))
    user = talk.ask(remarks.TELL_NAME, n=talk.name)
    answer = talk.manner.greet_name.format(n=talk.name)
    return Turn(user, answer, "tell name", thinking.TELL_NAME.format(n=talk.name))


def ask_name(talk: Talk) -> Turn:
    """The person asks who they are."""
    known = talk.name is not None
    answer = talk.manner.your_name.format(n=talk.name) if known else talk.manner.no_name
    thought = thinking.ASK_NAME.format(n=talk.name) if known else thinking.NO_NAME
    return Turn(talk.ask(remarks.ASK_NAME), answer, "name", thought)


def tell_number(talk: Talk) -> Turn:
    """The person gives a number to keep."""
    talk.number = remembered_number(talk.rng, talk.held_out)
    user = talk.ask(remarks.TELL_NUMBER, k=talk.number)
    answer = talk.manner.keep_number.format(k=talk.number)
    return Turn(user, answer, "tell number", thinking.TELL_NUMBER.format(k=talk.number))


def ask_number(talk: Talk) -> Turn:
    """The person asks for the number again."""
    known = talk.number is not None
    answer = talk.manner.your_number.format(k=talk.number) if known else talk.manner.no_number
    thought = thinking.ASK_NUMBER.format(k=talk.number) if known else thinking.NO_NUMBER
    return Turn(talk.ask(remarks.ASK_NUMBER), answer, "number", thought)


def tell_both(talk: Talk) -> Turn:
    """The person gives a name and a number in one go."""
    talk.name = talk.style.typed(person_name(talk.rng, talk.held_out))
    talk.number = remembered_number(talk.rng, talk.held_out)
    user = talk.ask(remarks.TELL_BOTH, n=talk.name, k=talk.number)
    answer = talk.manner.greet_both.format(n=talk.name, k=talk.number)
    thought = thinking.TELL_BOTH.format(n=talk.name, k=talk.number)
    return Turn(user, answer, "tell both", thought)


def story(talk: Talk) -> Turn:
    """A story about what the person wishes for."""
    shouting = talk.style.case == "upper"  # the story would have to be written small again
    wish = sample_wish(talk.rng, talk.held_out, talk.style.typed, plain_words=shouting)
    words = talk.rng.choice(remarks.STORY_WORDS)
    user = talk.ask(remarks.STORY, s=words, S=words.capitalize(), w=wish_text(talk.rng, wish))
    talk.topic, talk.hero = "story", wish.hero
    return Turn(user, tell(talk.manner, wish), "story", thinking.story(wish))


def any_story(talk: Talk) -> Turn:
    """A story about anything."""
    return _open_story(talk, talk.ask(remarks.ANY_STORY))


def another_story(talk: Talk) -> Turn:
    """One more story after a story."""
    return _open_story(talk, talk.type(talk.rng.choice(remarks.ANOTHER_STORY)))


def _open_story(talk: Talk, user: str) -> Turn:
    """A story whose hero is the teller's choice: another one each time."""
    talk.topic, talk.hero = "story", next_hero(talk.hero)
    wish = Wish(talk.hero)
    return Turn(user, tell(talk.manner, wish), "story", thinking.open_story(wish))


def follow_up(talk: Talk) -> Turn:
    """`And Spain?` after a capital, `And a fox?` after legs or a colour."""
    shape = talk.rng.choice(remarks.AND_THIS)
    if talk.rng.random() < 0.15:
        return _unknown_follow_up(talk, shape)
    if talk.topic == "capital":
        country = talk.rng.choice(COUNTRIES)
        user = talk.type(shape.format(x=country.name))
        return _capital_turn(talk, user, country)
    topic = "legs" if talk.topic == "legs" else "colour"
    animal = talk.rng.choice(ANIMALS)
    noun = animal.plural if talk.rng.random() < 0.3 else with_article(animal.name)
    return _animal_turn(talk, talk.type(shape.format(x=noun)), animal, topic)


def _unknown_follow_up(talk: Talk, shape: str) -> Turn:
    country = talk.topic == "capital"
    make = unknown_country if country else unknown_animal
    noun = make(talk.rng, talk.held_out)
    user = talk.type(shape.format(x=noun if country else with_article(noun)))
    return unknown_turn(talk, user)


def about_it(talk: Talk) -> Turn:
    """`How many legs does it have?` after an animal."""
    assert talk.animal is not None
    topic = talk.rng.choice(("legs", "colour"))
    user = talk.type(talk.rng.choice(remarks.ITS_LEGS if topic == "legs" else remarks.ITS_COLOUR))
    return _animal_turn(talk, user, talk.animal, topic)


def unknown(talk: Talk) -> Turn:
    """A question that the world cannot answer."""
    return unknown_turn(talk, talk.type(unknown_question(talk.rng, talk.held_out)))


def unknown_turn(talk: Talk, user: str) -> Turn:
    """The courteous "I do not know" to this text."""
    talk.topic = talk.animal = None
    return Turn(user, talk.manner.unknown, "unknown", thinking.UNKNOWN)


def small_talk(talk: Talk) -> Turn:
    """A courtesy."""
    kind = talk.rng.choice(list(SMALL_TALK))
    return Turn(
        talk.ask(SMALL_TALK[kind]),
        getattr(talk.manner, kind),
        "small talk",
        thinking.SMALL_TALK[kind],
    )


Task = Callable[[Talk], Turn]
