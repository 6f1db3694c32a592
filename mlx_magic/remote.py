"""What lies on the Hub and not on this disk: its bytes in memory, by its files' first bytes alone.

A safetensors file begins with the length of its header in 8 bytes; with the file's size, which the
Hub lists, that is all there is to know. huggingface_hub's `parse_safetensors_file_metadata` (2.4)
reads 100 kB of each file, and takes the whole file into memory where a server ignores ranges.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from .download import (
    REPORT_SECONDS,
    WORKERS,
    Download,
    RemoteFile,
    transport_error,
)
from .events import DownloadProgress
from .snapshot import weight_files
from .transfer import Line, Workers

T = TypeVar("T")

_LENGTH_BYTES = 8


@dataclass(frozen=True)
class Remote(Generic[T]):
    """A model or an adapter that isn't complete on disk, as its snapshot would be.

        remote = hub.look_up("owner/name")
        snapshot = remote.fetch(None)

    `path` is the folder that a download fills; `weight_bytes` is the size in bytes of all tensors;
    `missing_bytes` are those of its files that a download would bring; `fetch` downloads them,
    with `on_progress` as in `hub.resolve`, and reads the snapshot.
    """

    spec: str
    path: Path
    revision: str
    weight_bytes: int
    missing_bytes: int
    fetch: Callable[[Callable[[DownloadProgress], None] | None], T]


def weigh(download: Download) -> int:
    """Bytes of the tensors that an engine would read, of a repository that has been looked up.

    A file of which no first bytes can be had counts as a whole, some kB too many. Raises
    huggingface_hub's errors for a repository that may not be read.
    """
    names = weight_files(file.name for file in download.files)
    files = [file for file in download.files if file.name in names]
    sizes: list[int] = []

    def ask(file: RemoteFile, line: Line) -> None:
        sizes.append(_tensor_bytes(download, file, line))

    with Workers(ask, files, WORKERS) as workers:
        workers.start()
        while not workers.wait(REPORT_SECONDS):
            pass
    return sum(sizes)


def _tensor_bytes(download: Download, file: RemoteFile, line: Line) -> int:
    """What a file holds beside its header: its tensors, or `snapshot.tensor_header` refuses it."""
    from huggingface_hub.errors import HfHubHTTPError
    from huggingface_hub.utils import hf_raise_for_status  # type: ignore[attr-defined]  # lazy

    length = b""
    try:
        with download.ask(file, line, range(_LENGTH_BYTES)) as response:
            hf_raise_for_status(response)
            length = next(response.iter_raw(_LENGTH_BYTES), b"")  # and no more, if it sends all
    except HfHubHTTPError as error:
        if error.response.status_code in (401, 403):  # the download would be refused too
            raise
    except transport_error():
        pass
    held = file.size_bytes - _LENGTH_BYTES - int.from_bytes(length, "little")
    return held if len(length) == _LENGTH_BYTES and held >= 0 else file.size_bytes
