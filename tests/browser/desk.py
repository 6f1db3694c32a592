"""A Chromium, and a JupyterLab server to look at with it; starting both takes seconds."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

from lab_server import LabServer
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--force-color-profile=srgb",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # this machine and no other
    "--no-proxy-server",
]
WIDTH, HEIGHT = 1200, 900


@contextmanager
def launched() -> Iterator[Browser]:
    """The Chromium; Playwright takes no second one beside it."""
    if CHROMIUM is None:
        raise RuntimeError("no chromium on the PATH; `make chromium` installs Debian's")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


class Desk:
    """Where notebooks are opened; `root` is the server's folder. Use as a context manager."""

    def __init__(self, home: Path, chromium: Browser) -> None:
        self.root, self._home, self._chromium = home / "root", home, chromium
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self.root.mkdir(parents=True)
        with ExitStack() as stack:
            self._server = stack.enter_context(LabServer(self.root, self._home))
            size = {"width": WIDTH, "height": HEIGHT}
            self._context = stack.enter_context(self._chromium.new_context(viewport=size))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def new_page(self) -> Page:
        """An empty page, closed with the desk at the latest."""
        return self._context.new_page()

    def address(self, folder: str, notebook: str) -> str:
        """Where JupyterLab shows that notebook of `root / folder`, and no other."""
        return self._server.address(f"lab/workspaces/{folder}/tree/{folder}/{notebook}")
