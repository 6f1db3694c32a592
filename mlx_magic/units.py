"""Numbers as a person reads and writes them."""

import re


def format_bytes(count: int) -> str:
    """Bytes in binary units with three figures: 2.93 MiB, 17.4 GiB."""
    size, unit = float(count), "B"
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if size < 1000 or unit == "TiB":
            break
        size /= 1024
    if unit == "B":
        return f"{count} B"
    digits = 2 if size < 10 else 1 if size < 100 else 0
    return f"{size:.{digits}f} {unit}"


def typed_bytes(count: int) -> str:
    """The least size with one decimal, as a person would type it, that is enough: 3.4MiB."""
    for unit, size in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if count >= size:
            return f"{-(-count * 10 // size) / 10:g}{unit}"
    return str(count)


_UNITS = {"": 1, "b": 1} | {
    f"{letter}{i}b": base**power
    for power, letter in enumerate("kmgt", 1)
    for i, base in (("i", 1024), ("", 1000))
}
_SPANS = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}


def parse_bytes(text: str) -> int:
    """The bytes that a person writes: 24GiB, 1.5 GB, 512 MiB, 4096.

    Raises `ValueError` for anything else.
    """
    return round(_measured(text, _UNITS, "a size such as 24GiB or 512MiB"))


def parse_seconds(text: str) -> float:
    """The span of time that a person writes: 30m, 2h, 90s, 90.

    Raises `ValueError` for anything else.
    """
    return _measured(text, _SPANS, "a time such as 30m, 2h or 90s")


def _measured(text: str, units: dict[str, int], wanted: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", text.strip().lower())
    if found is None or found[2] not in units:
        raise ValueError(f"{text!r} is not {wanted}")
    return float(found[1]) * units[found[2]]


def format_seconds(seconds: float) -> str:
    """A span of time: 31 ms, 4.2 s, 42 s, 3 min 05 s, 2 h 10 min."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    if seconds < 3600:
        return f"{int(seconds) // 60} min {int(seconds) % 60:02d} s"
    return f"{int(seconds) // 3600} h {int(seconds) % 3600 // 60:02d} min"


def count(number: int, noun: str) -> str:
    """A number with its noun: 1 token, 2 tokens."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
