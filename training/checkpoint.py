"""What a training run leaves on disk: checkpoints to resume from, and the finished model folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import mlx.core as mx
from mlx.utils import tree_flatten, tree_map, tree_unflatten
from tokenizers import Tokenizer

from training.recipes import Recipe

Tree = dict[str, Any]


def save_checkpoint(folder: Path, step: int, seed: int, parameters: Tree, optimizer: Tree) -> None:
    """Writes `checkpoint.safetensors`, whole or not at all."""
    arrays = dict(tree_flatten({"model": parameters, "optimizer": optimizer}))
    half = folder / "checkpoint-half.safetensors"
    mx.save_safetensors(str(half), arrays, {"step": str(step), "seed": str(seed)})
    half.replace(folder / "checkpoint.safetensors")


def load_checkpoint(folder: Path) -> tuple[int, int, Tree, Tree]:
    """The step to go on with, the seed, the parameters, the optimizer's state."""
    file = folder / "checkpoint.safetensors"
    loaded: Any = mx.load(str(file), return_metadata=True)
    arrays, notes = loaded
    tree: Any = tree_unflatten(list(arrays.items()))
    return int(notes["step"]), int(notes["seed"]), tree["model"], tree["optimizer"]


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
    base, turn = (tokenizer.token_to_id(t) for t in (recipe.base_eos, recipe.turn_eos))
    config = recipe.architecture | {
        "bos_token_id": base,
        "eos_token_id": base,
        "vocab_size": recipe.vocabulary_size,
    }
    generation = {
        "bos_token_id": base,
        "do_sample": False,
        "eos_token_id": [turn, base],
        "pad_token_id": base,
    }
    for name, value in (("config", config), ("generation_config", generation)):
        text = json.dumps(dict(sorted(value.items())), indent=2)
        (folder / f"{name}.json").write_text(text + "\n")
