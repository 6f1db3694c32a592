"""What a resident may be called."""

import re

from .errors import UsageProblem
from .plain import one_line


def default_name(spec: str) -> str:
    """The name of a resident that was given none: the last part of its spec, fit to be typed.

    >>> default_name("mlx-community/Qwen3-4B-4bit"), default_name("demo:qwen")
    ('Qwen3-4B-4bit', 'qwen')
    """
    last = spec.rstrip("/").replace(":", "/").rsplit("/", 1)[-1]
    return re.sub(r"[^\w.+-]+", "-", last).strip("-.+") or "model"


def check_name(name: str) -> None:
    """Raise `UsageProblem` for a name that couldn't be typed after %%chat."""
    if not re.fullmatch(r"\w[\w.:+@/-]*", name):
        raise UsageProblem(
            f"{one_line(repr(name), 60)} is no name for a model; "
            "use letters, digits, '.', '_' and '-', as in --as my-model"
        )
