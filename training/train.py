"""Trains a demo model: `python -m training.train qwen`. Runs on Metal, CUDA and CPU.

Weights are kept in float32 and used in the compute type (bf16 on a GPU), so that the bf16 file
behaves as the model did in training.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
from mlx.utils import tree_flatten, tree_map, tree_map_with_path
from mlx_lm.models.base import create_causal_mask
from mlx_lm.utils import MODEL_REMAPPING
from tqdm import tqdm  # type: ignore[import-untyped]

from training.batches import Batch, batches
from training.checkpoint import Tree, export_model, load_checkpoint, save_checkpoint
from training.recipes import RECIPES, Recipe, Schedule
from training.tokenizer import build_tokenizer, save_tokenizer
from training.world import MANNERS
from training.world.texts import sample_texts

SAMPLE_CONVERSATIONS = 30_000

Step = Callable[[mx.array, mx.array, mx.array], tuple[mx.array, mx.array]]


@dataclass(frozen=True)
class Options:
    """What the command line decides."""

    out: Path
    steps: int
    rows: int
    seed: int
    workers: int = 0
    resume: bool = False
    save_every: int = 1000
    stop_after: int | None = None
    compute: mx.Dtype = mx.float32
    compiled: bool = True


def build_model(recipe: Recipe) -> nn.Module:
    """The architecture, as mlx-lm defines it, with fresh weights."""
    config = recipe.architecture
    name = MODEL_REMAPPING.get(config["model_type"], config["model_type"])
    module = importlib.import_module(f"mlx_lm.models.{name}")
    model: Any = module.Model(module.ModelArgs.from_dict(config))
    model.sanitize({})  # as loading does: Gemma's output is tied to its embeddings only then
    spread = config["initializer_range"]

    def fresh(path: str, value: mx.array) -> mx.array:
        if value.ndim == 1:
            return mx.full(value.shape, recipe.norm_start)
        shrink = (2 * config["num_hidden_layers"]) ** -0.5
        narrow = path.endswith(("o_proj.weight", "down_proj.weight"))
        noise: mx.array = mx.random.normal(value.shape) * spread * 2
        return noise * shrink if narrow else noise

    model.update(tree_map_with_path(fresh, model.parameters()))
    built: nn.Module = model
    return built


class PackedRows:
    """Stands where a model expects a KV cache: keeps nothing, and gives the mask of packed rows.

    So the model's own forward runs: its embedding scale, its windows, its tied output.
    """

    offset = 0

    def __init__(self, segments: mx.array) -> None:
        self._together = segments[:, None, :, None] == segments[:, None, None, :]

    def make_mask(self, length: int, window_size: int | None = None, **_: Any) -> mx.array:
        """Bool `(rows, 1, length, length)`: the own conversation's past, as far as a window."""
        past: mx.array = create_causal_mask(length, window_size=window_size)
        return past & self._together

    def update_and_fetch(self, keys: mx.array, values: mx.array) -> tuple[mx.array, mx.array]:
        """Keys and values as they came."""
        return keys, values


def forward(model: Any, tokens: mx.array, segments: mx.array) -> mx.array:
    """Logits `(rows, length, vocabulary)`; a token sees only its own conversation's past."""
    logits: mx.array = model(tokens, cache=[PackedRows(segments)] * len(model.layers))
    return logits


def weighted_loss(
    parameters: Tree,
    model: nn.Module,
    compute: mx.Dtype,
    tokens: mx.array,
    weights: mx.array,
    segments: mx.array,
) -> mx.array:
    """Mean cross-entropy over the tokens that count, each by its weight."""
    model.update(tree_map(lambda p: p.astype(compute), parameters))
    logits = forward(model, tokens[:, :-1], segments[:, :-1])
    losses = nn.losses.cross_entropy(logits.astype(mx.float32), tokens[:, 1:])
    counted = weights[:, 1:].astype(mx.float32)
    mean: mx.array = (losses * counted).sum() / mx.maximum(counted.sum(), 1)
    return mean


