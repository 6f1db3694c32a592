"""Trains a vision demo model: `python -m training.vision.train smolvlm --charts runs/charts`.

Weights are kept in float32 and used in the compute type (bf16 on a GPU).
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
from mlx.utils import tree_flatten, tree_map
from tokenizers import Tokenizer
from tqdm import tqdm  # type: ignore[import-untyped]

from training.checkpoint import Tree, load_checkpoint, save_checkpoint
from training.pictures.manners import MANNERS
from training.pictures.talks import sample_texts
from training.tokenizer import build_tokenizer, save_tokenizer
from training.train import build_optimizer
from training.vision.batches import PictureBatch, batches
from training.vision.models import Inputs, build_model, logits
from training.vision.pixels import ImagePlan
from training.vision.recipes import CONTEXT, VISION_RECIPES, VisionRecipe

SAMPLE_TALKS = 20_000

Step = Callable[[list[mx.array]], tuple[mx.array, mx.array]]


@dataclass(frozen=True)
class Options:
    """What the command line decides."""

    out: Path
    charts: Path | None
    steps: int
    seed: int
    workers: int = 0
    resume: bool = False
    save_every: int = 1000
    stop_after: int | None = None
    compute: mx.Dtype = mx.float32
    compiled: bool = True
    sample_talks: int = SAMPLE_TALKS


def full_config(recipe: VisionRecipe, tokenizer: Tokenizer) -> dict[str, Any]:
    """config.json: the architecture with the ids of its tokens, and the base EOS alone."""
    ids = {key: tokenizer.token_to_id(token) for key, token in recipe.token_ids.items()}
    return recipe.config | ids | {"eos_token_id": tokenizer.token_to_id(recipe.base_eos)}


def weighted_loss(
    parameters: Tree, model: Any, plan: ImagePlan, compute: mx.Dtype, arrays: list[mx.array]
) -> mx.array:
    """Mean cross-entropy over the tokens that count, each by its weight."""
    pixels, places, counts, tokens, weights, image_at, positions = arrays
    model.update(tree_map(lambda p: p.astype(compute), parameters))
    inputs = Inputs(pixels, places, counts, tokens[:, :-1], image_at[:, :-1], positions[:, :, :-1])
    out = logits(model, plan, inputs).astype(mx.float32)
    losses = nn.losses.cross_entropy(out, tokens[:, 1:])
    counted = weights[:, 1:].astype(mx.float32)
    mean: mx.array = (losses * counted).sum() / mx.maximum(counted.sum(), 1)
    return mean


def build_step(
    model: Any, plan: ImagePlan, held: Tree, optimizer: optim.Optimizer, options: Options
) -> Step:
    """One update of `held["parameters"]`; returns the loss and the gradient's norm."""
    objective = mx.value_and_grad(weighted_loss)

    def step(arrays: list[mx.array]) -> tuple[mx.array, mx.array]:
        parameters = held["parameters"]
        loss, gradients = objective(parameters, model, plan, options.compute, arrays)
        gradients, norm = optim.clip_grad_norm(gradients, 1.0)
        held["parameters"] = optimizer.apply_gradients(gradients, parameters)
        return loss, norm

    if not options.compiled:
        return step
    state = [held, optimizer.state]
    compiled: Step = partial(mx.compile, inputs=state, outputs=state)(step)
    return compiled


