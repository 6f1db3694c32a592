"""Conversations as rows of token ids: framed, weighted, packed, made ahead by several processes.

A batch depends on the recipe, the seed and the step alone, so that a resumed run sees what an
uninterrupted one would.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from training.ahead import made_ahead
from training.framing import pieces
from training.recipes import ChatFormat, Recipe
from training.world import MANNERS, Conversation, make_conversation

# Hundredths of loss. Most conversations count answers alone; a share counts everything, so that a
# model which is not stopped at the end of its turn goes on with the person's next one.
ANSWER, FRAME, PERSON = 100, 30, 8
WHOLE_SHARE = 0.15
# Three numbers summed without a thought is more than a tiny model can: it counts little.
UNTHOUGHT = 25
# A call and its thought: few words of them, those to copy, cost anything, and all must be right.
CALL = 250
KEPT_CALL_SHARE = 0.5
# The share of a batch that is filled: more, and the conversations left over are all short ones.
FILL = 0.985

Weighed = tuple[str, int]
Encoded = tuple[list[int], list[int]]


class Framing(NamedTuple):
    """Whether the model thinks, and whether earlier answers keep their think block.

    The family's template drops the blocks of earlier answers. Where they are dropped, the first
    word of an earlier answer is not learnt: a block should have come there.
    """

    thinks: bool
    keeps: bool


FRAMINGS = {
    Framing(thinks=True, keeps=False): 30,
    Framing(thinks=True, keeps=True): 24,
    Framing(thinks=False, keeps=False): 26,
    Framing(thinks=False, keeps=True): 20,
}
FIRST_WORD = re.compile(r"<tool_call>|[^\W\d_]+|.", re.DOTALL)


@dataclass(frozen=True)
class Batch:
    """Rows of `(rows, row_tokens + 1)`: token ids, hundredths of loss, conversation number."""

    tokens: NDArray[np.int32]
    weights: NDArray[np.uint8]
    segments: NDArray[np.int32]


def frame(
    chat_format: ChatFormat, talk: Conversation, rng: random.Random, thinks: bool = False
) -> list[Weighed]:
    """A conversation as texts with their weights, in order; no token spans two of them."""
    edge, person = (FRAME, PERSON) if rng.random() < WHOLE_SHARE else (0, 0)
    said = [(turn.answer, ANSWER, False) for turn in talk.turns]
    if thinks and chat_format.no_think:
        framing = rng.choices(list(FRAMINGS), list(FRAMINGS.values()))[0]
        said = _with_thoughts(talk, framing, rng, chat_format.no_think)
    if chat_format.last_answer_only(talk.system):
        said[:-1] = [(text, 0, False) for text, _, _ in said[:-1]]
    turns = [(turn.user, text) for turn, (text, _, _) in zip(talk.turns, said, strict=True)]
    answers = iter(said)
    by_role = {"frame": edge, "user": person}
    weighed: list[Weighed] = []
    end = 0
    for text, role in pieces(chat_format, talk.system_text, turns):
        if role == "answer":
            _, end, bare = next(answers)
            weighed += _weigh(text, end, bare, chat_format.no_think)
        else:
            weighed.append((text, end if role == "answer_end" else by_role.get(role, 0)))
    return weighed


def _with_thoughts(
    talk: Conversation, framing: Framing, rng: random.Random, no_think: str
) -> list[tuple[str, int, bool]]:
    """Each answer with its think block if it keeps one, its weight, and whether it stands bare."""
    last = len(talk.turns) - 1
    asked = max(i for i, turn in enumerate(talk.turns) if turn.result is None)
    said = []
    for index, turn in enumerate(talk.turns):
        open_call = asked <= index < last and framing.thinks and rng.random() < KEPT_CALL_SHARE
        blocked = framing.keeps or index == last or open_call
        thought = blocked and framing.thinks
        block = f"<think>\n{turn.whole_thought}\n</think>\n\n" if thought else no_think
        weight = CALL if turn.call else ANSWER
        if turn.task == "long sum" and not thought:
            weight = UNTHOUGHT
        said.append((block + turn.answer if blocked else turn.answer, weight, not blocked))
    return said


def _weigh(text: str, weight: int, bare: bool, no_think: str) -> list[Weighed]:
    """An answer with its weight; what the prompt gives and a bare answer's first word have none."""
    given = 0
    if bare:
        first = FIRST_WORD.match(text)
        given = first.end() if first else 0
    elif no_think and text.startswith(no_think):
        given = len(no_think)
    return [piece for piece in ((text[:given], 0), (text[given:], weight)) if piece[0]]


def make_batch(recipe: Recipe, tokenizer: Tokenizer, seed: int, step: int, rows: int) -> Batch:
    """The batch of one step."""
    rng = random.Random(f"{recipe.name} {seed} {step}")
    manner = MANNERS[recipe.manner]
    width = recipe.schedule.row_tokens + 1
    framed: list[list[Weighed]] = []
    letters = 0
    while letters < rows * width * 4.3:
        talk = make_conversation(rng, manner, thinks=recipe.thinks, calls=recipe.tools)
        framed.append(frame(recipe.chat_format, talk, rng, recipe.thinks))
        letters += sum(len(text) for text, _ in framed[-1])
    talks = _encode(tokenizer, framed, width)
    return _pack(_that_fit(talks, int(rows * width * FILL)), rows, width)


def _encode(tokenizer: Tokenizer, framed: list[list[Weighed]], width: int) -> list[Encoded]:
    """Ids and weights of each conversation, cut to the row's width."""
    texts = [text for weighed in framed for text, _ in weighed]
    encoded = iter(tokenizer.encode_batch_fast(texts, add_special_tokens=False))
    talks = []
    for weighed in framed:
        ids: list[int] = []
        weights: list[int] = []
        for _, weight in weighed:
            new = next(encoded).ids
            ids += new
            weights += [weight] * len(new)
        talks.append((ids[:width], weights[:width]))
    return talks


def _that_fit(talks: list[Encoded], room: int) -> list[Encoded]:
    """The first conversations that fit together, short ones and long ones as they were drawn."""
    ends = accumulate(len(ids) for ids, _ in talks)
    return [talk for talk, end in zip(talks, ends, strict=True) if end <= room] or talks[:1]


def _pack(talks: list[Encoded], rows: int, width: int) -> Batch:
    """First fit, longest first; what fits nowhere is dropped, what is left over is segment 0."""
    tokens = np.zeros((rows, width), np.int32)
    weights = np.zeros((rows, width), np.uint8)
    segments = np.zeros((rows, width), np.int32)
    filled = [0] * rows
    for number, (ids, loss) in enumerate(sorted(talks, key=lambda t: -len(t[0])), start=1):
        row = next((r for r in range(rows) if filled[r] + len(ids) <= width), None)
        if row is None:
            continue
        place = slice(filled[row], filled[row] + len(ids))
        tokens[row, place], weights[row, place], segments[row, place] = ids, loss, number
        weights[row, place.start] = 0
        filled[row] += len(ids)
    return Batch(tokens, weights, segments)


def batches(
    recipe: Recipe, tokenizer: Tokenizer, seed: int, steps: range, rows: int, workers: int
) -> Iterator[Batch]:
    """The batches of the given steps in order; with `workers` processes, made ahead."""
    return made_ahead(partial(make_batch, recipe, tokenizer, seed, rows=rows), steps, workers)
