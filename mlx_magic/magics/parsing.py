"""Magic lines: split them as a shell does, parse them, and say what is wrong in one line."""

import argparse
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from IPython.core.error import UsageError
from IPython.core.magic_arguments import argument

from ..errors import UsageProblem, close_matches, did_you_mean
from ..options import GenerationOptions
from ..plain import one_line
from .help import help_text
from .interpolate import follow_name
from .variables import names_picture, pictures, schemas
from .words import place, split

F = TypeVar("F", bound=Callable[..., Any])


def parse(magic: Any, line: str) -> argparse.Namespace | None:
    """The arguments of a magic line; None after `--help`, which prints the help.

    Raises `UsageError`, which IPython shows as one line.
    """
    name = magic.parser.prog.lstrip("%")
    try:
        argv = split(line)
    except ValueError as error:  # an unclosed quote
        raise UsageError(f"{name}: {error} in {line.strip()!r}; close the quote") from None
    if "--help" in argv or "-h" in argv:
        print(help_text(magic))  # noqa: T201 - the answer
        return None
    _refuse_unknown_flags(name, argv, magic.parser._actions)
    try:
        arguments, unknown = magic.parser.parse_known_args(argv)
    except UsageError as error:
        percent = "%" + magic.parser.prog
        raise UsageError(f"{name}: {error}; {percent} --help shows how") from None
    if unknown:
        below = ", and the prompt goes in the lines below" if name == "chat" else ""
        if "--image" in argv:
            below = ", and --image stands once for each picture"
        raise UsageError(
            f"{name}: unknown argument {unknown[0]!r}; quote what has spaces in it{below}"
        )
    result: argparse.Namespace = arguments
    return result


def _refuse_unknown_flags(name: str, argv: list[str], actions: list[argparse.Action]) -> None:
    """Say so before argparse does, which would first ask for what else is missing."""
    unknown = place(argv, actions).unknown
    if unknown:
        flags = [flag for action in actions for flag in action.option_strings]
        hint = did_you_mean(unknown[0], [*flags, "--help"])
        raise UsageError(f"{name}: there is no flag {unknown[0]!r}; {hint}")


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
    name = inside[1].strip() if inside else text
    found = follow_name(name, variables)
    if found is not None:
        return found
    first = re.match(r"[A-Za-z_]\w*(?=[\[.(])", text)
    if first and first[0] in variables and not names_picture(text) and not _is_there(text):
        raise UsageProblem(
            f"--image: {one_line(text, 60)!r} leads nowhere; a variable's .attribute and [index] "
            "are followed, anything else goes into a variable first"
        )
    unknown = name.partition("[")[0]
    if inside or (unknown.isidentifier() and not _is_there(text)):
        images = {n: v for n, v in variables.items() if not n.startswith("_")}
        hint = did_you_mean(unknown, pictures(images)) or "give a path, a URL or a variable"
        raise UsageProblem(f"--image: there is no variable {name!r}, nor such a file; {hint}")
    return text


def _is_there(text: str) -> bool:
    try:
        return Path(text).exists()
    except (OSError, ValueError):
        return False


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
            close = close_matches(text, schemas(variables))
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise UsageProblem(
                "--json takes a variable, JSON text or a file, and "
                f"{one_line(text, 60)!r} is none of them{hint}"
            ) from None
    if not isinstance(found, dict):
        kind = type(found).__name__
        raise UsageProblem(f"--json takes a JSON object, and {one_line(text, 60)!r} is a {kind}")
    return found
