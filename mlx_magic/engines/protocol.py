"""What the pool asks of an engine, and what an engine may ask of the running request."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from ..adapters import AdapterSnapshot
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
    """A loaded model of one modality.

    Its methods run on the MLX thread; its attributes and properties may be read from any.
    """

    kind: Kind
    family: Family
    weight_bytes: int  # of its own weights, once they are read

    @property
    def cache_bytes(self) -> int:
        """What MLX holds for KV caches kept between turns, as of the last turn's end."""

    def stream(
        self, messages: Sequence[Message], options: GenerationOptions, control: Control
    ) -> Iterator[Event]:
        """Answer the conversation; the last event is `Finished`, also after a cancel.

        What an earlier turn has read is not read again: prompt progress counts the whole prompt
        and starts at what is known of it.

        Raises `TemplateRefused`, `UsageProblem` or `GenerationFailed`.
        """

    def read_weights(self) -> None:
        """Read the weights into memory. Raises `SnapshotBroken` that names the file."""

    def view(self, adapter: AdapterSnapshot) -> "Engine":
        """A second engine over the same weights, with a LoRA adapter on it.

        Raises `ModelUnsupported` when the adapter doesn't fit; this engine stays as it is.
        """

    def parameters(self) -> list[Any]:
        """Its weights, as trees of arrays; those that it shares with its base too."""

    def shared_parameters(self) -> list[Any]:
        """Those weights that belong to its base; empty without one."""

    def modules(self) -> list[Any]:
        """Every module of its models."""

    def drop_caches(self) -> None:
        """Give the memory of the kept KV caches back."""

    def close(self) -> None:
        """Drop every array the engine holds."""
