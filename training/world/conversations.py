"""Whole conversations: a person, perhaps a system prompt, and a mix of tasks over several turns."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Any

from training.world import tasks, tools
from training.world.functions import sample_functions
from training.world.manners import Manner
from training.world.style import sample_style
from training.world.systems import quiet_system, shouting_system
from training.world.tasks import Talk, Task, Turn

SHOUT_SHARE = 0.22
QUIET_SHARE = 0.24
TOOL_SHARE = 0.5  # of the conversations of a model that calls tools
ENDS_ON_CALL_SHARE = 0.6  # of those that would end with an answer from a tool's result


@dataclass(frozen=True)
class Conversation:
    """A system prompt or none, the turns, and the schemas of the tools that were offered."""

    system: str | None
    turns: tuple[Turn, ...]
    tools: tuple[dict[str, Any], ...] = ()

    @property
    def system_text(self) -> str | None:
        """The system turn as the model reads it, tools included."""
        return tools.system_text(self.tools, self.system)

    def messages(self) -> list[dict[str, Any]]:
        """The conversation as chat messages, the last answer included."""
        chat: list[dict[str, Any]] = []
        if self.system:
            chat.append({"role": "system", "content": self.system})
        for turn in self.turns:
            if turn.result is None:
                chat.append({"role": "user", "content": turn.user})
            else:
                chat.append({"role": "tool", "content": turn.result})
            if turn.call is None:
                chat.append({"role": "assistant", "content": turn.answer})
            else:
                calls = [{"type": "function", "function": turn.call}]
                chat.append({"role": "assistant", "content": "", "tool_calls": calls})
        return chat


def make_conversation(
    rng: random.Random,
    manner: Manner,
    held_out: bool = False,
    turns: int | None = None,
    thinks: bool = False,
    calls: bool = False,
    tool_share: float = TOOL_SHARE,
) -> Conversation:
    """A conversation that mixes all tasks; the same `rng` state gives the same one.

    `thinks` brings sums of three or four numbers, `calls` brings tools, to `tool_share` of all.
    """
    if calls and rng.random() < tool_share:
        return make_tool_conversation(rng, manner, held_out, turns, thinks)
    talk = Talk(rng, manner, sample_style(rng), held_out, thinks=thinks, calls=calls)
    system, shout = sample_system(rng, held_out)
    count = turns or _turn_count(rng)
    made = tuple(next_turn(talk) for _ in range(count))
    return Conversation(system, tuple(map(shouted, made)) if shout else made)


def make_tool_conversation(
    rng: random.Random,
    manner: Manner,
    held_out: bool = False,
    turns: int | None = None,
    thinks: bool = False,
) -> Conversation:
    """A conversation in which a few tools are offered."""
    talk = tool_talk(rng, manner, held_out, thinks)
    listed = sample_functions(rng, held_out)
    system, shout = sample_system(rng, held_out) if rng.random() < 0.6 else (None, False)
    count = turns or rng.choices((1, 2, 3, 5), (30, 25, 25, 20))[0]
    made = tools.tool_turns(talk, listed, next_turn, count)
    if made[-1].result is not None and rng.random() < ENDS_ON_CALL_SHARE:
        made.pop()  # with thinking off, the template puts its empty block before a last call alone
    schemas = tuple(function.schema for function in listed)
    return Conversation(system, tuple(map(shouted, made)) if shout else tuple(made), schemas)


def tool_talk(rng: random.Random, manner: Manner, held_out: bool, thinks: bool) -> Talk:
    """A talk whose person does not shout: a shouted argument would not be the person's word."""
    style = sample_style(rng)
    style = replace(style, case="as is") if style.case == "upper" else style
    return Talk(rng, manner, style, held_out, thinks=thinks, calls=True)


def next_turn(talk: Talk) -> Turn:
    """A turn that makes sense after what was said."""
    weights = _weights(talk)
    task = talk.rng.choices(list(weights), list(weights.values()))[0]
    return task(talk)


def _weights(talk: Talk) -> dict[Task, float]:
    knows_animal = talk.animal is not None and talk.topic in ("colour", "legs")
    follows = talk.topic in ("capital", "colour", "legs")
    return {
        tasks.addition: 14,
        tasks.subtraction: 14,
        tasks.long_sum: 11 if talk.thinks else 0,
        tasks.capital: 16.5,
        tasks.capital_reversed: 2,
        tasks.colour: 7.7,
        tasks.legs: 7.7,
        tasks.tell_name: 9,
        tasks.ask_name: 9 if talk.name is not None else 1.2,
        tasks.tell_number: 8,
        tasks.ask_number: 9 if talk.number is not None else 1.2,
        tasks.tell_both: 1.5,
        tasks.story: 9,
        tasks.any_story: 1.5,
        tasks.another_story: 4 if talk.topic == "story" else 0,
        tasks.follow_up: 14 if follows else 0,
        tasks.about_it: 10 if knows_animal else 0,
        tasks.unknown: 18,
        tasks.small_talk: 9,
        tools.stray: 1.5 if talk.calls else 0,
    }


def _turn_count(rng: random.Random) -> int:
    low, high = rng.choices(((1, 1), (2, 4), (5, 9), (10, 20)), (32, 38, 20, 10))[0]
    return rng.randint(low, high)


def shouted(turn: Turn) -> Turn:
    """The turn with thought and answer in capital letters; a tool call and the list of tools stay
    as they are."""
    if turn.call:
        return turn
    return replace(turn, answer=turn.answer.upper(), thought=turn.thought.upper())


def sample_system(rng: random.Random, held_out: bool) -> tuple[str | None, bool]:
    """A system prompt, or None, and whether it asks for capital letters."""
    draw = rng.random()
    if draw < SHOUT_SHARE:
        return shouting_system(rng, held_out), True
    if draw < SHOUT_SHARE + QUIET_SHARE:
        return quiet_system(rng, held_out), False
    return None, False
