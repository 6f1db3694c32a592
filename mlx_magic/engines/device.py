"""The device: whether MLX has a backend here, what memory it holds, how a thread leaves it."""

import functools
import gc
import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ..errors import BackendMissing
from ..events import SystemMemory


@functools.cache
def require_backend() -> None:
    """Raise `BackendMissing` on a Linux machine without one; importing MLX is avoided if it can be.

    MLX's Linux backends are separate packages that put libmlx into MLX's own `lib` folder.
    """
    if not sys.platform.startswith("linux"):
        return
    spec = importlib.util.find_spec("mlx")
    folders = (
        [Path(folder) / "lib" for folder in (spec.submodule_search_locations or [])]
        if (spec is not None)
        else []
    )
    if any(folder.is_dir() and any(folder.glob("libmlx*")) for folder in folders):
        return
    try:  # another packager may keep the library elsewhere
        import mlx.core  # noqa: F401
    except ImportError as error:
        raise BackendMissing(
            "MLX has no backend on this Linux machine; install one with "
            "pip install 'mlx-magic[cpu]' or pip install 'mlx-magic[cuda]', then restart the kernel"
        ) from error


def memory_bytes() -> tuple[int, int]:
    """(active, buffer pool) bytes that MLX holds; zeros as long as MLX has not been imported."""
    mx = _imported_mlx()
    return (0, 0) if mx is None else (int(mx.get_active_memory()), int(mx.get_cache_memory()))


# What the default budget leaves to the system, the notebook's other libraries and MLX's own
# temporary arrays: a share of what there is, and at least so many bytes, but never more than half.
# Metal's recommended working set has the system's part taken off already.
RESERVES = {"metal": (0.05, 0), "cuda": (0.08, 1 << 29), "cpu": (0.25, 2 << 30)}


def default_budget() -> int | None:
    """Bytes that models may hold on this machine; None where it can't be known.

    Metal: the recommended working set; CUDA: the memory that is free now or MLX's own; CPU:
    physical memory, or what the container's limit leaves of it. Less `RESERVES`.
    """
    mx = _imported_mlx()
    if mx is None:
        return None
    info = mx.device_info()
    if "max_recommended_working_set_size" in info:
        kind, there = "metal", int(info["max_recommended_working_set_size"])
    elif "free_memory" in info:
        kind, there = "cuda", int(info["free_memory"]) + sum(memory_bytes())
    else:
        kind, there = "cpu", physical_memory_bytes()
    share, least = RESERVES[kind]
    reserve = min(max(int(there * share), least), there // 2)
    return there - reserve


def physical_memory_bytes() -> int:
    """The machine's memory, or the least limit of the control groups that this process is in."""
    return min([os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), *_group_limits()])


def system_memory() -> SystemMemory:
    """The system's memory now, in about 0.1 ms; MLX is not asked."""
    import psutil

    seen, total_bytes = psutil.virtual_memory(), physical_memory_bytes()
    # A container's limit counts for all that is in it; this process stands for that.
    process_bytes = int(psutil.Process().memory_info().rss)
    available_bytes = min(int(seen.available), max(0, total_bytes - process_bytes))
    return SystemMemory(total_bytes, available_bytes, process_bytes)


def _group_limits(
    root: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")
) -> list[int]:
    """The memory limits of this process's control groups, in both versions of the interface."""
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return []
    limits = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers not in ("", "memory"):
            continue
        base = root / controllers if controllers else root
        name = "memory.limit_in_bytes" if controllers else "memory.max"
        inside = base / path.lstrip("/")
        for folder in (inside, *inside.parents):
            if not folder.is_relative_to(base):
                break
            with suppress(OSError, ValueError):  # `max` is no limit
                limits.append(int((folder / name).read_text()))
    return limits


def free_unused(*, collect: bool = True) -> None:
    """Give memory that nothing refers to back to the system. Runs on the MLX thread.

    Without `collect` what lies in circles of garbage stays: Python's collector takes 40 ms and
    more where transformers is loaded. The wait comes first: generation runs one step ahead, and
    the buffers of a step in flight are still in use.
    """
    mx = _imported_mlx()
    if mx is not None:
        if collect:
            gc.collect()
        mx.synchronize()
        mx.clear_cache()


@contextmanager
def giving_back(owed_bytes: int) -> Iterator[None]:
    """Free what the block lets go of; garbage is collected only if less than `owed_bytes` came."""
    before, _ = memory_bytes()
    yield
    free_unused(collect=False)
    if before - memory_bytes()[0] < owed_bytes:
        free_unused()


def leave_thread() -> None:
    """Clear this thread's streams: the last thing a thread that used MLX must do.

    Without it the interpreter aborts at exit ("terminate called without an active exception").
    """
    free_unused()
    mx = _imported_mlx()
    if mx is not None:
        mx.clear_streams()


def _imported_mlx() -> Any:
    """MLX if anybody has imported it, else None; nothing here is worth importing it for."""
    if "mlx.core" not in sys.modules:
        return None
    import mlx.core as mx  # waits for the import's end when another thread is in the middle of it

    return mx
