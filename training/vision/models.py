"""The towers and language models of the vision families, run over a training batch.

The modules and their weights are mlx-vlm's own; only the walk through them is ours, because
mlx-vlm's takes one conversation at a time. Tests hold it equal to mlx-vlm's.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mlx.core as mx
import mlx.nn as nn
from mlx.utils import tree_map_with_path

from training.vision.pixels import ImagePlan, Patches


@dataclass(frozen=True)
class Pictures:
    """A batch's pictures on the device.

    `pixels` `(pictures, *plan.shape)`; for a plan of patches `places` `(pictures, patches, 2)` and
    `counts` `(pictures,)` of image tokens.
    """

    pixels: mx.array
    places: mx.array
    counts: mx.array


@dataclass(frozen=True)
class Talks:
    """Talks on the device: `tokens` `(rows, length)`, `image_at` `(rows, length)`, which image
    feature stands there or -1, and `positions` `(3, rows, length)` for mRoPE."""

    tokens: mx.array
    image_at: mx.array
    positions: mx.array


Tower = Callable[[Any, ImagePlan, Pictures], mx.array]
Language = Callable[[Any, mx.array, Talks], mx.array]


def build_model(config: dict[str, Any]) -> Any:
    """The architecture of a config.json, as mlx-vlm defines it, with fresh weights."""
    module = importlib.import_module(f"mlx_vlm.models.{config['model_type']}")
    full = module.ModelConfig.from_dict(dict(config))
    for part, kind in (("text_config", "TextConfig"), ("vision_config", "VisionConfig")):
        made = getattr(full, part)
        if isinstance(made, dict):
            setattr(full, part, getattr(module, kind).from_dict(made))
    model = module.Model(full)
    zero_norms = config["model_type"] == "gemma3"

    def fresh(path: str, value: mx.array) -> mx.array:
        if path.endswith(".bias"):
            return mx.zeros_like(value)
        if value.ndim == 1:
            return value * 0 if zero_norms and "vision_model" not in path else mx.ones_like(value)
        if "embed_tokens" in path or "position_embedding" in path:
            return mx.random.normal(value.shape) * 0.04
        inputs = value.shape[0] if path.endswith("projection_weight") else value[0].size
        noise: mx.array = mx.random.normal(value.shape) * (inputs**-0.5)
        narrow = path.endswith(
            (
                "o_proj.weight",
                "out_proj.weight",
                "down_proj.weight",
                "fc2.weight",
                "attn.proj.weight",
            )
        )
        return noise * 0.4 if narrow else noise

    model.update(tree_map_with_path(fresh, model.parameters()))
    return model


def features(model: Any, plan: ImagePlan, pictures: Pictures) -> mx.array:
    """The image features of all pictures, one after the other: `(pictures * tokens, width)`."""
    tower, _, _ = _WALKS[model.config.model_type]
    made = tower(model, plan, pictures)
    return made.reshape(-1, made.shape[-1])


def logits(model: Any, seen: mx.array, talks: Talks) -> mx.array:
    """Logits `(rows, length, vocabulary)` of talks about pictures with the features `seen`."""
    _, language, embedding = _WALKS[model.config.model_type]
    words = embedding(model)(talks.tokens)
    images = seen[mx.maximum(talks.image_at, 0)].astype(words.dtype)
    return language(model, mx.where(talks.image_at[..., None] >= 0, images, words), talks)


def _normalised(plan: ImagePlan, pixels: mx.array, dtype: mx.Dtype) -> mx.array:
    mean, std = mx.array(plan.mean), mx.array(plan.std)
    shaped = pixels.reshape(*pixels.shape[:-1], -1, 3).astype(mx.float32) / 255
    return ((shaped - mean) / std).reshape(pixels.shape).astype(dtype)


def _squares(plan: ImagePlan, pictures: Pictures, weight: mx.array) -> mx.array:
    mean, std = mx.array(plan.mean), mx.array(plan.std)
    return ((pictures.pixels.astype(mx.float32) / 255 - mean) / std).astype(weight.dtype)


def _smolvlm_features(model: Any, plan: ImagePlan, pictures: Pictures) -> mx.array:
    embeddings = model.vision_model.embeddings
    squares = _squares(plan, pictures, embeddings.patch_embedding.weight)
    # No mask: with a power of two of patches a side, mlx-vlm's fractional places are the plain
    # ones. With 12 a side, rounding gives rows 4 and 5 the same place (0.7.10).
    return model.connector(model.vision_model(squares)[0])


def _gemma3_features(model: Any, plan: ImagePlan, pictures: Pictures) -> mx.array:
    embeddings = model.vision_tower.vision_model.embeddings
    squares = _squares(plan, pictures, embeddings.patch_embedding.weight)
    projected = model.multi_modal_projector(model.vision_tower(squares)[0])
    return projected / math.sqrt(model.config.text_config.hidden_size)


def _qwen_features(model: Any, plan: ImagePlan, pictures: Pictures) -> mx.array:
    assert isinstance(plan, Patches)
    tower = model.vision_tower
    weight = tower.patch_embed.proj.weight  # (width, frames, patch, patch, 3), one frame twice
    flat = weight.sum(axis=1).reshape(weight.shape[0], -1)
    hidden = _normalised(plan, pictures.pixels, weight.dtype) @ flat.T
    half = hidden.shape[-1] // tower.blocks[0].attn.num_heads // 2
    rates = 1.0 / (10000.0 ** (mx.arange(0, half, 2, dtype=mx.float32) / half))
    angles = pictures.places.astype(mx.float32)[..., None] * rates
    angles = angles.reshape(*angles.shape[:2], -1)
    turn = mx.concatenate([angles, angles], axis=-1)[:, :, None]
    count = hidden.shape[1]
    seen = (mx.arange(count)[None] < pictures.counts[:, None] * plan.merge**2)[:, None, None]
    for block in tower.blocks:
        hidden = hidden + _qwen_attention(block.attn, block.norm1(hidden), turn, seen)
        hidden = hidden + block.mlp(block.norm2(hidden))
    merged = tower.merger.ln_q(hidden).reshape(hidden.shape[0], count // plan.merge**2, -1)
    for layer in tower.merger.mlp:
        merged = layer(merged)
    return merged


def _qwen_attention(layer: Any, x: mx.array, turn: mx.array, seen: mx.array) -> mx.array:
    pictures, count, width = x.shape
    q, k, v = mx.split(layer.qkv(x).reshape(pictures, count, 3, layer.num_heads, -1), 3, axis=2)
    q, k, v = (part.squeeze(2) for part in (q, k, v))
    q, k = (_rotated(part, turn).transpose(0, 2, 1, 3) for part in (q, k))
    out = mx.fast.scaled_dot_product_attention(
        q, k, v.transpose(0, 2, 1, 3), scale=layer.scale, mask=seen
    )
    return layer.proj(out.transpose(0, 2, 1, 3).reshape(pictures, count, width))


def _rotated(x: mx.array, turn: mx.array) -> mx.array:
    first, second = mx.split(x, 2, axis=-1)
    half = mx.concatenate([-second, first], axis=-1)
    return (x * mx.cos(turn) + half * mx.sin(turn)).astype(x.dtype)


def _smolvlm_language(model: Any, hidden: mx.array, talks: Talks) -> mx.array:
    return model.language_model(talks.tokens, inputs_embeds=hidden).logits


def _gemma3_language(model: Any, hidden: mx.array, talks: Talks) -> mx.array:
    inner = model.language_model.model
    return inner.embed_tokens.as_linear(inner(talks.tokens, inputs_embeds=hidden))


def _qwen_language(model: Any, hidden: mx.array, talks: Talks) -> mx.array:
    inner = model.language_model.model
    out = inner(talks.tokens, inputs_embeds=hidden, position_ids=talks.positions)
    return inner.embed_tokens.as_linear(out)


def _inner_embedding(model: Any) -> nn.Module:
    return model.language_model.model.embed_tokens


def _outer_embedding(model: Any) -> nn.Module:
    return model.language_model.embed_tokens


# How each architecture of mlx-vlm is walked through: tower, language model, token embedding.
_WALKS: dict[str, tuple[Tower, Language, Callable[[Any], nn.Module]]] = {
    "smolvlm": (_smolvlm_features, _smolvlm_language, _outer_embedding),
    "gemma3": (_gemma3_features, _gemma3_language, _inner_embedding),
    "qwen2_5_vl": (_qwen_features, _qwen_language, _inner_embedding),
}
