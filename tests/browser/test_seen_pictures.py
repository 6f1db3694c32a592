"""Pictures and the answers about them in a real browser; screenshots go to build/browser/."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import tiny_vision
from desk import CHROMIUM, Desk
from lab import Lab

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None and os.environ.get("CI") != "true", reason="no chromium on the PATH"
    ),
]

PROJECT = Path(__file__).resolve().parents[2]
PICTURES = PROJECT / "build" / "browser"
DRAW = """\
import matplotlib.pyplot as plt, numpy as np
figure, axes = plt.subplots(figsize=(8, 6))
axes.bar(["a", "b", "c"], [2, 5, 3], color=["tab:red", "tab:blue", "tab:green"])
plt.close(figure)
square = np.ones((240, 320, 3))
square[60:180, 100:220] = (0.9, 0.1, 0.1)
"""
# Of every picture in a cell's output: what is painted, and the size of it.
SEEN = """
  return [...out(a).querySelectorAll('.mlx-magic-pictures img')].map(image => {
    const box = image.checkVisibility() ? image.getBoundingClientRect() : {width: 0, height: 0};
    return [image.complete && image.naturalWidth, Math.round(box.width), Math.round(box.height)];
  });
"""
OPENED = "return Boolean(out(a).querySelector('details').open)"


@pytest.fixture(scope="module")
def lab(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    model = tiny_vision.build(tmp_path_factory.mktemp("models") / "eyes", "smolvlm")
    with Lab(PROJECT / "notebooks" / "01_first_chat.ipynb", desk, "seen_pictures") as lab:
        lab.open()
        lab.js("panel.content.model.sharedModel.deleteCellRange(0, cells.length)")
        loaded = lab.run(f"%load_ext mlx_magic\n%load_model {model} --as eyes")
        assert "error" not in loaded.types, loaded.text
        lab.run(DRAW)
        yield lab


ASK = "%%chat eyes --new --image figure --image square --max-tokens 12\nHow many bars are there?"


def test_pictures_stand_side_by_side_above_the_answer(lab: Lab) -> None:
    shown = lab.run(ASK)
    assert shown.types == ["display_data", "display_data"]
    assert "figure · 800×600" in shown.text and "square · 320×240" in shown.text
    assert shown.text.index("square · 320×240") < shown.text.index("eyes · ")
    small, whole, square = lab.js(SEEN, shown.cell)
    assert small == [427, 429, 322] and whole[1:] == [0, 0]  # with the border; folded away
    assert square == [320, 322, 242]
    tops = lab.js(
        "return [...out(a).querySelectorAll('figure')].map(f => f.getBoundingClientRect().top)",
        shown.cell,
    )
    assert tops[0] == tops[1]
    for theme in ("Dark", "Light"):
        lab.theme(f"JupyterLab {theme}")
        lab.screenshot(PICTURES / f"pictures_{theme.lower()}.png", shown.cell)
    assert lab.console_errors == []


def test_a_click_shows_the_full_size_and_another_the_thumbnail(lab: Lab) -> None:
    cell = lab.run(ASK).cell
    summary = lab.page.locator(".jp-Notebook .jp-Cell").nth(cell).locator("summary")
    assert not lab.js(OPENED, cell)
    summary.locator("img").click()
    lab.wait_for(OPENED, cell)
    small, whole, _ = lab.js(SEEN, cell)
    assert small[1:] == [0, 0] and whole[0] == 800 and whole[1] > 600
    lab.screenshot(PICTURES / "pictures_full_size.png", cell)
    summary.click()
    lab.wait_for("return !out(a).querySelector('details').open", cell)
    assert lab.js(SEEN, cell)[0][1] == 429


def test_a_narrow_notebook_keeps_the_pictures_inside(lab: Lab) -> None:
    cell = lab.run(ASK).cell
    lab.page.set_viewport_size({"width": 480, "height": 900})
    try:
        lab.page.wait_for_timeout(200)
        right = lab.js("return out(a).getBoundingClientRect().right", cell)
        edges = lab.js(
            "return [...out(a).querySelectorAll('img')].map(i => i.getBoundingClientRect().right)",
            cell,
        )
        assert all(edge <= right + 1 for edge in edges)
        lab.screenshot(PICTURES / "pictures_narrow.png", cell)
    finally:
        lab.page.set_viewport_size({"width": 1200, "height": 900})


ALL_PAINTED = (
    "const images = [...out(a).querySelectorAll('.mlx-magic-pictures img')];"
    "return images.length === 3 && images.every(i => i.complete && i.naturalWidth > 0)"
)


def test_a_saved_and_reopened_notebook_still_shows_them(lab: Lab) -> None:
    shown = lab.run(ASK)
    lab.js("return app.commands.execute('docmanager:save')")
    lab.js("return panel.context.revert()")
    lab.wait_for("return panel.context.isReady && cells.length > a && out(a)", shown.cell)
    lab.js("panel.content.scrollToItem(a)", shown.cell)
    lab.wait_for(ALL_PAINTED, shown.cell)
    lab.screenshot(PICTURES / "pictures_reopened.png", shown.cell)
    assert lab.js(SEEN, shown.cell) == [[427, 429, 322], [800, 0, 0], [320, 322, 242]]
    assert "figure · 800×600" in lab.output(shown.cell).text


def test_a_notebook_that_is_not_trusted_shows_them_without_their_style(lab: Lab) -> None:
    """As one from elsewhere is opened: what may run or restyle the page is taken out."""
    cell = lab.run(ASK).cell
    lab.js("cells[a].model.trusted = false", cell)
    lab.wait_for("return !out(a).querySelector('.jp-mod-trusted')", cell)
    lab.wait_for(ALL_PAINTED, cell)
    lab.screenshot(PICTURES / "pictures_untrusted.png", cell)
    untrusted = lab.output(cell)
    assert "<style>" not in untrusted.html and "figure · 800×600" in untrusted.text
    lab.page.locator(".jp-Notebook .jp-Cell").nth(cell).locator("summary img").click()
    lab.wait_for(OPENED, cell)
    assert lab.js(SEEN, cell)[1][1] > 429  # the whole picture, below the thumbnail
