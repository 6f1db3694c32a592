"""Trains a finished model on, without a GPU: `python -m training.twin.train smolvlm ...`."""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from tqdm import tqdm  # type: ignore[import-untyped]

from training import batches as text_batches
from training.pictures.chart_pool import ChartPool
from training.recipes import RECIPES
from training.twin.layers import Weights
from training.twin.optimizer import Optimizer, Peaks
from training.twin.text import TextTwin, groups_of
from training.twin.vision import VisionTwin
from training.vision import batches as picture_batches
from training.vision.recipes import VISION_RECIPES, VisionRecipe

Losses = Iterator[Callable[[Weights], torch.Tensor]]

# Rows of each length for `PICTURES` pictures: narrower classes than a GPU's, which compiles each.
ROWS = {
    "qwen-vl": ((38, 104), (36, 130), (40, 154), (20, 176)),
    "gemma-vision": ((38, 90), (36, 116), (40, 140), (20, 172)),
    "smolvlm": ((38, 106), (36, 134), (40, 166), (20, 216)),
}
PICTURES = 128
TEXT_ROWS = 16


def vision_losses(args: argparse.Namespace, tokenizer: Tokenizer) -> Losses:
    """For each step the loss of its batch, as a function of the weights."""
    recipe = few_pictures(VISION_RECIPES[args.model])
    config = json.loads((args.start / "config.json").read_text())
    twin = VisionTwin(config, recipe.image)
    charts = ChartPool(args.charts) if args.charts else None
    steps = range(args.steps)
    for batch in picture_batches.batches(recipe, tokenizer, charts, args.seed, steps, args.workers):
        yield lambda weights, batch=batch: twin.loss(weights, batch)  # type: ignore[misc]


def few_pictures(recipe: VisionRecipe) -> VisionRecipe:
    """The recipe with batches for a CPU."""
    rows = ROWS[recipe.name]
    schedule = replace(recipe.schedule, pictures=PICTURES, rows=rows)
    return replace(recipe, schedule=schedule)


def text_losses(args: argparse.Namespace, tokenizer: Tokenizer) -> Losses:
    """The same for a text model."""
    recipe = RECIPES[args.model]
    twin = TextTwin(recipe.architecture)
    steps = range(args.steps)
    for batch in text_batches.batches(recipe, tokenizer, args.seed, steps, TEXT_ROWS, args.workers):
        groups = groups_of(batch)
        yield lambda weights, groups=groups: twin.loss(weights, groups)  # type: ignore[misc]


def train(args: argparse.Namespace) -> list[float]:
    """Trains from the weights of `args.start` and leaves a whole model in `args.out`; returns the
    loss of each step."""
    args.out.mkdir(parents=True, exist_ok=True)
    for file in args.start.iterdir():
        if file.is_file() and file.suffix in (".json", ".jinja"):
            shutil.copyfile(file, args.out / file.name)
    loaded = load_file(args.start / "model.safetensors")
    weights = {name: value.float().requires_grad_() for name, value in loaded.items()}
    tokenizer = Tokenizer.from_file(str(args.start / "tokenizer.json"))
    schedule = (VISION_RECIPES.get(args.model) or RECIPES[args.model]).schedule
    peaks = Peaks(args.muon_rate, args.learning_rate, schedule.weight_decay, args.steps)
    optimizer = Optimizer(weights, peaks)
    losses = vision_losses if args.model in VISION_RECIPES else text_losses
    said: list[float] = []
    with tqdm(losses(args, tokenizer), total=args.steps, unit="step", mininterval=2) as bar:
        for done, loss_of in enumerate(bar, start=1):
            with torch.autocast("cpu", torch.bfloat16, enabled=not args.float32):
                loss = loss_of(weights)
            gradients = torch.autograd.grad(loss, list(weights.values()))
            optimizer.update(dict(zip(weights, gradients, strict=True)))
            said.append(loss.item())
            if done % 20 == 0:
                bar.set_postfix(loss=f"{np.mean(said[-20:]):.4f}")
            if done % args.save_every == 0 or done == args.steps:
                save(weights, args.out / "model.safetensors")
    return said


def save(weights: Weights, file: Path) -> None:
    """Writes the weights in bf16, whole or not at all."""
    part = file.with_suffix(".part")
    rounded = {name: value.detach().bfloat16().contiguous() for name, value in weights.items()}
    save_file(rounded, part, {"format": "mlx"})
    part.rename(file)


def main() -> None:
    """Reads the command line and trains."""
    parser = argparse.ArgumentParser(description="Train a finished model on, on a CPU.")
    parser.add_argument("model", choices=["qwen", *sorted(VISION_RECIPES)])
    parser.add_argument("--start", type=Path, required=True, help="the finished model's folder")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--charts", type=Path, help="charts drawn ahead; default: draw as needed")
    parser.add_argument("--learning-rate", type=float, default=6e-4, help="AdamW's peak")
    parser.add_argument("--muon-rate", type=float, default=0.004, help="Muon's peak")
    parser.add_argument("--workers", type=int, default=1, help="data processes; 0: none")
    parser.add_argument("--save-every", type=int, default=300, metavar="STEPS")
    parser.add_argument("--float32", action="store_true", help="faster on a CPU without bf16 units")
    args = parser.parse_args()
    losses = train(args)
    print(f"{args.model}: loss {np.mean(losses[-100:]):.4f} after {len(losses):,} steps")


if __name__ == "__main__":
    main()
