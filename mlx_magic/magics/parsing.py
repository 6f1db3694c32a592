"""Magic lines: split them as a shell does, parse them, and say what is wrong in one line."""

import argparse
import shlex
from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar

from IPython.core.error import UsageError
from IPython.core.magic_arguments import argument

from ..errors import did_you_mean
from ..options import GenerationOptions

F = TypeVar("F", bound=Callable[..., Any])


def parse(magic: Any, line: str) -> argparse.Namespace | None:
    """The arguments of a magic line; None after `--help`, which prints the help.

    Raises `UsageError`, which IPython shows as one line.
    """
    name = magic.parser.prog.lstrip("%")
    try:
        argv = shlex.split(line)
    except ValueError as error:  # an unclosed quote
        raise UsageError(f"{name}: {error} in {line.strip()!r}; close the quote") from None
    if "--help" in argv or "-h" in argv:
        print(magic.parser.format_help())  # noqa: T201 - the answer to --help
        return None
    arguments, unknown = magic.parser.parse_known_args(argv)
    if unknown:
        flags = [flag for action in magic.parser._actions for flag in action.option_strings]
        hint = did_you_mean(unknown[0], flags) if unknown[0].startswith("-") else ""
        raise UsageError(f"{name}: unknown argument {unknown[0]!r}; {hint or 'see --help'}")
    result: argparse.Namespace = arguments
    return result


def option_flags(magic: F) -> F:
    """Add a flag for each field of `GenerationOptions` to a magic (below `magic_arguments`)."""
    for option in reversed(fields(GenerationOptions)):
        flag, help_ = "--" + option.name.replace("_", "-"), option.metadata["help"]
        if option.metadata["range"] is None:
            magic = argument(flag, action=argparse.BooleanOptionalAction, help=help_)(magic)
        else:
            number = int if "int" in str(option.type) else float
            metavar = "N" if number is int else "X"
            magic = argument(flag, type=number, metavar=metavar, help=help_)(magic)
    return magic


def options_of(arguments: argparse.Namespace) -> GenerationOptions:
    """The generation options among a magic's arguments. Raises `UsageProblem` out of range."""
    return GenerationOptions(
        **{option.name: getattr(arguments, option.name) for option in fields(GenerationOptions)}
    )
