"""How large a picture may be."""

from dataclasses import dataclass

from ..errors import ImageProblem

Size = tuple[int, int]  # width and height in pixels


@dataclass(frozen=True)
class ImageLimits:
    """How large a picture may be; a longer side than `max_side` pixels is resized down to it.

    `max_bytes` counts the file or download, `max_pixels` what its header announces, and
    `max_memory_bytes` what taking it may need, by an estimate from the header.

        image_part("map.png", limits=ImageLimits(max_side=4096))
    """

    max_bytes: int = 20 * 2**20
    max_pixels: int = 50_000_000
    max_side: int = 1536
    max_memory_bytes: int = 192 * 2**20


DEFAULT_LIMITS = ImageLimits()


def check_pixels(size: Size, name: str, limits: ImageLimits) -> None:
    width, height = size
    if width * height > limits.max_pixels:
        raise ImageProblem(
            f"{name} has {width}x{height} pixels, {width * height / 1e6:,.3g} million, and "
            f"{limits.max_pixels / 1e6:,.3g} million are the most; save it smaller"
        )
    if not width or not height:
        raise ImageProblem(f"{name} has {width}x{height} pixels: there is nothing to see")
