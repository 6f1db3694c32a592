"""Weights for smaller patches, to be trained on: `python -m training.twin.finer smolvlm ...`."""

from __future__ import annotations

import argparse
import math
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional

from training.vision.recipes import VISION_RECIPES


def resize_kernel(kernel: torch.Tensor, patch: int) -> torch.Tensor:
    """A kernel `(width, patch, patch, 3)` resampled; plain patches look about as before."""
    share = (kernel.shape[1] / patch) ** 2
    small = functional.interpolate(kernel.float().permute(0, 3, 1, 2), (patch, patch), mode="area")
    return small.permute(0, 2, 3, 1) * share


def interpolate_positions(positions: torch.Tensor, side: int) -> torch.Tensor:
    """Learnt positions `(patches, width)` of a square, for `side` patches in a row."""
    before = math.isqrt(positions.shape[0])
    square = positions.float().reshape(1, before, before, -1).permute(0, 3, 1, 2)
    wide = functional.interpolate(square, (side, side), mode="bicubic", align_corners=False)
    return wide.permute(0, 2, 3, 1).flatten(0, 2)


def main() -> None:
    """Reads the command line and writes weights and tokenizer for `training.vision.train`."""
    parser = argparse.ArgumentParser(description="Fit a SigLIP tower to its recipe's patches.")
    parser.add_argument("model", choices=["gemma-vision", "smolvlm"])
    parser.add_argument("--start", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    vision = VISION_RECIPES[args.model].config["vision_config"]
    weights = load_file(args.start / "model.safetensors")
    for name, value in weights.items():
        if name.endswith("patch_embedding.weight"):
            weights[name] = resize_kernel(value, vision["patch_size"]).bfloat16().contiguous()
        elif name.endswith("position_embedding.weight"):
            side = vision["image_size"] // vision["patch_size"]
            weights[name] = interpolate_positions(value, side).bfloat16().contiguous()
    args.out.mkdir(parents=True, exist_ok=True)
    save_file(weights, args.out / "model.safetensors", {"format": "mlx"})
    for file in args.start.glob("tokenizer*.json"):
        shutil.copyfile(file, args.out / file.name)


if __name__ == "__main__":
    main()
