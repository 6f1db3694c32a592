"""From a loaded picture of any mode to a PNG: on white, resized in bands, without metadata."""

import io
from collections.abc import Callable
from math import ceil, floor
from typing import TYPE_CHECKING, Any

from ..errors import ImageProblem
from ..messages import ImagePart
from ..plain import one_line
from .limits import Size

if TYPE_CHECKING:
    from PIL import Image

Rows = Callable[[int, int], "Image.Image"]  # the rows from one to before another, in RGB


BAND_BYTES = 4 * 2**20
_LANCZOS = 3  # pixels of the result to each side that the filter looks at

ORIENTATION = 0x0112  # the EXIF tag

# EXIF orientation -> Pillow's name for the turn that undoes it (JEITA CP-3451, section 4.6.4)
TURNS = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}


def rows_of(image: "Image.Image", name: str) -> Rows:
    """The rows of a loaded picture as RGB on white, a few at a time."""
    scale = _deep_scale(image, name)

    def rows(first: int, last: int) -> "Image.Image":
        part = image.crop((0, first, image.width, last))
        if scale is not None:
            part = part if part.mode == "F" else part.convert("I")
            part = part.point(lambda value: value * scale + 0.5).convert("L")
            part.info.pop("transparency", None)  # it is still a deep value
        return on_white(part)

    return rows


def _deep_scale(image: "Image.Image", name: str) -> float | None:
    """The factor from a picture of 16 or 32 bits a pixel to 8; None for any other."""
    if image.mode.startswith("I;16"):
        return 255 / 65535
    if image.mode not in ("I", "F"):
        return None
    extrema: Any = image.getextrema()  # one band: two numbers
    (low, high), most = extrema, 1 if image.mode == "F" else 65535
    if not 0 <= low <= high <= most:
        raise ImageProblem(
            f"{name} has values from {low:g} to {high:g}, and 0 to {most} are taken; scale them"
        )
    return 255 / most if most == 1 or high > 255 else 1.0


def on_white(image: "Image.Image") -> "Image.Image":
    from PIL import Image

    if not image.has_transparency_data:
        return image.convert("RGB")
    image = image.convert("RGBA")
    white = Image.new("RGB", image.size, "white")
    white.paste(image, (0, 0), image)
    return white


def fitting(size: Size, max_side: int) -> Size:
    """The size with its long side at `max_side` at most."""
    scale = max(1.0, max(size) / max_side)
    return max(1, round(size[0] / scale)), max(1, round(size[1] / scale))


def band_rows(size: Size, new: Size) -> Size:
    """How many rows to make at a time, and of how many rows of the original."""
    scale = size[1] / new[1]
    around = 2 * _LANCZOS if new != size else 0
    rows = min(new[1], max(4, int(BAND_BYTES / (4 * size[0] * scale)) - around))
    return rows, min(size[1], ceil((rows + around) * scale))


def shrunk(size: Size, rows: Rows, max_side: int) -> "Image.Image":
    """The picture in its final size, made in bands: its RGB form is never there as a whole."""
    from PIL import Image

    (width, height), new = size, fitting(size, max_side)
    picture = Image.new("RGB", new)
    scale = height / new[1]
    step, _ = band_rows(size, new)
    for top in range(0, new[1], step):
        bottom = min(top + step, new[1])
        if new == size:
            picture.paste(rows(top, bottom), (0, top))
            continue
        first = max(0, floor((top - _LANCZOS) * scale))
        last = min(height, ceil((bottom + _LANCZOS) * scale))
        band = rows(first, last).resize(
            (new[0], bottom - top),
            Image.Resampling.LANCZOS,
            box=(0, top * scale - first, width, min(bottom * scale - first, last - first)),
        )
        picture.paste(band, (0, top))
    return picture


def to_part(
    picture: "Image.Image", full_size: Size, orientation: int, name: str, note: str = ""
) -> ImagePart:
    from PIL import Image

    if orientation in TURNS:
        picture = picture.transpose(Image.Transpose[TURNS[orientation]])
    if orientation >= 5:
        full_size = full_size[1], full_size[0]
    notes = [note] if note else []
    if picture.size != full_size:
        notes.append(f"resized from {full_size[0]}×{full_size[1]}")
    png = io.BytesIO()
    picture.save(png, "PNG", compress_level=3)  # a third of the time of 6 for a tenth more bytes
    return ImagePart(png.getvalue(), *picture.size, _UNNAMED.get(name, name), "; ".join(notes))


# How messages name what has no name -> its caption.
_UNNAMED = {
    "the byte string": "bytes",
    "the data URI": "data URI",
    "the base64": "base64",
    "the PIL image": "PIL image",
    "the picture": "picture",
    "the array": "array",
    "the figure": "figure",
}


def caption(text: str) -> str:
    """A name of any origin as one short line."""
    line = one_line(text.encode("utf-8", "replace").decode(), 500)
    return line if len(line) <= 80 else f"{line[:39]}…{line[-40:]}"
