"""Tab and Shift-Tab in the real JupyterLab; screenshots go to build/screenshots/."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from desk import CHROMIUM, Desk
from lab import Lab

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None and os.environ.get("CI") != "true", reason="no chromium on the PATH"
    ),
]

PROJECT = Path(__file__).resolve().parents[2]
SCREENSHOTS = PROJECT / "build" / "screenshots"
SET_UP = """\
%load_ext mlx_magic
%load_model {} --as llama
%load_model {} --as qwen
import numpy as np
grey = np.zeros((4, 6))
name, city = "Ada", "Paris"
"""
POPUP = ".jp-Completer:not(.lm-mod-hidden) .jp-Completer-item"


@pytest.fixture(scope="module")
def lab(desk: Desk, tiny: dict[str, Path]) -> Iterator[Lab]:
    with Lab(PROJECT / "notebooks" / "01_first_chat.ipynb", desk, "completion") as lab:
        (lab.file.parent / "my cat.png").touch()
        lab.open()
        lab.js("panel.content.model.sharedModel.deleteCellRange(0, cells.length)")
        loaded = lab.run(SET_UP.format(tiny["llama"], tiny["qwen"]))
        assert "error" not in loaded.types, loaded.text
        yield lab


def press(lab: Lab, source: str, key: str) -> int:
    """Append a cell, put the cursor behind its text and press a key; the cell's number."""
    cell = lab.add_cell(source)
    lab.js(
        "panel.content.deselectAll(); panel.content.activeCellIndex = a;"
        "panel.content.mode = 'edit';"
        "const editor = cells[a].editor; editor.focus();"
        "editor.setCursorPosition(editor.getPositionAt(editor.model.sharedModel.source.length))",
        cell,
    )
    lab.wait_for("return cells[a].node.contains(document.activeElement)", cell)
    lab.page.keyboard.press(key)
    return cell


def offered(lab: Lab) -> list[str]:
    """What the popup lists."""
    lab.page.wait_for_selector(POPUP)
    return lab.page.locator(f"{POPUP} .jp-Completer-match").all_inner_texts()


def picture(lab: Lab, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    lab.page.screenshot(path=SCREENSHOTS / f"{name}.png")


def source(lab: Lab, cell: int) -> str:
    return str(lab.js("return cells[a].model.sharedModel.getSource()", cell))


@pytest.mark.parametrize(
    "typed, shown, result",
    [
        ("%%chat ", ["qwen", "llama"], "%%chat qwen"),
        ("%%chat llama --image ", ["grey", "'my cat.png'"], "%%chat llama --image grey"),
        ("%%chat --image 'my", ["'my cat.png'"], "%%chat --image 'my cat.png'"),
        ("%%chat --te", ["--temperature"], "%%chat --temperature"),
        ("%%chat\nHello {{", ["{{city}}", "{{grey}}", "{{name}}"], "%%chat\nHello {{city}}"),
    ],
    ids=["models", "pictures", "quoted", "flags", "variables"],
)
def test_tab_shows_what_fits_and_enter_takes_it(
    lab: Lab, typed: str, shown: list[str], result: str, request: pytest.FixtureRequest
) -> None:
    cell = press(lab, typed, "Tab")
    assert offered(lab)[: len(shown)] == shown  # below them Lab may list words of the cell
    picture(lab, f"tab_{request.node.callspec.id}")
    lab.page.keyboard.press("Enter")
    lab.wait_for("return cells[a[0]].model.sharedModel.getSource() === a[1]", [cell, result])
    lab.page.keyboard.press("Escape")


def test_shift_tab_shows_the_page_of_help(lab: Lab) -> None:
    press(lab, "%%chat", "Shift+Tab")
    lab.page.wait_for_selector(".jp-Tooltip")
    assert "%%chat [MODEL] [flags]" in lab.page.locator(".jp-Tooltip").inner_text()
    picture(lab, "shift_tab")
    lab.page.keyboard.press("Escape")


def test_where_nothing_can_be_known_the_popup_says_what_is_wanted(lab: Lab) -> None:
    cell = press(lab, "%%chat --system ", "Tab")
    assert offered(lab)[0] == ""
    first = lab.page.locator(POPUP).first.inner_text()
    assert "system prompt, from this turn on" in first.replace("\xa0", " ")
    picture(lab, "tab_hint")
    lab.page.keyboard.press("Enter")
    assert source(lab, cell) == "%%chat --system "
