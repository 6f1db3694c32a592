"""The training loop of all demo models: options, optimizer, step, checkpoints.

Weights are kept in float32 and used in the compute type (bf16 on a GPU), so that the bf16 file
behaves as the model did in training. Runs on Metal, CUDA and CPU.
"""

from __future__ import annotations

import argparse
import math
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
from mlx.utils import tree_flatten, tree_unflatten
from tqdm import tqdm  # type: ignore[import-untyped]

from training.checkpoint import Tree, load_checkpoint, save_checkpoint
from training.muon import StackedMuon

Arrays = list[mx.array]
Loss = Callable[[Tree, Arrays], mx.array]
Step = Callable[[Arrays], tuple[mx.array, mx.array]]


@dataclass(frozen=True)
class Options:
    """What the command line decides for every kind of model.

    `start` is a folder with finished weights and tokenizer to go on from; None: fresh weights.
    `finish_in` is how many seconds there are; see `affordable_steps`.
    """

    out: Path
    steps: int
    seed: int
    workers: int = 0
    resume: bool = False
    save_every: int = 1000
    stop_after: int | None = None
    compute: mx.Dtype = mx.float32
    compiled: bool = True
    start: Path | None = None
    learning_rate: float | None = None
    muon_rate: float | None = None
    finish_in: float | None = None


class Rates(Protocol):
    """How hard to train; a part of every schedule."""

    @property
    def steps(self) -> int: ...
    @property
    def seed(self) -> int: ...
    @property
    def learning_rate(self) -> float: ...
    @property
    def warmup_steps(self) -> int: ...
    @property
    def weight_decay(self) -> float: ...


def run(
    parameters: Tree,
    loss: Loss,
    rates: Rates,
    options: Options,
    batches: Callable[[range], Iterator[Arrays]],
    export: Callable[[Tree], None],
) -> list[float]:
    """Trains from `parameters`, which may be another run's, or from the checkpoint when resuming;
    returns the loss of each step.

    With `finish_in` it takes fewer steps than `options.steps` if those would take longer; what
    comes of it is what `--steps` with the reported number would have made.

    `batches` gives the arrays of a range of steps; `export` writes the finished model, whenever a
    checkpoint is written too.
    """
    began = time.monotonic()
    if options.start:
        parameters = started(parameters, options.start)
    held: Tree = {"parameters": parameters, "steps": mx.array(float(options.steps))}
    optimizer = build_optimizer(rates, options, held)
    optimizer.init(parameters)
    first = 0
    if options.resume:
        first, _, saved, optimizer.state = load_checkpoint(options.out)
        held["parameters"] = in_order_of(parameters, saved)
    last = min(options.steps, options.stop_after or options.steps)
    step = build_step(loss, held, optimizer, options.compiled)
    losses: list[float] = []
    made = batches(range(first, last))
    with tqdm(made, initial=first, total=last, unit="step", mininterval=2) as bar:
        for done, arrays in enumerate(bar, start=first + 1):
            value, norm = step(arrays)
            mx.eval(value, norm, held, optimizer.state)
            losses.append(float(np.array(value)))
            if done == first + MEASURED_FROM:
                measured_from = time.monotonic()
            if done == first + MEASURED_TO and options.finish_in is not None:
                seconds_a_step = (time.monotonic() - measured_from) / (MEASURED_TO - MEASURED_FROM)
                left = options.finish_in - (time.monotonic() - began)
                last = min(last, affordable_steps(done, left, seconds_a_step))
                held["steps"] = mx.array(float(last))
                bar.total = last
            if done % 20 == 0:
                bar.set_postfix(loss=f"{np.mean(losses[-20:]):.4f}", norm=f"{norm.item():.2f}")
            if done % options.save_every == 0 or done == last:
                save_checkpoint(
                    options.out, done, options.seed, held["parameters"], optimizer.state
                )
                export(held["parameters"])
            if done == last:
                break
    return losses


# Between these steps of a run its speed is measured: the kernels are built, the data flow.
MEASURED_FROM, MEASURED_TO = 200, 500


