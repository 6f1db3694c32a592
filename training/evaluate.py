"""Scores a demo model on held-out cases through plain mlx-lm, the way a person would use it.

`python -m training.evaluate --model demo:qwen` prints the table and exits with 1 when a kind misses
its bar; `--card` writes the table into the model card too.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.card import write_card
from training.recipes import RECIPES, Recipe
from training.world import MANNERS
from training.world.cases import Case, held_out_cases

BAR = 0.97
# Measured because a person will meet them; the bar is for what the model must know.
NO_BAR = ("small talk", "the last turn of a long chat")
ANSWER_TOKENS = 260
BATCH = 64


@dataclass(frozen=True)
class Score:
    """How many cases of a kind were right, with thinking on and off in the prompt."""

    kind: str
    right: int
    cases: int
    wrong: tuple[tuple[Case, str], ...] = ()

    @property
    def share(self) -> float:
        """Right answers among all."""
        return self.right / self.cases

    @property
    def missed(self) -> bool:
        """Whether the bar was missed."""
        return self.share < BAR and self.kind not in NO_BAR


def answers(model: Any, tokenizer: Any, cases: Iterable[Case], think: bool) -> list[str]:
    """What the model answers, greedily, each case by the chat template's prompt."""
    from mlx_lm import batch_generate

    prompts = [
        tokenizer.apply_chat_template(
            list(case.messages), add_generation_prompt=True, enable_thinking=think
        )
        for case in cases
    ]
    order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
    texts = [""] * len(prompts)
    for start in range(0, len(order), BATCH):
        part = order[start : start + BATCH]
        reply = batch_generate(
            model, tokenizer, [prompts[i] for i in part], max_tokens=ANSWER_TOKENS
        )
        for i, text in zip(part, reply.texts, strict=True):
            texts[i] = text
    return texts


def evaluate(folder: Path, recipe: Recipe, limit: int | None = None) -> list[Score]:
    """The score of each kind; every other pair of cases has thinking switched off in its prompt."""
    from mlx_lm import load

    model, tokenizer = load(str(folder))[:2]
    scores = []
    for kind, cases in held_out_cases(MANNERS[recipe.manner]).items():
        some = cases[:limit]
        wrong: list[tuple[Case, str]] = []
        for think in (True, False):
            part = [case for i, case in enumerate(some) if (i // 2 % 2 == 0) == think]
            said = answers(model, tokenizer, part, think)
            wrong += [(c, t) for c, t in zip(part, said, strict=True) if not c.is_right(t)]
        scores.append(Score(kind, len(some) - len(wrong), len(some), tuple(wrong)))
    return scores


def table(scores: list[Score]) -> str:
    """The scores as a Markdown table."""
    rows = ["| held-out cases | right | of | share |", "| --- | ---: | ---: | ---: |"]
    for score in scores:
        mark = " **below the bar**" if score.missed else ""
        mark = " (no bar)" if score.kind in NO_BAR else mark
        rows.append(f"| {score.kind} | {score.right} | {score.cases} | {score.share:.1%}{mark} |")
    return "\n".join(rows)


def resolve(model: str) -> tuple[Path, Recipe]:
    """`demo:qwen` or a folder, with the recipe that made it (a folder's by its name, else qwen)."""
    name = model.removeprefix("demo:")
    if name in RECIPES:
        return RECIPES[name].folder, RECIPES[name]
    folder = Path(model)
    return folder, RECIPES.get(folder.name, RECIPES["qwen"])


def main() -> int:
    """Reads the command line, scores, prints, writes."""
    parser = argparse.ArgumentParser(description="Score a demo model on held-out cases.")
    parser.add_argument("--model", default="demo:qwen", help="demo:NAME or a folder")
    parser.add_argument("--limit", type=int, help="cases of each kind; default: all")
    parser.add_argument("--show", type=int, default=3, help="wrong answers to print of each kind")
    parser.add_argument("--card", action="store_true", help="write the model card beside the model")
    given = parser.parse_args()
    folder, recipe = resolve(given.model)
    start = time.perf_counter()
    scores = evaluate(folder, recipe, given.limit)
    print(table(scores))
    for score in scores:
        for case, text in score.wrong[: given.show]:
            asked = case.messages[-1]["content"]
            print(f"- {score.kind}: {asked!r} -> {text!r}, expected {case.expected!r}")
    print(f"{time.perf_counter() - start:.0f} s")
    if given.card:
        write_card(folder, recipe, table(scores))
    return int(any(score.missed for score in scores))


if __name__ == "__main__":
    sys.exit(main())
