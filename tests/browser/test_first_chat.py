"""The first notebook and the reply card in a real browser; pictures go to build/browser/."""

import itertools
import os
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

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
PICTURES = PROJECT / "build" / "browser"
# Words of a cell -> what must stand in its output.
ANSWERS = {
    "capital of France": "The capital of France is Paris.",
    "27 + 15": "27 + 15 = 42.",
    "12 + 30 + 25": "12 + 30 + 25 = 67.",
    "is 40 + 9": "40 + 9 = 49.",
    "name is Ada": "Nice to meet you, Ada!",
    "legs does a spider": "A spider has 8 legs.",
    "What is my name": "Your name is Ada.",
    "-o story": "fox",
    "Answer in capital letters": "A FROG IS GREEN.",
    "World Cup": "I am sorry, I do not know that.",
    "--seed 7": "cat",
    "capital of Japan": "The capital of Japan is Tokyo.",
    "%models": "2 models",
    "mm.chat(": "['2 + 3 = 5.', '40 + 9 = 49.', '55 + 44 = 99.']",
    "%unload_model": "qwen unloaded",
}
SLOW = "%%chat slow --new --max-tokens {}\nHello"


@pytest.fixture(scope="module")
def lab(desk: Desk) -> Iterator[Lab]:
    with Lab(PROJECT / "notebooks" / "01_first_chat.ipynb", desk, "first_chat") as lab:
        lab.open()
        yield lab


@pytest.fixture
def chat(lab: Lab, tiny: dict[str, Path]) -> Lab:
    """The lab with the extension and the `slow` model loaded, by whichever test comes first."""
    loaded = lab.run(f"%reload_ext mlx_magic\n%load_model {tiny['slow']} --as slow")
    assert "error" not in loaded.types, loaded.text
    return lab


def test_the_first_notebook_runs_from_top_to_bottom_with_right_answers(lab: Lab) -> None:
    lab.run_all()
    outputs = {source: lab.output(i) for i, source in lab.code_cells().items()}
    for words, said in ANSWERS.items():
        assert said in lab.output(lab.find(words)).text
    chats = [output for source, output in outputs.items() if source.startswith("%%chat")]
    assert [chat.types for chat in chats] == [["display_data"]] * 12
    assert not [output.text for output in outputs.values() if "error" in output.types]
    lab.screenshot(PICTURES / "first_chat_light.png")
    lab.theme("JupyterLab Dark")
    lab.screenshot(PICTURES / "first_chat_dark.png")
    lab.theme("JupyterLab Light")
    assert lab.console_errors == []


def test_an_answer_grows_in_the_page_while_its_cell_runs(chat: Lab) -> None:
    cell = chat.add_cell(SLOW.format(400))
    chat.watch(cell)
    chat.run_cell(cell, wait=False)
    chat.wait_for("return window.changes.length > 6")
    chat.screenshot(PICTURES / "streaming.png", cell)
    chat.wait_idle()
    changes = chat.changes()
    assert chat.output(cell).types == ["display_data", "display_data"]  # the footer came later
    answers = [answer_in(change.text) for change in changes if change.running]
    assert len(set(answers)) >= 5
    assert [p for p in itertools.pairwise(answers) if not p[1].startswith(p[0])] == []
    # What is below the cell moves down only, but for when the status goes into the button's line.
    heights = [change.height for change in changes]
    falls = [high - low for high, low in itertools.pairwise(heights) if low < high]
    assert len(falls) <= 2 and sum(falls) < 45, falls
    assert changes[-1].text.startswith("slow · turn 1\n")
    assert "cut off at 400 tokens" in changes[-1].text and "Stop" not in changes[-1].text


def answer_in(text: str) -> str:
    """What stands between the head of a card and its foot."""
    lines = text.splitlines()[1:]
    while lines and re.match(r"\W*$|Stop$|Loading widget|.* …$|cut off|interrupted", lines[-1]):
        lines.pop()
    return "\n".join(lines).strip()


