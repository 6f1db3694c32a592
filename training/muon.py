"""Muon, with the matrices of one shape orthogonalized together."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import mlx.core as mx
import mlx.optimizers as optim
from mlx.utils import tree_flatten, tree_unflatten

STEPS = 5
# The quintic of Keller Jordan's Muon, as in mlx.optimizers.
A, B, C = 3.4445, -4.7750, 2.0315


class StackedMuon(optim.Muon):  # type: ignore[misc]
    """`mlx.optimizers.Muon` without weight decay, for matrices alone: its updates, to rounding.

    MLX takes one matrix after the other, which in a tiny model starts more kernels than all else
    in a step, and starting kernels is what such a step waits for.
    """

    def __init__(self, learning_rate: Any) -> None:
        super().__init__(learning_rate, weight_decay=0.0)

    def apply_gradients(self, gradients: Any, parameters: Any) -> Any:
        """The updated parameters, those that have gradients."""
        directions = dict(tree_flatten(super().apply_gradients(gradients, parameters)))
        values = dict(tree_flatten(parameters))
        alike: dict[tuple[int, ...], list[str]] = defaultdict(list)
        for path, direction in directions.items():
            alike[direction.shape].append(path)
        updated = []
        for (rows, columns), paths in alike.items():
            turned = orthogonalized(mx.stack([directions[path] for path in paths]))
            rate = self.learning_rate * max(1, rows / columns) ** 0.5
            updated += [(path, values[path] - rate * turned[i]) for i, path in enumerate(paths)]
        return tree_unflatten(updated)

    def apply_single(self, gradient: mx.array, _parameter: mx.array, state: Any) -> mx.array:
        """The direction of one matrix: Nesterov's momentum."""
        state["v"] = self.momentum * state["v"] + (1 - self.momentum) * gradient
        direction: mx.array = gradient * (1 - self.momentum) + state["v"] * self.momentum
        return direction


def orthogonalized(matrices: mx.array) -> mx.array:
    """The nearest orthogonal matrices, about, of `(matrices, rows, columns)`."""
    x = matrices if matrices.shape[1] <= matrices.shape[2] else matrices.swapaxes(1, 2)
    x = x / (mx.sqrt((x * x).sum(axis=(1, 2), keepdims=True)) + 1e-7)
    for _ in range(STEPS):
        square = x @ x.swapaxes(1, 2)
        x = A * x + (B * square + C * square @ square) @ x
    return x if matrices.shape[1] <= matrices.shape[2] else x.swapaxes(1, 2)
