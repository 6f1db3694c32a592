"""Pictures of every origin: what is taken, how it looks then, and what is refused in what words."""

import base64
import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import malformed
import matplotlib
import numpy as np
import pytest
from malformed import photo, png
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from picture_server import PNG, PictureServer
from PIL import Image, ImageOps, PngImagePlugin, features

from mlx_magic.errors import ImageProblem
from mlx_magic.fetch import Fetcher
from mlx_magic.images import DEFAULT_LIMITS, ImageLimits, image_part
from mlx_magic.messages import ImagePart

MIB = 2**20
SMALL = ImageLimits(max_bytes=100_000, max_pixels=10_000, max_side=50)


def saved(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def shown(part: ImagePart) -> Image.Image:
    """The picture that a part holds, with what is true of every part checked."""
    image = Image.open(io.BytesIO(part.png), formats=["PNG"])
    image.load()
    assert image.mode == "RGB" and image.size == (part.width, part.height)
    assert part.source and len(part.source.splitlines()) == 1 and part.source.isprintable()
    assert not image.info, "metadata reached the page"
    return image


def colour(part: ImagePart, x: int = 0, y: int = 0) -> Any:
    return shown(part).getpixel((x, y))


def refused(source: object, limits: ImageLimits = DEFAULT_LIMITS) -> str:
    """The one line with which a picture is refused."""
    with pytest.raises(ImageProblem) as caught:
        image_part(source, limits=limits)
    line = str(caught.value)
    assert line and len(line) < 600 and len(line.splitlines()) == 1, line
    return line


def difference(one: Image.Image, other: Image.Image) -> int:
    """The largest difference of any value of two pictures of the same size."""
    assert one.size == other.size
    a, b = (np.asarray(image.convert("RGB"), dtype=int) for image in (one, other))
    return int(abs(a - b).max())


# --- where pictures come from ---


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever proxy this machine has, it can't reach the server here."""
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture
def cat(tmp_path: Path) -> Path:
    path = tmp_path / "my cat.png"
    path.write_bytes(PNG)
    return path


@pytest.mark.parametrize(
    ("spelled", "source"),
    [
        (str, "my cat.png"),
        (Path, "my cat.png"),
        (lambda path: f"  {path}\n", "my cat.png"),
        (lambda path: path.as_uri(), "my cat.png"),
        (lambda path: f"file:{quote(str(path))}", "my cat.png"),
        (lambda path: f"FILE://localhost{quote(str(path))}", "my cat.png"),
        (lambda path: path.read_bytes(), "bytes"),
        (lambda path: bytearray(path.read_bytes()), "bytes"),
        (lambda path: memoryview(path.read_bytes())[:], "bytes"),
        (lambda path: "data:image/png;base64," + base64.b64encode(PNG).decode(), "data URI"),
        (lambda path: "DATA:;charset=x;BASE64," + base64.b64encode(PNG).decode(), "data URI"),
        (lambda path: "data:image/jpeg," + quote(PNG), "data URI"),
        (lambda path: "data:;base64," + quote(base64.b64encode(PNG).decode(), safe=""), "data URI"),
        (lambda path: base64.b64encode(PNG).decode(), "base64"),
        (lambda path: base64.encodebytes(PNG).decode(), "base64"),
        (lambda path: base64.urlsafe_b64encode(PNG).decode().rstrip("="), "base64"),
        (lambda path: Image.open(path), "PIL image"),
        (lambda path: np.asarray(Image.open(path)), "array"),
    ],
)
def test_one_picture_is_the_same_however_it_is_passed(
    cat: Path, spelled: Callable[[Path], object], source: str
) -> None:
    part = image_part(spelled(cat))
    assert (part.width, part.height, part.source, part.note) == (8, 4, source, "")
    assert colour(part) == (0x20, 0x80, 0xC0)


def test_a_path_from_home_is_found(cat: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(cat.parent))
    assert image_part("~/my cat.png").width == 8
    assert image_part(Path("~/my cat.png")).width == 8


def test_a_part_stays_as_it_is() -> None:
    part = image_part(PNG)
    assert image_part(part) is part


def test_a_demo_picture_is_taken() -> None:
    from mlx_magic import demo

    picture = demo.picture("scene", 7)
    part = image_part(picture)
    assert part.source == "picture" and difference(shown(part), picture.image) == 0


def test_a_picture_comes_from_the_web_once() -> None:
    with PictureServer() as server, closing(Fetcher()) as fetcher:
        url = f"{server.url}/cat.png?key=secret"
        part = image_part(url, fetcher=fetcher)
        assert part.source == f"127.0.0.1:{server.port}/cat.png" and colour(part)
        assert image_part(url, fetcher=fetcher) == part
        assert server.requests == 1
        assert image_part(url) == part  # with a fetcher of its own
        assert server.requests == 2


def test_a_page_from_the_web_is_refused_and_fetched_anew_the_next_time() -> None:
    with PictureServer() as server, closing(Fetcher()) as fetcher:
        for _ in range(2):
            with pytest.raises(ImageProblem, match=r"page\.png is a web page and can't be taken"):
                image_part(server.url + "/page.png", fetcher=fetcher)
        assert server.requests == 2


def test_what_the_web_sends_is_bounded_by_the_limits() -> None:
    with PictureServer() as server:
        assert "100,000 (97.7 KiB) are the most" in refused(server.url + "/endless.png", SMALL)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("", "an empty text names no picture"),
        ("  ", "an empty text names no picture"),
        ("no such cat.png", "there is no file 'no such cat.png'"),
        ("nowhere/cat.png", "its folder is not there either"),
        ("\0", "there is no file"),
        ("cat\nmouse\u202egnp.png", "there is no file 'cat mousegnp.png'"),
        ("\ud800.png", "there is no file '?.png'"),
        ("~nobody-of-that-name/cat.png", "there is no file"),
        ("x" * 300, "there is no file"),
        ("x" * 100_000, "a text of 100,000 characters is neither"),
        ("A" * 10**6, "a text of 1,000,000 characters is neither"),
        ("ftp://example.org/cat.png", "can't be fetched; pass an http or https address"),
        ("s3://bucket/cat.png", "can't be fetched"),
        ("<svg xmlns='http://www.w3.org/2000/svg'/>", "the text is an SVG drawing"),
        ("<html></html>", "the text is a web page"),
        ("data:image/png;base64", "has no comma"),
        ("data:image/png;base64,", "the data URI is empty"),
        ("data:image/png;base64,%%%", "is not valid base64"),
        ("data:image/png;base64,AAAAA", "is not valid base64"),
        ("data:image/png;base64,äöü", "is not valid base64"),
        ("data:image/svg+xml,%3Csvg%2F%3E", "the data URI is an SVG drawing"),
        ("data:," + "%41" * 200_000, "is percent-encoded"),
        ("file://example.org/cat.png", "names the host 'example.org'"),
        ("file:///no/such/cat.png", "there is no file '/no/such/cat.png'"),
        ("file://[::1/cat.png", "is no address"),
        ("http://", "is no address"),
        ([PNG], "a list of 1 is not one picture"),
        ((1, 2), "a tuple of 2 is not one picture"),
        (None, "type NoneType is no picture"),
        (7, "type int is no picture"),
        ({"image": PNG}, "type dict is no picture"),
        (b"", "the byte string is empty"),
        (plt, "type module is no picture"),
    ],
)
def test_what_is_no_picture_is_one_line(
    source: object, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert words in refused(source)


def test_a_mistyped_name_is_answered_with_the_right_one(cat: Path) -> None:
    (cat.parent / "my cat.txt").write_text("no picture")
    assert "did you mean 'my cat.png'?" in refused(str(cat.with_name("my cta.png")))
    assert "did you mean 'my cat.png'?" in refused(cat.with_name("my cta.png"))
    assert "there is 'my cat.png'" in refused(str(cat.parent))


def test_special_files_are_refused_without_being_opened(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    for path in (pipe, "/dev/zero", "/dev/null", "/dev/stdin"):
        assert "device or a pipe" in refused(path) or "empty" in refused(path)
    if Path("/proc/self/maps").exists():
        assert "maps is" in refused("/proc/self/maps")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_one_line(cat: Path) -> None:
    cat.chmod(0)
    assert "Permission denied" in refused(cat)


def test_a_link_to_nowhere_and_a_loop_of_links_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "gone.png").symlink_to(tmp_path / "nothing.png")
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    assert "there is no file" in refused(tmp_path / "gone.png")
    assert "can't be read" in refused(tmp_path / "loop.png")


def test_a_name_can_neither_break_the_line_nor_turn_it_around(tmp_path: Path) -> None:
    for name in ("a\nb.png", "a\u202egnp.b\x1b[31m.png", os.fsdecode(b"a\xff.png"), "x" * 240):
        path = tmp_path / name
        path.write_bytes(PNG)
        part = image_part(path)
        shown(part)
        assert len(part.source) <= 80 and part.source.encode()


# --- what they look like then ---


@pytest.mark.parametrize("name", sorted(malformed.valid()))
def test_every_format_looks_as_pillow_shows_it(name: str) -> None:
    data = malformed.valid()[name]
    part = image_part(data)
    with Image.open(io.BytesIO(data)) as image:
        if name.startswith(("deep", "wide")):  # 16 bits: Pillow would clip them
            expected = photo("L").convert("RGB")
        else:
            expected = Image.new("RGB", image.size, "white")
            expected.paste(image.convert("RGBA"), (0, 0), image.convert("RGBA"))
    assert difference(shown(part), expected) <= 1


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
def test_avif_is_taken() -> None:
    part = image_part(saved(photo(), "AVIF", quality=100, subsampling="4:4:4"))
    assert difference(shown(part), photo()) < 12
    frames = saved(photo(), "AVIF", save_all=True, append_images=[photo().rotate(180)])
    assert image_part(frames).note == "first of 2 frames"


@pytest.mark.parametrize("name", ["animated.png", "animated.gif", "animated.webp"])
def test_an_animation_is_its_first_frame_with_a_note(name: str) -> None:
    assert image_part(malformed.valid()[name]).note == "first of 3 frames"


def test_pages_are_not_counted() -> None:
    assert image_part(malformed.valid()["pages.tif"]).note == "first of several pages"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_comes_upright(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if kind == "WEBP" else {}
    data = saved(photo(width=90, height=40), kind, exif=exif, **options)
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        expected = ImageOps.exif_transpose(image)
    part = image_part(data)
    assert difference(shown(part), expected) == 0 and part.note == ""
    with Image.open(io.BytesIO(data)) as image:
        assert difference(shown(image_part(image)), expected) == 0
    small = image_part(data, limits=SMALL)
    assert small.note == f"resized from {expected.width}×{expected.height}"
    assert (small.width > small.height) == (expected.width > expected.height)


@pytest.mark.parametrize(
    "exif",
    [
        b"Exif\0\0",
        b"Exif\0\0MM\0*\0\0\0\x08",
        b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + bytes(40),
        b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x02\0\x04\0\0\0abc\0\0\0\0\0",
        b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x63\0\0\0\0\0\0\0",
        b"Exif\0\0not a tiff at all",
    ],
)
def test_broken_exif_does_not_break_the_picture(exif: bytes) -> None:
    part = image_part(saved(photo(), "JPEG", exif=exif))
    assert shown(part).size == photo().size


def test_nothing_of_the_metadata_reaches_the_page() -> None:
    secret = PngImagePlugin.PngInfo()
    secret.add_text("Comment", "my secret place")
    exif = Image.Exif()
    exif[0x010E] = "my secret place"
    data = saved(photo(), pnginfo=secret, exif=exif, icc_profile=b"my secret place", dpi=(72, 72))
    assert b"my secret place" in data
    for source in (data, Image.open(io.BytesIO(data))):
        part = image_part(source)
        shown(part)
        assert b"secret" not in part.png
        kinds = [part.png[at - 4 : at] for at in _chunks(part.png)]
        assert set(kinds) == {b"IHDR", b"IDAT", b"IEND"}


def _chunks(data: bytes) -> Iterator[int]:
    at = 8
    while at < len(data):
        yield at + 8
        at += 12 + int.from_bytes(data[at : at + 4])


@pytest.mark.parametrize(
    ("mode", "pixel", "expected"),
    [
        ("RGBA", (255, 0, 0, 0), (255, 255, 255)),
        ("RGBA", (255, 0, 0, 128), (255, 127, 127)),
        ("RGBA", (255, 0, 0, 255), (255, 0, 0)),
        ("LA", (0, 0), (255, 255, 255)),
        ("LA", (0, 128), (127, 127, 127)),
        ("L", 77, (77, 77, 77)),
        ("1", 0, (0, 0, 0)),
        ("1", 255, (255, 255, 255)),
        ("CMYK", (0, 255, 255, 0), (255, 0, 0)),
        ("HSV", (0, 255, 255), (255, 0, 0)),
        ("I;16", 65535, (255, 255, 255)),
        ("I;16", 257 * 100, (100, 100, 100)),
        ("I;16", 255, (1, 1, 1)),
        ("I;16B", 257 * 100, (100, 100, 100)),
        ("I", 257 * 100, (100, 100, 100)),
        ("I", 100, (100, 100, 100)),
        ("F", 0.5, (128, 128, 128)),
        ("F", 1.0, (255, 255, 255)),
    ],
)
def test_every_kind_of_pixel_becomes_rgb_on_white(mode: str, pixel: Any, expected: Any) -> None:
    assert colour(image_part(Image.new(mode, (3, 2), pixel)), 1, 1) == expected


def test_a_transparent_palette_colour_is_white() -> None:
    image = Image.new("P", (4, 4), 1)
    image.putpalette([0, 0, 0, 255, 0, 0])
    assert colour(image_part(saved(image, transparency=1))) == (255, 255, 255)
    assert colour(image_part(saved(image))) == (255, 0, 0)


@pytest.mark.parametrize(
    ("mode", "pixel"), [("F", 255.0), ("F", -0.5), ("F", float("inf")), ("I", -1)]
)
def test_a_deep_pil_image_out_of_range_is_refused(mode: str, pixel: Any) -> None:
    assert "values from" in refused(Image.new(mode, (2, 2), pixel))


def test_a_persons_own_image_is_not_changed() -> None:
    with Image.open(io.BytesIO(malformed.valid()["animated.gif"])) as image:
        image.seek(1)
        before = image.copy()
        part = image_part(image, limits=SMALL)
        assert image.tell() == 1 and difference(image, before) == 0
        assert part.note == "resized from 60×40"


# --- how large they may be ---


@pytest.mark.parametrize(
    ("size", "new"),
    [
        ((50, 50), (50, 50)),
        ((51, 10), (50, 10)),
        ((100, 50), (50, 25)),
        ((50, 100), (25, 50)),
        ((9999, 1), (50, 1)),
        ((1, 9999), (1, 50)),
    ],
)
def test_a_long_side_is_resized_down_and_never_up(size: Any, new: Any) -> None:
    part = image_part(Image.new("RGB", size, "red"), limits=SMALL)
    assert (part.width, part.height) == new and colour(part) == (255, 0, 0)
    assert part.note == ("" if size == new else f"resized from {size[0]}×{size[1]}")


@pytest.mark.parametrize("size", [(700, 500), (333, 777), (2000, 90), (90, 2000), (3000, 2000)])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_resizing_in_bands_equals_resizing_at_once(
    size: Any, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlx_magic.images import pixels

    monkeypatch.setattr(pixels, "BAND_BYTES", 200_000)
    image = photo("RGB", *size).quantize() if mode == "P" else photo(mode, *size)
    part = image_part(image, limits=ImageLimits(max_side=256))
    at_once = image.convert("RGB").resize((part.width, part.height), Image.Resampling.LANCZOS)
    assert max(part.width, part.height) == 256
    assert difference(shown(part), at_once) <= 1


def test_a_large_jpeg_is_decoded_smaller() -> None:
    part = image_part(
        saved(photo(width=4096, height=1024), "JPEG"), limits=ImageLimits(max_side=512)
    )
    assert (part.width, part.height, part.note) == (512, 128, "resized from 4096×1024")
    assert difference(shown(part), photo(width=4096, height=1024).resize((512, 128))) < 12


@pytest.mark.parametrize(
    "source",
    [
        png(200, 200, 0, 1),
        Image.new("L", (200, 200)),
        np.zeros((200, 200), np.uint8),
        Figure(figsize=(2, 2), dpi=100),
    ],
)
def test_too_many_pixels_are_refused(source: object) -> None:
    line = refused(source, SMALL)
    assert "200x200 pixels" in line and "save it smaller" in line


@pytest.mark.parametrize("form", [bytes, "path", "base64", "data"])
def test_too_many_bytes_are_refused(form: Any, tmp_path: Path) -> None:
    data = PNG + bytes(200_000)
    (tmp_path / "cat.png").write_bytes(data)
    encoded = base64.b64encode(data).decode()
    forms = {"path": tmp_path / "cat.png", "base64": encoded, "data": "data:;base64," + encoded}
    line = refused(forms.get(form, data), SMALL)
    assert "100,000 (97.7 KiB) are the most" in line


def test_a_sparse_file_of_a_terabyte_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "cat.png"
    with path.open("wb") as file:
        file.write(PNG)
        file.truncate(2**36)
    assert f"cat.png has {2**36:,} bytes" in refused(path)


def test_more_memory_than_allowed_is_refused_before_decoding() -> None:
    line = refused(png(7000, 7000, 6, 8))
    assert "(PNG, 7000x7000 pixels, RGBA) would take 2" in line and "or as JPEG" in line
    grey = image_part(png(7000, 7000, 0, 1), limits=ImageLimits(max_side=64))
    assert grey.note == "resized from 7000×7000"


def test_a_limit_may_be_raised() -> None:
    assert refused(png(300, 300, 0, 1), SMALL)
    raised = ImageLimits(max_pixels=90_000, max_side=300)
    assert image_part(png(300, 300, 0, 1), limits=raised).width == 300


def test_pillows_own_limit_stays_as_the_person_set_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    assert image_part(png(40, 40, 0, 8)).width == 40  # only a warning of Pillow's, unheard
    assert "exceeds limit of 2000 pixels" in refused(png(90, 90, 0, 8))
    assert Image.MAX_IMAGE_PIXELS == 1000


def test_pictures_may_be_taken_in_several_threads_at_once() -> None:
    import warnings

    filters = list(warnings.filters)
    parts: list[ImagePart] = []
    sources = list(malformed.valid().values()) * 2

    def take() -> None:
        while sources:
            parts.append(image_part(sources.pop()))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(parts) == 2 * len(malformed.valid())
    assert warnings.filters == filters


# --- arrays ---


GREY = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20
RGB = np.stack([GREY, GREY + 5, GREY[::-1]], axis=-1)
RGBA = np.dstack([RGB, np.full((3, 4), 255, np.uint8)])


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (GREY, GREY),
        (GREY[:, :, None], GREY),
        (RGB, RGB),
        (RGB[:, ::-1][:, ::-1], RGB),
        (np.asfortranarray(RGB), RGB),
        (RGBA, RGB),
        (RGB / 255, RGB),
        ((RGB / 255).astype(np.float32), RGB),
        ((GREY / 255).astype(np.float16), GREY),
        (RGB.astype(np.int64), RGB),
        (GREY > 100, (GREY > 100) * np.uint8(255)),
        (RGB[..., :1], RGB[..., 0]),
        (RGB.view(np.recarray), RGB),
    ],
)
def test_an_array_shows_its_values(array: Any, expected: Any) -> None:
    part = image_part(array)
    assert part.source == "array"
    want = expected if expected.ndim == 3 else np.dstack([expected] * 3)
    assert (np.asarray(shown(part)) == want).all()


def test_a_transparent_array_is_laid_on_white() -> None:
    clear = RGBA.copy()
    clear[..., 3] = 0
    assert colour(image_part(clear)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((2, 8, 8, 3)), "images[0]"),
        (np.zeros((5, 8, 8)), "images[0]"),
        (np.zeros((3, 8, 8)), "np.moveaxis(image, 0, -1)"),
        (np.zeros((1, 8, 8)), "np.moveaxis(image, 0, -1)"),
        (np.zeros((4, 8, 8)), "np.moveaxis(image, 0, -1)"),
        (np.zeros((8, 8, 2)), "(8, 8, 2)"),
        (np.zeros((0, 8, 3)), "is empty"),
        (np.zeros((8, 0)), "is empty"),
        (np.zeros((8,)), ".tobytes()"),
        (np.float32(0.5), "(height, width, 3)"),
        (np.zeros((8, 8)) + 255.0, "divide by 255"),
        (np.zeros((8, 8)) - 1, "scale it"),
        (np.full((8, 8), 1e9), "scale it"),
        (np.full((8, 8), np.nan), "np.nan_to_num"),
        (np.array([[0.0, np.nan]]), "np.nan_to_num"),
        (np.array([[0.0, np.inf]]), "from 0 to inf"),
        (np.full((8, 8), 256), "from 256 to 256"),
        (np.array([[-(2**63), 2**63 - 1]]), "scale it"),
        (np.full((8, 8), -1, np.int8), "from -1 to -1"),
        (np.zeros((8, 8), complex), "complex128"),
        (np.full((8, 8), "a"), "<U1"),
        (np.full((8, 8), None), "object"),
        (np.zeros((8, 8), "M8[s]"), "datetime64"),
        (np.ndarray, "is not one picture"),
    ],
)
def test_an_array_that_is_no_picture_is_one_line_with_a_hint(array: Any, words: str) -> None:
    assert words in refused(array)


