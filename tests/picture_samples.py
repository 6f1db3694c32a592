"""Pictures with several talks about them, for tests."""

import random
from dataclasses import dataclass

from PIL import Image

from training.pictures.manners import PictureManner
from training.pictures.shown import Charts
from training.pictures.talks import Talk, make_talk, sample_pictures


@dataclass(frozen=True)
class Sample:
    """Pictures, and conversations about them that know nothing of one another."""

    images: tuple[Image.Image, ...]
    talks: tuple[Talk, ...]


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
    return Sample(tuple(one.image for one in shown), made)
