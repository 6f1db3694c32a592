"""Arrays and matplotlib figures as pictures; neither library is imported for it."""

import io
import sys
from math import isfinite
from typing import TYPE_CHECKING, Any

from ..errors import ImageProblem
from ..messages import ImagePart
from .decoding import decoded, decoding, quiet, why
from .limits import ImageLimits, check_pixels
from .pixels import on_white, shrunk, to_part

if TYPE_CHECKING:
    from PIL import Image


_CHANNELS = (1, 3, 4)


def is_array(source: object) -> bool:
    return (
        hasattr(source, "__array_interface__")
        or hasattr(source, "__array__")
        or type(source).__module__.partition(".")[0] == "mlx"
    )


def from_array(source: object, limits: ImageLimits) -> ImagePart:
    from PIL import Image

    array = _as_numpy(source)
    _check_shape(array)
    size = array.shape[1], array.shape[0]
    check_pixels(size, "the array", limits)
    _check_values(array)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]

    def rows(first: int, last: int) -> "Image.Image":
        return on_white(Image.fromarray(_eight_bits(array[first:last])))

    with decoding("the array"):
        picture = shrunk(size, rows, limits.max_side)
    return to_part(picture, size, 1, "the array")


def _as_numpy(source: Any) -> Any:
    import numpy as np

    mx = sys.modules.get("mlx.core")
    if mx is not None and isinstance(source, mx.array) and source.dtype == mx.bfloat16:
        source = source.astype(mx.float32)  # NumPy has no bfloat16
    try:
        return np.asarray(source)
    except Exception as error:  # another library raises what it likes
        raise ImageProblem(
            f"the {type(source).__name__} can't be read as an array "
            f"({why(error)}); convert it to NumPy first"
        ) from error


def _check_shape(array: Any) -> None:
    """Raise unless it is (height, width) or (height, width, channels)."""
    shape = array.shape
    if array.dtype == object and array.size and figure_of(array.flat[0]) is not None:
        raise ImageProblem(
            f"an array of {array.size} axes is not one picture; pass their figure, or one of them"
        )
    if array.size == 0:
        raise ImageProblem(f"an array of shape {shape} is empty: there is nothing to see")
    if array.ndim == 2 or (array.ndim == 3 and shape[2] in _CHANNELS):
        return
    if array.ndim == 1:
        hint = "pass its .tobytes() if it holds a file"
    elif array.ndim == 3 and shape[0] in _CHANNELS:
        hint = "its channels come first: pass np.moveaxis(image, 0, -1)"
    elif array.ndim in (3, 4):
        hint = "if these are several pictures, pass one: images[0]"
    else:
        hint = "pass (height, width) or (height, width, 3)"
    raise ImageProblem(f"an array of shape {shape} is not one picture; {hint}")


def _check_values(array: Any) -> None:
    """Raise unless the values are bool, whole from 0 to 255, or real from 0 to 1."""
    kind, dtype = array.dtype.kind, array.dtype
    if dtype.name in ("bool", "uint8"):
        return
    if kind not in "iuf":
        raise ImageProblem(f"an array of {dtype} is no picture; pass uint8, or floats from 0 to 1")
    low, high, most = array.min(), array.max(), 1 if kind == "f" else 255
    if 0 <= low <= high <= most:
        return
    if not (isfinite(low) and isfinite(high)):
        hint = "fill in what is not finite with np.nan_to_num"
    elif kind == "f" and low >= 0 and high <= 255:
        hint = "divide by 255"
    else:
        hint = "scale it: (a - a.min()) / (a.max() - a.min())"
    raise ImageProblem(
        f"an array of {dtype} from {low:g} to {high:g} is no picture: 0 to {most} is; {hint}"
    )


def _eight_bits(array: Any) -> Any:
    import numpy as np

    if array.dtype.kind == "f":
        return np.rint(array.astype(np.float32) * 255).astype(np.uint8)
    if array.dtype.kind == "b":
        return array * np.uint8(255)
    return array.astype(np.uint8, copy=False)


def figure_of(source: Any) -> Any:
    """The matplotlib figure that an object is or lies in; None for anything else."""
    for _ in range(8):  # axes lie in a figure, or in a subfigure of it, or deeper
        if source is None or (hasattr(source, "savefig") and hasattr(source, "get_size_inches")):
            return source
        source = getattr(source, "figure", None)
    return None


def from_figure(figure: Any, limits: ImageLimits) -> ImagePart:
    """The figure as it stands, neither shown nor closed."""
    width, height = (int(inches * figure.dpi) for inches in figure.get_size_inches())
    check_pixels((width, height), "the figure", limits)
    png = io.BytesIO()
    # In its own colour: on white, the white words of a dark style would be gone.
    colour = figure.get_facecolor()
    with quiet():
        try:
            figure.savefig(png, format="png", dpi=figure.dpi, facecolor=colour)
        except Exception as error:  # whatever the person's own drawing raises
            raise ImageProblem(f"the figure can't be drawn ({why(error)}); mend that") from error
    return decoded(png.getvalue(), "PNG", "the figure", limits)
