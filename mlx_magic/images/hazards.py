"""What is refused before it is decoded: files made to take memory or time, and honest giants.

What Pillow 13 makes of hostile files decides the limits; real pictures stay far below them.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from ..errors import ImageProblem
from ..units import format_bytes
from .limits import ImageLimits, Size
from .pixels import BAND_BYTES, ORIENTATION, band_rows, fitting

if TYPE_CHECKING:
    from PIL import Image

_PEAK_BYTES = {"WEBP": 16, "AVIF": 16}  # a pixel; every other format decodes into its own pixels
_MAX_PIECES = 200_000  # 20 MiB in the smallest pieces: JPEG 9 s and 700 MiB, GIF 940 MiB
_MAX_EXIF_SEGMENTS = 4  # they are joined and parsed as one: 20 MiB of them take 380 MiB
MAX_EXIF_BYTES = 2**16  # one JPEG segment
_MAX_TIFF_NUMBERS = 2**18  # more than a 16-bit palette; 20 MiB of strip offsets: 51 s and 1.4 GiB
_MAX_JPEG_SCANS = 64  # a progressive picture has ten; each walks over all pixels
_MAX_RUN_LENGTH_CODED = 4 * 2**20  # bytes and pixels: decoded in Python, 20 MiB take 5 s


@dataclass(frozen=True)
class File:
    """A file in memory: its format, its name for messages, and its pieces as (mark, place)."""

    data: bytes
    kind: str
    name: str
    pieces: list[tuple[bytes, int]]


def checked(data: bytes, kind: str, name: str) -> File:
    """The file, unless Pillow would choke on it before it knows the size."""
    from PIL import features

    if kind in ("WEBP", "AVIF") and not features.check(kind.lower()):
        raise ImageProblem(f"{name} is {kind}, which this Pillow can't read; save it as PNG")
    walk = _WALKS.get(kind)
    pieces = list(islice(walk(data), _MAX_PIECES + 1)) if walk else []
    if len(pieces) > _MAX_PIECES:
        raise ImageProblem(f"{name} is in more than {_MAX_PIECES:,} pieces; save it anew")
    if kind == "JPEG":
        exif = sum(mark == b"\xff\xe1" and data.startswith(b"Exif", at + 4) for mark, at in pieces)
        if exif > _MAX_EXIF_SEGMENTS:
            raise ImageProblem(f"{name} has {exif:,} pieces of EXIF; save it without")
    if kind == "TIFF" and (numbers := _tiff_numbers(data)) > _MAX_TIFF_NUMBERS:
        raise ImageProblem(f"{name} has tables of {numbers:,} numbers; save it anew")
    return File(data, kind, name, pieces)


def _png_pieces(data: bytes) -> Iterator[tuple[bytes, int]]:
    """The chunks: length, mark, data and checksum."""
    at = 8
    while at < len(data):
        yield data[at + 4 : at + 8], at
        at += 12 + int.from_bytes(data[at : at + 4])


def _jpeg_pieces(data: bytes) -> Iterator[tuple[bytes, int]]:
    """The segments up to the first scan: mark, length and data; and each stray byte."""
    at, mark = 2, b""
    while at < len(data) and mark != b"\xff\xda":
        mark = data[at : at + 2]
        yield mark, at
        if _JPEG_SEGMENT.fullmatch(mark):
            at += 2 + max(2, int.from_bytes(data[at + 2 : at + 4]))
        else:
            at += 1


_JPEG_SEGMENT = re.compile(rb"\xff[\xc0-\xc7\xc9-\xcf\xda-\xef\xfe]")


def _gif_pieces(data: bytes) -> Iterator[tuple[bytes, int]]:
    """The images (`,`) and extensions (`!`), each sub-block of them, and each stray byte."""

    def palette_bytes(flags: bytes) -> int:
        return 3 << (flags[0] & 7) + 1 if flags and flags[0] & 0x80 else 0

    at, mark = 13 + palette_bytes(data[10:11]), b""
    while at < len(data) and mark != b";":
        mark = data[at : at + 1]
        yield mark, at
        if mark not in (b",", b"!"):
            at += 1
            continue
        at += 11 + palette_bytes(data[at + 9 : at + 10]) if mark == b"," else 2
        while at < len(data) and data[at]:
            yield b"", at
            at += data[at] + 1
        at += 1


_WALKS = {"PNG": _png_pieces, "JPEG": _jpeg_pieces, "GIF": _gif_pieces}


def _tiff_numbers(data: bytes) -> int:
    """How many numbers the tables of the first page hold; each becomes an object of its own."""
    order = "<" if data[:2] == b"II" else ">"
    tables = list(struct.unpack_from(order + "I", data, 4))
    numbers = 0
    for at in islice(tables, 8):  # it grows: a table may name others
        (entries,) = struct.unpack_from(order + "H", data, at)
        for entry in range(min(entries, (len(data) - at - 2) // 12)):
            tag, kind, size, value = struct.unpack_from(order + "HHII", data, at + 2 + 12 * entry)
            numbers += 0 if kind in _TIFF_BYTES else size
            if tag in _TIFF_TABLES:
                tables.append(value)
    return numbers


_TIFF_BYTES = (1, 2, 6, 7)  # BYTE, ASCII, SBYTE, UNDEFINED: these stay together
_TIFF_TABLES = (0x8769, 0x8825, 0xA005)  # EXIF, GPS, interoperability


def check_work(image: "Image.Image", file: File, full_size: Size, limits: ImageLimits) -> None:
    """Refuse what would take too much memory or time to decode."""
    name, (width, height) = file.name, full_size
    if file.kind == "JPEG":
        scans = file.data.count(b"\xff\xda", file.pieces[-1][1])
        if scans > _MAX_JPEG_SCANS:
            raise ImageProblem(f"{name} is in {scans:,} scans, not a dozen; save it anew")
    in_runs = file.kind == "BMP" and image.info["compression"] in (1, 2)
    if in_runs and max(len(file.data), width * height) > _MAX_RUN_LENGTH_CODED:
        raise ImageProblem(f"{name} is a large run-length-coded bitmap; save it as PNG")
    need = _memory_bytes(image, file, full_size, limits.max_side)
    if need > limits.max_memory_bytes:
        raise ImageProblem(
            f"{name} ({file.kind}, {width}x{height} pixels, {image.mode}) would take "
            f"{format_bytes(need)} of memory, above {format_bytes(limits.max_memory_bytes)}; "
            f"save it smaller" + ("" if file.kind == "JPEG" else ", or as JPEG")
        )


def _memory_bytes(image: "Image.Image", file: File, full_size: Size, max_side: int) -> int:
    """The memory that the picture will take until it is resized, the file included."""
    width, height = image.size
    held = width * height * _pixel_bytes(image.mode)
    peak = held
    if file.kind in _PEAK_BYTES:
        peak = width * height * _PEAK_BYTES[file.kind] + len(file.data)
    elif file.kind == "JPEG":
        peak += _coefficient_bytes(image, file, full_size)
    elif file.kind == "TIFF":
        peak += _strip_bytes(image)
        if image.tag_v2.get(ORIENTATION, 1) != 1:  # type: ignore[attr-defined]  # a TiffImageFile
            peak += held  # Pillow turns it at once
    new_width, new_height = new = fitting(image.size, max_side)
    _, rows = band_rows(image.size, new)
    # The result, a band as it is, as RGBA and on white, and what it becomes.
    band = (_pixel_bytes(image.mode) + 8) * width * rows + BAND_BYTES
    working = 4 * new_width * new_height + band
    return len(file.data) + max(peak, held + working)


def _pixel_bytes(mode: str) -> int:
    return 1 if mode in ("1", "L", "P") else 2 if mode.startswith("I;16") else 4


def _coefficient_bytes(image: Any, file: File, size: Size) -> int:
    """What libjpeg holds of a picture whose colours or details come in several scans."""
    first_scan = file.pieces[-1][1]
    channels = file.data[first_scan + 4]
    if channels == image.layers and not image.info.get("progressive"):
        return 0
    sampling = [across * down for _, across, down, _ in image.layer]
    return int(2 * size[0] * size[1] * sum(sampling) // max(1, *sampling))


def _strip_bytes(image: Any) -> int:
    """What libtiff unpacks at once: a tile, or a strip of rows."""
    tags, (width, height) = image.tag_v2, image.size
    if 322 in tags and 323 in tags:  # TileWidth, TileLength
        pixels = tags[322] * tags[323]
    else:
        pixels = max(width, height) * min(max(width, height), tags.get(278, height))  # RowsPerStrip
    samples, bits = tags.get(277, 1), max(tags.get(258, (1,)))  # SamplesPerPixel, BitsPerSample
    return int(pixels * samples * bits) // 8
