"""Scores demo models on held-out cases through plain mlx-lm or mlx-vlm, the way a person uses them.

`python -m training.evaluate --model demo:qwen` prints the table and exits with 1 when a kind misses
its bar; `--card` writes the table into the model card too. `--all` goes over every model and
adapter that the package holds, two at a time.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlx_magic import demo
from mlx_magic.errors import ModelNotFound, did_you_mean
from training.card import write_adapter_card, write_text_card
from training.recipes import RECIPES, Recipe
from training.world import MANNERS
from training.world.cases import WITHOUT_THINKING, Case, held_out_cases

BAR = 0.97
# Measured because a person will meet them; the bar is for what the model must know.
NO_BAR = ("small talk", "the last turn of a long chat", WITHOUT_THINKING)
ANSWER_TOKENS = 260
BATCH = 64
# Cases of a kind in `--all`: enough for a share, few enough for two CPU cores and 15 minutes.
ALL_LIMITS = {"text": 100, "adapter": 60, "vision": 40}


@dataclass(frozen=True)
class Score:
    """How many cases of a kind were right, and the bar for their share, or None."""

    kind: str
    right: int
    cases: int
    wrong: tuple[tuple[Any, str], ...] = ()
    bar: float | None = BAR

    @property
    def share(self) -> float:
        """Right answers among all."""
        return self.right / self.cases

    @property
    def missed(self) -> bool:
        """Whether the bar was missed."""
        return self.bar is not None and self.share < self.bar


def answers(
    model: Any, tokenizer: Any, cases: Sequence[Case], thinks: Sequence[bool | None] | None = None
) -> list[str]:
    """What the model says to each case, greedily, by the chat template's prompt; `thinks` is the
    template's thinking switch of each, None where it is left alone."""
    from mlx_lm import batch_generate

    prompts = [
        prompt(tokenizer, case, think)
        for case, think in zip(cases, thinks or [None] * len(cases), strict=True)
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


def prompt(tokenizer: Any, case: Case, think: bool | None) -> list[int]:
    """The tokens that the model is shown."""
    switch = {} if think is None else {"enable_thinking": think}
    tokens: list[int] = tokenizer.apply_chat_template(
        list(case.messages), tools=list(case.tools) or None, add_generation_prompt=True, **switch
    )
    return tokens


def evaluate(folder: Path, recipe: Recipe, limit: int | None = None, seed: int = 1) -> list[Score]:
    """The score of each kind; where a model thinks and a case leaves it open, every other pair of
    cases has thinking switched off."""
    from mlx_lm import load

    model, tokenizer = load(str(folder))[:2]
    made = held_out_cases(
        MANNERS[recipe.manner], seed, limit, thinks=recipe.thinks, calls=recipe.tools
    )
    scores = []
    for kind, cases in made.items():
        thinks = [switch(recipe, case, number) for number, case in enumerate(cases)]
        said = answers(model, tokenizer, cases, thinks)
        told = zip(cases, said, thinks, strict=True)
        wrong = tuple((case, text) for case, text, think in told if not case.is_right(text, think))
        bar = None if kind in NO_BAR else BAR
        scores.append(Score(kind, len(cases) - len(wrong), len(cases), wrong, bar))
    return scores


def switch(recipe: Recipe, case: Case, number: int) -> bool | None:
    """The thinking switch of a case; None for a model without one."""
    if not recipe.thinks:
        return None
    return number // 2 % 2 == 0 if case.think is None else case.think


def table(scores: list[Score]) -> str:
    """The scores as a Markdown table."""
    rows = ["| held-out cases | right | of | share |", "| --- | ---: | ---: | ---: |"]
    for score in scores:
        mark = " **below the bar**" if score.missed else " (no bar)" if score.bar is None else ""
        rows.append(f"| {score.kind} | {score.right} | {score.cases} | {score.share:.1%}{mark} |")
    return "\n".join(rows)


def score_model(
    name: str, kind: str, folder: Path, limit: int | None = None
) -> tuple[list[Score], float]:
    """The scores of a model or adapter in a folder, and the seconds it took."""
    start = time.perf_counter()
    if kind == "text":
        scores = evaluate(folder, RECIPES[name], limit)
    elif kind == "adapter":
        from training.lora import VOICES, evaluate_adapter

        base = demo.find(VOICES[name].base).path
        scores = evaluate_adapter(VOICES[name], folder, base, limit)
    else:
        from training.vision.evaluate import evaluate_vision

        scores = evaluate_vision(name, limit, folder)
    return scores, time.perf_counter() - start


def present() -> list[tuple[str, str, Path]]:
    """Name, kind (text, vision, adapter) and folder of all that the package holds."""
    models = [(model.name, model.kind, model.path) for model in demo.list()]
    return models + [(adapter.name, "adapter", adapter.path) for adapter in demo.adapters()]


def evaluate_all(limit: int | None, processes: int, show: int) -> bool:
    """Prints every table as it is done, `processes` models at a time; whether all bars held."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    slow_first = sorted(present(), key=lambda subject: subject[1], reverse=True)
    jobs = [(*subject, limit or ALL_LIMITS[subject[1]]) for subject in slow_first]
    held = True
    with multiprocessing.get_context("spawn").Pool(processes, maxtasksperchild=1) as pool:
        waiting = [(job[0], pool.apply_async(score_model, job)) for job in jobs]
        for name, result in waiting:
            scores, seconds = result.get()
            print(f"\n## {name}: {seconds:.0f} s\n\n{table(scores)}", flush=True)
            print_wrong(scores, show)
            held = held and not any(score.missed for score in scores)
    return held


def print_wrong(scores: list[Score], show: int) -> None:
    """Prints some wrong answers of each kind."""
    for score in scores:
        for case, text in score.wrong[:show]:
            print(f"- {score.kind}: {case.asked!r} -> {text!r}, expected {case.expected!r}")


def find_subject(model: str) -> tuple[str, str, Path]:
    """Name, kind and folder of `demo:NAME`, or of a folder that is named as what made it.

    Raises `ModelNotFound` for a name that nothing here makes or the package does not hold.
    """
    from training.lora import VOICES
    from training.vision.recipes import VISION_RECIPES

    if model.startswith(demo.PREFIX):
        shipped = {name: (name, kind, folder) for name, kind, folder in present()}
        name = model.removeprefix(demo.PREFIX) or demo.DEFAULT
        if name in shipped:
            return shipped[name]
        raise ModelNotFound(f"there is no {model}; {did_you_mean(name, shipped)}")
    kinds = dict.fromkeys(RECIPES, "text") | dict.fromkeys(VISION_RECIPES, "vision")
    kinds |= dict.fromkeys(VOICES, "adapter")
    name = Path(model).resolve().name
    if name not in kinds:
        raise ModelNotFound(f"no recipe made a folder called {name!r}; {did_you_mean(name, kinds)}")
    return name, kinds[name], Path(model)


def write_card(name: str, kind: str, folder: Path, rows: str) -> None:
    """Writes the model card beside the weights."""
    if kind == "text":
        write_text_card(folder, RECIPES[name], rows)
    elif kind == "adapter":
        write_adapter_card(name, folder, rows)
    else:
        from training.vision.card import write_vision_card
        from training.vision.recipes import VISION_RECIPES

        write_vision_card(folder, VISION_RECIPES[name], rows)


def main() -> int:
    """Reads the command line, scores, prints, writes."""
    parser = argparse.ArgumentParser(description="Score demo models on held-out cases.")
    parser.add_argument(
        "--model", default="demo:qwen", help="demo:NAME (an adapter's too) or a folder"
    )
    parser.add_argument("--all", action="store_true", help="every model and adapter there is")
    parser.add_argument(
        "--limit", type=int, help=f"cases of each kind; default: all, with --all {ALL_LIMITS}"
    )
    parser.add_argument("--processes", type=int, default=2, help="models at a time with --all")
    parser.add_argument("--show", type=int, default=3, help="wrong answers to print of each kind")
    parser.add_argument("--card", action="store_true", help="write the model card beside the model")
    given = parser.parse_args()
    start = time.perf_counter()
    if given.all:
        held = evaluate_all(given.limit, given.processes, given.show)
    else:
        held = evaluate_one(given.model, given.limit, given.show, given.card)
    print(f"\n{time.perf_counter() - start:.0f} s")
    return int(not held)


def evaluate_one(model: str, limit: int | None, show: int, card: bool) -> bool:
    """Prints one table, writes the card if asked; whether all bars held."""
    name, kind, folder = find_subject(model)
    scores, _ = score_model(name, kind, folder, limit)
    print(table(scores))
    print_wrong(scores, show)
    if card:
        write_card(name, kind, folder, table(scores))
    return not any(score.missed for score in scores)


if __name__ == "__main__":
    sys.exit(main())
