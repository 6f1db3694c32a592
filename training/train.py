"""Trains a text model: `python -m training.train qwen`."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
from mlx.utils import tree_map, tree_map_with_path
from mlx_lm.models.base import create_causal_mask
from mlx_lm.utils import MODEL_REMAPPING
from tokenizers import Tokenizer

from training import loop
from training.batches import Batch, batches
from training.checkpoint import Tree, export_model
from training.recipes import RECIPES, Recipe
from training.tokenizer import build_tokenizer, save_tokenizer
from training.world import MANNERS
from training.world.texts import sample_texts

SAMPLE_CONVERSATIONS = 30_000


@dataclass(frozen=True)
class Options(loop.Options):
    """What the command line decides; `rows` in a batch, None: the recipe's."""

    rows: int | None = None


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


def train(recipe: Recipe, options: Options) -> list[float]:
    """Trains, with checkpoints, and exports to `options.out`; returns the loss of each step."""
    options.out.mkdir(parents=True, exist_ok=True)
    if options.start:
        loop.copy_tokenizer(options.start, options.out)
    elif not (options.out / "tokenizer.json").exists():
        write_tokenizer(recipe, options.out)
    tokenizer = Tokenizer.from_file(str(options.out / "tokenizer.json"))
    mx.random.seed(options.seed)
    model = build_model(recipe)
    rows = options.rows or recipe.schedule.rows

    def loss(parameters: Tree, arrays: loop.Arrays) -> mx.array:
        tokens, weights, segments = arrays
        model.update(tree_map(lambda p: p.astype(options.compute), parameters))
        logits = forward(model, tokens[:, :-1], segments[:, :-1])
        total, counted = loop.weighed_losses(logits, tokens, weights)
        return total / mx.maximum(counted, 1)

    def made(steps: range) -> Iterator[loop.Arrays]:
        return map(
            to_arrays, batches(recipe, tokenizer, options.seed, steps, rows, options.workers)
        )

    return loop.run(
        model.parameters(),
        loss,
        recipe.schedule,
        options,
        made,
        lambda parameters: export_model(recipe, parameters, options.out, options.out),
    )


def write_tokenizer(
    recipe: Recipe, folder: Path, conversations: int = SAMPLE_CONVERSATIONS
) -> None:
    """Builds the recipe's tokenizer from what its world says and saves it."""
    manner, seed = MANNERS[recipe.manner], recipe.schedule.seed
    said = sample_texts(manner, seed, conversations, recipe.thinks, recipe.tools)
    tokenizer = build_tokenizer(recipe.tokenizer, chain(said, recipe.frame_words * conversations))
    length = recipe.architecture["max_position_embeddings"]
    save_tokenizer(tokenizer, recipe.tokenizer, folder, length)


def to_arrays(batch: Batch) -> loop.Arrays:
    """The batch on the device."""
    return [mx.array(batch.tokens), mx.array(batch.weights), mx.array(batch.segments)]


def main() -> None:
    """Reads the command line and trains."""
    parser = argparse.ArgumentParser(description="Train a text model.")
    loop.add_arguments(parser, sorted(RECIPES))
    parser.add_argument("--rows", type=int, help="rows in a batch; default: the recipe's")
    given = parser.parse_args()
    recipe = RECIPES[given.model]
    options = Options(**loop.common_options(given, recipe.schedule), rows=given.rows)
    loop.report(recipe.name, options.out, train(recipe, options))


if __name__ == "__main__":
    main()
