"""What people and model say, as the texts that a tokenizer learns its pieces from."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

from training.world.conversations import make_conversation
from training.world.functions import OFFERED, OFFERED_TO_LEARN
from training.world.manners import Manner

# Of a tokenizer's conversations, those with tools: more would spend its pieces on schemas and
# leave plain talk fewer.
TOOL_TEXT_SHARE = 0.3
# The frame around the tools is always the same long text: seen less, it takes fewer pieces.
FRAME_SHARE = 0.3
# Of the conversations with several tools, those that give two schemas: half of all, as held out.
SECOND_SHARE = OFFERED[1] / (1 - OFFERED_TO_LEARN[0])

# Turns of a conversation with tools, a call and its result, that a tokenizer learns from: more of
# them repeat the same few names.
TOOL_TURNS = 2


def sample_texts(
    manner: Manner, seed: int, conversations: int, thinking: bool = False, tools: bool = False
) -> Iterator[str]:
    """Questions and answers; with `thinking` thoughts too, with `tools` schemas, calls and results,
    but not the thoughts of calls, which spell names that should stay apart.

    Shouted text is left out, so that capitals stay single letters and a small model can turn any
    name into capitals.
    """
    rng = random.Random(seed)
    for _ in range(conversations):
        talk = make_conversation(
            rng, manner, thinks=thinking, calls=tools, tool_share=TOOL_TEXT_SHARE
        )
        for turn in talk.turns[: TOOL_TURNS if talk.tools else None]:
            thought = f"{turn.thought}\n" if thinking and not turn.call else ""
            said = (turn.user, turn.answer, thought)
            yield from (text for text in said if text and not text.isupper())
        yield from map(json.dumps, talk.tools[: 1 + (rng.random() < SECOND_SHARE)])
        if talk.tools and talk.system_text and rng.random() < FRAME_SHARE:
            yield talk.system_text
