"""Pictures of any origin as PNG: files, addresses, bytes, PIL images, arrays, figures.

Knows nothing of models. What comes in is not trusted: its size is read before it is decoded, only
formats on a list are decoded, and what comes out is pixels alone, with no metadata.
"""

import os
import re
import stat
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

from ..errors import ImageProblem, did_you_mean
from ..fetch import Fetcher, shown_url
from ..messages import ImagePart
from ..plain import one_line
from ..units import format_bytes
from .arrays import figure_of, from_array, from_figure, is_array
from .decoding import decoded, from_pil
from .limits import DEFAULT_LIMITS, ImageLimits
from .pixels import caption

__all__ = ["DEFAULT_LIMITS", "SUFFIXES", "ImageLimits", "image_part", "picture_format"]


def image_part(
    source: object, *, limits: ImageLimits = DEFAULT_LIMITS, fetcher: Fetcher | None = None
) -> ImagePart:
    """A picture for a message: upright, in RGB on white, re-encoded as PNG.

        image_part("cat.jpg").width
        image_part("https://example.org/cat.png", fetcher=fetcher).note

    Taken are a path, a `file:`, `http:`, `https:` or `data:` address, base64, bytes, a binary file,
    a PIL image or an object with one as its `image`, an array of shape (height, width[, 1, 3 or 4])
    with uint8 or 0 to 1, and a matplotlib figure or axes. Without a `fetcher`, one is made for this
    picture.
    Raises `ImageProblem` for anything else, and for what is missing, damaged or too large.
    """
    from PIL import Image

    if isinstance(source, ImagePart):
        return source
    if isinstance(source, str):
        return _from_text(source.strip(), limits, fetcher)
    if isinstance(source, os.PathLike):
        return _from_file(Path(os.fsdecode(source)), limits)
    if isinstance(source, bytes | bytearray | memoryview):
        return _from_bytes(source, "the byte string", limits)
    if isinstance(source, Image.Image):
        return from_pil(source, "the PIL image", limits)
    if isinstance(source, list | tuple):
        raise ImageProblem(
            f"a {type(source).__name__} of {len(source)} is not one picture; "
            f"pass its items one by one, or np.array(…) of the pixels"
        )
    if type(source).__module__ == "IPython.core.display":  # its Image, of a file
        source = getattr(source, "data", None) or source
        if isinstance(source, bytes):
            return _from_bytes(source, "the byte string", limits)
    if callable(getattr(source, "read", None)):
        return _from_bytes(_read(source, limits), "the byte string", limits)
    if (hint := _HINTS.get(type(source).__module__.partition(".")[0])) or (
        hint := _HINTS.get(type(source).__name__)
    ):
        raise ImageProblem(f"an object of type {type(source).__name__} is no picture; {hint}")
    if (figure := figure_of(source)) is not None:
        return from_figure(figure, limits)
    if is_array(source):
        return from_array(source, limits)
    if isinstance(inner := getattr(source, "image", None), Image.Image):  # mlx_magic.demo.picture
        return from_pil(inner, "the picture", limits)
    raise ImageProblem(
        f"an object of type {type(source).__name__} is no picture; "
        f"pass a path, an address, bytes, a PIL image, an array or a figure"
    )


# The package or the name of a type that people take for a picture -> what to do instead.
_HINTS = {
    "pandas": "plot it and pass the figure, or put it into the prompt with {{name}}",
    "polars": "plot it and pass the figure, or put it into the prompt with {{name}}",
    "module": "pass a figure: figure = plt.gcf()",
    "Reply": "pass its pictures: reply.images",
}


def _read(file: Any, limits: ImageLimits) -> bytes:
    """What an open file or a `BytesIO` holds from where it stands, as far as the limit."""
    try:
        data = file.read(limits.max_bytes + 1)
    except Exception as error:  # anything may call itself a file
        why = one_line(str(error), 120)
        raise ImageProblem(
            f"the {type(file).__name__} can't be read ({why}); pass bytes"
        ) from error
    if not isinstance(data, bytes):
        raise ImageProblem(f"the {type(file).__name__} gives no bytes; open the file with 'rb'")
    return data


# Text: an address, a path or base64.

_MAX_PATH_CHARACTERS = 4096  # Linux' PATH_MAX, the largest of all systems
_MAX_PERCENT_SIGNS = 100_000  # each costs an object while it is decoded
_MIN_BASE64_CHARACTERS = 64


