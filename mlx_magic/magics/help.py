"""What Shift-Tab, `%%chat?` and `%%chat --help` show: one page, a line for each flag."""

import argparse
from typing import Any, TypeVar

Group = TypeVar("Group", bound=type)


def with_help(group: Group) -> Group:
    """Give each magic of a class a docstring of one page (above `magics_class`)."""
    for names in group.magics.values():  # type: ignore[attr-defined]  # IPython sets it
        for method in names.values():
            magic = getattr(group, method)
            magic.__doc__ = help_text(magic)
    return group


def help_text(magic: Any) -> str:
    """How to type a magic, what it does with an example, and what each of its words means."""
    parser: argparse.ArgumentParser = magic.parser
    taking = [action for action in parser._actions if not action.option_strings]
    flags = [action for action in parser._actions if action.option_strings]
    usage = " ".join(["%" + parser.prog, *map(_place, taking), "[flags]" if flags else ""]).strip()
    rows = [(_name(action), action.help or "") for action in taking + flags]
    rows.append(("--help", "show this"))
    width = max(len(name) for name, _ in rows)
    lines = [f"  {name:<{width}}  {meaning}" for name, meaning in rows]
    about = "\n".join(line.strip() for line in (parser.description or "").strip().splitlines())
    return "\n".join([usage, "", about, "", *lines])


def _place(action: argparse.Action) -> str:
    name = _name(action)
    return {"?": f"[{name}]", "*": f"[{name} …]", "+": f"{name} …"}.get(str(action.nargs), name)


def _name(action: argparse.Action) -> str:
    """`MODEL`, `--image X` or `-o, --output VAR`."""
    takes = str(action.metavar or action.dest.upper()) if action.nargs != 0 else ""
    return f"{', '.join(action.option_strings)} {takes}".strip()
