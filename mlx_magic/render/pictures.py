"""Pictures side by side, as thumbnails that open to their full size; in plain text, a line each."""

import base64
import io
from collections.abc import Sequence

from ..messages import ImagePart
from ..plain import plain_text
from .markdown import QUIET, escape

MAX_HEIGHT = 320  # pixels, of a thumbnail

# The front end's own borders, so that a white chart has an edge on white and on black.
_BORDER = "border: 1px solid var(--jp-border-color2, #c0c4c8); border-radius: 3px"
_ROW = "display: flex; flex-wrap: wrap; gap: 12px; align-items: flex-start; padding: 4px 8px"
# Where styles are kept: an opened picture takes its thumbnail's place. Elsewhere it stands below.
_STYLE = (
    "<style>.mlx-magic-pictures details[open]>summary>img{display:none!important}"
    ".mlx-magic-pictures details[open]>summary::after{content:'show it small';cursor:zoom-out;"
    "font-size:0.86em;color:var(--jp-ui-font-color2,#5f6368)}"
    "</style>"
)
_IMAGE = f"display: block; max-width: 100%; height: auto; {_BORDER}"


def pictures_bundle(pictures: Sequence[ImagePart]) -> dict[str, str]:
    """The pictures as a MIME bundle."""
    return {"text/html": pictures_html(pictures), "text/plain": pictures_text(pictures)}


def pictures_html(pictures: Sequence[ImagePart]) -> str:
    """A row of thumbnails with their captions. No script: a click opens what `<details>` folds."""
    figures = "".join(map(_figure, pictures))
    row = f'<div class="mlx-magic-pictures mathjax_ignore" style="{_ROW}">{figures}</div>'
    return (_STYLE if "<details>" in row else "") + row


def pictures_text(pictures: Sequence[ImagePart]) -> str:
    """One line for each: `[image: chart.png 640x480]`."""
    return "\n".join(
        plain_text(f"[image: {picture.source} {picture.width}x{picture.height}]")
        for picture in pictures
    )


def _figure(picture: ImagePart) -> str:
    facts = [picture.source, f"{picture.width}×{picture.height}", picture.note]
    caption = escape(" · ".join(filter(None, facts)))
    png, width = _thumbnail(picture)
    shown = _image(png, picture.source, width)
    if width < picture.width:
        whole = _image(picture.png, picture.source, picture.width)
        summary = 'style="list-style: none; cursor: zoom-in" title="show it in full size"'
        shown = f"<details><summary {summary}>{shown}</summary>{whole}</details>"
    return (
        f'<figure style="margin: 0; max-width: 100%">{shown}'
        f'<figcaption style="{QUIET} overflow-wrap: anywhere">{caption}</figcaption></figure>'
    )


def _thumbnail(picture: ImagePart) -> tuple[bytes, int]:
    """The picture as PNG in at most the height of a thumbnail, and its width in pixels."""
    if picture.height <= MAX_HEIGHT:
        return picture.png, picture.width
    from PIL import Image

    width = max(1, round(picture.width * MAX_HEIGHT / picture.height))
    with Image.open(io.BytesIO(picture.png), formats=["PNG"]) as image:
        small = image.convert("RGB").resize((width, MAX_HEIGHT), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, "PNG")
    return buffer.getvalue(), width


def _image(png: bytes, name: str, width: int) -> str:
    data = base64.b64encode(png).decode("ascii")
    return (
        f'<img src="data:image/png;base64,{data}" alt="{escape(name)}" width="{width}" '
        f'style="{_IMAGE}">'
    )
