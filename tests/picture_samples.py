"""Pictures with several talks about them, for tests."""

import random
from dataclasses import dataclass

from PIL import Image

from training.pictures.manners import PictureManner
from training.pictures.shown import Charts, Shown
from training.pictures.talks import Talk, make_talk, sample_pictures


@dataclass(frozen=True)
class Sample:
    """Pictures, and conversations about them that know nothing of one another."""

    shown: tuple[Shown, ...]
    talks: tuple[Talk, ...]

    @property
    def images(self) -> tuple[Image.Image, ...]:
        """The pictures themselves."""
        return tuple(one.image for one in self.shown)


def make_sample(
    rng: random.Random,
    manner: PictureManner | str,
    held_out: bool = False,
    chart_pool: Charts | None = None,
    talks: int = 4,
) -> Sample:
    """One or two pictures (or none) and `talks` conversations about them."""
    shown = sample_pictures(rng, held_out, chart_pool)
    made = tuple(make_talk(rng, manner, shown, held_out) for _ in range(talks))
    return Sample(shown, made)
