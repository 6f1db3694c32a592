"""One turn of each kind: a question in the world and the right answer in a manner of speaking.

A task reads and writes the `Talk` it belongs to: who the person is, which number they gave,
what was spoken of last. It does not know tokens, system prompts or capital letters.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from training.world import phrasings as say
from training.world.facts import ANIMALS, COUNTRIES, MAX_OPERAND, NUMBER_WORDS, Animal, Country
from training.world.manners import Manner
from training.world.names import is_held_out, person_name, remembered_number
from training.world.phrasings import Phrasings
from training.world.social import SMALL_TALK, SMALL_TALK_PARTS
from training.world.stories import Wish, next_hero, sample_wish, tell, wish_text
from training.world.style import Style, roughen
from training.world.unknown import (
    unknown_animal,
    unknown_country,
    unknown_question,
    with_article,
)


@dataclass(frozen=True)
class Turn:
    """What a person types and what the model should answer."""

    user: str
    answer: str
    task: str


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

    def ask(self, kind: Phrasings, **slots: str) -> str:
        """One phrasing of a kind, filled and roughened as the person types."""
        return self.type(self.rng.choice(kind.side(self.held_out)).format(**slots))

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
    return Turn(user, _capital_answer(talk, country), "capital")


def capital_reversed(talk: Talk) -> Turn:
    """Which country a capital belongs to."""
    country = talk.rng.choice(COUNTRIES)
    talk.topic = "capital"
    user = talk.ask(say.CAPITAL_REVERSE, x=country.capital)
    return Turn(user, _capital_answer(talk, country), "capital")


def _capital_answer(talk: Talk, country: Country) -> str:
    return talk.manner.capital.format(country=country.name, capital=country.capital)


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
    return Turn(user, _animal_answer(talk, animal, topic), topic)


def _animal_answer(talk: Talk, animal: Animal, topic: str) -> str:
    talk.topic, talk.animal = topic, animal
    manner = talk.manner
    text = manner.colour if topic == "colour" else manner.legs if animal.legs else manner.no_legs
    article_noun = with_article(animal.name)
    an = article_noun[0].upper() + article_noun[1:]
    return text.format(An=an, an=article_noun, colour=animal.colour, legs=animal.legs)


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
    return Turn(talk.ask(kind, **written), answer, task)


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
    """Whether a pair of operands is kept from training."""
    return is_held_out(f"pair {min(a, b)} {max(a, b)}")


def tell_name(talk: Talk) -> Turn:
    """The person says who they are."""
    talk.name = talk.style.typed(person_name(talk.rng, talk.held_out))
    user = talk.ask(say.TELL_NAME, n=talk.name)
    return Turn(user, talk.manner.greet_name.format(n=talk.name), "tell name")


def ask_name(talk: Talk) -> Turn:
    """The person asks who they are."""
    known = talk.name is not None
    answer = talk.manner.your_name.format(n=talk.name) if known else talk.manner.no_name
    return Turn(talk.ask(say.ASK_NAME), answer, "name")


def tell_number(talk: Talk) -> Turn:
    """The person gives a number to keep."""
    talk.number = remembered_number(talk.rng, talk.held_out)
    user = talk.ask(say.TELL_NUMBER, k=talk.number)
    return Turn(user, talk.manner.keep_number.format(k=talk.number), "tell number")


def ask_number(talk: Talk) -> Turn:
    """The person asks for the number again."""
    known = talk.number is not None
    answer = talk.manner.your_number.format(k=talk.number) if known else talk.manner.no_number
    return Turn(talk.ask(say.ASK_NUMBER), answer, "number")


def tell_both(talk: Talk) -> Turn:
    """The person gives a name and a number in one go."""
    talk.name = talk.style.typed(person_name(talk.rng, talk.held_out))
    talk.number = remembered_number(talk.rng, talk.held_out)
    user = talk.ask(say.TELL_BOTH, n=talk.name, k=talk.number)
    return Turn(user, talk.manner.greet_both.format(n=talk.name, k=talk.number), "tell both")


def story(talk: Talk) -> Turn:
    """A story about what the person wishes for."""
    shouting = talk.style.case == "upper"  # the story would have to be written small again
    wish = sample_wish(talk.rng, talk.held_out, talk.style.typed, plain_words=shouting)
    words = talk.rng.choice(say.STORY_WORDS)
    user = talk.ask(say.STORY, s=words, S=words.capitalize(), w=wish_text(talk.rng, wish))
    talk.topic, talk.hero = "story", wish.hero
    return Turn(user, tell(talk.manner, wish), "story")


def any_story(talk: Talk) -> Turn:
    """A story about anything."""
    return Turn(talk.ask(say.ANY_STORY), _open_story(talk), "story")


def another_story(talk: Talk) -> Turn:
    """One more story after a story."""
    user = talk.type(talk.rng.choice(say.ANOTHER_STORY))
    return Turn(user, _open_story(talk), "story")


def _open_story(talk: Talk) -> str:
    """A story whose hero is the teller's choice: another one each time."""
    talk.topic, talk.hero = "story", next_hero(talk.hero)
    return tell(talk.manner, Wish(talk.hero))


def follow_up(talk: Talk) -> Turn:
    """`And Spain?` after a capital, `And a fox?` after legs or a colour."""
    shape = talk.rng.choice(say.AND_THIS)
    if talk.rng.random() < 0.15:
        return _unknown_follow_up(talk, shape)
    if talk.topic == "capital":
        country = talk.rng.choice(COUNTRIES)
        user = talk.type(shape.format(x=country.name))
        return Turn(user, _capital_answer(talk, country), "capital")
    topic = "legs" if talk.topic == "legs" else "colour"
    animal = talk.rng.choice(ANIMALS)
    noun = animal.plural if talk.rng.random() < 0.3 else with_article(animal.name)
    return Turn(talk.type(shape.format(x=noun)), _animal_answer(talk, animal, topic), topic)


def _unknown_follow_up(talk: Talk, shape: str) -> Turn:
    country = talk.topic == "capital"
    make = unknown_country if country else unknown_animal
    noun = make(talk.rng, talk.held_out)
    user = talk.type(shape.format(x=noun if country else with_article(noun)))
    talk.topic = talk.animal = None
    return Turn(user, talk.manner.unknown, "unknown")


def about_it(talk: Talk) -> Turn:
    """`How many legs does it have?` after an animal."""
    assert talk.animal is not None
    topic = talk.rng.choice(("legs", "colour"))
    user = talk.type(talk.rng.choice(say.ITS_LEGS if topic == "legs" else say.ITS_COLOUR))
    return Turn(user, _animal_answer(talk, talk.animal, topic), topic)


def unknown(talk: Talk) -> Turn:
    """A question that the world cannot answer."""
    talk.topic = talk.animal = None
    user = talk.type(unknown_question(talk.rng, talk.held_out))
    return Turn(user, talk.manner.unknown, "unknown")


def small_talk(talk: Talk) -> Turn:
    """A courtesy."""
    kind = talk.rng.choice(list(SMALL_TALK))
    parts = SMALL_TALK_PARTS.get(kind)
    if parts and not talk.held_out and talk.rng.random() < 0.5:
        user = talk.type("".join(map(talk.rng.choice, parts)))
    else:
        user = talk.type(talk.rng.choice(SMALL_TALK[kind].side(talk.held_out)))
    return Turn(user, getattr(talk.manner, kind), "small talk")


Task = Callable[[Talk], Turn]
