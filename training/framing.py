"""A conversation as the pieces of text that the chat template would write, each with its role.

Pieces may be turned to tokens one by one: no token spans two of them. A test holds the joined
pieces equal to the template's own rendering.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from training.recipes import ChatFormat


class Piece(NamedTuple):
    """A text and what it is: bos, system, frame, user, answer or answer_end.

    Where the template puts the system text inside a person's turn, both are one "system" piece.
    """

    text: str
    role: str


def pieces(
    chat_format: ChatFormat, system: str | None, turns: Sequence[tuple[str, str]]
) -> list[Piece]:
    """The pieces of a system text or none and of turns `(user, answer)`, in order.

    >>> from training.recipes import RECIPES
    >>> "".join(text for text, _ in pieces(RECIPES["mistral"].chat_format, None, [("Hi", "Ho")]))
    '<s>[INST] Hi[/INST] Ho</s>'
    """
    made = [Piece(chat_format.bos, "bos")]
    own = chat_format.system_place == "own"
    if system and own:
        start, end = chat_format.system
        text = _kept(chat_format, "system", system)
        made += [Piece(start, "system"), Piece(text, "system"), Piece(end, "system")]
    merged_at = {"own": None, "first user": 0, "last user": len(turns) - 1}
    host = merged_at[chat_format.system_place] if system else None
    for index, (user, answer) in enumerate(turns):
        made += _turn(chat_format, system if index == host else None, user, answer)
    return [piece for piece in made if piece.text]


def _turn(chat_format: ChatFormat, system: str | None, user: str, answer: str) -> list[Piece]:
    start, end = chat_format.user
    asked = _kept(chat_format, "user", user)
    if system:
        asked = _kept(chat_format, "system", system) + chat_format.system_join + asked
    return [
        Piece(start, "frame"),
        Piece(chat_format.lead + asked, "system" if system else "user"),
        Piece(end, "frame"),
        Piece(chat_format.answer_start, "frame"),
        Piece(chat_format.lead + _kept(chat_format, "answer", answer), "answer"),
        Piece(chat_format.answer_end, "answer_end"),
        Piece(chat_format.between, "frame"),
    ]


def _kept(chat_format: ChatFormat, role: str, text: str) -> str:
    """A text as the template lets it through."""
    return text.strip() if role in chat_format.trims else text
