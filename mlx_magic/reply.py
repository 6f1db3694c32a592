"""A reply: the finished (or interrupted) answer of one model to one turn."""

from dataclasses import dataclass

from .events import GenerationStats
from .messages import ImagePart, Message


@dataclass(frozen=True)
class Reply:
    """What a model answered. `str(reply)` is its text; in a notebook cell it draws itself.

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