def build_optimizer(schedule: Schedule, steps: int) -> optim.Optimizer:
    """AdamW with a linear warm-up and a cosine to a hundredth of the peak."""
    peak, warmup = schedule.learning_rate, min(schedule.warmup_steps, max(steps // 10, 1))
    rates = optim.join_schedules(
        [
            optim.linear_schedule(peak / 100, peak, warmup),
            optim.cosine_decay(peak, max(steps - warmup, 1), peak / 100),
        ],
        [warmup],
    )
    return optim.AdamW(rates, betas=[0.9, 0.98], weight_decay=schedule.weight_decay)


def build_step(model: nn.Module, held: Tree, optimizer: optim.Optimizer, options: Options) -> Step:
    """One update of `held["parameters"]`; returns the loss and the gradient's norm."""
    objective = mx.value_and_grad(weighted_loss)

    def step(tokens: mx.array, weights: mx.array, segments: mx.array) -> tuple[mx.array, mx.array]:
        parameters = held["parameters"]
        loss, gradients = objective(parameters, model, options.compute, tokens, weights, segments)
        gradients, norm = optim.clip_grad_norm(gradients, 1.0)
        held["parameters"] = optimizer.apply_gradients(gradients, parameters)
        return loss, norm

    if not options.compiled:
        return step
    state = [held, optimizer.state]
    compiled: Step = partial(mx.compile, inputs=state, outputs=state)(step)
    return compiled


def train(recipe: Recipe, options: Options) -> list[float]:
    """Trains, with checkpoints, and exports to `options.out`; returns the loss of each step."""
    options.out.mkdir(parents=True, exist_ok=True)
    tokenizer_file = options.out / "tokenizer.json"
    if not tokenizer_file.exists():
        write_tokenizer(recipe, options.out)
    mx.random.seed(options.seed)
    model = build_model(recipe)
    optimizer = build_optimizer(recipe.schedule, options.steps)
    held: Tree = {"parameters": model.parameters()}
    optimizer.init(held["parameters"])
    first = 0
    if options.resume:
        first, _, held["parameters"], optimizer.state = load_checkpoint(options.out)
    last = min(options.steps, options.stop_after or options.steps)
    step = build_step(model, held, optimizer, options)
    made = batches(
        recipe, tokenizer_file, options.seed, range(first, last), options.rows, options.workers
    )
    losses: list[float] = []
    with tqdm(made, initial=first, total=last, unit="step", mininterval=2) as bar:
        for done, batch in enumerate(bar, start=first + 1):
            loss, norm = step(*to_arrays(batch))
            mx.eval(loss, norm, held, optimizer.state)
            losses.append(float(np.array(loss)))
            if done % 20 == 0:
                bar.set_postfix(loss=f"{np.mean(losses[-20:]):.4f}", norm=f"{norm.item():.2f}")
            if done % options.save_every == 0 or done == last:
                save_checkpoint(
                    options.out, done, options.seed, held["parameters"], optimizer.state
                )
    export_model(recipe, held["parameters"], options.out, options.out)
    return losses


def write_tokenizer(
    recipe: Recipe, folder: Path, conversations: int = SAMPLE_CONVERSATIONS
) -> None:
    """Builds the recipe's tokenizer from what its world says and saves it."""
    manner, seed = MANNERS[recipe.manner], recipe.schedule.seed
    said = sample_texts(manner, seed, conversations, recipe.thinks, recipe.tools)
    tokenizer = build_tokenizer(recipe.tokenizer, chain(said, recipe.frame_words * conversations))
    length = recipe.architecture["max_position_embeddings"]
    save_tokenizer(tokenizer, recipe.tokenizer, folder, length)


def to_arrays(batch: Batch) -> tuple[mx.array, mx.array, mx.array]:
    """The batch on the device."""
    return mx.array(batch.tokens), mx.array(batch.weights), mx.array(batch.segments)


def parse_options(arguments: list[str] | None = None) -> tuple[Recipe, Options]:
    """The recipe and the options from the command line."""
    parser = argparse.ArgumentParser(description="Train a demo model.")
    parser.add_argument("model", choices=sorted(RECIPES))
    parser.add_argument("--out", type=Path, help="default: runs/MODEL")
    parser.add_argument("--steps", type=int, help="default: the recipe's")
    parser.add_argument("--rows", type=int, help="rows in a batch; default: the recipe's")
    parser.add_argument("--seed", type=int, help="default: the recipe's")
    parser.add_argument("--workers", type=int, default=4, help="data processes; 0: none")
    parser.add_argument("--resume", action="store_true", help="go on from OUT's checkpoint")
    parser.add_argument("--save-every", type=int, default=1000, metavar="STEPS")
    parser.add_argument(
        "--stop-after", type=int, metavar="STEP", help="leave the rest for --resume"
    )
    parser.add_argument("--device", choices=("default", "cpu", "gpu"), default="default")
    parser.add_argument("--no-compile", action="store_true", help="slower steps, quicker start")
    given = parser.parse_args(arguments)
    if given.device != "default":
        mx.set_default_device(mx.Device(getattr(mx.DeviceType, given.device)))
    recipe = RECIPES[given.model]
    on_cpu = mx.default_device().type == mx.DeviceType.cpu
    return recipe, Options(
        out=given.out or Path("runs") / recipe.name,
        steps=given.steps or recipe.schedule.steps,
        rows=given.rows or recipe.schedule.rows,
        seed=recipe.schedule.seed if given.seed is None else given.seed,
        workers=given.workers,
        resume=given.resume,
        save_every=given.save_every,
        stop_after=given.stop_after,
        compute=mx.float32 if on_cpu else mx.bfloat16,
        compiled=not given.no_compile,
    )


def main() -> None:
    """Reads the command line and trains."""
    recipe, options = parse_options()
    losses = train(recipe, options)
    parameters = mx.load(str(options.out / "model.safetensors"))
    count = sum(value.size for _, value in tree_flatten(parameters))
    print(f"{recipe.name}: loss {np.mean(losses[-100:]):.4f}, {count:,} parameters, {options.out}")


if __name__ == "__main__":
    main()
