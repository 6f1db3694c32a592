"""Messages of a conversation: pure values, and the dictionaries that chat templates take."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Role = Literal["system", "user", "assistant", "tool"]


@dataclass(frozen=True)
class TextPart:
    """A piece of text in a message."""

    text: str


@dataclass(frozen=True)
class ImagePart:
    """A picture in a message: PNG bytes, its size in pixels, and where it came from.

    `note` says what was done to it on the way: "resized from 4000x3000", "first of 12 frames".
    """

    png: bytes = field(repr=False)
    width: int
    height: int
    source: str
    note: str = ""

    def _repr_png_(self) -> bytes:
        return self.png  # a notebook shows the picture


Part = TextPart | ImagePart


@dataclass(frozen=True)
class Message:
    """One message: who speaks, and what is said and shown, in order.

    `reasoning` is what a thinking model wrote before its answer; it is never sent back.

    >>> Message.of("user", "Hello").text
    'Hello'
    """

    role: Role
    parts: tuple[Part, ...]
    reasoning: str = ""

    @classmethod
    def of(
        cls, role: Role, text: str, *, images: Sequence[ImagePart] = (), reasoning: str = ""
    ) -> "Message":
        """A message of plain text, below its pictures."""
        return cls(role, (*images, TextPart(text)), reasoning)

    @property
    def text(self) -> str:
        """The text parts, joined."""
        return "".join(part.text for part in self.parts if isinstance(part, TextPart))

    @property
    def images(self) -> tuple[ImagePart, ...]:
        """The pictures, in order."""
        return tuple(part for part in self.parts if isinstance(part, ImagePart))

    def to_template(self) -> dict[str, Any]:
        """The message as chat templates take it: with places for the pictures, not their data."""
        if not self.images:
            return {"role": self.role, "content": self.text}
        return {"role": self.role, "content": [_part_to_template(part) for part in self.parts]}

    def to_openai(self) -> dict[str, Any]:
        """The message as an OpenAI chat dictionary; pictures become data URIs."""
        if not self.images:
            return {"role": self.role, "content": self.text}
        return {"role": self.role, "content": [_part_to_openai(part) for part in self.parts]}


def _part_to_template(part: Part) -> dict[str, str]:
    return {"type": "text", "text": part.text} if isinstance(part, TextPart) else {"type": "image"}


def _part_to_openai(part: Part) -> dict[str, Any]:
    if isinstance(part, TextPart):
        return {"type": "text", "text": part.text}
    import base64

    data = base64.b64encode(part.png).decode("ascii")
    return {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}
