"""Options of one generation: each field is one flag, one setting and one row of the docs."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

from .errors import UsageProblem, did_you_mean


class Range(NamedTuple):
    """The numbers an option takes, ends included unless `above` excludes the lower one."""

    low: float
    high: float = math.inf
    above: bool = False

    def holds(self, value: float) -> bool:
        """Whether `value` lies inside; NaN never does."""
        return (self.low < value if self.above else self.low <= value) and value <= self.high

    def __str__(self) -> str:
        low = f"above {self.low:g}" if self.above else f"at least {self.low:g}"
        return low if self.high == math.inf else f"{low} and at most {self.high:g}"


def _option(takes: Range | type, help_: str) -> Any:
    return field(default=None, metadata={"takes": takes, "help": help_})


@dataclass(frozen=True)
class GenerationOptions:
    """How to generate. None means: the setting, then the model's own default, then mlx-lm's.

    The ranges are those outside which mlx-lm's samplers raise inside a compiled function (which
    breaks sampling until the next seed) or quietly produce garbage.

    Raises `UsageProblem` for a value outside its range.

    >>> GenerationOptions(temperature=0.7, max_tokens=200).temperature
    0.7
    """

    max_tokens: int | None = _option(Range(1), "most tokens to generate (default 1024)")
    temperature: float | None = _option(
        Range(0, 10), "0 is greedy, above is more varied (default: the model's, or 0)"
    )
    top_p: float | None = _option(
        Range(0, 1, above=True), "sample from the smallest set of tokens with this probability"
    )
    top_k: int | None = _option(Range(0), "sample from the N likeliest tokens (0: all)")
    min_p: float | None = _option(
        Range(0, 1), "drop tokens less likely than this share of the likeliest"
    )
    repetition_penalty: float | None = _option(
        Range(0, 10, above=True), "above 1 discourages tokens of the last 20"
    )
    seed: int | None = _option(
        Range(0, 2**64 - 1), "repeat a sampled answer (default: a new one each time)"
    )
    think: bool | None = _option(bool, "ask a thinking model to reason first, or not to")
    json_schema: dict[str, Any] | None = field(
        default=None, metadata={"takes": dict, "help": "answer in JSON of this schema"}
    )

    def __post_init__(self) -> None:
        for option in fields(self):
            value, takes = getattr(self, option.name), option.metadata["takes"]
            if value is not None and not self.accepts(option.name, value):
                number = "whole number" if "int" in str(option.type) else "number"
                wanted = (
                    f"a {number} {takes}" if isinstance(takes, Range) else f"a {takes.__name__}"
                )
                raise UsageProblem(f"{option.name} must be {wanted}, not {value!r}")

    @classmethod
    def accepts(cls, name: str, value: Any) -> bool:
        """Whether `value` (not None) is of the type and in the range of option `name`."""
        option = cls.__dataclass_fields__[name]
        takes: Range | type = option.metadata["takes"]
        if not isinstance(takes, Range):
            return isinstance(value, takes)
        whole = "int" in str(option.type)
        numeric = isinstance(value, int) or (isinstance(value, float) and not whole)
        return numeric and not isinstance(value, bool) and takes.holds(value)

    def with_defaults(self, defaults: Mapping[str, Any]) -> "GenerationOptions":
        """These options, with `defaults` where nothing was said. Unknown names are left out."""
        merged = {
            option.name: defaults.get(option.name)
            if getattr(self, option.name) is None
            else getattr(self, option.name)
            for option in fields(self)
        }
        return GenerationOptions(**merged)

    @classmethod
    def of(cls, **values: Any) -> "GenerationOptions":
        """Options by name; raises `UsageProblem` with the close names for an unknown one."""
        known = [option.name for option in fields(cls)]
        for name in values:
            if name not in known:
                raise UsageProblem(f"there is no option {name!r}; {did_you_mean(name, known)}")
        return cls(**values)
