"""Trains a vision model: `python -m training.vision.train smolvlm --charts runs/charts`."""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlx.core as mx
from mlx.utils import tree_flatten, tree_map
from tokenizers import Tokenizer

from training import loop
from training.checkpoint import Tree
from training.pictures.chart_pool import ChartPool
from training.pictures.manners import MANNERS
from training.pictures.talks import sample_texts
from training.tokenizer import build_tokenizer, save_tokenizer
from training.vision import shared
from training.vision.batches import PictureBatch, batches
from training.vision.models import Pictures, Talks, build_model, features, logits
from training.vision.recipes import CONTEXT, VISION_RECIPES, VisionRecipe

SAMPLE_TALKS = 20_000


@dataclass(frozen=True)
class Options(loop.Options):
    """What the command line decides; `charts` drawn ahead, None: draw them as needed; `batches`
    that `training.vision.shared` writes, None: make them here."""

    charts: Path | None = None
    batches: Path | None = None
    sample_talks: int = SAMPLE_TALKS


def full_config(recipe: VisionRecipe, tokenizer: Tokenizer) -> dict[str, Any]:
    """config.json: the architecture with the ids of its tokens, and the base EOS alone."""
    ids = {key: tokenizer.token_to_id(token) for key, token in recipe.token_ids.items()}
    return recipe.config | ids | {"eos_token_id": tokenizer.token_to_id(recipe.base_eos)}


def train(recipe: VisionRecipe, options: Options) -> list[float]:
    """Trains, with checkpoints, and exports to `options.out`; returns the loss of each step."""
    options.out.mkdir(parents=True, exist_ok=True)
    if options.start:
        loop.copy_tokenizer(options.start, options.out)
    elif not (options.out / "tokenizer.json").exists():
        write_tokenizer(recipe, options.out, options.sample_talks)
    tokenizer = Tokenizer.from_file(str(options.out / "tokenizer.json"))
    config = full_config(recipe, tokenizer)
    mx.random.seed(options.seed)
    model = build_model(config)
    charts = ChartPool(options.charts) if options.charts else None

    def loss(parameters: Tree, arrays: loop.Arrays) -> mx.array:
        model.update(tree_map(lambda p: p.astype(options.compute), parameters))
        return batch_loss(model, recipe, arrays)

    def made(steps: range) -> Iterator[loop.Arrays]:
        if options.batches:
            return map(to_arrays, shared.read(options.batches / recipe.name, steps, options.seed))
        return map(
            to_arrays, batches(recipe, tokenizer, charts, options.seed, steps, options.workers)
        )

    return loop.run(
        trainable(model),
        loss,
        recipe.schedule,
        options,
        made,
        lambda parameters: export_model(recipe, config, parameters, options.out),
    )


def batch_loss(model: Any, recipe: VisionRecipe, arrays: loop.Arrays) -> mx.array:
    """Mean cross-entropy over the tokens that count, each by its weight."""
    seen = features(model, recipe.image, Pictures(*arrays[:3]))
    total, counted = mx.array(0.0), mx.array(0.0)
    for start in range(3, len(arrays), 4):
        tokens, weights, image_at, positions = arrays[start : start + 4]
        talks = Talks(tokens[:, :-1], image_at[:, :-1], positions[:, :, :-1])
        some, of = loop.weighed_losses(logits(model, seen, talks), tokens, weights)
        total, counted = total + some, counted + of
    return total / mx.maximum(counted, 1)


def write_tokenizer(recipe: VisionRecipe, folder: Path, talks: int) -> None:
    """Builds the recipe's tokenizer from what is said about pictures and saves it."""
    texts = sample_texts(MANNERS[recipe.manner], recipe.schedule.seed, talks)
    save_tokenizer(build_tokenizer(recipe.tokenizer, texts), recipe.tokenizer, folder, CONTEXT)


def trainable(model: Any) -> Tree:
    """The parameters to learn and to save, without an output layer that repeats the embedding."""
    parameters: Tree = model.parameters()
    if model.config.model_type == "gemma3":
        parameters["language_model"].pop("lm_head", None)
    return parameters


def to_arrays(batch: PictureBatch) -> loop.Arrays:
    """The batch on the device: three arrays of pictures, then four of each group of rows."""
    arrays = [batch.pixels, batch.places, batch.counts]
    for rows in batch.rows:
        arrays += [rows.tokens, rows.weights, rows.image_at, rows.positions]
    return [mx.array(array) for array in arrays]


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


def main() -> None:
    """Reads the command line and trains."""
    parser = argparse.ArgumentParser(description="Train a vision model.")
    loop.add_arguments(parser, sorted(VISION_RECIPES))
    parser.add_argument("--charts", type=Path, help="charts drawn ahead; default: draw as needed")
    parser.add_argument("--batches", type=Path, help="where training.vision.shared writes them")
    given = parser.parse_args()
    if given.batches and (given.resume or given.stop_after or not given.start):
        parser.error("--batches are for a whole run from --start, whose tokenizer they are in")
    recipe = VISION_RECIPES[given.model]
    common = loop.common_options(given, recipe.schedule)
    options = Options(**common, charts=given.charts, batches=given.batches)
    loop.report(recipe.name, options.out, train(recipe, options))


if __name__ == "__main__":
    main()
