"""The device: whether MLX has a backend here, what memory it holds, how a thread leaves it."""

import functools
import gc
import importlib.util
import sys
from pathlib import Path
from typing import Any

from ..errors import BackendMissing


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


def free_unused() -> None:
    """Give memory that nothing refers to back to the system. Runs on the MLX thread.

    The wait comes first: generation runs one step ahead, and the buffers of a step in flight
    are still in use.
    """
    mx = _imported_mlx()
    if mx is not None:
        gc.collect()
        mx.synchronize()
        mx.clear_cache()


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