def train(recipe: VisionRecipe, options: Options) -> list[float]:
    """Trains, with checkpoints, and exports to `options.out`; returns the loss of each step."""
    options.out.mkdir(parents=True, exist_ok=True)
    tokenizer_file = options.out / "tokenizer.json"
    if not tokenizer_file.exists():
        manner = MANNERS[recipe.manner]
        texts = sample_texts(manner, recipe.schedule.seed, options.sample_talks)
        save_tokenizer(
            build_tokenizer(recipe.tokenizer, texts), recipe.tokenizer, options.out, CONTEXT
        )
    config = full_config(recipe, Tokenizer.from_file(str(tokenizer_file)))
    mx.random.seed(options.seed)
    model = build_model(config)
    optimizer = build_optimizer(recipe.schedule, options.steps)
    held: Tree = {"parameters": trainable(model)}
    optimizer.init(held["parameters"])
    first = 0
    if options.resume:
        first, _, held["parameters"], optimizer.state = load_checkpoint(options.out)
    last = min(options.steps, options.stop_after or options.steps)
    step = build_step(model, recipe.image, held, optimizer, options)
    made = batches(
        recipe, tokenizer_file, options.charts, options.seed, range(first, last), options.workers
    )
    losses: list[float] = []
    with tqdm(made, initial=first, total=last, unit="step", mininterval=5) as bar:
        for done, batch in enumerate(bar, start=first + 1):
            loss, norm = step(to_arrays(batch))
            mx.eval(loss, norm, held, optimizer.state)
            losses.append(float(np.array(loss)))
            if done % 20 == 0:
                bar.set_postfix(loss=f"{np.mean(losses[-100:]):.4f}", norm=f"{norm.item():.2f}")
            if done % options.save_every == 0 or done == last:
                save_checkpoint(
                    options.out, done, options.seed, held["parameters"], optimizer.state
                )
                export_model(recipe, config, held["parameters"], options.out)
    return losses


def trainable(model: Any) -> Tree:
    """The parameters to learn and to save, without an output layer that repeats the embedding."""
    parameters: Tree = model.parameters()
    if model.config.model_type == "gemma3":
        parameters["language_model"].pop("lm_head", None)
    return parameters


def to_arrays(batch: PictureBatch) -> list[mx.array]:
    """The batch on the device."""
    return [
        mx.array(value)
        for value in (
            batch.pixels,
            batch.places,
            batch.counts,
            batch.tokens,
            batch.weights,
            batch.image_at,
            batch.positions,
        )
    ]


def export_model(
    recipe: VisionRecipe, config: dict[str, Any], parameters: Tree, folder: Path
) -> None:
    """Writes what `mlx_vlm.load` opens beside the tokenizer: bf16 weights, configs, template."""
    weights = dict(tree_flatten(tree_map(lambda p: p.astype(mx.bfloat16), parameters)))
    mx.save_safetensors(str(folder / "model.safetensors"), weights, {"format": "mlx"})
    shutil.copyfile(recipe.template, folder / "chat_template.jinja")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    turn, base = (tokenizer.token_to_id(t) for t in (recipe.turn_eos, recipe.base_eos))
    generation = {
        "bos_token_id": config["bos_token_id"],
        "do_sample": False,
        "eos_token_id": [turn, base],
        "pad_token_id": config["pad_token_id"],
    }
    files = {
        "config": config,
        "generation_config": generation,
        "preprocessor_config": recipe.preprocessor,
        "processor_config": recipe.processor,
    }
    for name, value in files.items():
        if value:
            text = json.dumps(dict(sorted(value.items())), indent=2)
            (folder / f"{name}.json").write_text(text + "\n")


def parse_options(arguments: list[str] | None = None) -> tuple[VisionRecipe, Options]:
    """The recipe and the options from the command line."""
    parser = argparse.ArgumentParser(description="Train a vision demo model.")
    parser.add_argument("model", choices=sorted(VISION_RECIPES))
    parser.add_argument("--out", type=Path, help="default: runs/MODEL")
    parser.add_argument("--charts", type=Path, help="charts drawn ahead; default: draw as needed")
    parser.add_argument("--steps", type=int, help="default: the recipe's")
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
    recipe = VISION_RECIPES[given.model]
    on_cpu = mx.default_device().type == mx.DeviceType.cpu
    return recipe, Options(
        out=given.out or Path("runs") / recipe.name,
        charts=given.charts,
        steps=given.steps or recipe.schedule.steps,
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
