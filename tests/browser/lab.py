"""A real JupyterLab in a real Chromium, driven as a person drives it."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from desk import HEIGHT, WIDTH, Desk
from playwright.sync_api import Page

# What every script that runs in the page starts with.
PANEL = """
  const app = window.jupyterapp;
  const panel = [...app.shell.widgets('main')].find(w => w.context && w.content.widgets);
  const cells = panel ? panel.content.widgets : [];
  const kernel = panel?.sessionContext.session?.kernel;
  const out = i => cells[i].node.querySelector('.jp-OutputArea');
"""


@dataclass(frozen=True)
class CellOutput:
    """The output of cell number `cell`: as read, as HTML, and the type of each of its parts."""

    cell: int
    text: str
    html: str
    types: list[str]


@dataclass(frozen=True)
class Change:
    """A cell's output right after a change in the page."""

    text: str
    height: float  # pixels
    running: bool  # whether the cell's prompt still shows a star


class Lab:
    """A copy of a notebook, open in JupyterLab. Use as a context manager; cells count from 0.

    `folder` is its name on the desk, `file` the copy, which has the folder for itself.
    """

    page: Page

    def __init__(self, notebook: Path, desk: Desk, folder: str) -> None:
        self._notebook, self._desk, self._folder = notebook, desk, folder
        self.file = desk.root / folder / notebook.name
        self.console_errors: list[str] = []

    def __enter__(self) -> Self:
        self.file.parent.mkdir()
        shutil.copy(self._notebook, self.file)
        self.page = self._desk.new_page()
        self.page.on("pageerror", lambda error: self.console_errors.append(str(error)))
        self.page.on("console", self._note)
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.js("return panel?.sessionContext.shutdown()")
        finally:
            self.page.close()

    def _note(self, message: Any) -> None:
        if message.type == "error":
            self.console_errors.append(message.text)

    def js(self, body: str, argument: Any = None) -> Any:
        """Run a function body in the page; it sees `panel`, `cells`, `kernel`, `out(i)` and `a`."""
        return self.page.evaluate(f"a => {{ {PANEL} {body} }}", argument)

    def wait_for(self, body: str, argument: Any = None, timeout: float = 60) -> None:
        """Wait until a function body returns something true."""
        self.page.wait_for_function(
            f"a => {{ {PANEL} {body} }}", arg=argument, timeout=timeout * 1000
        )

    def open(self) -> Page:
        """Open the notebook and wait for its kernel."""
        self.page.goto(self._desk.address(self._folder, self.file.name))
        self.page.wait_for_function("() => window.jupyterapp?.started", timeout=60_000)
        self.page.evaluate("() => window.jupyterapp.restored")
        self.wait_for("return panel?.context.isReady && kernel?.status === 'idle'")
        self.js("app.shell.collapseLeft()")
        return self.page

    def code_cells(self) -> dict[int, str]:
        """The code cells: number -> source."""
        pairs = self.js(
            "return cells.map((c, i) => [i, c.model.type, c.model.sharedModel.getSource()])"
        )
        return {i: source for i, kind, source in pairs if kind == "code"}

    def find(self, words: str) -> int:
        """The first code cell whose source contains these words."""
        return next(i for i, source in self.code_cells().items() if words in source)

    def add_cell(self, source: str) -> int:
        """Append a code cell and return its number."""
        self.js("panel.content.model.sharedModel.addCell({cell_type: 'code', source: a})", source)
        return int(self.js("return cells.length")) - 1

    def run_all(self) -> None:
        """Run All Cells."""
        self._start("notebook:run-all-cells")
        self.wait_idle()

    def run_cell(self, i: int, *, wait: bool = True) -> None:
        """Run a cell, to its end unless `wait` is False."""
        self.js("panel.content.deselectAll(); panel.content.activeCellIndex = a", i)
        self._start("notebook:run-cell")
        if wait:
            self.wait_idle()

    def run(self, source: str) -> CellOutput:
        """Append a cell, run it and return its output."""
        i = self.add_cell(source)
        self.run_cell(i)
        return self.output(i)

    def _start(self, command: str) -> None:
        self.js(
            "window.ended = false;"
            "app.commands.execute(a).finally(() => { window.ended = true })", command
        )  # fmt: skip

    def interrupt(self) -> None:
        """Press the toolbar's stop button."""
        self.page.locator(".jp-Toolbar [data-command='notebook:interrupt-kernel']").click()

    def wait_idle(self, timeout: float = 60) -> None:
        """Wait until what was started has ended and is painted."""
        self.wait_for(
            "return window.ended && kernel.status === 'idle'"
            " && !cells.some(c => c.node.querySelector('.jp-InputPrompt').innerText.includes('*'))",
            timeout=timeout,
        )
        self.page.evaluate("() => new Promise(r => requestAnimationFrame(() => setTimeout(r)))")

    def output(self, i: int) -> CellOutput:
        """A cell's output as it is now."""
        return CellOutput(
            **self.js(
                "const types = cells[a].model.outputs.toJSON().map(o => o.output_type);"
                "return {cell: a, text: out(a).innerText, html: out(a).innerHTML, types}", i
            )
        )  # fmt: skip

    def watch(self, i: int) -> None:
        """Note every change of a cell's output from now on."""
        self.js(
            "window.changes = [];"
            "const look = () => window.changes.push({"
            "  text: out(a).innerText, height: out(a).getBoundingClientRect().height,"
            "  running: cells[a].node.querySelector('.jp-InputPrompt').innerText.includes('*')});"
            "new MutationObserver(look).observe("
            "  out(a), {subtree: true, childList: true, characterData: true})", i
        )  # fmt: skip

    def changes(self) -> list[Change]:
        """What `watch` has seen so far."""
        return [Change(**seen) for seen in self.page.evaluate("() => window.changes")]

    def theme(self, name: str) -> None:
        """Switch to "JupyterLab Light" or "JupyterLab Dark" and wait for its colours."""
        self.js("app.commands.execute('apputils:change-theme', {theme: a})", name)
        self.wait_for(
            "return document.body.dataset.jpThemeName === a"
            " && !document.getElementById('jupyterlab-splash')", name
        )  # fmt: skip

    def screenshot(self, path: Path, cell: int | None = None) -> None:
        """A picture of the whole notebook, or of one cell."""
        path.parent.mkdir(parents=True, exist_ok=True)
        if cell is not None:
            self.page.locator(".jp-Notebook .jp-Cell").nth(cell).screenshot(path=path)
            return
        scroller = "const o = panel.node.querySelector('.jp-WindowedPanel-outer');"
        end = self.js(
            f"{scroller} o.scrollTop = 0; return cells.at(-1).node.getBoundingClientRect().bottom"
        )
        self.page.set_viewport_size({"width": WIDTH, "height": int(end) + 60})
        self.js(f"{scroller} o.scrollTop = 0")
        self.page.locator(".jp-NotebookPanel").screenshot(path=path)
        self.page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
