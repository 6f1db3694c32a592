"""Scores a vision demo model on held-out pictures through plain mlx-vlm, one question at a time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training.evaluate import BAR, Score
from training.pictures.cases import PictureCase, control, held_out_cases
from training.pictures.manners import MANNERS
from training.vision.recipes import VISION_RECIPES

CASES_A_KIND = 60
ANSWER_TOKENS = 96
CONTROL_EVERY = 8  # so many cases with their picture for one with another


def answer(model: Any, processor: Any, case: PictureCase) -> str:
    """What the model says to the last turn of a case, greedily."""
    from mlx_vlm import apply_chat_template, stream_generate

    prompt = apply_chat_template(processor, model.config, messages(case))
    pieces = stream_generate(
        model, processor, prompt, image=list(case.images) or None, max_tokens=ANSWER_TOKENS,
        temperature=0.0,
    )  # fmt: skip
    return "".join(piece.text for piece in pieces).strip()


def messages(case: PictureCase) -> list[dict[str, Any]]:
    """The case as chat messages, each picture in the turn that shows it."""
    chat: list[dict[str, Any]] = []
    for turn in case.turns:
        parts: list[dict[str, str]] = [{"type": "image"}] * turn.images
        chat.append({"role": "user", "content": [*parts, {"type": "text", "text": turn.user}]})
        chat.append({"role": "assistant", "content": [{"type": "text", "text": turn.answer}]})
    return chat[:-1]


def evaluate_vision(
    name: str, limit: int | None = None, folder: Path | None = None, seed: int = 1
) -> list[Score]:
    """The score of each kind, and last how often the same answers come with wrong pictures: of
    scenes, of charts, of text."""
    from mlx_vlm import load

    recipe = VISION_RECIPES[name]
    model, processor = load(str(folder or recipe.folder))
    made = held_out_cases(MANNERS[recipe.manner], limit or CASES_A_KIND, seed)
    scores = [_score(model, processor, kind, cases) for kind, cases in made.items()]
    for group, swapped in control(made, CONTROL_EVERY).items():
        scores.append(_score(model, processor, f"wrong picture: {group}", swapped, bar=None))
    return scores


def _score(
    model: Any,
    processor: Any,
    kind: str,
    cases: Sequence[PictureCase],
    bar: float | None = BAR,
) -> Score:
    said = [answer(model, processor, case) for case in cases]
    wrong = [(c, text) for c, text in zip(cases, said, strict=True) if not c.is_right(text)]
    return Score(kind, len(cases) - len(wrong), len(cases), tuple(wrong), bar)
