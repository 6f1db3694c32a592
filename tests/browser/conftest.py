"""One JupyterLab server and one Chromium for all tests that need no other settings."""

from collections.abc import Iterator

import pytest
from desk import Desk, launched
from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with launched() as chromium:
        yield chromium


@pytest.fixture(scope="session")
def desk(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with Desk(tmp_path_factory.mktemp("desk"), chromium) as desk:
        yield desk