def test_a_huge_array_is_refused_before_it_is_read() -> None:
    assert "million are the most" in refused(np.broadcast_to(np.float64(0.5), (10**5, 10**5)))


def test_an_array_of_another_library_is_taken_or_refused_in_one_line() -> None:
    class Tensor:
        def __init__(self, on_gpu: bool) -> None:
            self.on_gpu = on_gpu

        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            if self.on_gpu:
                raise TypeError("can't convert a cuda tensor to numpy\nuse .cpu() first")
            return RGB

    assert colour(image_part(Tensor(on_gpu=False))) == tuple(RGB[0, 0])
    assert "use .cpu() first" in refused(Tensor(on_gpu=True))


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float16", "bfloat16", "int32", "bool_"])
def test_an_mlx_array_is_taken(dtype: str) -> None:
    mx = pytest.importorskip("mlx.core")
    value = 1 if dtype == "bool_" else 128 if "int" in dtype else 0.5
    part = image_part(mx.full((3, 4, 3), value).astype(getattr(mx, dtype)))
    assert colour(part) == ((255,) * 3 if dtype == "bool_" else (128,) * 3)
    assert "images[0]" in refused(mx.zeros((2, 3, 4, 3)))


# --- figures ---


@pytest.fixture
def figure() -> Iterator[Figure]:
    matplotlib.use("agg")
    made, axes = plt.subplots(figsize=(2, 1), dpi=100)
    axes.plot([1, 2, 3])
    yield made
    plt.close("all")