def affordable_steps(done: int, left_seconds: float, seconds_a_step: float) -> int:
    """All steps of a run that has so many seconds left, rounded down to whole hundreds.

    A twentieth of the time is kept back, since other runs come and go beside it.

    >>> affordable_steps(500, 1000.0, 0.05)
    19500
    """
    return max(done + 1, int((done + 0.95 * left_seconds / seconds_a_step) // 100 * 100))


def started(parameters: Tree, folder: Path) -> Tree:
    """The weights of `folder` in float32, which must have the shapes of `parameters`."""
    weights: Any = mx.load(str(folder / "model.safetensors"))
    shapes = {name: value.shape for name, value in weights.items()}
    wanted = {name: value.shape for name, value in tree_flatten(parameters)}
    if shapes != wanted:
        wrong = sorted(set(shapes.items()) ^ set(wanted.items()))
        raise ValueError(f"{folder}: other weights than this recipe's: {wrong[:4]}")
    made: Tree = tree_unflatten([(n, v.astype(mx.float32)) for n, v in weights.items()])
    return in_order_of(parameters, made)


def copy_tokenizer(start: Path, out: Path) -> None:
    """Goes on with the tokenizer that the weights of `start` know."""
    for file in start.glob("tokenizer*.json"):
        shutil.copyfile(file, out / file.name)


def build_optimizer(rates: Rates, options: Options, held: Tree) -> optim.Optimizer:
    """AdamW; with a `muon_rate`, Muon for the matrices inside the layers.

    Both with a linear warm-up and a cosine to a hundredth of the peak at `held["steps"]`.
    """
    warmup = min(rates.warmup_steps, max(options.steps // 10, 1))

    def course(peak: float, step: mx.array) -> mx.array:
        least = peak / 100
        rising = least + (peak - least) * step / warmup
        through = mx.clip((step - warmup) / mx.maximum(held["steps"] - warmup, 1), 0, 1)
        falling = least + (peak - least) * (1 + mx.cos(math.pi * through)) / 2
        return mx.where(step < warmup, rising, falling)

    peak = options.learning_rate or rates.learning_rate
    adamw = optim.AdamW(partial(course, peak), [0.9, 0.98], weight_decay=rates.weight_decay)
    if options.muon_rate is None:
        return adamw
    muon = StackedMuon(partial(course, options.muon_rate))
    return optim.MultiOptimizer([muon, adamw], [is_inner_matrix])


def is_inner_matrix(path: str, value: mx.array) -> bool:
    """Whether Muon is for it: a matrix of a layer, neither an embedding nor the output."""
    return value.ndim == 2 and "embed" not in path and "lm_head" not in path


def build_step(loss: Loss, held: Tree, optimizer: optim.Optimizer, compiled: bool) -> Step:
    """One update of `held["parameters"]`; returns the loss and the gradient's norm."""
    objective = mx.value_and_grad(loss)

    def step(arrays: Arrays) -> tuple[mx.array, mx.array]:
        value, gradients = objective(held["parameters"], arrays)
        gradients, norm = optim.clip_grad_norm(gradients, 1.0)
        updated = optimizer.apply_gradients(gradients, held["parameters"])
        # A compiled step tells its state by order alone, and `tree_merge`, which MultiOptimizer
        # goes through, changes it (MLX 0.32.4).
        held["parameters"] = in_order_of(held["parameters"], updated)
        return value, norm

    if not compiled:
        return step
    state = [held, optimizer.state]
    made: Step = partial(mx.compile, inputs=state, outputs=state)(step)
    return made


def in_order_of(tree: Tree, other: Tree) -> Tree:
    """The values of `other` in the order of `tree`, in which sums over all of them are rounded."""
    values = dict(tree_flatten(other))
    made: Tree = tree_unflatten([(name, values[name]) for name, _ in tree_flatten(tree)])
    return made


def weighed_losses(
    logits: mx.array, tokens: mx.array, weights: mx.array
) -> tuple[mx.array, mx.array]:
    """The weighted sum of the losses of `tokens[:, 1:]`, and the sum of the weights."""
    losses = nn.losses.cross_entropy(logits.astype(mx.float32), tokens[:, 1:])
    counted = weights[:, 1:].astype(mx.float32)
    return (losses * counted).sum(), counted.sum()


def add_arguments(parser: argparse.ArgumentParser, models: list[str]) -> None:
    """The arguments that every trainer takes."""
    parser.add_argument("model", choices=models)
    parser.add_argument("--out", type=Path, help="default: runs/MODEL")
    parser.add_argument("--steps", type=int, help="default: the recipe's")
    parser.add_argument("--seed", type=int, help="default: the recipe's")
    parser.add_argument("--workers", type=int, default=4, help="data processes; 0: none")
    parser.add_argument("--resume", action="store_true", help="go on from OUT's checkpoint")
    parser.add_argument(
        "--start", type=Path, metavar="FOLDER", help="go on from finished weights and tokenizer"
    )
    parser.add_argument("--learning-rate", type=float, help="the peak; default: the recipe's")
    parser.add_argument(
        "--muon-rate", type=float, metavar="RATE", help="Muon for the layers, at this peak"
    )
    parser.add_argument(
        "--finish-in", type=float, metavar="SECONDS", help="as many of the steps as fit in"
    )
    parser.add_argument("--save-every", type=int, default=1000, metavar="STEPS")
    parser.add_argument(
        "--stop-after", type=int, metavar="STEP", help="leave the rest for --resume"
    )
    parser.add_argument("--device", choices=("default", "cpu", "gpu"), default="default")
    parser.add_argument("--no-compile", action="store_true", help="slower steps, quicker start")


def common_options(given: argparse.Namespace, rates: Rates) -> dict[str, Any]:
    """The fields of `Options` from the command line; sets the device."""
    if given.device != "default":
        mx.set_default_device(mx.Device(getattr(mx.DeviceType, given.device)))
    on_cpu = mx.default_device().type == mx.DeviceType.cpu
    return {
        "out": given.out or Path("runs") / given.model,
        "steps": given.steps or rates.steps,
        "seed": rates.seed if given.seed is None else given.seed,
        "workers": given.workers,
        "resume": given.resume,
        "save_every": given.save_every,
        "stop_after": given.stop_after,
        "compute": mx.float32 if on_cpu else mx.bfloat16,
        "compiled": not given.no_compile,
        "start": given.start,
        "learning_rate": given.learning_rate,
        "muon_rate": given.muon_rate,
        "finish_in": given.finish_in,
    }


def report(name: str, out: Path, losses: list[float]) -> None:
    """Prints what came of a run."""
    parameters = mx.load(str(out / "model.safetensors"))
    count = sum(value.size for _, value in tree_flatten(parameters))
    loss = f"loss {np.mean(losses[-100:]):.4f} after {len(losses):,} steps"
    print(f"{name}: {loss}, {count:,} parameters, {out}")
