"""Qwen3 over packed conversations."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch.nn import functional

from training.batches import Batch
from training.twin.layers import Weights, apply_rope, attend, gated, linear, rms_norm, rope_angles

MOST_TOKENS = 8192  # that go through the model together
LEAST_SHARE = 0.8  # of the longest conversation of a group that the shortest has

Group = tuple[torch.Tensor, torch.Tensor]


def groups_of(batch: Batch) -> list[Group]:
    """The conversations of a batch, unpacked, as tokens and weights `(rows, length)` of those
    that are about as long: no attention is spent on others' tokens."""
    talks = []
    for row, segments in enumerate(batch.segments):
        for number in np.unique(segments[segments > 0]):
            at = segments == number
            talks.append((batch.tokens[row, at], batch.weights[row, at]))
    talks.sort(key=lambda talk: -len(talk[0]))
    groups: list[Group] = []
    while talks:
        longest = len(talks[0][0])
        alike = [talk for talk in talks if len(talk[0]) >= LEAST_SHARE * longest]
        some = alike[: max(1, MOST_TOKENS // longest)]
        del talks[: len(some)]
        tokens = np.zeros((len(some), longest), np.int64)
        weights = np.zeros((len(some), longest), np.uint8)
        for row, (ids, weight) in enumerate(some):
            tokens[row, : len(ids)], weights[row, : len(ids)] = ids, weight
        groups.append((torch.from_numpy(tokens), torch.from_numpy(weights)))
    return groups


class TextTwin:
    """Qwen3 as mlx-lm defines it."""

    def __init__(self, config: dict[str, Any]) -> None:
        if config["model_type"] != "qwen3":
            raise ValueError(f"no twin for {config['model_type']!r}; there is one for 'qwen3'")
        self._config = config

    def loss(self, weights: Weights, groups: list[Group]) -> torch.Tensor:
        """Mean cross-entropy over the tokens that count, each by its weight."""
        total, counted = torch.zeros(()), torch.zeros(())
        embedding = weights["model.embed_tokens.weight"]
        for tokens, by in groups:
            hidden = self._hidden(weights, tokens[:, :-1])
            some, of = weighed_losses(hidden, embedding, tokens, by)
            total, counted = total + some, counted + of
        return total / counted

    def _hidden(self, w: Weights, tokens: torch.Tensor) -> torch.Tensor:
        c = self._config
        width, eps = c["head_dim"], c["rms_norm_eps"]
        x = functional.embedding(tokens, w["model.embed_tokens.weight"])
        rows, length, _ = x.shape
        angles = rope_angles(length, c["rope_theta"], width)
        for number in range(c["num_hidden_layers"]):
            layer = f"model.layers.{number}"
            h = rms_norm(x, w[f"{layer}.input_layernorm.weight"], eps)
            q, k, v = (
                linear(w, f"{layer}.self_attn.{part}_proj", h)
                .reshape(rows, length, -1, width)
                .transpose(1, 2)
                for part in "qkv"
            )
            q = apply_rope(rms_norm(q, w[f"{layer}.self_attn.q_norm.weight"], eps), angles)
            k = apply_rope(rms_norm(k, w[f"{layer}.self_attn.k_norm.weight"], eps), angles)
            x = x + linear(w, f"{layer}.self_attn.o_proj", attend(q, k, v, causal=True))
            h = rms_norm(x, w[f"{layer}.post_attention_layernorm.weight"], eps)
            x = x + gated(w, f"{layer}.mlp", h, tanh_gelu=False)
        return rms_norm(x, w["model.norm.weight"], eps)


def weighed_losses(
    hidden: torch.Tensor, head: torch.Tensor, tokens: torch.Tensor, weights: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The weighted sum of the losses of `tokens[:, 1:]`, and the sum of the weights.

    Only what counts goes through the output layer `head`.
    """
    counts = weights[:, 1:] > 0
    by = weights[:, 1:][counts].float()
    logits = (hidden[counts] @ head.T).float()
    losses = functional.cross_entropy(logits, tokens[:, 1:][counts], reduction="none")
    return (losses * by).sum(), by.sum()
