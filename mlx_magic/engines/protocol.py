"""What the pool asks of an engine, and what an engine may ask of the running request."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from ..events import Event, Kind, PrefillProgress
from ..families import Family
from ..messages import Message
from ..options import GenerationOptions


class Cancelled(Exception):
    """Raised inside a generation whose request was cancelled."""


class Control(Protocol):
    """The running request, seen from inside an engine."""

    @property
    def cancelled(self) -> bool:
        """Whether the person no longer wants the answer."""

    def prefill(self, progress: PrefillProgress) -> None:
        """Report prompt reading; raises `Cancelled` when the request was cancelled."""


class Engine(Protocol):
    """A loaded model of one modality. Every method runs on the MLX thread."""

    kind: Kind
    family: Family
    weight_bytes: int

    def stream(
        self, messages: Sequence[Message], options: GenerationOptions, control: Control
    ) -> Iterator[Event]:
        """Answer the conversation; the last event is `Finished`, also after a cancel.

        Raises `TemplateRefused`, `UsageProblem` or `GenerationFailed`.
        """

    def close(self) -> None:
        """Drop every array the engine holds."""
