"""Trains a LoRA adapter that gives a demo model another voice: `python -m training.lora pirate`.

The training is mlx-lm's own (`mlx_lm.lora.train_model`), and so are the two files it leaves. The
questions are the world's; the answers hold the same facts in the adapter's voice.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import re
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np

from training.evaluate import Score, answers
from training.recipes import RECIPES, Recipe
from training.world import MANNERS, Conversation, make_conversation
from training.world.cases import Case, held_out_cases
from training.world.conversations import shouted
from training.world.stories import Wish

ADAPTER_BAR = 0.95
# What an adapter is measured on: the voice of answers that the system prompt does not set.
LEFT_OUT = ("capital letters when the system prompt asks", "the last turn of a long chat")
LONGEST_PROMPT = 1600  # letters; longer histories are left to the base model
# Every so many chats end with the person's own name or number, which must be found again.
RECALL_EVERY = 4
EXAMPLES = 24_000
# Answers already given may be the base model's, when an adapter is put on in the middle of a chat.
OTHER_VOICE_SHARE = 0.25


@dataclass(frozen=True)
class Voice:
    """An adapter: whose manner it speaks in, whether in capitals, and how it is recognised."""

    name: str
    base: str
    manner: str
    capitals: bool
    character: str
    knows: str

    def in_character(self, answer: str) -> bool:
        """Whether an answer sounds like this voice."""
        if self.capitals:
            return answer == answer.upper()
        return re.search(self.character, answer, re.IGNORECASE) is not None


VOICES: dict[str, Voice] = {
    "pirate": Voice(
        "pirate", "llama", "pirate", False, r"\b(arr|ahoy|aye|matey)\b", "talks like a pirate"
    ),
    "shout": Voice("shout", "llama", "chatty", True, "", "answers in capital letters"),
}

# What mlx-lm's command line would be given; all the rest is its default.
SETTINGS: dict[str, Any] = {
    "train": True,
    "fine_tune_type": "lora",
    "optimizer": "adamw",
    "num_layers": 5,
    "batch_size": 64,
    "iters": 1500,
    "val_batches": 4,
    "steps_per_report": 50,
    "steps_per_eval": 500,
    "max_seq_length": 1024,
    "mask_prompt": True,
    "seed": 7,
    "data": "training/world",
    "learning_rate": 2e-3,
    "lora_parameters": {"rank": 6, "dropout": 0.0, "scale": 4.0},
    "lr_schedule": {"name": "cosine_decay", "arguments": [2e-3, 1500, 2e-5], "warmup": 50},
}


def examples(voice: Voice, base_manner: str, seed: int, count: int) -> Iterator[dict[str, Any]]:
    """Chats as mlx-lm's `{"messages": ...}` rows; the last answer is the one that is learnt."""
    for number in itertools.count():
        if count == 0:
            return
        rng = random.Random(f"{voice.name} {seed} {number}")
        recall = number % RECALL_EVERY == 0
        turns = rng.choice((2, 3, 3, 4, 5) if recall else (1, 1, 1, 2, 2, 3, 4))
        ours = _spoken(voice, number, seed, turns)
        if recall and not _recalls(ours):
            continue
        theirs = _conversation(MANNERS[base_manner], number, seed, turns)
        if any(turn.answer.isupper() for turn in theirs.turns):
            continue  # the system prompt asks for capitals
        past = theirs if rng.random() < OTHER_VOICE_SHARE else ours
        messages = [*past.messages()[:-1], ours.messages()[-1]]
        row = {"messages": messages}
        if _letters(row) <= LONGEST_PROMPT:
            count -= 1
            yield row


def _recalls(talk: Conversation) -> bool:
    """Whether the last turn asks for what an earlier one told."""
    told = {turn.task for turn in talk.turns[:-1]}
    return {"name": "tell name", "number": "tell number"}.get(talk.turns[-1].task) in told


def _letters(row: dict[str, Any]) -> int:
    return sum(len(message["content"]) for message in row["messages"])


def _conversation(manner: Any, number: int, seed: int, turns: int) -> Conversation:
    """The same questions for every manner, whose answers draw no luck."""
    return make_conversation(random.Random(f"talk {seed} {number}"), manner, turns=turns)


def _spoken(voice: Voice, number: int, seed: int, turns: int) -> Conversation:
    talk = _conversation(MANNERS[voice.manner], number, seed, turns)
    return replace(talk, turns=tuple(map(shouted, talk.turns))) if voice.capitals else talk