def test_the_button_under_an_answer_stops_it_and_the_next_cell_runs(chat: Lab) -> None:
    cell = chat.add_cell(SLOW.format(8000))
    after = chat.add_cell("print('went on')")
    chat.run_cell(cell, wait=False)
    chat.run_cell(after, wait=False)
    chat.wait_for("return out(a).innerText.length > 100 && out(a).querySelector('button')", cell)
    chat.screenshot(PICTURES / "stop_button.png", cell)
    before = answer_in(chat.output(cell).text)
    chat.js("out(a).querySelector('button').click()", cell)
    chat.wait_idle()
    output = chat.output(cell)
    assert output.types == ["display_data", "display_data"]
    assert answer_in(output.text).startswith(before)
    assert "interrupted · " in output.text.splitlines()[-1]
    assert chat.output(after).text.strip() == "went on"
    chat.screenshot(PICTURES / "stopped.png", cell)


def test_the_interrupt_button_keeps_the_partial_answer_and_the_next_cell_works(chat: Lab) -> None:
    cell = chat.add_cell(SLOW.format(8000))
    chat.run_cell(cell, wait=False)
    chat.wait_for("return out(a).innerText.length > 100 && out(a).querySelector('button')", cell)
    before = answer_in(chat.output(cell).text)
    chat.interrupt()
    chat.wait_idle()
    output = chat.output(cell)
    chat.screenshot(PICTURES / "interrupted.png", cell)
    assert output.types == ["display_data", "display_data", "error"]
    _, answer, footer, *error = [line for line in output.text.splitlines() if line.strip()]
    assert answer.startswith(before)
    assert footer.startswith("interrupted · ")
    assert error == ["interrupted; the answer so far is kept"]
    assert "2 tokens" in chat.run(SLOW.format(2)).text


class Beacon(ThreadingHTTPServer):
    """A server that a hostile answer calls home to; notes what is asked for."""

    def __init__(self) -> None:
        asked: list[str] = []
        heard = threading.Event()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.path)
                heard.set()
                self.send_error(404)

            def log_message(self, *_: Any) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.asked, self.heard = asked, heard
        self.url = f"http://127.0.0.1:{self.server_port}"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


HOSTILE = """\
A harmless [link](https://example.org/).

<script>window.hit = "script"</script>
<img src="BEACON/missing" onerror="window.hit = 'img'">
<svg onload="window.hit = 'svg'"></svg>
<iframe srcdoc="<script>parent.hit = 'iframe'</script>"></iframe>
<details open ontoggle="window.hit = 'details'">more</details>
<style>@import "BEACON/style";</style>
<button data-commandlinker-command="notebook:restart-kernel">press</button>

[x](javascript:window.hit=1) [y](data:text/html,hello) <a href="javascript:window.hit=2">z</a>
![](BEACON/beacon) ![a][b] <BEACON/auto>

[b]: BEACON/reference

```html"><img src="BEACON/fence" onerror="window.hit = 'fence'">
<script>window.hit = "code"</script>
```
"""


