"""How carefully a person types: capitals, question marks, `please`, a greeting in front."""

from __future__ import annotations

import random
from dataclasses import dataclass

from training.world.remarks import CARRIERS
from training.world.text import words


@dataclass(frozen=True)
class Style:
    """The typing habits of one person, fixed for a conversation."""

    case: str = "as is"  # or "lower", "upper"
    ends: str = "full"  # or "bare": no closing mark
    carrier_share: float = 0.0

    def typed(self, text: str) -> str:
        """A name or a noun as this person types it."""
        return {"lower": text.lower(), "upper": text.upper()}.get(self.case, text)


def sample_style(rng: random.Random) -> Style:
    """A person: most write whole sentences, many do not."""
    case = rng.choices(("as is", "lower", "upper"), (61, 33, 6))[0]
    bare = rng.random() < (0.5 if case == "lower" else 0.15)
    return Style(case, "bare" if bare else "full", rng.choice((0.0, 0.0, 0.1, 0.25)))


def roughen(rng: random.Random, style: Style, text: str, held_out: bool = False) -> str:
    """The text as this person would type it.

    >>> roughen(random.Random(0), Style("lower", "bare"), "What is 1 + 1?")
    'what is 1 + 1'
    """
    if rng.random() < style.carrier_share:
        carrier = CARRIERS.pick(rng, held_out)
        text = carrier.format(q=_lower_first(text), Q=text)
    if rng.random() < 0.05:
        text = _with_please(rng, text)
    if rng.random() < 0.12:
        text = text.replace("'", "" if rng.random() < 0.7 else "’")
    if not text.rstrip("?.!"):
        return text
    drop = 0.9 if style.ends == "bare" else 0.08
    if rng.random() < drop:
        text = text.rstrip("?.!")
    elif rng.random() < 0.03:
        text = text.rstrip("?.!") + rng.choice(("??", "!", " ?", "?!", ".", "..", "?"))
    if rng.random() < 0.02:
        text += " "
    return style.typed(text)


def _lower_first(text: str) -> str:
    """`What is` becomes `what is`; names, `I` and single letters stay."""
    first = text.split(" ", 1)[0]
    keeps = not first.isalpha() or first == "I" or not first[1:].islower() or first not in _OPENERS
    return text if keeps else text[0].lower() + text[1:]


def _with_please(rng: random.Random, text: str) -> str:
    if rng.random() < 0.5:
        return f"Please {_lower_first(text)}"
    body, mark = text.rstrip("?.!"), text[len(text.rstrip("?.!")) :]
    return f"{body}{rng.choice((', please', ' please'))}{mark}"


_OPENERS = frozenset(
    words(
        "What Which Who How Where When Why Tell Name Do Does Can Could Give Add Subtract "
        "Calculate Compute Take Solve Count Capital Number Write Make Let Show Remind Sum Is "
        "Are Say Repeat Work Please Remember Invent Define Explain Multiply Divide Spell List "
        "And Find Get Look Would May Maybe Help Try Guess Just Now Mention State Quick Start "
        "Think Go From The There We With You If Given Choose Here It Pick Put Use Set Imagine "
        "In On At Share Create Compose Read Come Next Check Answer Keep Note Store Save Learn "
        "Memorise Hold Never Has Have About Of Total Describe Mind My First After"
    )
)
