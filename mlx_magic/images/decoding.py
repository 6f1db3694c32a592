"""Pillow at work: a file's bytes or a PIL image, decoded in silence."""

import io
import struct
import threading
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from ..errors import ImageProblem
from ..messages import ImagePart
from ..plain import one_line
from .hazards import MAX_EXIF_BYTES, File, check_work, checked
from .limits import ImageLimits, check_pixels
from .pixels import ORIENTATION, TURNS, fitting, rows_of, shrunk, to_part

if TYPE_CHECKING:
    from PIL import Image


_one_at_a_time = threading.Lock()


@contextmanager
def quiet() -> Iterator[None]:
    """No warnings, and one thread at a time.

    `catch_warnings` is for one thread only; and two large pictures shan't need their memory at
    the same time.
    """
    with _one_at_a_time, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def decoding(name: str) -> Iterator[None]:
    """Pillow at work: silent, and its errors in our words."""
    from PIL import Image, UnidentifiedImageError

    with quiet():
        try:
            yield
        except ImageProblem:
            raise
        except Image.DecompressionBombError as error:  # above even Pillow's own limit
            raise ImageProblem(f"{name} is too large ({why(error)}); save it smaller") from None
        except MemoryError:
            raise ImageProblem(f"there is no memory to decode {name}; save it smaller") from None
        except (UnidentifiedImageError, struct.error):
            raise ImageProblem(
                f"{name} can't be decoded (its beginning is damaged); download or save it again"
            ) from None
        except Exception as error:  # a damaged file may raise nearly anything
            raise ImageProblem(
                f"{name} can't be decoded ({why(error)}); download or save it again"
            ) from error


def why(error: Exception) -> str:
    return one_line(str(error), 160) or type(error).__name__


def decoded(data: bytes, kind: str, name: str, limits: ImageLimits) -> ImagePart:
    """The picture in a file of that format: the first frame, if there are more."""
    from PIL import Image

    with decoding(name):
        file = checked(data, kind, name)
        with closing(Image.open(io.BytesIO(data), formats=[kind])) as image:
            full_size = image.size
            check_pixels(full_size, name, limits)
            # A JPEG may be decoded at a half, a quarter or an eighth, if that is still enough.
            image.draft(None, fitting(full_size, limits.max_side))
            check_work(image, file, full_size, limits)
            image.load()
            orientation = _orientation(image)
            picture = shrunk(image.size, rows_of(image, name), limits.max_side)
            note = _frames(image, file)
    return to_part(picture, full_size, orientation, name, note)


def from_pil(image: "Image.Image", name: str, limits: ImageLimits) -> ImagePart:
    """The frame at which a PIL image stands; the image itself stays as it is."""
    check_pixels(image.size, name, limits)
    with decoding(name):
        image.load()
        orientation = _orientation(image)
        picture = shrunk(image.size, rows_of(image, name), limits.max_side)
    return to_part(picture, image.size, orientation, name)


def _orientation(image: "Image.Image") -> int:
    """The EXIF orientation, 2 to 8; 1 for none that can be read."""
    if len(image.info.get("exif", b"")) > MAX_EXIF_BYTES:
        return 1
    try:
        value = image.getexif().get(ORIENTATION, 1)
    except Exception:  # noqa: BLE001 - damaged metadata raises nearly anything; the picture is good
        return 1
    return value if value in TURNS else 1


def _frames(image: "Image.Image", file: File) -> str:
    """What to say of an animation or of several pages."""
    if file.kind == "TIFF":  # only a walk through the whole file would tell how many
        return "first of several pages" if getattr(image, "is_animated", False) else ""
    if file.kind == "JPEG":  # a camera's other "frames" are previews and depth maps
        return ""
    if file.kind == "GIF":  # Pillow's own count reads on, and fails where a later frame is damaged
        frames = sum(mark == b"," for mark, _ in file.pieces)
    else:
        frames = getattr(image, "n_frames", 1)
    return f"first of {frames:,} frames" if frames > 1 else ""
