"""Whole conversations: a person, perhaps a system prompt, and a mix of tasks over several turns."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from training.world import social, tasks
from training.world.manners import Manner
from training.world.names import is_held_out
from training.world.style import sample_style
from training.world.tasks import Talk, Task, Turn

SHOUT_SHARE = 0.24
QUIET_SHARE = 0.22


@dataclass(frozen=True)
class Conversation:
    """A system prompt or none, and the turns."""

    system: str | None
    turns: tuple[Turn, ...]

    def messages(self) -> list[dict[str, str]]:
        """The conversation as chat messages, the last answer included."""
        chat = [{"role": "system", "content": self.system}] if self.system else []
        for turn in self.turns:
            chat.append({"role": "user", "content": turn.user})
            chat.append({"role": "assistant", "content": turn.answer})
        return chat


def make_conversation(
    rng: random.Random, manner: Manner, held_out: bool = False, turns: int | None = None
) -> Conversation:
    """A conversation that mixes all tasks; the same `rng` state gives the same one."""
    talk = Talk(rng, manner, sample_style(rng), held_out)
    system, shout = sample_system(rng, held_out)
    count = turns or _turn_count(rng)
    made = tuple(next_turn(talk) for _ in range(count))
    return Conversation(system, tuple(map(shouted, made)) if shout else made)


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
        tasks.capital: 15,
        tasks.capital_reversed: 2,
        tasks.colour: 7,
        tasks.legs: 7,
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
    }


def _turn_count(rng: random.Random) -> int:
    low, high = rng.choices(((1, 1), (2, 4), (5, 9), (10, 20)), (32, 38, 20, 10))[0]
    return rng.randint(low, high)


def shouted(turn: Turn) -> Turn:
    """The turn with its answer in capital letters."""
    return replace(turn, answer=turn.answer.upper())


def sample_system(rng: random.Random, held_out: bool) -> tuple[str | None, bool]:
    """A system prompt, or None, and whether it asks for capital letters."""
    draw = rng.random()
    if draw < SHOUT_SHARE:
        return shouting_system(rng, held_out), True
    if draw < SHOUT_SHARE + QUIET_SHARE:
        return quiet_system(rng, held_out), False
    return None, False


def shouting_system(rng: random.Random, held_out: bool) -> str:
    """A system prompt that asks for capital letters."""
    if rng.random() < 0.3:
        text = rng.choice(social.SHOUT_WHOLE.side(held_out))
    else:
        text = _shout_sentence(rng, held_out)
    return text.lower() if rng.random() < 0.12 else text


def _shout_sentence(rng: random.Random, held_out: bool) -> str:
    while True:
        verb, way = rng.choice(social.SHOUT_VERBS), rng.choice(social.SHOUT_WAYS)
        if is_held_out(f"shout {verb} {way}", 0.15) == held_out:
            mark = rng.choice((".", ".", "", "!"))
            return f"{rng.choice(social.SHOUT_OPENINGS)}{verb} {way}{mark}"


def quiet_system(rng: random.Random, held_out: bool) -> str:
    """A system prompt that changes nothing in this world."""
    if held_out:
        return rng.choice(social.HELD_OUT_QUIET)
    role = f"You are {rng.choice(social.ROLES)}."
    sentences = rng.sample(social.QUIET_SENTENCES, rng.choice((0, 1, 1, 2)))
    if rng.random() < 0.8:
        sentences.insert(0, role)
    return " ".join(sentences) or role
