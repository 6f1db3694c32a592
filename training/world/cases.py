"""Held-out cases: for each thing that a demo model must know, questions it never saw, with answers.

A case is a chat that ends with a person's message. Half of most kinds stand alone, half come after
some other turns. Stories are judged by what they hold, tool calls by what they say in JSON,
everything else by the exact words; the thought before a long sum must hold its working.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from training.world import remarks, tasks, tools
from training.world.conversations import (
    Conversation,
    make_conversation,
    next_turn,
    shouted,
    tool_talk,
)
from training.world.facts import ANIMALS, COUNTRIES
from training.world.functions import Function, sample_functions
from training.world.manners import Manner
from training.world.stories import Wish, keeps_to, sample_wish, wish_text
from training.world.style import sample_style
from training.world.systems import quiet_system, shouting_system
from training.world.tasks import Talk, Turn


@dataclass(frozen=True)
class Case:
    """A chat to answer, and what the answer must be.

    `think` says whether the prompt asks for thinking; None: either. A right thought holds each
    line of `working`. Stories begin with one of `openings`; `capitals` wants them shouted.
    """

    kind: str
    messages: tuple[dict[str, Any], ...]
    expected: str
    wish: Wish | None = None
    tools: tuple[dict[str, Any], ...] = ()
    think: bool | None = None
    working: tuple[str, ...] = ()
    openings: tuple[str, ...] = ()
    capitals: bool = False

    @property
    def asked(self) -> str:
        """The question."""
        return str(self.messages[-1]["content"])

    def is_right(self, text: str, think: bool | None = None) -> bool:
        """Whether a text is right: its answer, and its thought where one is wanted.

        `think` is the prompt's switch; None: a think block may be there or not.
        """
        think = self.think if think is None else think
        thought, answer = split_thought(text)
        if think is not None and think != bool(thought):
            return False
        if not all(line in (thought or "") for line in self.working):
            return False
        if self.wish is not None:
            wish = self.wish.shouted() if self.capitals else self.wish
            return keeps_to(answer, wish) and self.expected_shape(answer)
        return answer == self.expected or self._same_call(answer)

    def expected_shape(self, answer: str) -> bool:
        """A story opens as the manner's stories do and has the length of one."""
        openings = tuple(map(str.upper, self.openings)) if self.capitals else self.openings
        return answer.startswith(openings) and 60 < len(answer) < 400

    def _same_call(self, answer: str) -> bool:
        """Whether both are tool calls, with equal names and arguments."""
        calls = [parse_call(text) for text in (answer, self.expected)]
        return calls[0] is not None and calls[0] == calls[1]


def split_thought(text: str) -> tuple[str | None, str]:
    """The think block's text, or None without one, and the answer after it."""
    found = re.fullmatch(r"<think>\n(.*?)\n?</think>\n\n(.*)", text, re.DOTALL)
    return (found[1], found[2]) if found else (None, text)


def parse_call(text: str) -> Any:
    """What the JSON inside a tool call says, or None where there is no whole call."""
    found = re.fullmatch(r"<tool_call>\n(.*)\n</tool_call>", text, re.DOTALL)
    try:
        return json.loads(found[1]) if found else None
    except json.JSONDecodeError:
        return None


MakeTurn = Callable[[Talk, int], Turn]
MakeCase = Callable[[random.Random, Manner, int], Case]
# Measured because the difference that thinking makes is worth showing.
WITHOUT_THINKING = "sums of three or four numbers, not thinking"


def held_out_cases(
    manner: Manner,
    seed: int = 1,
    limit: int | None = None,
    thinks: bool = False,
    calls: bool = False,
) -> dict[str, list[Case]]:
    """All kinds with their cases, at most `limit` of each; the same for the same seed."""
    makers = _world_makers()
    if thinks:
        makers |= _thinking_makers()
    if calls:
        makers |= _tool_makers()
    return {
        kind: [make(random.Random(f"{kind} {seed} {i}"), manner, i) for i in range(count)]
        for kind, (most, make) in makers.items()
        for count in [most if limit is None else min(most, limit)]
    }


def _world_makers() -> dict[str, tuple[int, MakeCase]]:
    return {
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
        "the last turn of a long chat": (40, _long_chat),
    }


def _thinking_makers() -> dict[str, tuple[int, MakeCase]]:
    return {
        "sums of three or four numbers, thinking": (300, _long_sum(True)),
        WITHOUT_THINKING: (150, _long_sum(False)),
    }


