"""Picture files that are damaged, lie about themselves, or are something else: made by mutation.

Everything is seeded. Run as a program it hands each file to `image_part` and prints what it cost:

    python tests/malformed.py FOLDER      # one line of JSON: outcomes, slowest, extra memory
"""

import io
import json
import random
import resource
import struct
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from mlx_magic.errors import ImageProblem
from mlx_magic.images import image_part

Files = dict[str, bytes]


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def photo(mode: str = "RGB", width: int = 60, height: int = 40) -> Image.Image:
    """A smooth picture with a little of every colour, so that every format has real data."""
    across = Image.linear_gradient("L").resize((width, height))
    down = across.transpose(Image.Transpose.ROTATE_180)
    mixed = Image.radial_gradient("L").resize((width, height))
    return Image.merge("RGB", (across, down, mixed)).convert(mode)


def valid() -> Files:
    """Good files of every format and of the kinds of pixels that are told apart."""
    rgb, rgba = photo(), photo("RGBA")
    rgba.putalpha(Image.linear_gradient("L").resize(rgba.size))
    palette = rgb.quantize(16)
    deep = photo("L").convert("I").point(lambda value: value * 257)
    frames = [photo().rotate(turn) for turn in (90, 180)]
    files = {
        "rgb.png": _saved(rgb, "PNG"),
        "rgba.png": _saved(rgba, "PNG"),
        "la.png": _saved(rgba.convert("LA"), "PNG"),
        "palette.png": _saved(palette, "PNG", transparency=3),
        "bit.png": _saved(photo("1"), "PNG"),
        "deep.png": _saved(deep.convert("I;16"), "PNG"),
        "animated.png": _saved(rgb, "PNG", save_all=True, append_images=frames),
        "rgb.jpg": _saved(rgb, "JPEG"),
        "grey.jpg": _saved(photo("L"), "JPEG"),
        "cmyk.jpg": _saved(photo("CMYK"), "JPEG"),
        "progressive.jpg": _saved(rgb, "JPEG", progressive=True),
        "palette.gif": _saved(palette, "GIF"),
        "animated.gif": _saved(rgb, "GIF", save_all=True, append_images=frames),
        "lossy.webp": _saved(rgb, "WEBP"),
        "lossless.webp": _saved(rgba, "WEBP", lossless=True),
        "animated.webp": _saved(rgb, "WEBP", save_all=True, append_images=frames),
        "rgb.bmp": _saved(rgb, "BMP"),
        "palette.bmp": _saved(palette, "BMP"),
        "rgb.tif": _saved(rgb, "TIFF"),
        "lzw.tif": _saved(rgb, "TIFF", compression="tiff_lzw"),
        "deep.tif": _saved(deep.convert("I;16"), "TIFF"),
        "wide.tif": _saved(deep, "TIFF"),
        "cmyk.tif": _saved(photo("CMYK"), "TIFF"),
        "pages.tif": _saved(rgb, "TIFF", save_all=True, append_images=frames),
    }
    return files


