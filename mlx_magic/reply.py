"""A reply: the finished (or interrupted) answer of one model to one turn."""

import importlib
from dataclasses import dataclass

from .events import GenerationStats
from .messages import ImagePart, Message


@dataclass(frozen=True, repr=False)
class Reply:
    """What a model answered. `str(reply)` is its text; in a notebook cell it draws itself.

    `images` are the pictures of its own turn; earlier ones are in `messages`.

    `messages` is the conversation that was sent with the answer appended; `stats` is None only
    when an interrupt came before the engine could say anything.
    """

    text: str
    model: str
    messages: tuple[Message, ...]
    reasoning: str = ""
    images: tuple[ImagePart, ...] = ()
    stats: GenerationStats | None = None
    tokens: tuple[int, ...] = ()
    interrupted: bool = False

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Reply({self.text!r}, {self.model!r})"  # as one of many, in a list say

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        # By name: the views stand on this floor, and are needed by nothing else here.
        views = importlib.import_module("mlx_magic.render.reply")
        bundle: dict[str, str] = views.reply_bundle(self)
        return bundle