def _from_text(text: str, limits: ImageLimits, fetcher: Fetcher | None) -> ImagePart:
    scheme = text[:8].partition(":")[0].lower()
    if scheme in ("http", "https"):
        return _from_url(text, limits, fetcher)
    if scheme == "data":
        return _from_bytes(_data_uri_bytes(text, limits), "the data URI", limits)
    if scheme == "file":
        return _from_file(_file_url_path(text), limits)
    if (path := _path(text)) is not None:
        return _from_file(path, limits)
    if _is_base64(text):
        return _from_bytes(_unbase64(text, "the base64", limits), "the base64", limits)
    raise _nothing_there(text)


def _from_url(url: str, limits: ImageLimits, fetcher: Fetcher | None) -> ImagePart:
    if fetcher is None:
        with closing(Fetcher()) as once:
            return _from_url(url, limits, once)
    data = fetcher.fetch(url, limits.max_bytes)
    try:
        return _from_bytes(data, caption(shown_url(url)), limits)
    except ImageProblem:
        fetcher.forget(url)
        raise


def _data_uri_bytes(uri: str, limits: ImageLimits) -> bytes:
    """The bytes of `data:[type][;base64],…` (RFC 2397)."""
    from urllib.parse import unquote, unquote_to_bytes

    kind, comma, payload = uri.partition(",")
    if not comma:
        raise ImageProblem("the data URI has no comma, and so no data; it may have been cut off")
    if payload.count("%") > _MAX_PERCENT_SIGNS:
        raise ImageProblem("the data URI is percent-encoded; encode the picture in base64 instead")
    if not kind.rstrip().lower().endswith(";base64"):
        return unquote_to_bytes(payload)
    return _unbase64(unquote(payload) if "%" in payload else payload, "the data URI", limits)


def _unbase64(text: str, name: str, limits: ImageLimits) -> bytes:
    """The bytes behind base64 in the usual or the URL's alphabet, with blanks and no padding."""
    import base64

    if len(text) > 2 * limits.max_bytes:  # three bytes in four characters, and line breaks
        raise _too_large(name, len(text) * 3 // 4, limits)
    plain = "".join(text.split()).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except ValueError as error:
        raise ImageProblem(
            f"{name} is not valid base64 ({one_line(str(error), 80)}); it may have been cut off"
        ) from None


def _is_base64(text: str) -> bool:
    """Whether a text is long enough for base64 and begins as a picture's would."""
    head = "".join(text[: 2 * _MIN_BASE64_CHARACTERS].split())[:_MIN_BASE64_CHARACTERS]
    if len(head) < _MIN_BASE64_CHARACTERS:
        return False
    try:
        return picture_format(_unbase64(head, "", DEFAULT_LIMITS)) is not None
    except ImageProblem:
        return False


def _file_url_path(url: str) -> Path:
    from urllib.parse import unquote, urlsplit

    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise ImageProblem(f"{one_line(url, 80)!r} is no address: {error}; pass the path") from None
    if parts.netloc not in ("", "localhost"):
        raise ImageProblem(
            f"the file address names the host {one_line(parts.netloc, 80)!r}; "
            f"only files of this machine can be read: file:///path"
        )
    return Path(unquote(parts.path))


def _path(text: str) -> Path | None:
    """The path that a text names, if something is there."""
    if not 0 < len(text) <= _MAX_PATH_CHARACTERS:
        return None
    path = Path(text)
    try:
        path = path.expanduser()
        path.lstat()
    except PermissionError:
        return path  # reading it will say so
    except (OSError, ValueError, RuntimeError):  # ValueError: NUL; RuntimeError: no home folder
        return None
    return path


def _nothing_there(text: str) -> ImageProblem:
    shown = repr(one_line(text.encode("utf-8", "replace").decode(), 80))
    if not text:
        return ImageProblem("an empty text names no picture; pass a path or an address")
    if text.startswith("<"):
        return ImageProblem(f"the text {_looks_like(text[:2048].encode('utf-8', 'replace'))}")
    if re.match(r"[a-z][a-z0-9+.-]*://", text, re.IGNORECASE):
        return ImageProblem(f"{shown} can't be fetched; pass an http or https address, or a path")
    if len(text) > _MAX_PATH_CHARACTERS:
        return ImageProblem(
            f"a text of {len(text):,} characters is neither a path nor base64 of a picture; "
            f"pass a path, an address or bytes"
        )
    return ImageProblem(f"there is no file {shown}; {_hint(Path(text))}")


def _hint(path: Path) -> str:
    """What else there is: pictures in the folder of a path that leads nowhere."""
    try:
        folder = path.expanduser().parent
        names = [
            caption(entry.name)
            for entry in islice(folder.iterdir(), 10_000)
            if entry.suffix.lower() in SUFFIXES
        ]
    except (OSError, ValueError, RuntimeError):
        return "its folder is not there either; check the path"
    return did_you_mean(path.name, names) or "the folder holds no pictures; check the path"


# Files and bytes.

_FORMATS = {
    "PNG": rb"\x89PNG\r\n\x1a\n",
    "JPEG": rb"\xff\xd8\xff",
    "GIF": rb"GIF8[79]a",
    "WEBP": rb"RIFF.{4}WEBP",
    "BMP": rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0",
    "TIFF": rb"II\*\0|MM\0\*",
    "AVIF": rb".{4}ftyp(?:avi[fs]|m[is]f1.{4}(?:.{4}){0,15}?avi[fs])",
}
SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".avif")

