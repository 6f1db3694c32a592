"""The average of finished weights: `python -m training.average A=0.75 B=0.25 --out MEAN`.

Of runs that went on from one model it often answers better than any (arXiv 2203.05482).
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import mlx.core as mx

WEIGHTS = "model.safetensors"


def average(shares: dict[Path, float], out: Path) -> None:
    """Writes the weighted mean of the folders' weights, and the first one's other files.

    Raises ValueError when the shares do not sum to 1 or the weights differ in names or shapes,
    FileExistsError when `out` is there already.
    """
    if abs(sum(shares.values()) - 1) > 1e-6:
        raise ValueError(f"the shares sum to {sum(shares.values()):g}, not to 1")
    first, *others = shares
    loaded = {folder: mx.load(str(folder / WEIGHTS)) for folder in shares}
    shapes = {f: {name: value.shape for name, value in w.items()} for f, w in loaded.items()}
    for other in others:
        if shapes[other] != shapes[first]:
            raise ValueError(f"{other} has other weights than {first}, in names or shapes")
    mean = {
        name: sum(w[name].astype(mx.float32) * shares[f] for f, w in loaded.items()).astype(v.dtype)
        for name, v in loaded[first].items()
    }
    shutil.copytree(first, out, ignore=shutil.ignore_patterns(WEIGHTS))
    mx.save_safetensors(str(out / WEIGHTS), mean, metadata={"format": "mlx"})


def main() -> None:
    """Reads the command line and averages."""
    parser = argparse.ArgumentParser(description="Average finished weights.")
    parser.add_argument("folders", nargs="+", metavar="FOLDER=SHARE")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    pairs = (text.rpartition("=") for text in given.folders)
    average({Path(folder): float(share) for folder, _, share in pairs}, given.out)


if __name__ == "__main__":
    main()
