"""The live pool panel in a real browser; screenshots go to build/screenshots/."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from desk import CHROMIUM, Desk
from lab import Lab
from nbconvert import HTMLExporter
from playwright.sync_api import Locator
from test_first_chat import CONTRASTS

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None and os.environ.get("CI") != "true", reason="no chromium on the PATH"
    ),
]

PROJECT = Path(__file__).resolve().parents[2]
PICTURES = PROJECT / "build" / "screenshots"
NOTEBOOK = PROJECT / "notebooks" / "01_first_chat.ipynb"
LOAD = """\
%config MlxMagics.memory_budget = '20MiB'
%unload_model --all
%load_model demo:qwen
%load_model demo:llama
%load_model demo:llama --adapter demo:pirate
"""
STORY = "%%chat qwen --new\nTell me a story about a fox."
SLOW = "%%chat slow --new --max-tokens 8000\nHello"
RUNS = "return cells[a].node.querySelector('.jp-InputPrompt').innerText.includes('*')"
# Which of the two outputs of a cell can be seen: its height, and whether it is the live one.
SEEN = """
  return [...out(a).querySelectorAll(':scope > .jp-OutputArea-child')]
    .filter(node => node.getBoundingClientRect().height > 4)
    .map(node => node.querySelector('.mlx-magic-live') ? 'live' : 'snapshot');