def _tool_makers() -> dict[str, tuple[int, MakeCase]]:
    return {
        "the right tool call": (300, _call),
        "an answer from a tool's result": (300, _from_result),
        "a plain answer beside tools": (300, _beside_tools),
    }


def _talk(rng: random.Random, manner: Manner) -> Talk:
    return Talk(rng, manner, sample_style(rng), held_out=True)


def _case(
    kind: str, system: str | None, turns: list[Turn], tools: tuple[dict[str, Any], ...] = ()
) -> Case:
    messages = Conversation(system, tuple(turns), tools).messages()
    return Case(kind, tuple(messages[:-1]), turns[-1].answer, tools=tools)


def _before(talk: Talk, index: int) -> tuple[str | None, list[Turn]]:
    """Every other case has a quiet system prompt or some turns before it."""
    if index % 2 == 0:
        return None, []
    system = quiet_system(talk.rng, held_out=True) if index % 4 == 1 else None
    return system, [next_turn(talk) for _ in range(talk.rng.randint(0, 3))]


def _plain(kind: str, turn: MakeTurn) -> MakeCase:
    def make(rng: random.Random, manner: Manner, index: int) -> Case:
        talk = _talk(rng, manner)
        system, turns = _before(talk, index)
        return _case(kind, system, [*turns, turn(talk, index)])

    return make


def _capital(talk: Talk, index: int) -> Turn:
    return tasks.capital_of(talk, COUNTRIES[index % len(COUNTRIES)])


def _animal(topic: str) -> MakeTurn:
    return lambda talk, index: tasks.animal_turn(talk, ANIMALS[index % len(ANIMALS)], topic)


def _recall(give: Callable[[Talk], Turn], ask: Callable[[Talk], Turn]) -> MakeCase:
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
    words = rng.choice(remarks.STORY_WORDS)
    user = talk.ask(remarks.STORY, s=words, S=words.capitalize(), w=wish_text(rng, wish))
    case = _case("story", system, [*turns, Turn(user, "", "story")])
    openings = tuple(text.split("{")[0] for text in manner.story_opening)
    return replace(case, wish=wish, openings=openings)


def _long_chat(rng: random.Random, manner: Manner, _: int) -> Case:
    """Nine to fourteen turns of everything; the last is no free story."""
    count = rng.randint(9, 14)
    while True:
        talk = make_conversation(rng, manner, held_out=True, turns=count)
        if talk.turns[-1].task != "story":
            return _case("long chat", talk.system, list(talk.turns))


def _long_sum(think: bool) -> MakeCase:
    """A sum of three or four numbers; with thinking its steps must be in the thought."""

    def make(rng: random.Random, manner: Manner, index: int) -> Case:
        talk = _talk(rng, manner)
        system, turns = _before(talk, index)
        turn = tasks.long_sum(talk)
        lines = tuple(line.rpartition(", so ")[2] for line in turn.thought.splitlines())
        case = _case("long sum", system, [*turns, turn])
        return replace(case, think=think, working=lines if think else ())

    return make


def _offered(
    rng: random.Random, manner: Manner, index: int
) -> tuple[Talk, str | None, list[Turn], tuple[Function, ...]]:
    """Held-out tools; every other case has some turns before it, with and without calls."""
    talk = tool_talk(rng, manner, True, thinks=False)
    listed = sample_functions(rng, True)
    system = quiet_system(rng, True) if index % 4 == 1 else None
    count = rng.randint(1, 2) if index % 2 else 0
    return talk, system, tools.tool_turns(talk, listed, next_turn, count), listed


def _schemas(listed: tuple[Function, ...]) -> tuple[dict[str, Any], ...]:
    return tuple(function.schema for function in listed)


def _call(rng: random.Random, manner: Manner, index: int) -> Case:
    talk, system, turns, listed = _offered(rng, manner, index)
    turns.append(tools.exchange(talk, rng.choice(listed), listed)[0])
    return _case("tool call", system, turns, _schemas(listed))


def _from_result(rng: random.Random, manner: Manner, index: int) -> Case:
    talk, system, turns, listed = _offered(rng, manner, index)
    turns += tools.exchange(talk, rng.choice(listed), listed)
    return _case("tool answer", system, turns, _schemas(listed))


def _beside_tools(rng: random.Random, manner: Manner, index: int) -> Case:
    """Any question but for a free story, whose words are not fixed."""
    talk, system, turns, listed = _offered(rng, manner, index)
    turn = tools.beside(talk, listed, next_turn)
    while turn.task == "story":
        turn = tools.beside(talk, listed, next_turn)
    return _case("beside tools", system, [*turns, turn], _schemas(listed))
