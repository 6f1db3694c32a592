"""What the twins share: norms, linear layers, attention, rotary positions."""

from __future__ import annotations

import torch
from torch.nn import functional

Weights = dict[str, torch.Tensor]
Angles = tuple[torch.Tensor, torch.Tensor]  # cosines and sines, to be broadcast over heads


def rms_norm(x: torch.Tensor, weight: torch.Tensor, eps: float) -> torch.Tensor:
    """RMS norm over the last axis, in float32."""
    return functional.rms_norm(x.float(), weight.shape, weight, eps)


def linear(weights: Weights, name: str, x: torch.Tensor) -> torch.Tensor:
    """`x` through the layer of that name, with its bias if it has one."""
    return functional.linear(x, weights[f"{name}.weight"], weights.get(f"{name}.bias"))


def gated(weights: Weights, name: str, x: torch.Tensor, tanh_gelu: bool) -> torch.Tensor:
    """A gated MLP: SiLU, or GELU by its tanh form."""
    gate = linear(weights, f"{name}.gate_proj", x)
    gate = functional.gelu(gate, approximate="tanh") if tanh_gelu else functional.silu(gate)
    return linear(weights, f"{name}.down_proj", gate * linear(weights, f"{name}.up_proj", x))


def attend(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    mask: torch.Tensor | None = None,
    causal: bool = False,
) -> torch.Tensor:
    """Attention of `(rows, heads, length, width)`, as `(rows, length, heads * width)`.

    In float32: on a CPU its backward pass takes twice as long in bf16.
    """
    heads = q.shape[1] // k.shape[1]
    k, v = k.repeat_interleave(heads, 1), v.repeat_interleave(heads, 1)
    with torch.autocast("cpu", enabled=False):
        out = functional.scaled_dot_product_attention(
            q.float(), k.float(), v.float(), attn_mask=mask, is_causal=causal
        )
    return out.transpose(1, 2).flatten(2)


def apply_rope(x: torch.Tensor, angles: Angles) -> torch.Tensor:
    """`x` with its halves turned against each other by the angles."""
    cos, sin = angles
    first, second = x.chunk(2, -1)
    return x * cos + torch.cat([-second, first], -1) * sin


def rope_frequencies(base: float, width: int) -> torch.Tensor:
    """The turn a position makes in each pair of a head's channels."""
    steps: torch.Tensor = torch.arange(0, width, 2, dtype=torch.float32) / width
    return base ** (-steps)


def cos_and_sin(turns: torch.Tensor) -> Angles:
    """The angles of both halves, for `(..., length, width / 2)` turns."""
    both = torch.cat([turns, turns], -1)
    return both.cos(), both.sin()


def rope_angles(length: int, base: float, width: int) -> Angles:
    """The angles of positions 0, 1, 2 ..."""
    return cos_and_sin(
        torch.arange(length, dtype=torch.float32)[:, None] * rope_frequencies(base, width)
    )
