"""What is held out from training: a hash of a name decides, the same on every machine."""

from hashlib import blake2b


def fraction(name: str) -> float:
    """A number from 0 to 1 that depends on the name alone."""
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big") / 2**64


def is_held_out(name: str, share: float) -> bool:
    """Whether a name is among the share that no training picture shows."""
    return fraction(name) < share


def one_of(name: str, choices: list[str]) -> str:
    """The choice that is held out together with `name`: always exactly one."""
    return min(choices, key=lambda choice: fraction(f"{name} {choice}"))
