"""Charts drawn beforehand, since matplotlib is too slow to draw them while a model trains.

    python -m training.pictures.chart_pool --count 60000 --workers 30 --out runs/charts

A shard is one file of picture bytes and specs (JSON) behind one another, and one `.npy` table that
says where each begins: position, bytes of the spec, bytes of the picture.
"""

from __future__ import annotations

import argparse
import json
import mmap
import random
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mlx_magic.demo.pictures import chart_drawing, charts
from mlx_magic.demo.pictures.charts import Chart

SHARD = 500
SIDE = 288


def write_shard(folder: Path, index: int, count: int, seed: int) -> Path:
    """Draw the charts of one shard; the same for the same seed and index."""
    rng = random.Random(f"charts {seed} {index}")
    table = np.zeros((count, 3), np.int64)
    at = 0
    path = folder / f"{index:05d}.charts"
    with path.open("wb") as file:
        for row in table:
            chart = charts.sample_chart(rng)
            spec = json.dumps(asdict(chart)).encode()
            picture = BytesIO()
            image = chart_drawing.draw(chart, max_side=rng.choice((160, 224, SIDE)))
            image.save(picture, "JPEG", quality=rng.randint(80, 96), subsampling=0)
            data = picture.getvalue()
            file.write(spec + data)
            row[:] = at, len(spec), len(data)
            at += len(spec) + len(data)
    np.save(path.with_suffix(".npy"), table)
    return path


def write_pool(folder: Path, count: int, workers: int, seed: int = 0) -> None:
    """Draw `count` charts in several processes."""
    folder.mkdir(parents=True, exist_ok=True)
    sizes = [min(SHARD, count - start) for start in range(0, count, SHARD)]
    if workers <= 1:
        for index, size in enumerate(sizes):
            write_shard(folder, index, size, seed)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        jobs = [
            pool.submit(write_shard, folder, index, size, seed) for index, size in enumerate(sizes)
        ]
        for job in jobs:
            job.result()


def chart_from(row: dict[str, Any]) -> Chart:
    """The spec from its JSON form, whose lists were tuples."""
    return Chart(**{name: _tupled(value) for name, value in row.items()})


def _tupled(value: Any) -> Any:
    return tuple(map(_tupled, value)) if isinstance(value, list) else value


class ChartPool:
    """The charts of a folder; each process maps the shards that it asks for, and copies nothing."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._tables = [
            (path.with_suffix(".charts"), np.load(path))
            for path in sorted(self.folder.glob("*.npy"))
        ]
        if not self._tables:
            raise FileNotFoundError(f"no charts in {self.folder}; run training.pictures.chart_pool")
        self._ends = np.cumsum([len(table) for _, table in self._tables])
        self._maps: dict[int, mmap.mmap] = {}

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_maps": {}}

    def sample(self, rng: random.Random) -> tuple[Image.Image, Chart]:
        """Any chart of the pool: its picture and its spec."""
        return self[rng.randrange(len(self))]

    def __getitem__(self, index: int) -> tuple[Image.Image, Chart]:
        shard = int(np.searchsorted(self._ends, index, side="right"))
        path, table = self._tables[shard]
        at, spec_bytes, picture_bytes = map(int, table[index - int(self._ends[shard])])
        data = self._map(shard, path)
        chart = chart_from(json.loads(data[at : at + spec_bytes]))
        start = at + spec_bytes
        image = Image.open(BytesIO(data[start : start + picture_bytes])).convert("RGB")
        return image, chart

    def _map(self, shard: int, path: Path) -> mmap.mmap:
        if shard not in self._maps:
            with path.open("rb") as file:
                self._maps[shard] = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return self._maps[shard]


def main() -> None:
    """Write a pool from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--count", type=int, default=60_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/charts"))
    args = parser.parse_args()
    write_pool(args.out, args.count, args.workers, args.seed)
    print(f"{len(ChartPool(args.out))} charts in {args.out}")


if __name__ == "__main__":
    main()