"""


@pytest.fixture(scope="module")
def lab(desk: Desk, tiny: dict[str, Path]) -> Iterator[Lab]:
    with Lab(NOTEBOOK, desk, "pool_panel") as lab:
        lab.open()
        lab.js("panel.content.model.sharedModel.deleteCellRange(0, cells.length)")
        lab.run(f"%load_ext mlx_magic\nslow = {str(tiny['slow'])!r}")
        yield lab


class PanelPage:
    """A cell with `%pool`, as a person sees it."""

    def __init__(self, lab: Lab, cell: int) -> None:
        self.lab, self.cell = lab, cell
        self.node = lab.page.locator(".jp-Notebook .jp-Cell").nth(cell).locator(".mlx-magic-live")

    def row(self, name: str) -> Locator:
        named = self.lab.page.locator("b", has_text=name)
        return self.node.locator(".mlx-pool-row").filter(has=named)

    def press(self, name: str, button: str) -> None:
        self.row(name).get_by_role("button", name=button, exact=True).click()

    def wait_for_row(self, name: str, words: str) -> None:
        self.row(name).filter(has_text=words).wait_for(timeout=10_000)

    def wait_for(self, words: str) -> None:
        self.node.get_by_text(words).first.wait_for(timeout=10_000)

    def shot(self, name: str) -> None:
        self.lab.screenshot(PICTURES / f"{name}.png", self.cell)


@pytest.fixture(scope="module")
def cells(lab: Lab) -> tuple[int, int]:
    """The numbers of the cell that loads the models and of the one with the panel."""
    return lab.add_cell(LOAD), lab.run("%pool").cell


@pytest.fixture
def panel(lab: Lab, cells: tuple[int, int]) -> PanelPage:
    """The panel with the same three models for each test."""
    lab.run_cell(cells[0])
    assert "error" not in lab.output(cells[0]).types, lab.output(cells[0]).text
    panel = PanelPage(lab, cells[1])
    panel.wait_for("in use of a budget of 20.0 MiB")
    panel.row("pirate").wait_for()
    return panel


def test_clicks_act_while_a_cell_generates(lab: Lab, panel: PanelPage) -> None:
    lab.run("get_ipython().run_line_magic('load_model', f'{slow} --as slow')")
    chat = lab.add_cell(SLOW)
    lab.run_cell(chat, wait=False)
    panel.wait_for_row("slow", "answering")
    panel.press("llama", "Pin")
    panel.wait_for_row("llama", "pinned")
    panel.shot("pool_answering")
    panel.press("slow", "Unload")
    panel.wait_for("slow is answering; it goes when the answer ends")
    panel.wait_for_row("slow", "then goes")
    assert lab.js(RUNS, chat)
    panel.shot("pool_unload_asked")
    lab.interrupt()
    lab.wait_idle()
    panel.row("slow").wait_for(state="detached")
    panel.wait_for("slow unloaded, ")
    assert lab.console_errors == []


def test_what_a_load_would_evict_is_shown_before_it_happens(lab: Lab, panel: PanelPage) -> None:
    lab.run("%config MlxMagics.memory_budget = '8MiB'")
    panel.wait_for("of a budget of 8.00 MiB")
    field = panel.node.get_by_label("Load", exact=True)
    field.fill("demo:mistral")
    field.press("Enter")
    panel.wait_for("needs 3.34 MiB · would evict qwen")
    panel.wait_for_row("qwen", "would go")
    panel.shot("pool_would_go")
    panel.node.get_by_role("button", name="Load model").press("Enter")
    panel.wait_for("evicted qwen")
    lab.page.wait_for_function("field => field.value === ''", arg=field.element_handle())
    assert panel.row("qwen").count() == 0 and panel.row("mistral").count() == 1
    field.fill("demo:mistrl")
    field.press("Enter")
    panel.wait_for("did you mean")
    field.fill("")
    field.press("Enter")


def test_a_load_that_waits_for_an_answer_can_be_cancelled(lab: Lab, panel: PanelPage) -> None:
    lab.run("get_ipython().run_line_magic('load_model', f'{slow} --as slow')")
    chat = lab.add_cell(SLOW)
    lab.run_cell(chat, wait=False)
    panel.wait_for_row("slow", "answering")
    cancel = panel.node.get_by_role("button", name="Cancel")
    assert cancel.count() == 0
    field = panel.node.get_by_label("Load", exact=True)
    field.fill("demo:mistral")
    field.press("Enter")
    panel.node.get_by_role("button", name="Load model").click()
    panel.wait_for("demo:mistral: waiting")
    panel.shot("pool_loading")
    cancel.click()
    panel.wait_for("loading demo:mistral was cancelled")
    cancel.wait_for(state="detached")
    assert lab.js(RUNS, chat) and field.input_value() == "demo:mistral"
    field.fill("")
    field.press("Enter")
    lab.interrupt()
    lab.wait_idle()
    assert lab.run("%models --json").text.count("mistral") == 0
    assert lab.console_errors == []


def _choose_six_mebibytes(panel: PanelPage) -> None:
    handle = panel.node.locator(".noUi-handle")
    handle.focus()
    for _ in range(4):  # 16, 12, 8 and 6 MiB
        handle.press("ArrowLeft")
    panel.wait_for("6 MiB")
    panel.wait_for("would evict qwen")


def test_a_budget_says_what_it_takes_and_then_takes_it(lab: Lab, panel: PanelPage) -> None:
    _choose_six_mebibytes(panel)
    panel.shot("pool_budget")
    panel.node.get_by_role("button", name="Set budget").click()
    panel.wait_for("budget: 6 MiB; evicted qwen")
    panel.wait_for("of a budget of 6.00 MiB")
    assert lab.run("%config MlxMagics.memory_budget").text.endswith("'6MiB'")


def test_a_budget_set_during_an_answer_is_kept_to_at_its_end(lab: Lab, panel: PanelPage) -> None:
    lab.run("get_ipython().run_line_magic('load_model', f'{slow} --as slow')")
    chat = lab.add_cell(SLOW)
    lab.run_cell(chat, wait=False)
    panel.wait_for_row("slow", "answering")
    _choose_six_mebibytes(panel)
    panel.node.get_by_role("button", name="Set budget").click()
    panel.wait_for("of a budget of 6.00 MiB")
    panel.wait_for("budget: 6 MiB; what has to go waits for the answer's end")
    assert lab.js(RUNS, chat) and panel.row("qwen").count() == 1
    panel.shot("pool_budget_answering")
    lab.interrupt()
    lab.wait_idle()
    panel.wait_for("budget: 6 MiB; evicted qwen, slow")
    assert lab.console_errors == []


def _contrasts(lab: Lab, cell: int, inside: str) -> list[tuple[float, str]]:
    return [
        (round(ratio, 2), text)
        for ratio, text in lab.js(CONTRASTS.replace(".mlx-magic-reply", inside), cell)
        if text != "●"  # a mark beside the word that says the same
    ]


@pytest.mark.parametrize("theme", ["Light", "Dark", "Dark High Contrast"])
def test_every_word_of_it_stands_out_in_every_theme(lab: Lab, panel: PanelPage, theme: str) -> None:
    lab.theme(f"JupyterLab {theme}")
    try:
        contrasts = _contrasts(lab, panel.cell, ".mlx-magic-live")
        panel.shot(f"pool_{theme.lower().replace(' ', '_')}")
    finally:
        lab.theme("JupyterLab Light")
    assert {"qwen", "pirate", "Unload", "next to go", "state"} <= {text for _, text in contrasts}
    assert [(ratio, text) for ratio, text in contrasts if ratio < 4.5] == []


def test_every_control_has_a_name_and_is_reached_by_keyboard(lab: Lab, panel: PanelPage) -> None:
    buttons = panel.node.get_by_role("button").evaluate_all(
        "nodes => nodes.map(n => [n.innerText, n.title, n.tabIndex])"
    )
    assert len(buttons) == 2 * 3 + 2  # of three rows, and the two below
    assert all(text and title and index == 0 for text, title, index in buttons)
    assert ["Unload", "Free the memory of qwen", 0] in buttons
    assert panel.node.get_by_role("img").get_attribute("aria-label").endswith("free")
    assert panel.node.get_by_role("status").count() >= 1


@pytest.mark.parametrize("width", [480, 1600])
def test_it_stays_inside_its_column(lab: Lab, panel: PanelPage, width: int) -> None:
    lab.page.set_viewport_size({"width": width, "height": 1000})
    try:
        lab.page.wait_for_timeout(300)
        over = lab.js(
            "const right = out(a).getBoundingClientRect().right;"
            "return [...out(a).querySelectorAll('.mlx-magic-live *')].filter("
            "  n => n.checkVisibility() && n.getBoundingClientRect().right > right + 1"
            "    && !n.closest('.mlx-pool-label')).map(n => n.className)", panel.cell
        )  # fmt: skip
        cell = lab.page.locator(".jp-Notebook .jp-Cell").nth(panel.cell)
        cell.screenshot(path=PICTURES / f"pool_{width}.png")
    finally:
        lab.page.set_viewport_size({"width": 1200, "height": 900})
    assert over == []


def test_numbers_that_change_move_nothing(lab: Lab, panel: PanelPage) -> None:
    places = (
        "return [...out(a).querySelectorAll('.mlx-magic-live .mlx-pool-row, "
        ".mlx-magic-live button')].map(n => n.getBoundingClientRect()).map("
        "b => [b.left, b.width, b.height].map(Math.round).join())"
    )
    before = sorted(lab.js(places, panel.cell))
    lab.run(STORY)
    panel.row("qwen").filter(has_text="tok/s").wait_for()
    lab.page.wait_for_timeout(700)
    assert sorted(lab.js(places, panel.cell)) == before


def test_several_panels_show_the_same(lab: Lab, panel: PanelPage) -> None:
    second = PanelPage(lab, lab.run("%pool").cell)
    second.wait_for_row("pirate", "idle")
    second.press("pirate", "Pin")
    for each in (panel, second):
        each.wait_for_row("pirate", "pinned")
    panel.press("pirate", "Unpin")
    second.wait_for_row("pirate", "idle")
    lab.js("panel.content.model.sharedModel.deleteCell(a)", second.cell)


def _snapshot_is_right(lab: Lab, panel: PanelPage, name: str) -> None:
    lab.wait_for(f"const seen = (() => {{ {SEEN} }})(); return String(seen) === 'snapshot'",
                 panel.cell)  # fmt: skip
    text = str(lab.js("return out(a).innerText", panel.cell))
    panel.shot(f"pool_{name}")
    assert "Error displaying widget" not in text and "Loading widget" not in text
    for words in ("in use of a budget of 20.0 MiB", "pirate", "demo:pirate over llama", "tok/s"):
        assert words in text


def test_a_snapshot_stands_there_when_the_kernel_has_gone(lab: Lab, panel: PanelPage) -> None:
    lab.run(STORY)
    saved = "out(a).querySelector('.mlx-magic-snapshot')?.textContent.includes('tok/s')"
    lab.wait_for(f"return {saved}", panel.cell)  # it is at rest
    assert lab.js(SEEN, panel.cell) == ["live"]
    lab.js("return panel.sessionContext.session.kernel.restart()")
    _snapshot_is_right(lab, panel, "restarted")
    lab.run(f"%load_ext mlx_magic\n{LOAD}")
    lab.run(STORY)
    lab.run_cell(panel.cell)
    lab.wait_for("return out(a).querySelector('.mlx-magic-live')", panel.cell)
    assert lab.js(SEEN, panel.cell) == ["live"]
    lab.js("return panel.sessionContext.shutdown()")
    _snapshot_is_right(lab, panel, "shut_down")


def test_a_saved_notebook_shows_the_snapshot_trusted_or_not(
    lab: Lab, cells: tuple[int, int]
) -> None:
    panel = PanelPage(lab, cells[1])  # without a kernel
    lab.js("return app.commands.execute('docmanager:save')")
    lab.js("return panel.context.revert()")
    lab.wait_for("return panel.context.isReady && cells.length > a && out(a)", panel.cell)
    _snapshot_is_right(lab, panel, "reopened")
    lab.js("cells[a].model.trusted = false", panel.cell)
    lab.wait_for("return !out(a).querySelector('.jp-mod-trusted')", panel.cell)
    _snapshot_is_right(lab, panel, "untrusted")
    assert "<style>" not in lab.output(panel.cell).html


def test_nbconvert_shows_the_snapshot_alone(lab: Lab, tmp_path: Path) -> None:
    notebook: dict[str, Any] = lab.js("return panel.content.model.toJSON()")
    saved = tmp_path / "saved.ipynb"
    saved.write_text(json.dumps(notebook))
    page = tmp_path / "saved.html"
    page.write_text(HTMLExporter().from_filename(str(saved))[0])
    tab = lab.page.context.browser.new_page()
    try:
        tab.goto(page.as_uri())
        assert tab.locator(".mlx-magic-snapshot").first.is_visible()
        assert "demo:pirate over llama" in tab.locator(".mlx-magic-snapshot").first.inner_text()
        assert tab.get_by_text("widget").count() == 0
        tab.screenshot(path=PICTURES / "pool_nbconvert.png", full_page=True)
    finally:
        tab.close()
