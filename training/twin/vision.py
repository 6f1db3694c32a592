"""Qwen2.5-VL, Gemma 3 and SmolVLM over batches of pictures and talks."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch.nn import functional

from training.twin.layers import (
    Angles,
    Weights,
    apply_rope,
    attend,
    cos_and_sin,
    gated,
    linear,
    rms_norm,
    rope_angles,
    rope_frequencies,
)
from training.twin.text import weighed_losses
from training.vision.batches import PictureBatch, Rows
from training.vision.pixels import ImagePlan, Patches

# As mlx-vlm 0.7.10 has them.
TOWER_EPS, LAST_EPS = 1e-6, 1e-5


class VisionTwin:
    """A vision model of `training.vision.recipes` as mlx-vlm defines it; `config` is its
    config.json, `plan` how it sees pictures."""

    def __init__(self, config: dict[str, Any], plan: ImagePlan) -> None:
        self._type = config["model_type"]
        self._text = config.get("text_config", config)
        self._vision, self._plan = config["vision_config"], plan
        self._gemma = self._type == "gemma3"
        self._inner = "language_model" if self._type == "smolvlm" else "language_model.model"

    def loss(self, weights: Weights, batch: PictureBatch) -> torch.Tensor:
        """Mean cross-entropy over the tokens that count, each by its weight."""
        seen = self._features(weights, batch)
        embedding = weights[f"{self._inner}.embed_tokens.weight"]
        head = weights.get("language_model.lm_head.weight", embedding)
        total, counted = torch.zeros(()), torch.zeros(())
        for rows in filter(None, map(_without_padding, batch.rows)):
            tokens, image_at = torch.from_numpy(rows.tokens).long(), torch.from_numpy(rows.image_at)
            at = image_at[:, :-1].long()
            words = functional.embedding(tokens[:, :-1], embedding)
            x = torch.where(at[..., None] >= 0, seen[at.clamp_min(0)].to(words.dtype), words)
            hidden = self._hidden(weights, x, torch.from_numpy(rows.positions[:, :, :-1]))
            some, of = weighed_losses(hidden, head, tokens, torch.from_numpy(rows.weights))
            total, counted = total + some, counted + of
        return total / counted

    def _features(self, w: Weights, batch: PictureBatch) -> torch.Tensor:
        """The image features of all pictures, one after the other."""
        mean, std = torch.tensor(self._plan.mean), torch.tensor(self._plan.std)
        pixels = torch.from_numpy(batch.pixels)
        shaped = pixels.unflatten(-1, (-1, 3)).float() / 255
        x = ((shaped - mean) / std).reshape(pixels.shape)
        if self._type == "qwen2_5_vl":
            made = self._patches_seen(w, x, batch)
        elif self._gemma:
            made = self._pooled(w, self._squares_seen(w, "vision_tower.vision_model", x))
        else:
            made = self._shuffled(w, self._squares_seen(w, "vision_model", x))
        return made.flatten(0, 1)

    def _squares_seen(self, w: Weights, tower: str, x: torch.Tensor) -> torch.Tensor:
        """SigLIP: `(pictures, patches, width)` of `(pictures, side, side, 3)`."""
        v = self._vision
        patch, width, heads = v["patch_size"], v["hidden_size"], v["num_attention_heads"]
        count, side = x.shape[0], x.shape[1] // patch
        x = x.reshape(count, side, patch, side, patch, 3).transpose(2, 3)
        embeddings = f"{tower}.embeddings"
        kernel = w[f"{embeddings}.patch_embedding.weight"].reshape(width, -1)
        bias = w[f"{embeddings}.patch_embedding.bias"]
        x = functional.linear(x.reshape(count, side * side, -1), kernel, bias)
        x = x + w[f"{embeddings}.position_embedding.weight"]
        for number in range(v["num_hidden_layers"]):
            layer = f"{tower}.encoder.layers.{number}"
            h = _layer_norm(w, f"{layer}.layer_norm1", x, TOWER_EPS)
            q, k, u = (
                linear(w, f"{layer}.self_attn.{part}_proj", h)
                .reshape(count, -1, heads, width // heads)
                .transpose(1, 2)
                for part in "qkv"
            )
            x = x + linear(w, f"{layer}.self_attn.out_proj", attend(q, k, u))
            h = _layer_norm(w, f"{layer}.layer_norm2", x, TOWER_EPS)
            h = functional.gelu(linear(w, f"{layer}.mlp.fc1", h), approximate="tanh")
            x = x + linear(w, f"{layer}.mlp.fc2", h)
        return _layer_norm(w, f"{tower}.post_layernorm", x, LAST_EPS)

    def _shuffled(self, w: Weights, x: torch.Tensor) -> torch.Tensor:
        """SmolVLM's connector: the patches of a square become one token."""
        count, patches, width = x.shape
        side = math.isqrt(patches)
        x = x.reshape(count, side, side // 2, width * 2).transpose(1, 2)
        x = x.reshape(count, side // 2, side // 2, width * 4).transpose(1, 2)
        return linear(w, "connector.modality_projection.proj", x.flatten(1, 2))

    def _pooled(self, w: Weights, x: torch.Tensor) -> torch.Tensor:
        """Gemma's projector: the mean of a square of patches becomes one token."""
        count, patches, width = x.shape
        tokens = math.isqrt(self._text["mm_tokens_per_image"])
        edge = math.isqrt(patches) // tokens
        x = x.reshape(count, tokens, edge, tokens, edge, width).mean((2, 4)).flatten(1, 2)
        x = rms_norm(x, 1 + w["multi_modal_projector.mm_soft_emb_norm.weight"], TOWER_EPS)
        x = x @ w["multi_modal_projector.mm_input_projection_weight"]
        return x / math.sqrt(self._text["hidden_size"])

    def _patches_seen(self, w: Weights, x: torch.Tensor, batch: PictureBatch) -> torch.Tensor:
        """Qwen2.5-VL's tower and merger."""
        assert isinstance(self._plan, Patches)
        v = self._vision
        width, heads = v["hidden_size"], v["num_heads"]
        count, patches, _ = x.shape
        kernel = w["vision_tower.patch_embed.proj.weight"]  # one frame is shown twice
        x = x @ kernel.sum(1).reshape(width, -1).T
        places = torch.from_numpy(batch.places).float()
        turns = (places[..., None] * rope_frequencies(10000.0, width // heads // 2)).flatten(2)
        angles = cos_and_sin(turns[:, None])
        counts = torch.from_numpy(batch.counts)[:, None] * self._plan.merge**2
        seen = (torch.arange(patches)[None] < counts)[:, None, None]
        for number in range(v["depth"]):
            block = f"vision_tower.blocks.{number}"
            h = rms_norm(x, w[f"{block}.norm1.weight"], TOWER_EPS)
            qkv = linear(w, f"{block}.attn.qkv", h).reshape(count, patches, 3, heads, -1)
            q, k, u = qkv.permute(2, 0, 3, 1, 4)
            out = attend(apply_rope(q, angles), apply_rope(k, angles), u, mask=seen)
            x = x + linear(w, f"{block}.attn.proj", out)
            h = rms_norm(x, w[f"{block}.norm2.weight"], TOWER_EPS)
            x = x + gated(w, f"{block}.mlp", h, tanh_gelu=False)
        x = rms_norm(x, w["vision_tower.merger.ln_q.weight"], TOWER_EPS)
        x = x.reshape(count, patches // self._plan.merge**2, -1)
        x = functional.gelu(linear(w, "vision_tower.merger.mlp.0", x))
        return linear(w, "vision_tower.merger.mlp.2", x)

    def _hidden(self, w: Weights, x: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        c = self._text
        rows, length, hidden = x.shape
        width, eps = hidden // c["num_attention_heads"], c["rms_norm_eps"]
        one = float(self._gemma)  # Gemma adds 1 to the weights of its norms
        if self._gemma:  # mlx-vlm has the factor in bf16
            x = x * torch.tensor(hidden).sqrt().bfloat16().float()
        for number in range(c["num_hidden_layers"]):
            layer = f"{self._inner}.layers.{number}"
            angles = self._angles(number, length, width, positions)
            h = rms_norm(x, one + w[f"{layer}.input_layernorm.weight"], eps)
            q, k, v = (
                linear(w, f"{layer}.self_attn.{part}_proj", h)
                .reshape(rows, length, -1, width)
                .transpose(1, 2)
                for part in "qkv"
            )
            if self._gemma:
                q = rms_norm(q, 1 + w[f"{layer}.self_attn.q_norm.weight"], eps)
                k = rms_norm(k, 1 + w[f"{layer}.self_attn.k_norm.weight"], eps)
            out = attend(apply_rope(q, angles), apply_rope(k, angles), v, causal=True)
            out = linear(w, f"{layer}.self_attn.o_proj", out)
            second = one + w[f"{layer}.post_attention_layernorm.weight"]
            if self._gemma:
                x = x + rms_norm(out, second, eps)
                h = rms_norm(x, 1 + w[f"{layer}.pre_feedforward_layernorm.weight"], eps)
                h = gated(w, f"{layer}.mlp", h, tanh_gelu=True)
                x = x + rms_norm(h, 1 + w[f"{layer}.post_feedforward_layernorm.weight"], eps)
            else:
                x = x + out
                x = x + gated(w, f"{layer}.mlp", rms_norm(x, second, eps), tanh_gelu=False)
        return rms_norm(x, one + w[f"{self._inner}.norm.weight"], eps)

    def _angles(self, layer: int, length: int, width: int, positions: torch.Tensor) -> Angles:
        """Talks are shorter than Gemma's window: a local layer differs in its base alone."""
        c = self._text
        if self._gemma:
            local = (layer + 1) % c["sliding_window_pattern"] != 0
            return rope_angles(length, c[f"rope_{'local' if local else 'global'}_base_freq"], width)
        if self._type == "smolvlm":
            return rope_angles(length, c["rope_theta"], width)
        turns = positions.float()[..., None] * rope_frequencies(c["rope_theta"], width)
        parts = turns.split(c["rope_scaling"]["mrope_section"], -1)
        return cos_and_sin(torch.cat([part[axis] for axis, part in enumerate(parts)], -1)[:, None])


def _layer_norm(w: Weights, name: str, x: torch.Tensor, eps: float) -> torch.Tensor:
    return functional.layer_norm(x, x.shape[-1:], w[f"{name}.weight"], w[f"{name}.bias"], eps)


def _without_padding(rows: Rows) -> Rows | None:
    """The rows in which something counts, to the last token that does; None for none."""
    counts = rows.weights > 0
    used = counts.any(axis=1)
    if not used.any():
        return None
    length = int(counts.any(axis=0).nonzero()[0].max()) + 1
    return Rows(
        rows.tokens[used, :length],
        rows.weights[used, :length],
        rows.image_at[used, :length],
        rows.positions[:, used, :length],
    )
