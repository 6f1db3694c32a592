"""What can go wrong, each as one line that says what happened and what to type next.

    MlxMagicError
    ├── BackendMissing          MLX has no backend on this machine
    ├── UsageProblem            a flag, option or name that a person typed
    ├── ModelNotFound           no such model: demo name, folder or Hub repository
    ├── ModelGated              the Hub wants a licence accepted or a token
    ├── HubUnreachable          offline, and the model is not on disk
    ├── DownloadFailed          a download broke off; the next try resumes
    ├── DiskFull                not enough space for a download
    ├── SnapshotBroken          files on disk are missing or damaged
    ├── ModelUnsupported        no engine here runs this kind of model
    ├── ResidentNotFound        no resident of that name
    ├── ResidentBusy            the resident is answering right now
    ├── MemoryBudgetExceeded    no room in the budget, whatever may be evicted
    ├── ImageProblem            a picture is missing, damaged, too large or not to be fetched
    ├── TemplateRefused         the chat template refuses the conversation
    ├── GenerationFailed        the engine failed while it generated
    └── SessionEnded            the extension was unloaded meanwhile

`Interrupted` stands outside the tree: it is a `KeyboardInterrupt`, so that Run All stops.
"""

import os
from collections.abc import Iterable

from .plain import one_line, plain_text

_debug = False


def set_debug(on: bool) -> None:
    """Show tracebacks instead of one-line errors (`%config MlxMagics.debug = True`)."""
    global _debug
    _debug = on


def debug_enabled() -> bool:
    """Whether errors show a traceback: the setting, or `MLX_MAGIC_DEBUG` in the environment."""
    return _debug or os.environ.get("MLX_MAGIC_DEBUG", "") not in ("", "0")


class _OneLine:
    """Lets IPython show the exception as one line (its `_render_traceback_` protocol)."""

    def _render_traceback_(self) -> list[str]:
        assert isinstance(self, BaseException)
        if debug_enabled():
            import traceback

            return plain_text("".join(traceback.format_exception(self))).splitlines()
        text = f"{type(self).__name__}: {self}" if isinstance(self, MlxMagicError) else str(self)
        return [one_line(text)]  # a template's or MLX's own words may hold anything


class MlxMagicError(_OneLine, Exception):
    """The root of every error this package raises on purpose."""

    def __str__(self) -> str:
        return plain_text(super().__str__())  # Jupyter sends it beside the traceback


class BackendMissing(MlxMagicError):
    """MLX is installed without a backend for this machine."""


class UsageProblem(MlxMagicError, ValueError):
    """A flag, an option's value or a name that a person typed can't be taken."""


class ModelNotFound(MlxMagicError):
    """A spec names no demo model, folder or Hub repository."""


class ModelGated(MlxMagicError):
    """The Hub asks for a licence to be accepted, or for a token."""


class HubUnreachable(MlxMagicError):
    """The Hub can't be reached and the model is not on disk."""


class DownloadFailed(MlxMagicError):
    """A download broke off; what arrived is kept and the next try resumes."""


class DiskFull(MlxMagicError):
    """A download needs more disk space than is free."""


class SnapshotBroken(MlxMagicError):
    """A model folder lacks files or holds damaged ones."""


class ModelUnsupported(MlxMagicError):
    """No engine of this package runs the model."""


class ResidentNotFound(MlxMagicError):
    """No resident has the name that was asked for."""


class ResidentBusy(MlxMagicError):
    """The resident is answering and can't be taken away."""


class MemoryBudgetExceeded(MlxMagicError):
    """Something won't fit into the memory budget, even with all evicted that may be."""


class ImageProblem(MlxMagicError):
    """A picture can't be taken: missing, damaged, too large, or not to be fetched."""


class TemplateRefused(MlxMagicError):
    """The model's chat template refuses the conversation or loses part of it."""


class GenerationFailed(MlxMagicError):
    """The engine failed while it generated."""


class SessionEnded(MlxMagicError):
    """The session's MLX thread has ended: the extension was unloaded."""


class Interrupted(_OneLine, KeyboardInterrupt):
    """A kernel interrupt, after the partial work has been kept. Run All still stops."""


def did_you_mean(name: str, choices: Iterable[str]) -> str:
    """A short hint for an unknown name: the close matches, or the first few choices.

    Returns "" when there is nothing to choose from.
    """
    known = sorted(set(choices))
    close = close_matches(name, known)
    if close:
        return "did you mean " + " or ".join(map(repr, close)) + "?"
    if not known:
        return ""
    more = ", …" if len(known) > 5 else ""
    return "there is " + ", ".join(repr(c) for c in known[:5]) + more


def close_matches(name: str, choices: Iterable[str], cutoff: float = 0.6) -> list[str]:
    """Up to three of the choices that are spelt much like `name`, the closest first.

    `cutoff` is the least likeness, from 0 to 1; capital letters make no difference.
    """
    import difflib  # only for who mistyped

    def likeness(choice: str) -> float:
        return difflib.SequenceMatcher(None, choice, name.lower()).ratio()

    by_lower = {choice.lower(): choice for choice in choices}
    close = difflib.get_close_matches(name.lower(), by_lower, n=3, cutoff=cutoff)
    # What has little more in common than `demo:` isn't meant where another is much closer.
    return [by_lower[c] for c in close if likeness(c) > likeness(close[0]) - 0.15]