def mutations(seed: int = 1) -> Files:
    """The damaged and the lying files, several hundred of them."""
    rng = random.Random(seed)
    files: Files = {}
    for name, data in valid().items():
        files[name] = data
        for cut in sorted({1, 4, 9, 20, 40, len(data) // 3, len(data) // 2, len(data) - 3}):
            files[f"{name} cut at {cut}"] = data[:cut]
        for number in range(6):
            files[f"{name} damaged {number}"] = _flipped(data, rng, at_most=1 << 2 * number)
        head = _flipped(data[:64], rng, at_most=4)
        files[f"{name} head damaged"] = head + data[64:]
        files[f"{name} wrong magic"] = rng.randbytes(4) + data[4:]
        files[f"{name} with a tail"] = data + rng.randbytes(5000)
        files[f"{name} doubled"] = data + data
    files |= lying_headers() | other_things() | bombs()
    return files


def _flipped(data: bytes, rng: random.Random, at_most: int) -> bytes:
    damaged = bytearray(data)
    for _ in range(rng.randint(1, at_most)):
        damaged[rng.randrange(len(damaged))] = rng.randrange(256)
    return bytes(damaged)


def chunk(kind: bytes, data: bytes) -> bytes:
    """A PNG chunk with the right checksum."""
    checksum = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + checksum


def png(width: int, height: int, colour: int, depth: int, *, extra: bytes = b"") -> bytes:
    """A PNG of zeros, of any size and kind, whose data is all there; `extra` goes before it."""
    samples = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    row = bytes(1 + (width * samples * depth + 7) // 8)
    pack = zlib.compressobj(9)
    packed = b"".join(pack.compress(row) for _ in range(height)) + pack.flush()
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    magic = b"\x89PNG\r\n\x1a\n"
    return magic + chunk(b"IHDR", header) + extra + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def _patched(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


def lying_headers() -> Files:
    """Headers that announce nothing, or far more than there is."""
    good, files = valid(), {}
    for width, height in ((0, 0), (0, 9), (9, 0), (7000, 7000), (60_000, 60_000), (2**31 - 1, 1)):
        size = f"{width}x{height}"
        header = struct.pack(">II", width, height) + good["rgb.png"][24:29]
        files[f"png of {size}"] = _patched(good["rgb.png"], 12, chunk(b"IHDR", header)[4:])
        short = struct.pack("<HH", width & 0xFFFF, height & 0xFFFF)
        files[f"gif of {size}"] = _patched(good["palette.gif"], 6, short)
        long = struct.pack("<ii", width, height)
        files[f"bmp of {size}"] = _patched(good["rgb.bmp"], 18, long)
        at = good["rgb.jpg"].index(b"\xff\xc0") + 5
        big = struct.pack(">HH", height & 0xFFFF, width & 0xFFFF)
        files[f"jpeg of {size}"] = _patched(good["rgb.jpg"], at, big)
        three = ((width - 1) & 0xFFFFFF).to_bytes(3, "little")
        three += ((height - 1) & 0xFFFFFF).to_bytes(3, "little")
        files[f"webp of {size}"] = _patched(good["animated.webp"], 24, three)
        lossy = struct.pack("<HH", width & 0x3FFF, height & 0x3FFF)
        files[f"lossy webp of {size}"] = _patched(good["lossy.webp"], 26, lossy)
        files[f"tiff of {size}"] = tiff(width, height, data=b"short")
    return files


def tiff(width: int, height: int, *, data: bytes, **tags: tuple[int, int]) -> bytes:
    """A grey TIFF of one strip; `tags` are more entries by name: (tag's number, value)."""
    entries = {256: width, 257: height, 258: 8, 259: 1, 262: 1, 277: 1, 278: max(1, height)}
    entries |= dict(tags.values())
    start = 8 + 2 + 12 * (len(entries) + 2) + 4
    entries |= {273: start, 279: len(data)}
    table = b"".join(struct.pack("<HHII", tag, 4, 1, entries[tag]) for tag in sorted(entries))
    head = b"II*\0" + struct.pack("<IH", 8, len(entries))
    return head + table + struct.pack("<I", 0) + data


def exif_segments(numbers: int) -> bytes:
    """EXIF with that many resolutions, in as many JPEG segments as it takes."""
    table = struct.pack(">HHII", 0x011A, 5, numbers, 38) + struct.pack(">HHIHH", 0x128, 3, 1, 2, 0)
    body = b"MM\0*\0\0\0\x08\0\2" + table + bytes(4) + struct.pack(">II", 7, 3) * numbers
    parts = [b"Exif\0\0" + body[at : at + 65_000] for at in range(0, len(body), 65_000)]
    return b"".join(b"\xff\xe1" + struct.pack(">H", 2 + len(part)) + part for part in parts)


def _table(*entries: tuple[int, int, int, int]) -> bytes:
    rows = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return struct.pack("<H", len(entries)) + rows + bytes(4)


def other_things() -> Files:
    """What is often passed for a picture, and is none."""
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><rect width="9" height="9"/></svg>'
    entity = (
        b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">'
        b'<!ENTITY y SYSTEM "http://127.0.0.1:9/">]><svg><text>&x;&y;</text></svg>'
    )
    laughs = b"".join(
        b'<!ENTITY l%d "%s">' % (level, b"&l%d;" % (level - 1) * 10) for level in range(1, 10)
    )
    return {
        "empty.png": b"",
        "page.png": b"<!DOCTYPE html>\n<html><body>404</body></html>",
        "page.jpg": b"\n  <HTML><head></head></HTML>",
        "drawing.svg": svg,
        "drawing.png": b"\xef\xbb\xbf" + svg,
        "entities.svg": entity,
        "laughs.svg": b'<?xml version="1.0"?><!DOCTYPE svg [' + laughs + b"]><svg>&l9;</svg>",
        "paper.pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
        "script.eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(%pipe%id) (w) file",
        "photo.heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
        "film.mp4": b"\0\0\0\x18ftypisom\0\0\2\0isomiso2",
        "letter.txt": b"Dear model, here is my cat.\n",
        "error.json": b'{"error": "not found", "status": 404}',
        "archive.zip": b"PK\x03\x04" + bytes(40),
        "icon.ico": b"\0\0\1\0\1\0" + bytes(40),
        "zeros.png": bytes(1000),
        "noise.png": random.Random(2).randbytes(1000),
        "one byte.png": b"\x89",
        "only magic.png": b"\x89PNG\r\n\x1a\n",
        "only magic.jpg": b"\xff\xd8\xff",
        "only magic.tif": b"II*\0",
        "only magic.avif": b"\0\0\0\x1cftypavif\0\0\0\0avif" + bytes(40),
    }


def bombs() -> Files:
    """Small or allowed files that would take gigabytes or minutes, were they simply decoded."""
    good = valid()
    jpeg, gif, progressive = good["rgb.jpg"], good["palette.gif"], good["progressive.jpg"]
    at = progressive.rindex(b"\xff\xda")
    loop = bytearray(good["pages.tif"])
    offsets = struct.pack(f"<{10**6}I", *range(10**6))
    strips = tiff(16, 16, data=offsets)
    entry = strips.index(struct.pack("<HHI", 273, 4, 1))
    lots = struct.pack("<HHI", 273, 4, 10**6)
    line = b"\1\5" * 3000 + b"\0\0"
    return {
        "png of 49 megapixels": png(7000, 7000, 6, 16),
        "png of 16-bit grey": png(3000, 3000, 0, 16),
        "png with a bomb of text": png(
            9, 9, 2, 8, extra=chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(100 * 2**20), 9))
        ),
        "png with a bomb of a profile": png(
            9, 9, 2, 8, extra=chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(100 * 2**20), 9))
        ),
        "png in a million chunks": png(9, 9, 2, 8, extra=chunk(b"abCd", b"") * 10**6),
        "png with broken exif": png(9, 9, 2, 8, extra=chunk(b"eXIf", b"MM\0*\0\0\0\x08\xff\xff")),
        "jpeg of many segments": jpeg[:2] + b"\xff\xe1\0\2" * 10**6 + jpeg[2:],
        "jpeg after a megabyte of junk": jpeg[:20] + bytes(10**6) + jpeg[20:],
        "jpeg with a library of exif": jpeg[:2] + exif_segments(10**6) + jpeg[20:],
        "jpeg of a thousand scans": progressive[:-2] + progressive[at:-2] * 1000 + b"\xff\xd9",
        "gif of 49 megapixels": _saved(Image.new("P", (7000, 7000)), "GIF"),
        "gif of a long comment": gif[:-1] + b"\x21\xfe" + b"\2xy" * 10**6 + b"\0;",
        "gif of a million frames": gif[:-1]
        + (b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x4c\x01\x00") * 10**6,
        "tiff of a million strips": _patched(strips, entry, lots),
        "tiff with a library of exif": tiff(
            4,
            4,
            data=bytes(16) + _table((0x9214, 3, 2 * 10**6, 8)) + bytes(4 * 10**6),
            e=(0x8769, 150),
        ),
        "tiff of a huge tile": tiff(
            16, 16, data=zlib.compress(bytes(2**20)), w=(322, 30_000), h=(323, 30_000), c=(259, 8)
        ),
        "tiff whose pages loop": bytes(loop[:-4]) + struct.pack("<I", 8),
        "bmp in runs": good["palette.bmp"][:18]
        + struct.pack("<iiHHI", 7000, 3000, 1, 8, 1)
        + good["palette.bmp"][34:54]
        + bytes(1024)
        + line * 2000,
        "webp of 49 megapixels": _saved(Image.new("RGB", (7000, 7000)), "WEBP", method=0),
    }


# Good files near the limits, with all their data: the most that may be asked for.
HEAVY: dict[str, Callable[[], bytes]] = {
    "progressive.jpg": lambda: _saved(photo("RGB", 6400, 6400), "JPEG", progressive=True),
    "cmyk.jpg": lambda: _saved(photo("CMYK", 7000, 7000), "JPEG"),
    "deep rgba.png": lambda: png(6400, 6400, 6, 16),
    "transparent.png": lambda: png(6400, 6400, 2, 8, extra=chunk(b"tRNS", bytes(6))),
    "wide.png": lambda: png(40_000, 1000, 0, 8),
    "large.webp": lambda: _saved(photo("RGBA", 3900, 2900), "WEBP", method=0),
    "one strip.tif": lambda: _saved(
        photo("RGB", 4000, 4000),
        "TIFF",
        compression="tiff_adobe_deflate",
        tiffinfo={278: 4000, 274: 6},
    ),
    "large.gif": lambda: _saved(Image.new("P", (7000, 7000)), "GIF"),
}


def _peak_bytes() -> int:
    """The most memory that this process has had."""
    status = Path("/proc/self/status")
    if status.exists():  # on Linux a process inherits the ru_maxrss of the one that started it
        words = status.read_text().split()
        return int(words[words.index("VmHWM:") + 1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS


def outcomes(files: Files) -> Iterator[tuple[str, str, float]]:
    """For each file its name, what came of it, and the seconds that it took."""
    for name, data in files.items():
        begin = time.monotonic()
        try:
            part = image_part(data)
        except ImageProblem as problem:
            line = str(problem)
            said = "line" if line and len(line.splitlines()) == 1 else f"not one line: {line!r}"
            yield name, said, time.monotonic() - begin
        else:
            took = time.monotonic() - begin
            with Image.open(io.BytesIO(part.png), formats=["PNG"]) as image:
                image.load()
                right = image.size == (part.width, part.height) and image.mode == "RGB"
            yield name, "picture" if right else "not the picture it says", took


def main(folder: str) -> None:
    """Read the files back from a folder, so that making them is not measured with them."""
    Image.init()  # all plugins: what Pillow itself takes is not the pictures' memory
    files = {file.name: file.read_bytes() for file in sorted(Path(folder).iterdir())}
    before = _peak_bytes()
    results = list(outcomes(files))
    report = {
        "outcomes": {name: outcome for name, outcome, _ in results},
        "slowest": max((seconds, name) for name, _, seconds in results),
        "extra_bytes": _peak_bytes() - before,
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main(*sys.argv[1:])
