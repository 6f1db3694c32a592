"""Tiny vision models with random weights: the demo models' architectures, and their relatives.

They see nothing sensible, but what they say depends on every pixel and every token.
"""

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mlx_magic.messages import ImagePart

TEXTS = ["How many circles are there?", "There are 3 red circles.", "You are a robot.", "\n\n"] * 3

_PATCHES = {"image_size": 112, "patch_size": 14}
# model type -> the recipe that it is made from, and what is other in its config
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "qwen2_5_vl": ("qwen-vl", {}),
    "qwen2_vl": ("qwen-vl", {"vision_config": {"embed_dim": 64, "mlp_ratio": 2}}),
    "qwen3_vl": (
        "qwen-vl",
        {"vision_config": {"deepstack_visual_indexes": [1, 2], "num_position_embeddings": 144}},
    ),
    "smolvlm": ("smolvlm", {}),
    "idefics3": ("smolvlm", {}),
    "gemma3": ("gemma-vision", {}),
    "llava": (
        "smolvlm",
        {"vision_config": {"model_type": "clip_vision_model", "layer_norm_eps": 1e-5, **_PATCHES}},
    ),
    "pixtral": (
        "smolvlm",
        {
            "vision_config": {
                "model_type": "pixtral",
                "head_dim": 32,
                "rope_theta": 10000.0,
                **_PATCHES,
            },
            "vision_feature_layer": -1,
        },
    ),
}
_PROCESSORS = {
    "qwen2_vl": "Qwen2VLProcessor",
    "qwen3_vl": "Qwen3VLProcessor",
    "idefics3": "Idefics3Processor",
}


_PIXELS = {"do_normalize": True, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}
# model type -> what its repositories have in preprocessor_config.json and processor_config.json
_FILES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "llava": (
        {
            **_PIXELS,
            "image_processor_type": "CLIPImageProcessor",
            "size": {"shortest_edge": 112},
            "crop_size": {"height": 112, "width": 112},
            "processor_class": "LlavaProcessor",
        },
        {
            "processor_class": "LlavaProcessor",
            "patch_size": 14,
            "num_additional_image_tokens": 1,
            "vision_feature_select_strategy": "default",
        },
    ),
    "pixtral": (
        {
            **_PIXELS,
            "image_processor_type": "PixtralImageProcessor",
            "patch_size": {"height": 14, "width": 14},
            "size": {"longest_edge": 112},
            "processor_class": "PixtralProcessor",
        },
        {
            "processor_class": "PixtralProcessor",
            "patch_size": 14,
            "image_token": "<image>",
            "image_break_token": "<row_1_col_1>",
            "image_end_token": "<row_1_col_2>",
        },
    ),
}


def picture(seed: int, width: int = 64, height: int = 48) -> ImagePart:
    """A picture of coloured squares."""
    squares = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    image = Image.fromarray(squares).resize((width, height), Image.Resampling.NEAREST)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return ImagePart(buffer.getvalue(), width, height, f"picture {seed}")


def build(folder: Path, model_type: str, *, tower: bool = True, seed: int = 3) -> Path:
    """Save a random model as training saves it; without its `tower` it reads text only."""
    import mlx.core as mx
    from mlx.utils import tree_flatten, tree_map_with_path, tree_unflatten

    from training.tokenizer import build_tokenizer, save_tokenizer
    from training.vision.models import build_model
    from training.vision.recipes import CONTEXT, VISION_RECIPES
    from training.vision.train import export_model, full_config, trainable

    name, other = KINDS[model_type]
    recipe = VISION_RECIPES[name]
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = build_tokenizer(recipe.tokenizer, TEXTS)
    save_tokenizer(tokenizer, recipe.tokenizer, folder, CONTEXT)
    mx.random.seed(seed)
    config = _merged(full_config(recipe, tokenizer) | {"model_type": model_type}, other)
    _fit(config, tokenizer.get_vocab_size())
    if model_type == "llava":
        config["image_token_index"] = config["image_token_id"]
    if model_type == "qwen3_vl":
        _as_qwen3(config)
    if model_type in _FILES:
        preprocessor, processor = _FILES[model_type]
        recipe = replace(recipe, preprocessor=preprocessor, processor=processor)
    if model_type in _PROCESSORS:
        changed = {"processor_class": _PROCESSORS[model_type]}
        recipe = replace(
            recipe,
            preprocessor={**recipe.preprocessor, **changed},
            processor={**recipe.processor, **changed} if recipe.processor else {},
        )

    def livelier(path: str, value: mx.array) -> mx.array:
        """Where small random weights would repeat one token whatever they see."""
        return value * 3 if value.ndim == 2 and "embed" not in path else value

    parameters = tree_map_with_path(livelier, trainable(build_model(config)))
    if not tower:
        kept = [(k, v) for k, v in tree_flatten(parameters) if k.startswith("language_model")]
        parameters = tree_unflatten(kept)
    export_model(recipe, config, parameters, folder)
    return folder


def _merged(config: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """The config with `other` laid over it, the vision part key by key."""
    vision = {**config["vision_config"], **other.get("vision_config", {})}
    vision["model_type"] = config["model_type"] if "depth" in vision else vision["model_type"]
    return {**config, **other, "vision_config": vision}


# A third of the demo models' width: a matrix product costs much here.
_NARROW = {
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_attention_heads": 2,
    "num_heads": 2,
    "out_hidden_size": 64,
    "embed_dim": 64,
}


def _fit(config: dict[str, Any], vocabulary_size: int) -> None:
    """Narrower, and with as many embeddings as tokens: a random model may choose any."""
    config["vocab_size"] = vocabulary_size
    for part in ("vision_config", "text_config"):
        if part in config:
            config[part] = dict(config[part])
    if "text_config" in config:
        config["text_config"]["vocab_size"] = vocabulary_size
    for part in (config, config["vision_config"], config.get("text_config", {})):
        part.update({name: value for name, value in _NARROW.items() if name in part})


def _as_qwen3(config: dict[str, Any]) -> None:
    """Qwen3-VL keeps the language model's part in `text_config`."""
    text = {k: v for k, v in config.items() if not isinstance(v, dict) and not k.endswith("_id")}
    rope = {"type": "default", "mrope_section": [4, 6, 6]}
    config["text_config"] = {
        **text, "model_type": "qwen3_vl_text", "head_dim": 32, "rope_scaling": rope,
    }  # fmt: skip
