"""A request as an engine sees it, for tests that ask an engine without a pool."""

from mlx_magic.engines.protocol import Cancelled
from mlx_magic.events import PrefillProgress


class Request:
    """A running request that is cancelled after some tokens, or after some chunks."""

    def __init__(self, tokens: int = 10**6, chunks: int = 10**6) -> None:
        self._tokens, self._chunks = tokens, chunks
        self.progress: list[PrefillProgress] = []

    @property
    def cancelled(self) -> bool:
        self._tokens -= 1
        return self._tokens < 0

    def prefill(self, progress: PrefillProgress) -> None:
        if len(self.progress) == self._chunks:
            raise Cancelled
        self.progress.append(progress)
