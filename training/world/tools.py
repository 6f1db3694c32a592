"""Tools: questions that match a listed function, its calls, results, and answers from them.

The tool format is Qwen's, and a test holds `system_text` equal to the chat template.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from training.world import thinking
from training.world.arguments import KEYS, VALUES
from training.world.functions import JSON, Function, other_function
from training.world.tasks import Talk, Turn, unknown_turn
from training.world.vocabulary import any_noun


def system_text(schemas: tuple[JSON, ...], system: str | None) -> str | None:
    """The system turn's text, with the tools as the chat template lists them."""
    if not schemas:
        return system
    listed = "".join("\n" + json.dumps(schema, ensure_ascii=False) for schema in schemas)
    return (f"{system}\n\n" if system else "") + TOOLS_BEFORE + listed + TOOLS_AFTER


TOOLS_BEFORE = (
    "# Tools\n\nYou may call one or more functions to assist with the user query.\n\n"
    "You are provided with function signatures within <tools></tools> XML tags:\n<tools>"
)
TOOLS_AFTER = (
    "\n</tools>\n\nFor each function call, return a json object with function name and arguments "
    "within <tool_call></tool_call> XML tags:\n<tool_call>\n"
    '{"name": <function-name>, "arguments": <args-json-object>}\n</tool_call>'
)


def call_text(call: JSON) -> str:
    """A call as the model writes it and the template renders it."""
    arguments = json.dumps(call["arguments"], ensure_ascii=False)
    return f'<tool_call>\n{{"name": "{call["name"]}", "arguments": {arguments}}}\n</tool_call>'


def result_text(result: str) -> str:
    """What a tool gave back, as the text of a turn."""
    return f"<tool_response>\n{result}\n</tool_response>"


def exchange(
    talk: Talk, function: Function, listed: tuple[Function, ...], again: bool = False
) -> tuple[Turn, Turn]:
    """A question, the call that it needs; what the tool gave back, the answer that uses it."""
    given = [slot.give(talk) for slot in function.kind.slots]
    user = _question(talk, function, listed, given, again)
    arguments: JSON = dict(zip(function.parameters, given, strict=True))
    call = {"name": function.name, "arguments": arguments}
    word, name = _told(function)
    thought = (thinking.CALL_AGAIN if again else thinking.CALL).format(word=word, name=name)
    result, value = _result(talk.rng, talk.held_out, arguments)
    slots = dict(zip("xy", given, strict=False))
    answer = function.kind.answer.format(n=function.noun, r=value, **slots)
    said = thinking.RESULT.format(value=value)
    talk.topic = talk.animal = None
    return (
        Turn(user, call_text(call), "tool call", thought, call=call),
        Turn(result_text(result), answer, "tool answer", said, result=result),
    )


def _told(function: Function) -> tuple[str, str]:
    """The word or words that a question shares with the function's name; the name."""
    return function.told_by, function.name


_TRIES = 30  # a made-up name may stand in every question of another function


def _question(
    talk: Talk, function: Function, listed: tuple[Function, ...], given: list[Any], again: bool
) -> str:
    """A question that tells this function and, where its words can be had so, no other one."""
    kind, rng = function.kind, talk.rng
    others = [one.told_by for one in listed if one is not function]
    slots = dict(zip("xy", given, strict=False))
    verb = function.verb.replace("_", " ")
    for attempt in range(_TRIES):
        if attempt:
            slots["x"] = given[0] = kind.slots[0].give(talk)
        shape = rng.choice(kind.again) if again else kind.questions.pick(rng, talk.held_out)
        text = shape.format(v=verb, V=verb.capitalize(), n=function.noun, **slots)
        if not any(word in text.lower() for word in others):
            break
    return talk.type(text)


def _result(rng: random.Random, held_out: bool, arguments: JSON) -> tuple[str, Any]:
    """What a tool gives back, as text, and the value in it."""
    value = _value(rng, held_out)
    if rng.random() < 0.7:
        return str(value), value
    echo = dict([rng.choice(list(arguments.items()))]) if rng.random() < 0.3 else {}
    key = rng.choice([key for key in KEYS if key not in echo])
    return json.dumps({**echo, key: value}, ensure_ascii=False), value


def _value(rng: random.Random, held_out: bool) -> int | float | str:
    draw = rng.random()
    if draw < 0.45:
        return rng.randint(-9, rng.choice((9, 40, 999)))
    if draw < 0.55:
        return float(f"{rng.randint(0, 99)}.{rng.randint(1, 9)}")
    if draw < 0.6:
        return f"{rng.randint(0, 23)}:{rng.randint(0, 59):02}"
    return rng.choice(VALUES) if draw < 0.8 else any_noun(rng, held_out)


def stray(talk: Talk, listed: tuple[Function, ...] = ()) -> Turn:
    """A question for a function that is not listed: nobody knows."""
    function = other_function(talk.rng, talk.held_out, listed)
    given = [slot.give(talk) for slot in function.kind.slots]
    return unknown_turn(talk, _question(talk, function, (*listed, function), given, False))


def beside(talk: Talk, listed: tuple[Function, ...], next_turn: Callable[[Talk], Turn]) -> Turn:
    """An ordinary turn that no listed tool could answer."""
    while True:
        turn = next_turn(talk)
        told = any(one.told_by in turn.user.lower() for one in listed)
        if not (told and turn.task == "unknown"):
            return turn


def tool_turns(
    talk: Talk, listed: tuple[Function, ...], next_turn: Callable[[Talk], Turn], count: int
) -> list[Turn]:
    """Mostly questions for the listed tools, some for others, some ordinary turns."""
    turns: list[Turn] = []
    last: Function | None = None
    for _ in range(count):
        draw = talk.rng.random()
        if draw < 0.62:
            again = last is not None and bool(last.kind.again) and talk.rng.random() < 0.3
            used = last if last is not None and again else talk.rng.choice(listed)
            turns += exchange(talk, used, listed, again)
            last = used
            continue
        last = None
        turns.append(stray(talk, listed) if draw < 0.72 else beside(talk, listed, next_turn))
    offered = thinking.offered([_told(one) for one in listed])
    return [turn if turn.result else replace(turn, offered=offered) for turn in turns]
