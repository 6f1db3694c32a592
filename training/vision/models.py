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
class Inputs:
    """A batch on the device.

    `pixels` `(pictures, *plan.shape)`; `places` `(pictures, patches, 2)` and `counts` `(pictures,)`
    of image tokens, for a plan of patches; `tokens` `(rows, length)`; `image_at` `(rows, length)`:
    which image feature stands there, or -1; `positions` `(3, rows, length)` for mRoPE.
    """

    pixels: mx.array
    places: mx.array
    counts: mx.array
    tokens: mx.array
    image_at: mx.array
    positions: mx.array


Features = Callable[[Any, ImagePlan, Inputs], mx.array]
Language = Callable[[Any, mx.array, Inputs], mx.array]


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


def logits(model: Any, plan: ImagePlan, inputs: Inputs) -> mx.array:
    """Logits `(rows, length, vocabulary)` of all rows."""
    features_of, language_of, embedding = _WALKS[model.config.model_type]
    features = features_of(model, plan, inputs)
    flat = features.reshape(-1, features.shape[-1])
    words = embedding(model)(inputs.tokens)
    images = flat[mx.maximum(inputs.image_at, 0)].astype(words.dtype)
    return language_of(model, mx.where(inputs.image_at[..., None] >= 0, images, words), inputs)


def _normalised(plan: ImagePlan, pixels: mx.array, dtype: mx.Dtype) -> mx.array:
    mean, std = mx.array(plan.mean), mx.array(plan.std)
    shaped = pixels.reshape(*pixels.shape[:-1], -1, 3).astype(mx.float32) / 255
    return ((shaped - mean) / std).reshape(pixels.shape).astype(dtype)


def _squares(plan: ImagePlan, inputs: Inputs, weight: mx.array) -> mx.array:
    mean, std = mx.array(plan.mean), mx.array(plan.std)
    return ((inputs.pixels.astype(mx.float32) / 255 - mean) / std).astype(weight.dtype)


def _smolvlm_features(model: Any, plan: ImagePlan, inputs: Inputs) -> mx.array:
    embeddings = model.vision_model.embeddings
    squares = _squares(plan, inputs, embeddings.patch_embedding.weight)
    # No mask: with a power of two of patches a side, mlx-vlm's fractional places are the plain
    # ones. With 12 a side, rounding gives rows 4 and 5 the same place (0.7.10).
    return model.connector(model.vision_model(squares)[0])


def _gemma3_features(model: Any, plan: ImagePlan, inputs: Inputs) -> mx.array:
    embeddings = model.vision_tower.vision_model.embeddings
    squares = _squares(plan, inputs, embeddings.patch_embedding.weight)
    features = model.multi_modal_projector(model.vision_tower(squares)[0])
    return features / math.sqrt(model.config.text_config.hidden_size)


def _qwen_features(model: Any, plan: ImagePlan, inputs: Inputs) -> mx.array:
    assert isinstance(plan, Patches)
    tower = model.vision_tower
    weight = tower.patch_embed.proj.weight  # (width, frames, patch, patch, 3), one frame twice
    flat = weight.sum(axis=1).reshape(weight.shape[0], -1)
    hidden = _normalised(plan, inputs.pixels, weight.dtype) @ flat.T
    half = hidden.shape[-1] // tower.blocks[0].attn.num_heads // 2
    rates = 1.0 / (10000.0 ** (mx.arange(0, half, 2, dtype=mx.float32) / half))
    angles = inputs.places.astype(mx.float32)[..., None] * rates
    angles = angles.reshape(*angles.shape[:2], -1)
    turn = mx.concatenate([angles, angles], axis=-1)[:, :, None]
    count = hidden.shape[1]
    seen = (mx.arange(count)[None] < inputs.counts[:, None] * plan.merge**2)[:, None, None]
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


def _smolvlm_language(model: Any, hidden: mx.array, inputs: Inputs) -> mx.array:
    return model.language_model(inputs.tokens, inputs_embeds=hidden).logits


def _gemma3_language(model: Any, hidden: mx.array, inputs: Inputs) -> mx.array:
    inner = model.language_model.model
    return inner.embed_tokens.as_linear(inner(inputs.tokens, inputs_embeds=hidden))


def _qwen_language(model: Any, hidden: mx.array, inputs: Inputs) -> mx.array:
    inner = model.language_model.model
    out = inner(inputs.tokens, inputs_embeds=hidden, position_ids=inputs.positions)
    return inner.embed_tokens.as_linear(out)


def _inner_embedding(model: Any) -> nn.Module:
    return model.language_model.model.embed_tokens


def _outer_embedding(model: Any) -> nn.Module:
    return model.language_model.embed_tokens


# How each architecture of mlx-vlm is walked through: tower, language model, token embedding.
_WALKS: dict[str, tuple[Features, Language, Callable[[Any], nn.Module]]] = {
    "smolvlm": (_smolvlm_features, _smolvlm_language, _outer_embedding),
    "gemma3": (_gemma3_features, _gemma3_language, _inner_embedding),
    "qwen2_5_vl": (_qwen_features, _qwen_language, _inner_embedding),
}
