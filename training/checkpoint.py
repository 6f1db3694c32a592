"""What a training run leaves on disk: checkpoints to resume from, and the finished model folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import mlx.core as mx
from mlx.utils import tree_flatten, tree_map, tree_unflatten
from tokenizers import Tokenizer

from training.recipes import Recipe, Tokens

Tree = dict[str, Any]


def save_checkpoint(folder: Path, step: int, seed: int, parameters: Tree, optimizer: Tree) -> None:
    """Writes `checkpoint/state.safetensors`, whole or not at all.

    It lies in a folder of its own: mlx-vlm takes any safetensors file beside a config for weights.
    """
    arrays = dict(tree_flatten({"model": parameters, "optimizer": optimizer}))
    file = _state_file(folder)
    file.parent.mkdir(exist_ok=True)
    half = file.with_name("half.safetensors")
    mx.save_safetensors(str(half), arrays, {"step": str(step), "seed": str(seed)})
    half.replace(file)


def load_checkpoint(folder: Path) -> tuple[int, int, Tree, Tree]:
    """The step to go on with, the seed, the parameters, the optimizer's state."""
    loaded: Any = mx.load(str(_state_file(folder)), return_metadata=True)
    arrays, notes = loaded
    tree: Any = tree_unflatten(list(arrays.items()))
    return int(notes["step"]), int(notes["seed"]), tree["model"], tree["optimizer"]


def _state_file(folder: Path) -> Path:
    return folder / "checkpoint" / "state.safetensors"


def export_model(recipe: Recipe, parameters: Tree, tokenizer_folder: Path, folder: Path) -> None:
    """Writes a folder that `mlx_lm.load` opens: bf16 weights, configs, tokenizer, template."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = dict(tree_flatten(tree_map(lambda p: p.astype(mx.bfloat16), parameters)))
    mx.save_safetensors(str(folder / "model.safetensors"), weights, {"format": "mlx"})
    for name in ("tokenizer.json", "tokenizer_config.json"):
        if tokenizer_folder != folder:
            shutil.copyfile(tokenizer_folder / name, folder / name)
    shutil.copyfile(recipe.template, folder / "chat_template.jinja")
    write_configs(recipe, Tokenizer.from_file(str(folder / "tokenizer.json")), folder)


def write_configs(recipe: Recipe, tokenizer: Tokenizer, folder: Path) -> None:
    """Writes config.json, which knows the base EOS alone, and generation_config.json, which knows
    the end of a turn too. The real repositories disagree in the same way."""
    config = recipe.architecture | _ids(tokenizer, recipe.config_tokens)
    generation = recipe.generation | _ids(tokenizer, recipe.generation_tokens)
    for name, value in (("config", config), ("generation_config", generation)):
        text = json.dumps(dict(sorted(value.items())), indent=2)
        (folder / f"{name}.json").write_text(text + "\n")


def _ids(tokenizer: Tokenizer, tokens: dict[str, Tokens]) -> dict[str, Any]:
    """The same entries with ids in place of tokens."""
    of = tokenizer.token_to_id
    return {
        key: of(value) if isinstance(value, str) else [of(token) for token in value]
        for key, value in tokens.items()
    }
