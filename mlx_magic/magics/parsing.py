"""Magic lines: split them as a shell does, parse them, and say what is wrong in one line."""

import argparse
import json
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from IPython.core.error import UsageError
from IPython.core.magic_arguments import argument

from ..errors import UsageProblem, did_you_mean
from ..options import GenerationOptions
from ..plain import one_line
from .interpolate import follow_name

# `--image {{ path }}` and `--image d['key']` are one word, whatever blanks and quotes are in it.
_PICTURE_FIELD = re.compile(
    r"(--image(?:=|\s+))(\{\{.*?\}\}|[A-Za-z_]\w*(?:\.\w+|\[[^\]]*\])+)(?!\S)"
)

F = TypeVar("F", bound=Callable[..., Any])


def parse(magic: Any, line: str) -> argparse.Namespace | None:
    """The arguments of a magic line; None after `--help`, which prints the help.

    Raises `UsageError`, which IPython shows as one line.
    """
    name = magic.parser.prog.lstrip("%")
    try:
        argv = shlex.split(_PICTURE_FIELD.sub(lambda m: m[1] + shlex.quote(m[2]), line))
    except ValueError as error:  # an unclosed quote
        raise UsageError(f"{name}: {error} in {line.strip()!r}; close the quote") from None
    if "--help" in argv or "-h" in argv:
        print(magic.parser.format_help().removeprefix("::\n\n"))  # noqa: T201 - the answer
        return None
    arguments, unknown = magic.parser.parse_known_args(argv)
    if unknown:
        flags = [flag for action in magic.parser._actions for flag in action.option_strings]
        hint = did_you_mean(unknown[0], flags) if unknown[0].startswith("-") else ""
        below = ", and the prompt goes in the lines below" if name == "chat" else ""
        if "--image" in argv:
            below = ", and --image stands once for each picture"
        hint = hint or f"quote what has spaces in it{below}"
        raise UsageError(f"{name}: unknown argument {unknown[0]!r}; {hint}")
    result: argparse.Namespace = arguments
    return result


def option_flags(magic: F) -> F:
    """Add a flag for each field of `GenerationOptions` to a magic (below `magic_arguments`)."""
    for option in reversed(fields(GenerationOptions)):
        flag, help_ = "--" + option.name.replace("_", "-"), option.metadata["help"]
        takes = option.metadata["takes"]
        if takes is dict:
            magic = argument("--json", dest=option.name, metavar="SCHEMA", help=help_)(magic)
        elif takes is bool:
            magic = argument(flag, action=argparse.BooleanOptionalAction, help=help_)(magic)
        else:
            number = int if "int" in str(option.type) else float
            metavar = "N" if number is int else "X"
            magic = argument(flag, type=number, metavar=metavar, help=help_)(magic)
    return magic


def options_of(arguments: argparse.Namespace, variables: Mapping[str, Any]) -> GenerationOptions:
    """The generation options among a magic's arguments. Raises `UsageProblem` out of range."""
    values = {option.name: getattr(arguments, option.name) for option in fields(GenerationOptions)}
    if values["json_schema"] is not None:
        values["json_schema"] = json_schema(values["json_schema"], variables)
    return GenerationOptions(**values)


def picture_named(text: str, variables: Mapping[str, Any]) -> Any:
    """What `--image` names: a variable's value (`fig`, `pictures[0]`, `{{path}}`), or the text.

    Raises `UsageProblem` for a name that is neither a variable nor a file.
    """
    inside = re.fullmatch(r"\{\{(.*)\}\}", text)
    found = follow_name(inside[1].strip() if inside else text, variables)
    if found is not None:
        return found
    first = re.match(r"[A-Za-z_]\w*(?=[\[.(])", text)
    if first and first[0] in variables and not _is_there(text):
        raise UsageProblem(
            f"--image: {one_line(text, 60)!r} leads nowhere; a variable's .attribute and [index] "
            "are followed, anything else goes into a variable first"
        )
    if inside or (text.isidentifier() and not _is_there(text)):
        images = [name for name, value in variables.items() if _is_picture(name, value)]
        hint = did_you_mean(text, images) or "give a path, a URL or a variable"
        raise UsageProblem(f"--image: there is no variable {text!r}, nor such a file; {hint}")
    return text


def pictures_at_hand() -> list[str]:
    """What `--image` may well name: variables that hold a picture, then files of this folder."""
    from IPython.core.getipython import get_ipython

    from ..images import SUFFIXES

    shell = get_ipython()
    variables = shell.user_ns if shell is not None else {}
    names = [name for name, value in variables.items() if _is_picture(name, value)]
    files = sorted(p.name for p in Path().iterdir() if p.suffix.lower() in SUFFIXES)
    return names + [shlex.quote(name) for name in files]


def _is_there(text: str) -> bool:
    try:
        return Path(text).exists()
    except (OSError, ValueError):
        return False


def _is_picture(name: str, value: Any) -> bool:
    """Whether a variable may well hold a picture: what is suggested for a mistyped name."""
    kind = type(value)
    known = ("PIL", "numpy", "matplotlib", "mlx", "pathlib")
    return not name.startswith("_") and kind.__module__.partition(".")[0] in known


def json_schema(text: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    """The schema that `--json` names: a variable (a dict or a pydantic model), JSON, or a file.

    Raises `UsageProblem` for anything else.
    """
    found: Any = variables.get(text, text)
    if hasattr(found, "model_json_schema"):
        try:
            found = found.model_json_schema()
        except Exception as error:  # pydantic's own, of a version that is not ours to choose
            raise UsageProblem(f"--json: {text} has no JSON schema: {error}") from error
    elif isinstance(found, str):
        try:
            inline = found.lstrip().startswith(("{", "["))
            found = json.loads(found if inline else Path(found).read_text())
        except (ValueError, RecursionError) as error:
            raise UsageProblem(f"--json {one_line(text, 60)!r} is no JSON: {error}") from error
        except OSError:
            raise UsageProblem(
                "--json takes a variable, JSON text or a file, and "
                f"{one_line(text, 60)!r} is none of them"
            ) from None
    if not isinstance(found, dict):
        kind = type(found).__name__
        raise UsageProblem(f"--json takes a JSON object, and {one_line(text, 60)!r} is a {kind}")
    return found
