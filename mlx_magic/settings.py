"""Settings: the defaults that `%config MlxMagics` shows and sets, with their environment names."""

from typing import Any

from traitlets import Bool, CFloat, Float, Int, TraitError, Unicode, validate
from traitlets.config import Configurable

from .errors import UsageProblem, set_debug
from .options import GenerationOptions

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

    @validate("debug")
    def _show_tracebacks(self, proposal: Any) -> Any:
        set_debug(proposal["value"])
        return proposal["value"]

    def options(self, options: GenerationOptions) -> GenerationOptions:
        """`options`, with these settings where nothing was said."""
        return options.with_defaults({name: getattr(self, name) for name in _SAMPLING})


_current: Settings | None = None


def current() -> Settings:
    """The settings of this kernel; plain defaults while the extension isn't loaded."""
    return _current or Settings()


def use(settings: Settings | None) -> None:
    """Make these the settings of this kernel; None goes back to the defaults."""
    global _current
    _current = settings
