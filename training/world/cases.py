"""Held-out cases: for each thing that a demo model must know, questions it never saw, with answers.

A case is a chat that ends with a person's message. Half of most kinds stand alone, half come after
some other turns. Stories are judged by what they hold, everything else by the exact words.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from training.world import phrasings as say
from training.world import tasks
from training.world.conversations import (
    Conversation,
    make_conversation,
    next_turn,
    quiet_system,
    shouted,
    shouting_system,
)
from training.world.facts import ANIMALS, COUNTRIES
from training.world.manners import Manner
from training.world.stories import Wish, keeps_to, sample_wish, wish_text
from training.world.style import sample_style
from training.world.tasks import Talk, Turn


@dataclass(frozen=True)
class Case:
    """A chat to answer, and what the answer must be."""

    kind: str
    messages: tuple[dict[str, str], ...]
    expected: str
    wish: Wish | None = None
    capitals: bool = False

    def is_right(self, answer: str) -> bool:
        """Whether an answer is right."""
        if self.wish is None:
            return answer == self.expected
        return keeps_to(answer, self.wish) and self.expected_shape(answer)

    def expected_shape(self, answer: str) -> bool:
        """A story opens as stories do and has the length of one."""
        return answer.startswith("Once ") and 60 < len(answer) < 400


MakeTurn = Callable[[Talk, int], Turn]


def held_out_cases(manner: Manner, seed: int = 1) -> dict[str, list[Case]]:
    """All kinds with their cases; the same for the same seed."""
    makers: dict[str, tuple[int, Callable[[random.Random, Manner, int], Case]]] = {
        "addition to 99": (400, _plain("addition", lambda talk, _: tasks.addition(talk))),
        "subtraction to 99": (400, _plain("subtraction", lambda talk, _: tasks.subtraction(talk))),
        "capitals of 60 countries": (480, _plain("capital", _capital)),
        "colours of 30 animals": (240, _plain("colour", _animal("colour"))),
        "legs of 30 animals": (240, _plain("legs", _animal("legs"))),
        "a name given two turns earlier": (300, _recall(tasks.tell_name, tasks.ask_name)),
        "a number given two turns earlier": (300, _recall(tasks.tell_number, tasks.ask_number)),
        "capital letters when the system prompt asks": (400, _capitals),
        'a courteous "I do not know"': (
            400,
            _plain("unknown", lambda talk, _: tasks.unknown(talk)),
        ),
        "three-sentence stories": (300, _story),
        "small talk": (150, _plain("small talk", lambda talk, _: tasks.small_talk(talk))),
        "the last turn of a long chat": (200, _long_chat),
    }
    return {
        kind: [make(random.Random(f"{kind} {seed} {i}"), manner, i) for i in range(count)]
        for kind, (count, make) in makers.items()
    }


def _talk(rng: random.Random, manner: Manner) -> Talk:
    return Talk(rng, manner, sample_style(rng), held_out=True)


def _case(kind: str, system: str | None, turns: list[Turn], wish: Wish | None = None) -> Case:
    messages = Conversation(system, tuple(turns)).messages()
    return Case(kind, tuple(messages[:-1]), messages[-1]["content"], wish)


def _before(talk: Talk, index: int) -> tuple[str | None, list[Turn]]:
    """Every other case has a quiet system prompt or some turns before it."""
    if index % 2 == 0:
        return None, []
    system = quiet_system(talk.rng, held_out=True) if index % 4 == 1 else None
    return system, [next_turn(talk) for _ in range(talk.rng.randint(0, 3))]


def _plain(kind: str, turn: MakeTurn) -> Callable[[random.Random, Manner, int], Case]:
    def make(rng: random.Random, manner: Manner, index: int) -> Case:
        talk = _talk(rng, manner)
        system, turns = _before(talk, index)
        return _case(kind, system, [*turns, turn(talk, index)])

    return make


def _capital(talk: Talk, index: int) -> Turn:
    return tasks.capital_of(talk, COUNTRIES[index % len(COUNTRIES)])


def _animal(topic: str) -> MakeTurn:
    return lambda talk, index: tasks.animal_turn(talk, ANIMALS[index % len(ANIMALS)], topic)


def _recall(
    give: Callable[[Talk], Turn], ask: Callable[[Talk], Turn]
) -> Callable[[random.Random, Manner, int], Case]:
    """Given, something else in between, asked for."""
    between = (tasks.addition, tasks.capital, tasks.colour, tasks.legs, tasks.unknown, tasks.story)

    def make(rng: random.Random, manner: Manner, index: int) -> Case:
        talk = _talk(rng, manner)
        turns = [give(talk), rng.choice(between)(talk), ask(talk)]
        return _case("recall", quiet_system(rng, True) if index % 4 == 1 else None, turns)

    return make


def _capitals(rng: random.Random, manner: Manner, _: int) -> Case:
    """A held-out system prompt, any question with letters in its answer; stories are left out,
    since a story has no one right wording."""
    talk = _talk(rng, manner)
    turns = [next_turn(talk) for _ in range(rng.choice((1, 1, 2, 3)))]
    while turns[-1].task == "story" or turns[-1].answer.upper() == turns[-1].answer:
        turns[-1] = next_turn(talk)
    return _case("capitals", shouting_system(rng, True), [shouted(turn) for turn in turns])


def _story(rng: random.Random, manner: Manner, index: int) -> Case:
    talk = _talk(rng, manner)
    system, turns = _before(talk, index)
    wish = sample_wish(rng, True, talk.style.typed, plain_words=talk.style.case == "upper")
    words = rng.choice(say.STORY_WORDS)
    user = talk.ask(say.STORY, s=words, S=words.capitalize(), w=wish_text(rng, wish))
    return _case("story", system, [*turns, Turn(user, "", "story")], wish)


def _long_chat(rng: random.Random, manner: Manner, _: int) -> Case:
    """Nine to fourteen turns of everything; the last is no free story."""
    count = rng.randint(9, 14)
    while True:
        talk = make_conversation(rng, manner, held_out=True, turns=count)
        if talk.turns[-1].task != "story":
            return _case("long chat", talk.system, list(talk.turns))
