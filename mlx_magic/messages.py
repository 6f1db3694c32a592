"""Messages of a conversation: pure values, to and from OpenAI-style dictionaries."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .errors import UsageProblem

Role = Literal["system", "user", "assistant", "tool"]
ROLES: tuple[Role, ...] = ("system", "user", "assistant", "tool")


@dataclass(frozen=True)
class TextPart:
    """A piece of text in a message."""

    text: str


@dataclass(frozen=True)
class ImagePart:
    """A picture in a message: PNG bytes, its size in pixels, and where it came from."""

    png: bytes
    width: int
    height: int
    source: str


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
    def of(cls, role: Role, text: str, *, reasoning: str = "") -> "Message":
        """A message of plain text."""
        return cls(role, (TextPart(text),), reasoning)

    @property
    def text(self) -> str:
        """The text parts, joined."""
        return "".join(part.text for part in self.parts if isinstance(part, TextPart))

    @property
    def images(self) -> tuple[ImagePart, ...]:
        """The pictures, in order."""
        return tuple(part for part in self.parts if isinstance(part, ImagePart))

    def to_openai(self) -> dict[str, Any]:
        """The message as an OpenAI chat dictionary; pictures become data URIs."""
        if not self.images:
            return {"role": self.role, "content": self.text}
        return {"role": self.role, "content": [_part_to_openai(part) for part in self.parts]}

    @classmethod
    def from_openai(cls, message: Mapping[str, Any]) -> "Message":
        """Read an OpenAI chat dictionary whose content is text (a string or text parts).

        Raises `UsageProblem` for an unknown role or another kind of content.
        """
        role = message.get("role")
        if role not in ROLES:
            raise UsageProblem(f"a message's role is one of {', '.join(ROLES)}, not {role!r}")
        content = message.get("content") or ""
        if isinstance(content, str):
            return cls.of(role, content)
        return cls(role, tuple(_text_part(part) for part in content))


def _part_to_openai(part: Part) -> dict[str, Any]:
    if isinstance(part, TextPart):
        return {"type": "text", "text": part.text}
    import base64

    data = base64.b64encode(part.png).decode("ascii")
    return {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}


def _text_part(part: Any) -> TextPart:
    if isinstance(part, Mapping) and part.get("type") == "text":
        return TextPart(str(part.get("text", "")))
    kind = part.get("type") if isinstance(part, Mapping) else type(part).__name__
    raise UsageProblem(f"a message part of type {kind!r} can't be read here; use text")
