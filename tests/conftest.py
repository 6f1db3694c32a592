"""What every test shares: no network, no shared caches, tiny models, a fresh session."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# Before MLX and huggingface_hub are imported, here and in every child process.
os.environ["MLX_DISABLE_COMPILE"] = "1"  # no C++ compiler run at the first token
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_NO_ADVISORY_WARNINGS"] = "1"
os.environ.pop("MLX_MAGIC_DEBUG", None)

import tiny_models


@pytest.fixture(scope="module", autouse=True)
def quick_collections() -> Iterator[None]:
    """Spare Python's collector what is alive before a file's tests begin.

    The pool collects garbage at each load and turn; all of pytest, transformers and hypothesis
    looked through each time would be half of these tests' time.
    """
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(scope="session", autouse=True)
def hub_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty Hub cache, so that no test sees what lies on the machine."""
    home = tmp_path_factory.mktemp("hf")
    os.environ["HF_HOME"] = str(home)
    return home


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of tiny random models: `llama`, `qwen`, `gemma`, and `slow`, a llama that takes
    long enough over a prompt and an answer to be caught in the act."""
    root = tmp_path_factory.mktemp("models")
    folders = {family: tiny_models.build(root / family, family) for family in tiny_models.FAMILIES}
    folders["slow"] = tiny_models.build(root / "slow", "llama", hidden=256, layers=8)
    return folders


@pytest.fixture
def session() -> Iterator[Any]:
    """A session of its own, closed afterwards."""
    from mlx_magic.sessions import close_session, get_session

    close_session()
    yield get_session()
    close_session()