_SAVE = "save it as PNG or JPEG and pass that"
_POINT = "pass the picture itself, or its own address"
# What people pass instead, with what to do about it.
_OTHERS = (
    (rb"\s*<(?:(?:\?xml|!--|!doctype svg).{0,1500}?<)?svg", "an SVG drawing", _SAVE),
    (rb"\s*<(?:!doctype html|html|head|body|script|div|p\b)", "a web page", _POINT),
    (rb"%PDF-", "a PDF", _SAVE),
    (rb"%!PS|\xc5\xd0\xd3\xc6", "PostScript", _SAVE),
    (rb".{4}ftyp(?:hei|hev|m[is]f1)", "a HEIC picture", _SAVE),
    (rb"\xff\x0a|\0\0\0\x0cJXL ", "a JPEG XL picture", _SAVE),
    (rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51", "a JPEG 2000 picture", _SAVE),
    (rb"\0\0[\1\2]\0", "an icon", _SAVE),
    (rb"8BPS", "a Photoshop file", _SAVE),
    (rb".{4}ftyp|\x1a\x45\xdf\xa3|RIFF.{4}AVI ", "a video", "pass one frame of it"),
    (rb"PK\x03\x04|\x1f\x8b|7z\xbc\xaf", "an archive", "unpack it and pass a picture"),
    (rb"\s*<", "markup", _POINT),
    (rb"[\t\n\r -~]{16}", "text", _POINT),
)


def _from_file(path: Path, limits: ImageLimits) -> ImagePart:
    name = caption(path.name or str(path))
    try:
        path = path.expanduser()
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise ImageProblem(f"{name} is a folder; pass one picture ({_hint(path / 'picture')})")
        if not stat.S_ISREG(mode):
            raise ImageProblem(f"{name} is a device or a pipe; copy it to a file and pass that")
        with path.open("rb") as file:
            data = file.read(limits.max_bytes + 1)
            size = max(len(data), os.fstat(file.fileno()).st_size)
    except FileNotFoundError:
        raise _nothing_there(str(path)) from None
    except (OSError, ValueError, RuntimeError) as error:
        why = one_line(getattr(error, "strerror", None) or str(error), 80)
        raise ImageProblem(f"{name} can't be read: {why}; mend that or pass another") from None
    if size > limits.max_bytes:
        raise _too_large(name, size, limits)
    return _from_bytes(data, name, limits)


def _from_bytes(data: bytes | bytearray | memoryview, name: str, limits: ImageLimits) -> ImagePart:
    size = memoryview(data).nbytes
    if size > limits.max_bytes:
        raise _too_large(name, size, limits)
    data = bytes(data)  # the same object, if it is bytes already
    if not data:
        raise ImageProblem(f"{name} is empty; download or save it again")
    kind = picture_format(data)
    if kind is None:
        raise ImageProblem(f"{name} {_looks_like(data)}")
    return decoded(data, kind, name, limits)


def _too_large(name: str, size_bytes: int, limits: ImageLimits) -> ImageProblem:
    return ImageProblem(
        f"{name} has {size_bytes:,} bytes, and {limits.max_bytes:,} "
        f"({format_bytes(limits.max_bytes)}) are the most; save it smaller"
    )


def picture_format(data: bytes) -> str | None:
    """The format that the first bytes tell, whatever the name says."""
    for kind, magic in _FORMATS.items():
        if re.match(magic, data[:128], re.DOTALL):
            return kind
    return None


def _looks_like(data: bytes) -> str:
    """What bytes are that are no picture, and what to do about it."""
    head = data[:2048].removeprefix(b"\xef\xbb\xbf")
    for magic, what, remedy in _OTHERS:
        if re.match(magic, head, re.DOTALL | re.IGNORECASE):
            return f"is {what} and can't be taken; {remedy}"
    return f"is no picture that is known here (it begins with {data[:8].hex(' ')}); {_SAVE}"