def test_what_a_model_writes_runs_nothing_and_calls_nobody(chat: Lab) -> None:
    with Beacon() as beacon:
        hostile = HOSTILE.replace("BEACON", beacon.url)
        chat.run(f"hostile = {hostile!r}\nfrom mlx_magic.reply import Reply")
        shown = chat.run("Reply(hostile, hostile, (), reasoning=hostile, interrupted=True)")
        chat.screenshot(PICTURES / "hostile.png", shown.cell)
        assert shown.types == ["execute_result"] and "<script>window.hit" in shown.text
        inside = "return [...out(a).querySelectorAll('.mlx-magic-reply *')]"
        tags = set(chat.js(f"{inside}.map(node => node.localName)", shown.cell))
        plain = {"p", "a", "div", "details", "summary", "pre", "code", "span", "strong"}
        assert tags <= plain | {"button"}
        links = chat.js(f"{inside}.map(node => node.href).filter(Boolean)", shown.cell)
        assert links and all(link.startswith(("https://", "http://")) for link in links)
        others = f"{inside}.filter(node => node.textContent !== 'Copy')"
        attributes = chat.js(f"{others}.flatMap(node => node.getAttributeNames())", shown.cell)
        assert not [name for name in attributes if name.startswith(("on", "src", "data-"))]
        asked, hit = list(beacon.asked), chat.js("return window.hit")
        # The same text without the card's care does both; without this nothing is proved.
        chat.run("from IPython.display import HTML\nHTML(hostile)")
        chat.wait_for("return window.hit")
        assert beacon.heard.wait(10)
    assert (hit, asked) == (None, [])


def test_the_copy_button_copies_the_code_beside_it(chat: Lab) -> None:
    code = "def f():\n    return 1\n"
    text = f"see\n\n```python\n{code}```"
    card = chat.run(f"from mlx_magic.reply import Reply\nReply({text!r}, 'slow', ())")
    chat.js("document.oncopy = () => { window.copied = getSelection().toString() }")
    chat.js("out(a).querySelector('button').click()", card.cell)
    assert chat.js("return window.copied").strip() == code.strip()
    assert chat.js("return out(a).querySelector('button').innerText", card.cell) == "Copied"


EVERYTHING = """\
Text with **bold**, `code`, a [link](https://example.org/) and

> a quote

| a | b |
|---|---|
| 1 | 2 |

1. one
2. two

```python
# a comment
@decorator
def name(x: int = 3) -> str:
    return "text" + str(len([x])) if x and True else None
class Other: ...
```
"""

# [[contrast by WCAG 2.2's formula, text], ...] of every text in a cell's reply card.
CONTRASTS = """
  const paint = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgba = colour => {
    paint.clearRect(0, 0, 1, 1); paint.fillStyle = colour; paint.fillRect(0, 0, 1, 1);
    const [r, g, b, alpha] = paint.getImageData(0, 0, 1, 1).data;
    return [r, g, b, alpha / 255];
  };
  const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3]));
  const ground = node => {
    if (!node) return [255, 255, 255];
    const colour = rgba(getComputedStyle(node).backgroundColor);
    return colour[3] === 1 ? colour : over(colour, ground(node.parentElement));
  };
  const light = colour => [0.2126, 0.7152, 0.0722].reduce((sum, weight, i) => {
    const c = colour[i] / 255;
    return sum + weight * (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  }, 0);
  const contrast = node => {
    const below = ground(node), text = over(rgba(getComputedStyle(node).color), below);
    const [low, high] = [light(text), light(below)].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
  };
  const card = out(a).querySelector('.mlx-magic-reply');
  const found = [], texts = document.createTreeWalker(card, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode;
    if (text.data.trim()) found.push([contrast(text.parentElement), text.data.trim()]);
  }
  return found;
"""


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_every_text_of_a_reply_card_stands_out_from_its_background(chat: Lab, theme: str) -> None:
    chat.run(f"from mlx_magic.reply import Reply\ntext = {EVERYTHING!r}")
    card = chat.run("Reply(text, 'slow', (), reasoning='So **be** it: `1`.', interrupted=True)")
    chat.js("out(a).querySelector('details').open = true", card.cell)
    chat.theme(f"JupyterLab {theme}")
    try:
        contrasts = chat.js(CONTRASTS, card.cell)
        chat.screenshot(PICTURES / f"everything_{theme.lower()}.png", card.cell)
    finally:
        chat.theme("JupyterLab Light")
    assert {"slow", "interrupted", "Copy", "bold", "link", "a quote", "return"} <= {
        t for _, t in contrasts
    }
    assert [(round(ratio, 2), text) for ratio, text in contrasts if ratio < 4.5] == []
