"""Settings: the defaults that `%config MlxMagics` shows and sets, with their environment names."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from traitlets import Bool, CFloat, Float, Int, TraitError, Unicode, validate
from traitlets.config import Configurable

from .errors import UsageProblem, set_debug
from .options import GenerationOptions
from .units import parse_bytes, parse_seconds

if TYPE_CHECKING:
    from .images import ImageLimits

_SAMPLING = ("max_tokens", "temperature", "top_p", "top_k", "min_p", "repetition_penalty")


def _sampling(trait: type[Any], name: str) -> Any:
    help_ = GenerationOptions.__dataclass_fields__[name].metadata["help"]
    return trait(None, allow_none=True, help=help_).tag(config=True)


class Settings(Configurable):
    """What holds for every cell that says nothing else. None leaves it to the model."""

    model = Unicode("", help="spec that %%chat loads when nothing is resident, e.g. demo:qwen").tag(
        config=True
    )
    system = Unicode("", help="system prompt of new conversations").tag(config=True)
    max_tokens = _sampling(Int, "max_tokens")
    temperature = _sampling(CFloat, "temperature")
    top_p = _sampling(CFloat, "top_p")
    top_k = _sampling(Int, "top_k")
    min_p = _sampling(CFloat, "min_p")
    repetition_penalty = _sampling(CFloat, "repetition_penalty")
    memory_budget = Unicode(
        "",
        help="most memory for models and MLX arrays, e.g. 24GiB; none: no limit; empty: what the "
        "machine allows (or MLX_MAGIC_MEMORY_BUDGET)",
    ).tag(config=True)
    ttl = Unicode(
        "", help="how long a model may stay idle before it is freed, e.g. 30m; empty: for ever"
    ).tag(config=True)
    image_bytes = Unicode("20MiB", help="largest picture file or download to take").tag(config=True)
    image_megapixels = Float(
        50.0, min=0.01, help="most pixels of a picture to decode, in millions"
    ).tag(config=True)
    image_side = Int(
        1536, min=16, help="longest side that pictures are made to fit, in pixels"
    ).tag(config=True)
    render_hz = Float(
        8.0, min=1.0, max=20.0, help="updates of a streaming answer a second (1 to 20)"
    ).tag(config=True)
    debug = Bool(
        False, help="show tracebacks instead of one-line errors (or MLX_MAGIC_DEBUG=1)"
    ).tag(config=True)

    @validate(*_SAMPLING)
    def _in_range(self, proposal: Any) -> Any:
        value, name = proposal["value"], proposal["trait"].name
        if value is not None:
            try:
                GenerationOptions.of(**{name: value})
            except UsageProblem as error:
                raise TraitError(str(error)) from None
        return value

    @validate("memory_budget")
    def _is_size(self, proposal: Any) -> Any:
        return _checked(parse_budget, proposal["value"])

    @validate("image_bytes")
    def _is_count(self, proposal: Any) -> Any:
        return _checked(parse_bytes, proposal["value"])

    @validate("ttl")
    def _is_time(self, proposal: Any) -> Any:
        return _checked(parse_seconds, proposal["value"])

    @validate("debug")
    def _show_tracebacks(self, proposal: Any) -> Any:
        set_debug(proposal["value"])
        return proposal["value"]

    def budget_bytes(self) -> int | Literal["default"] | None:
        """The budget that was set here or in the environment; None: no limit."""
        return self.budget_of(self.memory_budget)

    @staticmethod
    def budget_of(text: str) -> int | Literal["default"] | None:
        """What `memory_budget = text` comes to: the environment's, or `default`, when empty."""
        text = text or os.environ.get("MLX_MAGIC_MEMORY_BUDGET", "")
        try:
            return parse_budget(text) if text.strip() else "default"
        except ValueError as error:
            raise UsageProblem(
                f"MLX_MAGIC_MEMORY_BUDGET: {error}; set it anew, or %pool --budget 24GiB"
            ) from None

    @property
    def ttl_seconds(self) -> float | None:
        """The idle time of models that were given none; None: for ever."""
        return parse_seconds(self.ttl) if self.ttl else None

    @property
    def image_limits(self) -> "ImageLimits":
        """What pictures are held to."""
        from .images import DEFAULT_LIMITS, ImageLimits

        larger = max(1.0, self.image_megapixels * 1e6 / DEFAULT_LIMITS.max_pixels)
        return ImageLimits(
            max_bytes=parse_bytes(self.image_bytes),
            max_pixels=int(self.image_megapixels * 1e6),
            max_side=self.image_side,
            max_memory_bytes=int(DEFAULT_LIMITS.max_memory_bytes * larger),
        )

    def options(self, options: GenerationOptions) -> GenerationOptions:
        """`options`, with these settings where nothing was said."""
        return options.with_defaults({name: getattr(self, name) for name in _SAMPLING})


def parse_budget(text: str) -> int | None:
    """Bytes, or None for `none`. Raises `ValueError`."""
    if text.strip().lower() == "none":
        return None
    count = parse_bytes(text)
    if count == 0:
        raise ValueError("a budget of 0 leaves no room for any model; say none for no limit")
    return count


def _checked(parse: Callable[[str], object], text: str) -> str:
    try:
        if text:
            parse(text)
    except ValueError as error:
        raise TraitError(str(error)) from None
    return text


_current: Settings | None = None


def current() -> Settings:
    """The settings of this kernel; plain defaults while the extension isn't loaded."""
    return _current or Settings()


def use(settings: Settings | None) -> None:
    """Make these the settings of this kernel; None goes back to the defaults."""
    global _current
    _current = settings
