"""Batches for several vision models about the same pictures, each drawn once.

    python -m training.vision.shared smolvlm gemma-vision --start mlx_magic/demo --steps 9000 \\
        --charts runs/charts --workers 14 --out /dev/shm/batches

writes them as files; each run takes its own with `--batches /dev/shm/batches` and removes what it
has read. A fast GPU waits for pictures, and drawing them is most of the work.
"""

from __future__ import annotations

import argparse
import pickle
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer

from training.ahead import made_ahead
from training.pictures.chart_pool import ChartPool
from training.vision.batches import PictureBatch, draw, make_batch
from training.vision.recipes import VISION_RECIPES, VisionRecipe

AHEAD = 60  # batches of a model that may lie ready
_PAUSE = 0.01
_DONE = "done"  # beside the batches of a run that wants no more
_ENDED = "ended"  # beside all of them once no more are written


@dataclass(frozen=True)
class Writer:
    """Draws the pictures of a step and writes each model's batch to `out/NAME/STEP`."""

    models: Sequence[tuple[VisionRecipe, Tokenizer]]
    charts: ChartPool | None
    seed: int
    out: Path

    def __call__(self, step: int) -> None:
        (room,) = {recipe.schedule.pictures for recipe, _ in self.models}
        drawn = draw(self.charts, self.seed, step, room)
        for recipe, tokenizer in self.reading():
            batch = make_batch(recipe, tokenizer, drawn, self.seed, step)
            half = self.out / recipe.name / f"{step}.half"
            half.write_bytes(pickle.dumps((self.seed, batch), protocol=5))
            half.rename(half.with_suffix(""))

    def reading(self) -> list[tuple[VisionRecipe, Tokenizer]]:
        """The models whose runs want more."""
        return [model for model in self.models if not (self.out / model[0].name / _DONE).exists()]

    def must_wait(self) -> bool:
        """Whether enough lies ready for some model."""
        folders = [self.out / recipe.name for recipe, _ in self.reading()]
        return any(sum(1 for _ in folder.iterdir()) >= AHEAD for folder in folders)


def write(writer: Writer, steps: range, workers: int) -> None:
    """Writes the batches of these steps as fast as the slowest run takes them.

    Raises `FileExistsError` for a folder that was used before.
    """
    for recipe, _ in writer.models:
        (writer.out / recipe.name).mkdir(parents=True)

    def when_wanted() -> Iterator[int]:
        for step in steps:
            while writer.must_wait():
                time.sleep(_PAUSE)
            if not writer.reading():
                return
            yield step

    try:
        for _ in made_ahead(writer, when_wanted(), workers):
            pass
    finally:
        (writer.out / _ENDED).touch()


def read(folder: Path, steps: range, seed: int) -> Iterator[PictureBatch]:
    """The batches of these steps as they are written to `folder`, each removed.

    Raises `ValueError` for batches of another seed and `EOFError` when no more are written.
    """
    try:
        for step in steps:
            file = folder / str(step)
            while not file.exists():
                if (folder.parent / _ENDED).exists() and not file.exists():
                    raise EOFError(f"{folder}: the writer ended before step {step}")
                time.sleep(_PAUSE)
            written, batch = pickle.loads(file.read_bytes())
            if written != seed:
                raise ValueError(f"{folder}: batches of seed {written}, not {seed}")
            file.unlink()
            yield batch
    finally:
        if folder.exists():
            (folder / _DONE).touch()


def main() -> None:
    """Writes batches from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("models", nargs="+", choices=sorted(VISION_RECIPES))
    parser.add_argument("--start", type=Path, required=True, help="holds NAME/tokenizer.json")
    parser.add_argument("--charts", type=Path, help="charts drawn ahead; default: draw as needed")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--out", type=Path, default=Path("runs/batches"))
    given = parser.parse_args()
    models = [
        (VISION_RECIPES[name], Tokenizer.from_file(str(given.start / name / "tokenizer.json")))
        for name in given.models
    ]
    charts = ChartPool(given.charts) if given.charts else None
    write(Writer(models, charts, given.seed, given.out), range(given.steps), given.workers)


if __name__ == "__main__":
    main()