def test_a_figure_is_taken_as_it_stands(figure: Figure) -> None:
    part = image_part(figure)
    assert (part.width, part.height, part.source) == (200, 100, "figure")
    assert colour(part) == (255, 255, 255)
    assert plt.get_fignums() == [figure.number] and figure.dpi == 100
    assert image_part(figure).png == part.png


def test_axes_stand_for_their_figure(figure: Figure) -> None:
    assert image_part(figure.axes[0]).png == image_part(figure).png
    left, _ = plt.figure(figsize=(2, 1), dpi=100).subfigures(1, 2)
    assert image_part(left.subplots()).width == 200
    assert image_part(left).width == 200


def test_a_dark_figure_stays_dark_and_a_clear_one_is_laid_on_white() -> None:
    assert colour(image_part(Figure(facecolor="black"))) == (0, 0, 0)
    assert colour(image_part(Figure(facecolor="none"))) == (255, 255, 255)


def test_an_array_of_axes_is_refused_with_a_hint() -> None:
    _, axes = plt.subplots(2, 2)
    assert "an array of 4 axes" in refused(axes)
    plt.close("all")


def test_a_figure_that_can_t_be_drawn_is_one_line(figure: Figure) -> None:
    figure.axes[0].set_title("$\\nonsense{$")
    assert "the figure can't be drawn" in refused(figure)