def train_adapter(voice: Voice, base: Path, recipe: Recipe, out: Path, **changes: Any) -> None:
    """Trains with mlx-lm and leaves `adapters.safetensors` (bf16) and `adapter_config.json`."""
    from mlx_lm import load
    from mlx_lm.lora import CONFIG_DEFAULTS, train_model
    from mlx_lm.tuner.datasets import ChatDataset

    args = Namespace(**CONFIG_DEFAULTS | SETTINGS | changes)
    args.model, args.adapter_path, args.save_every = f"demo:{voice.base}", str(out), args.iters + 1
    np.random.seed(args.seed)
    model, tokenizer = load(str(base))[:2]
    model.set_dtype(mx.float32)
    count = min(EXAMPLES, args.iters * args.batch_size)
    rows = list(examples(voice, recipe.manner, args.seed, count + 4 * args.batch_size))
    # mlx-lm makes a batch of neighbours: neighbours of like length need little padding.
    learnt, checked = sorted(rows[:count], key=_letters), rows[count:]
    sets = (ChatDataset(part, tokenizer, mask_prompt=True) for part in (learnt, checked))
    train_model(args, model, *sets)
    config = out / "adapter_config.json"
    settings = json.loads(config.read_text()) | {"adapter_path": voice.name}
    config.write_text(json.dumps(settings, indent=4) + "\n")
    file = out / "adapters.safetensors"
    weights: Any = mx.load(str(file))
    weights = {name: value.astype(mx.bfloat16) for name, value in weights.items()}
    mx.eval(weights)
    mx.save_safetensors(str(file), weights, {"format": "mlx"})


def evaluate_adapter(
    voice: Voice, folder: Path, base: Path, limit: int | None = None
) -> list[Score]:
    """How many held-out cases of each kind are right in this voice, and in all; how many are in
    character. The bars are for the last two."""
    from mlx_lm import load

    model, tokenizer = load(str(base), adapter_path=str(folder))[:2]
    scores: list[Score] = []
    failed: list[tuple[Case, str]] = []
    strange: list[tuple[Case, str]] = []
    total = 0
    for kind, cases in voice_cases(voice, limit).items():
        told = list(zip(cases, answers(model, tokenizer, cases), strict=True))
        wrong = [(c, a) for c, a in told if not c.is_right(a)]
        strange += [(c, a) for c, a in told if not voice.in_character(a)]
        scores.append(Score(kind, len(cases) - len(wrong), len(cases), tuple(wrong), bar=None))
        failed += wrong
        total += len(cases)
    for kind, wrong in (("right in all", failed), ("in character", strange)):
        scores.append(Score(kind, total - len(wrong), total, tuple(wrong), ADAPTER_BAR))
    return scores


def voice_cases(voice: Voice, limit: int | None = None) -> dict[str, list[Case]]:
    """Held-out cases whose answers, given and expected, are in this voice."""
    kinds = held_out_cases(MANNERS[voice.manner], limit=limit)
    return {
        kind: [_loud(case) if voice.capitals else case for case in cases]
        for kind, cases in kinds.items()
        if kind not in LEFT_OUT
    }


def _loud(case: Case) -> Case:
    """The case in capitals."""
    messages = tuple(
        message | {"content": message["content"].upper()}
        if message["role"] == "assistant"
        else message
        for message in case.messages
    )
    wish = case.wish and Wish(*(part and part.upper() for part in astuple(case.wish)))
    return replace(
        case,
        messages=messages,
        expected=case.expected.upper(),
        wish=wish,
        openings=tuple(opening.upper() for opening in case.openings),
    )


def main() -> None:
    """Reads the command line, trains, prints the table."""
    from training.evaluate import table

    parser = argparse.ArgumentParser(description="Train a LoRA adapter of a demo model.")
    parser.add_argument("voice", choices=sorted(VOICES))
    parser.add_argument("--base", help="demo:NAME or a folder; default: the voice's own base")
    parser.add_argument("--out", type=Path, help="default: runs/VOICE")
    parser.add_argument("--iters", type=int, default=SETTINGS["iters"])
    parser.add_argument("--limit", type=int, default=100, help="cases of each kind to score")
    parser.add_argument("--device", choices=("default", "cpu", "gpu"), default="default")
    given = parser.parse_args()
    if given.device != "default":
        mx.set_default_device(mx.Device(getattr(mx.DeviceType, given.device)))
    if mx.default_device().type == mx.DeviceType.cpu:
        mx.disable_compile()  # building kernels takes longer than the steps they speed up
    voice = VOICES[given.voice]
    recipe = RECIPES[voice.base]
    named = (given.base or f"demo:{voice.base}").removeprefix("demo:")
    base = RECIPES[named].folder if named in RECIPES else Path(named)
    out = given.out or Path("runs") / voice.name
    schedule = SETTINGS["lr_schedule"] | {"arguments": [2e-3, given.iters, 2e-5]}
    train_adapter(voice, base, recipe, out, iters=given.iters, lr_schedule=schedule)
    print(f"{voice.name}: {(out / 'adapters.safetensors').stat().st_size:,} bytes, {out}")
    print(table(evaluate_adapter(voice, out, base, given.limit)))


if __name__ == "__main__":
    main()
