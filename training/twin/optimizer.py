"""Muon for the matrices inside the layers, AdamW for the rest, as in `training.loop`.

Here AdamW corrects its moments' bias, which MLX's does not by default.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass

import torch

from training.loop import is_inner_matrix
from training.muon import STEPS, A, B, C
from training.twin.layers import Weights

MOMENTUM = 0.95
BETAS = (0.9, 0.98)
WARMUP_STEPS = 100


@dataclass(frozen=True)
class Peaks:
    """The peaks; each rises and then falls as a cosine to a hundredth."""

    muon: float
    adamw: float
    weight_decay: float
    steps: int

    def share(self, step: int) -> float:
        """The share of the peaks at a step, which counts from 1."""
        warmup = min(WARMUP_STEPS, max(self.steps // 10, 1))
        if step < warmup:
            return 0.01 + 0.99 * step / warmup
        through = (step - warmup) / max(self.steps - warmup, 1)
        return 0.01 + 0.99 * (1 + math.cos(math.pi * through)) / 2


class Optimizer:
    """Updates `weights` in place."""

    def __init__(self, weights: Weights, peaks: Peaks) -> None:
        self._weights, self._peaks = weights, peaks
        self._alike: dict[torch.Size, list[str]] = defaultdict(list)
        for name, value in weights.items():
            if is_inner_matrix(name, value):
                self._alike[value.shape].append(name)
        inner = {name for names in self._alike.values() for name in names}
        self._others = [name for name in weights if name not in inner]
        self._first = {name: torch.zeros_like(value) for name, value in weights.items()}
        self._second = {name: torch.zeros_like(weights[name]) for name in self._others}
        self._step = 0

    @torch.no_grad()
    def update(self, gradients: Weights) -> None:
        """One step, the gradient's norm held to 1."""
        self._step += 1
        share = self._peaks.share(self._step)
        norm = torch.stack([g.norm() for g in gradients.values()]).norm().item()
        held = {name: g * min(1.0, 1 / (norm + 1e-6)) for name, g in gradients.items()}
        for shape, names in self._alike.items():
            turned = orthogonalized(torch.stack([self._nesterov(n, held[n]) for n in names]))
            rate = self._peaks.muon * share * max(1, shape[0] / shape[1]) ** 0.5
            for name, direction in zip(names, turned, strict=True):
                self._weights[name].sub_(direction, alpha=rate)
        for name in self._others:
            self._adamw(name, held[name], self._peaks.adamw * share)

    def _nesterov(self, name: str, gradient: torch.Tensor) -> torch.Tensor:
        velocity = self._first[name].lerp_(gradient, 1 - MOMENTUM)
        return gradient.lerp(velocity, MOMENTUM)

    def _adamw(self, name: str, gradient: torch.Tensor, rate: float) -> None:
        first = self._first[name].lerp_(gradient, 1 - BETAS[0])
        second = self._second[name].lerp_(gradient.square(), 1 - BETAS[1])
        mean, square = (
            moment / (1 - beta**self._step)
            for moment, beta in zip((first, second), BETAS, strict=True)
        )
        weight = self._weights[name]
        weight.mul_(1 - rate * self._peaks.weight_decay)
        weight.sub_(mean / (square.sqrt() + 1e-8), alpha=rate)


def orthogonalized(matrices: torch.Tensor) -> torch.Tensor:
    """As `training.muon.orthogonalized`, in bf16."""
    tall = matrices.shape[1] > matrices.shape[2]
    x = (matrices.mT if tall else matrices).bfloat16()
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(STEPS):
        square = x @ x.mT
        x = A * x + (B * square + C * square @ square) @ x
    return (x.mT if tall else x).float()
