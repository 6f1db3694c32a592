"""Batches for several vision models about the same pictures, each drawn once.

    python -m training.vision.shared smolvlm gemma-vision --start mlx_magic/demo --steps 9000 \\
        --charts runs/charts --workers 14 --out /dev/shm/batches

writes them as files; each run takes its own with `--batches /dev/shm/batches` and the same seed and
removes what it has read. A fast GPU waits for pictures, and drawing them is most of the work.
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

AHEAD = 60  # steps that may lie ready
_PAUSE = 0.01
_DONE = "done"  # a file beside the batches of a run that wants no more


@dataclass(frozen=True)
class Writer:
    """Draws the pictures of a step and writes each model's batch to `out/NAME/STEP`."""

    models: Sequence[tuple[VisionRecipe, Tokenizer]]
    charts: ChartPool | None
    seed: int
    out: Path

    def __call__(self, step: int) -> None:
        reading = [model for model in self.models if not self.is_done(model[0])]
        rooms = {recipe.schedule.pictures for recipe, _ in reading}
        drawn = {room: draw(self.charts, self.seed, step, room) for room in rooms}
        for recipe, tokenizer in reading:
            shown = drawn[recipe.schedule.pictures]
            batch = make_batch(recipe, tokenizer, shown, self.seed, step)
            half = self.out / recipe.name / f"{step}.half"
            half.write_bytes(pickle.dumps(batch, protocol=5))
            half.rename(half.with_suffix(""))

    def is_done(self, recipe: VisionRecipe) -> bool:
        """Whether a model's run has taken all that it wants."""
        return (self.out / recipe.name / _DONE).exists()

    def waits(self, step: int) -> bool:
        """Whether somebody has yet to take what was written long before a step."""
        names = [recipe.name for recipe, _ in self.models if not self.is_done(recipe)]
        return any((self.out / name / str(step - AHEAD)).exists() for name in names)


def write(writer: Writer, steps: range, workers: int) -> None:
    """Writes the batches of these steps, never many more than the slowest reader has taken."""
    for recipe, _ in writer.models:
        (writer.out / recipe.name).mkdir(parents=True, exist_ok=True)
        (writer.out / recipe.name / _DONE).unlink(missing_ok=True)

    def when_taken() -> Iterator[int]:
        for step in steps:
            while writer.waits(step):
                time.sleep(_PAUSE)
            if all(writer.is_done(recipe) for recipe, _ in writer.models):
                return
            yield step

    for _ in made_ahead(writer, when_taken(), workers):
        pass


def read(folder: Path, steps: range) -> Iterator[PictureBatch]:
    """The batches of these steps as they are written, each removed once the next is asked for."""
    try:
        for step in steps:
            file = folder / str(step)
            while not file.exists():
                time.sleep(_PAUSE)
            batch: PictureBatch = pickle.loads(file.read_bytes())
            yield batch
            file.unlink()
    finally:
        (folder / _DONE).touch()


def main() -> None:
    """Writes batches from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("models", nargs="+", choices=sorted(VISION_RECIPES))
    parser.add_argument("--start", type=Path, required=True, help="a folder for each model's name")
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