def test_a_figures_warnings_stay_quiet(figure: Figure) -> None:
    figure.axes[0].set_title("\U0001f431 猫")  # no such glyph in the font
    assert image_part(figure).width == 200


# --- damage ---


def run(files: malformed.Files, folder: Path) -> dict[str, Any]:
    """Hand the files to `image_part` in a process of its own; its report."""
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    program = [sys.executable, "-W", "error", malformed.__file__, str(folder)]
    done = subprocess.run(program, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def test_every_damaged_file_is_a_picture_or_one_line_in_5_s_and_200_mib(tmp_path: Path) -> None:
    files = malformed.mutations()
    report = run(files, tmp_path / "corpus")
    outcomes: dict[str, str] = report["outcomes"]
    assert len(outcomes) == len(files) >= 200
    assert {name: said for name, said in outcomes.items() if said not in ("picture", "line")} == {}
    assert {outcomes[name] for name in malformed.valid()} == {"picture"}
    assert {outcomes[name] for name in malformed.other_things()} == {"line"}
    assert report["slowest"][0] < 5
    assert 10 * MIB < report["extra_bytes"] < 200 * MIB


@pytest.mark.parametrize("name", sorted(malformed.HEAVY))
def test_good_files_at_the_limits_stay_in_5_s_and_200_mib(name: str, tmp_path: Path) -> None:
    report = run({name: malformed.HEAVY[name]()}, tmp_path / "one")
    assert report["outcomes"] == {name: "picture"}
    assert report["slowest"][0] < 5
    assert 10 * MIB < report["extra_bytes"] < 200 * MIB


def test_importing_it_imports_nothing_heavy() -> None:
    program = (
        "import sys, mlx_magic.images\n"
        "print({'PIL', 'httpx', 'numpy', 'matplotlib', 'mlx', 'IPython'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stderr


def test_an_open_file_and_ipythons_image_are_taken(tmp_path: Path) -> None:
    from IPython.display import Image as Shown

    file = tmp_path / "a.png"
    photo().save(file)
    with file.open("rb") as opened:
        assert image_part(opened).width == image_part(Shown(str(file))).width == 60
    with pytest.raises(ImageProblem, match="of type Image is no picture"):
        image_part(Shown(url="https://example.org/a.png"))
    with pytest.raises(ImageProblem, match="open the file with 'rb'"):
        image_part(io.StringIO("no"))


@pytest.mark.parametrize("package, hint", [("pandas", "plot it"), ("polars", "plot it")])
def test_a_table_is_no_picture(package: str, hint: str) -> None:
    table = type("DataFrame", (), {"__module__": f"{package}.core", "__array__": None})()
    with pytest.raises(ImageProblem, match=f"of type DataFrame is no picture; {hint}"):
        image_part(table)
