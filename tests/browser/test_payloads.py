"""Hostile texts through every place where text is shown, in a real browser: nothing runs or loads.

The texts are those of `payloads.py`. A scripted engine says them; all else is what it always is.
"""

import json
import os
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Self

import nbformat
import payloads
import pytest
from desk import CHROMIUM, Desk
from lab import Lab
from playwright.sync_api import Browser
from test_first_chat import Beacon

from mlx_magic.render import panel
from mlx_magic.render.reply import reply_html
from mlx_magic.reply import Reply

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None and os.environ.get("CI") != "true", reason="no chromium on the PATH"
    ),
]


class _Handlers(HTMLParser):
    """The handlers in some HTML, each as tag, attribute and value."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str, str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [(tag, name, value or "") for name, value in attrs if name[:2] == "on"]


# What stands in an output is looked at whenever it changes, so while an answer streams as well.
# `OWN` are the handlers of a card in which a model says nothing hostile, `SHEETS` the panel's.
LOOK = r"""
window.ran = [];
window.problems = new Set();
window.changed = performance.now();
window.halves = 0;
Object.defineProperty(window, '__pwned', {set: number => { window.ran.push(number) }});
{
  const own = OWN.map(entry => entry.join(' '));
  const sheets = new Set(SHEETS);
  // Of a widget the fields are ipywidgets' own; what our HTML puts into one is looked at.
  const field = node => node.closest('.jupyter-widgets') && !node.closest('.widget-html-content');
  const tags = new Set(('a b blockquote br code details div em figcaption figure h1 h2 h3 h4 h5 ' +
    'h6 hr img li ol p pre progress s small span strong style summary table tbody td th thead tr ul'
    ).split(' ').concat(OWN.map(([tag]) => tag)));
  const loads = new Set(('action archive background cite classid codebase data formaction ' +
    'longdesc lowsrc manifest ping poster profile src srcdoc srcset usemap').split(' '));
  const picture = /^data:image\/png;base64,[\w+\/=]*$/;
  const sheet = /^(\.mlx-magic-pictures [^@()]*(var\([^()]*\))?[^@()]*)+$/;
  // Jupyter makes links of addresses of any kind in plain text, each for a window of its own that
  // knows nothing of this one; that such a link runs nothing is another test's matter.
  const written = node => node.matches('.jp-RenderedText a[target=_blank][rel~=noopener]');
  const harmful = address => {
    try {
      return /^(javascript|vbscript|data|file):$/.test(new URL(address, location.href).protocol) &&
        !/^data:image\/(png|gif|jpeg|webp);/i.test(address);
    } catch { return false }
  };
  const look = node => {
    if (node instanceof HTMLFormElement) {  // its fields may go by the names of its properties
      window.problems.add('a <form>');
      return;
    }
    const say = what => window.problems.add(`${what}: ${node.outerHTML.slice(0, 120)}`);
    const tag = node.localName, formula = node.closest('mjx-container');
    if (!tags.has(tag) && !(formula && /^m/.test(tag)) && !field(node)) say(`a <${tag}>`);
    if (tag === 'style' && !sheet.test(node.textContent) && !sheets.has(node.textContent)) {
      say('a style sheet');
    }
    for (const {name, value} of node.attributes) {
      const ours = name === 'src' && node.matches('.mlx-magic-pictures img') && picture.test(value);
      if (/^on/.test(name) && !own.includes(`${tag} ${name} ${value}`)) say('a handler');
      if (/^data-(commandlinker|jupyter|jp|lm)/.test(name)) say('an attribute of Jupyter');
      if (/(^|:)href$/.test(name) && harmful(value) && !written(node)) say('an address');
      if (loads.has(name) && !ours) say('a load');
      if (name === 'style' && /url\(|image-set|expression|fixed/i.test(value)) say('a style');
      if (/^(id|name)$/.test(name) && !formula && !field(node)) say('a name');
    }
  };
  const inside = node => node.parentElement?.closest('.jp-OutputArea-output');
  const lookAt = node => {
    if (!(node instanceof Element) || !node.isConnected) return;
    if (inside(node)) look(node);
    if (/answering …/.test(node.textContent)) window.halves++;
    node.querySelectorAll(inside(node) ? '*' : '.jp-OutputArea-output *').forEach(look);
  };
  new MutationObserver(changes => {
    window.changed = performance.now();
    for (const {type, target, addedNodes} of changes) {
      if (type === 'childList') addedNodes.forEach(lookAt);
      else if (inside(target)) look(target);
    }
  }).observe(document, {subtree: true, childList: true, attributes: true});
}
"""
# Controls that steer a terminal, and marks that turn the direction of writing round.
STEERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class Watch:
    """A lab whose page is watched: what it runs, asks for, opens and holds."""

    def __init__(self, lab: Lab, beacon: Beacon) -> None:
        self.lab, self.beacon = lab, beacon
        self._events: list[str] = []
        self._cells: dict[str, int] = {}
        self._home = "http://127.0.0.1:"
        page = lab.page
        harmless = _Handlers(reply_html(Reply("```\nx\n```", "x", ()), "answering …"))
        sheets = re.findall("<style>(.*?)</style>", panel.STYLE + panel._FOLLOWED, re.DOTALL)
        look = LOOK.replace("SHEETS", json.dumps(sheets))
        page.add_init_script(look.replace("OWN", json.dumps(harmless.found)))
        page.on("request", self._on_request)
        page.on("dialog", self._on_dialog)
        page.on("popup", lambda popup: self._events.append(f"a window: {popup.url}"))
        page.on("frameattached", lambda frame: self._events.append(f"a frame: {frame.url}"))
        page.on("framenavigated", self._on_navigation)
        self.open()
        self._home = page.url.partition("/lab")[0] + "/"

    def _on_request(self, request: Any) -> None:
        ours = request.url.startswith((self._home, "data:image/png;base64,"))
        # Jupyter asks its own server whether what may be a path in a traceback is one.
        asks = request.url.startswith(f"{self._home}api/resolvePath")
        if not ours or ("pwned" in request.url and not asks):
            self._events.append(f"a request: {request.url}")

    def _on_dialog(self, dialog: Any) -> None:
        self._events.append(f"a dialog: {dialog.message}")
        dialog.dismiss()

    def _on_navigation(self, frame: Any) -> None:
        if not frame.url.startswith((self._home, "about:blank")):
            self._events.append(f"a page: {frame.url}")

    def open(self) -> None:
        """Open the notebook as it is on disk."""
        self.lab.open()
        self.lab.js("window.here = true")

    def save(self, trusted: bool) -> None:
        """Save the notebook, and for one that is not trusted change what Jupyter has signed."""
        self.lab.js("return app.commands.execute('docmanager:save')")
        if not trusted:
            content = json.loads(self.lab.file.read_text())
            self.lab.file.write_text(json.dumps(content | {"metadata": {"by": "somebody else"}}))

    def begin(self) -> None:
        """Forget what has been seen."""
        self._events.clear()
        self.beacon.asked.clear()
        self.lab.console_errors.clear()
        self.lab.js("window.ran.length = window.halves = 0; window.problems.clear()")

    def _settle(self) -> None:
        """Wait until the page has been still for a while: formulas are drawn late."""
        self.lab.wait_for("return performance.now() - window.changed > 300")

    def found(self) -> list[str]:
        """All that should not have happened since `begin`."""
        self._settle()
        ran, here, problems = self.lab.js("return [window.ran, window.here, [...window.problems]]")
        found = [f"payload {number} ran" for number in ran] + problems + self._events
        found += [f"a request: {self.beacon.url}{path}" for path in self.beacon.asked]
        found += [f"an error: {error}" for error in self.lab.console_errors]
        return sorted({*found, *([] if here else ["the page was left"])})

    def bring(self, sink: str) -> int:
        """Run the cell of a sink, unless it has been run, and return its number."""
        if sink not in self._cells:
            body = SINKS[sink]
            if "\n" not in body:
                body = f"for text, typed in zip(TEXTS, TYPED):\n    {body}"
            # The pool collects garbage after each failure; let it be little.
            self._cells[sink] = self.lab.run(f"gc.freeze()\n{body}").cell
        return self._cells[sink]

    def text(self, sink: str) -> str:
        """What stands in the output of a sink, also in what is folded."""
        return str(self.lab.js("return out(a).textContent", self.bring(sink)))

    def steering(self, sink: str) -> list[str]:
        """The texts of a sink's output that steer a terminal, as they would be saved."""
        outputs = self.lab.js("return cells[a].model.outputs.toJSON()", self.bring(sink))
        texts = [text for output in outputs for text in _texts(output)]
        return [text[:200] for text in texts if STEERS.search(text)]

    def hide(self, sink: str) -> None:
        """Spare the page the layout of an output that has been looked at."""
        self.lab.js("cells[a].node.style.display = 'none'", self.bring(sink))


def _texts(output: dict[str, Any]) -> Iterator[str]:
    for value in (output.get("text"), output.get("traceback"), *output.get("data", {}).values()):
        yield from [value] if isinstance(value, str) else value or ()


class Turncoat(ThreadingHTTPServer):
    """A server that answers `/N` with a redirect to the text of payload N."""

    def __init__(self, texts: list[str]) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                number = self.path.removeprefix("/")
                if not number.isdecimal():
                    self.send_error(404)
                    return
                text = STEERS.sub("", " ".join(texts[int(number)].split()))
                self.send_response(302)
                self.send_header("Location", text.encode("utf-8", "replace").decode("latin-1"))
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"

    def __enter__(self) -> Self:
        self._thread = Thread(target=self.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


SETUP = """
import gc, ipywidgets, json, os, sys
from dataclasses import replace
from pathlib import Path
from shlex import quote
from IPython.display import display
from PIL import Image
import mlx_magic as mm
import mlx_magic.images
from mlx_magic import pool
from mlx_magic.events import DownloadProgress
from mlx_magic.errors import GenerationFailed
from mlx_magic.events import Finished, GenerationStats, PoolChange, TextDelta, Unloaded
from mlx_magic.families import DEFAULT
from mlx_magic.magics.live_line import LiveLine
from mlx_magic.plain import plain_text
from mlx_magic.render import models as views
from mlx_magic.render import panel as panels
from mlx_magic.render.pictures import pictures_bundle
from mlx_magic.reply import Reply
from mlx_magic.snapshot import INDEX
from mlx_magic.templates import unwrap_tokenizer
sys.path.insert(0, HERE)
import payloads

TEXTS = [p.text for p in payloads.filled(SERVER) if p.kind != "surrogate"]
TYPED = [quote(text) for text in TEXTS]
FILES = ["x.png" if text.startswith("http") else text for text in TEXTS]  # no address to ask
PNG = Image.new("RGB", (4, 4))._repr_png_()
NAMES = [text.replace("/", "\\\\").replace("\\0", "")[:80] for text in TEXTS]
shell, work = get_ipython(), Path(WORK)
work.mkdir()
engines, load_engine = [], pool.load_engine

class Scripted:
    kind, family, weight_bytes, cache_bytes = "vision", DEFAULT, 1000, 10
    reasoning = text = fails = ""

    def stream(self, messages, options, control):
        for channel, text in (("reasoning", self.reasoning), ("text", self.text)):
            half = len(text) // 2
            yield from (TextDelta(part, channel) for part in (text[:half], text[half:]) if part)
        if self.fails:
            raise GenerationFailed(self.fails)
        yield Finished(GenerationStats(9, 3, 5, 0.1, 9.0, 9.0, 10**6, "stop", 0, None), ())

    def parameters(self):
        return []

    def close(self):
        pass

    shared_parameters = modules = parameters
    read_weights = drop_caches = close

def script(text="", reasoning="", fails=""):
    Scripted.text, Scripted.reasoning, Scripted.fails = text, reasoning, fails

def magic(line, cell=None):
    # As a cell runs it, but an error doesn't end the cell.
    name, _, rest = line.partition(" ")
    try:
        if cell is None:
            shell.run_line_magic(name, rest)
        else:
            shell.run_cell_magic(name, rest, cell)
    except Exception:
        shell.showtraceback()

def folder(name, **files):
    # A folder like the tiny model's, with some files of its own.
    place = work / name
    place.mkdir(parents=True)
    for file in Path(TINY).iterdir():
        if file.name not in files:
            (place / file.name).symlink_to(file)
    for file, content in files.items():
        (place / file).write_text(json.dumps(content))
    return place

def possible(names):
    # Those that this file system takes.
    for name in names:
        try:
            os.fsencode(name)
        except UnicodeError:
            continue
        if len(os.fsencode(name)) < 240:
            yield name

%load_ext mlx_magic
pool.load_engine = lambda *_: Scripted()
%load_model {TINY} --as scripted
pool.load_engine = lambda *files: engines.append(load_engine(*files)) or engines[-1]
%load_model {TINY} --as real
pool.load_engine = load_engine
"""


@pytest.fixture(scope="module")
def watch(
    chromium: Browser, tmp_path_factory: pytest.TempPathFactory, tiny: dict[str, Path]
) -> Iterator[Watch]:
    folder = tmp_path_factory.mktemp("payloads")
    notebook = folder / "payloads.ipynb"
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(nbformat.v4.new_notebook(metadata={"kernelspec": kernel}), notebook)
    settings = folder / "settings" / "@jupyterlab" / "notebook-extension"
    settings.mkdir(parents=True)
    every_output = json.dumps({"maxNumberOutputs": 10**6})
    (settings / "tracker.jupyterlab-settings").write_text(every_output)
    with pytest.MonkeyPatch.context() as patch, Beacon() as beacon:
        patch.setenv("HF_HOME", str(folder / "hub"))
        every = payloads.filled(beacon.url)
        texts = [p.text for p in every if p.kind != "surrogate"]
        with (
            Turncoat(texts) as turncoat,
            Desk(folder, chromium) as desk,
            Lab(notebook, desk, "payloads") as lab,
        ):
            watch = Watch(lab, beacon)
            names = {
                "HERE": str(Path(__file__).parent),
                "SERVER": beacon.url,
                "TURNCOAT": turncoat.url,
                "TINY": str(tiny["llama"]),
                "WORK": str(folder / "work"),
            }
            lab.run("\n".join(f"{name} = {value!r}" for name, value in names.items()))
            ready = lab.run(SETUP.replace("{TINY}", str(tiny["llama"])))
            assert "error" not in ready.types, ready.text
            yield watch


# Where text is shown -> the cell that brings every payload there. A single line is run for each
# `text`; `typed` is the text as an argument of a magic.
SINKS = {
    "half an answer, then all of it": "script(text); magic('chat scripted --new', 'x')",
    "half a reasoning, then all of it": "script('x', text); magic('chat scripted --new', 'x')",
    "an answer that breaks off": "script('x', fails=text); magic('chat scripted --new', 'x')",
    "a reply and its footer": "display(Reply(text, text, (), reasoning=text, interrupted=True))",
    "what was sent, and in which conversation": """
for text, typed in zip(TEXTS, TYPED):
    script(text)
    magic(f"chat scripted --system {typed} --conversation {typed} -o reply", text)
    display(reply.messages)
display([talk.name for talk in mm.session().conversations])
display(mm.session().conversations[-1].turns)
""",
    "unknown fields of a prompt": """
script("x")
for text in TEXTS:
    magic("chat scripted --new", "{{fields['%s']}}" % text.replace("'", "").replace("]", ""))
""",
    "an unknown model": "magic('chat ' + typed, 'x')",
    "a model to load": "magic('load_model ' + typed)",
    "models to free and to pin": "magic('unload_model ' + typed); magic('pin_model ' + typed)",
    "a name for a model": "magic('load_model demo:qwen --as ' + typed)",
    "a revision": "magic('load_model acme/model --revision ' + typed)",
    "an adapter": "magic('load_model demo:llama --adapter ' + typed)",
    "values of flags": """
for text, typed in zip(TEXTS, TYPED):
    for flag in ("--seed", "--temperature", "-o", "--think"):
        magic(f"chat scripted {flag} {typed}", "x")
    magic("load_model demo:qwen --ttl " + typed)
    magic("pool --budget " + typed)
    magic("models " + typed)
    magic("chat scripted --" + text, "x")
    magic("chat '" + text.replace("'", ""), "x")
""",
    "a schema": "magic('chat scripted --json ' + typed, 'x')",
    "settings": """
for text in TEXTS:
    magic(f"config MlxMagics.ttl = {text!r}")
    magic(f"config MlxMagics.system = {text!r}")
    magic("config MlxMagics.system")
magic("config MlxMagics")
magic("config MlxMagics.system = ''")
""",
    "errors in full": """
magic("config MlxMagics.debug = True")
for typed in TYPED[::4]:  # some, of many lines each
    magic("chat " + typed, "x")
magic("config MlxMagics.debug = False")
""",
    "a path of a picture": """
for text in FILES:
    magic("chat scripted --new --image " + quote(text), "x")
""",
    "an address of a picture, and what its server says": """
for number, text in enumerate(FILES):
    if text in TEXTS:
        magic(f"chat scripted --new --image {TURNCOAT}/{number}", "x")
    magic(f"chat scripted --new --image {quote(TURNCOAT + '/missing/' + text)}", "x")
""",
    "names of pictures": """
script("x")
made = [work / f"{name}.png" for name in possible(NAMES)]
for path in made:
    path.write_bytes(PNG)
fields = {text: PNG for text in TEXTS if not set(text) & set("']")}
named = [quote(str(path)) for path in made] + [quote(f"fields['{text}']") for text in fields]
for first in range(0, len(named), 40):
    magic("chat scripted --new --image " + " --image ".join(named[first:first + 40]), "x")
magic("chat scripted --new --image " + quote(str(work / "missing.png")), "x")
""",
    "captions of pictures": """
for size in ((4, 4), (4, 400)):
    picture = mm.images.image_part(Image.new("RGB", size))
    display(pictures_bundle([replace(picture, source=t, note=t) for t in TEXTS]), raw=True)
display([replace(picture, source=text, note=text) for text in TEXTS])
""",
    "folders of models": """
pool.load_engine = lambda *_: Scripted()
places = [folder(f"models/{name}") for name in possible(NAMES)]
odd = ["javascript:__pwned", "data:text/html", SERVER + "/name.png", "www.example.org", "__proto__"]
for number, place in enumerate(places):
    name = quote(odd[number] if number < len(odd) else f"m{number}")
    magic(f"load_model {quote(str(place))} --dry-run")
    magic(f"load_model {quote(str(place))} --as {name}")
magic(f"load_model {TINY} --as m9")
magic("models")
magic("models --json")
magic("chat m8888", "x")
for name in odd:
    magic(f"chat {name}", "x")
    magic(f"pin_model {name}")
magic("unload_model " + " ".join(odd))
display(mm.session().pool.status())
magic("unload_model " + " ".join(quote(str(place)) for place in places[len(odd):]))
pool.load_engine = load_engine
""",
    "lines and tables about models": """
status = mm.session().pool.status()
plan = mm.session().plan_load("demo:qwen")
lines, with_adapters, with_drafts = [], [], []
for text in TEXTS:
    resident = replace(status.residents[0], name=text, spec=text, family=text, base=text, kind=text)
    with_adapters.append(replace(resident, adapter=text))
    with_drafts.append(replace(resident, draft=text))
    evicted = PoolChange(1, resident.last_used, "evicted", text, 9, text)
    lines.append(views.loaded_line(with_adapters[-1], changes=[evicted]))
    lines.append(views.loaded_line(with_drafts[-1]))
    lines.append(views.unloaded_line(Unloaded(resident, 9, (text,))))
    lines.append(views.plan_line(text, replace(plan, evict=(text,), drop_caches=(text,)), 9))
    lines.append(views.shrunk_line(replace(plan, evict=(text,), short_bytes=9)))
for line in lines:
    print(plain_text(line))
display(views.pool_table(replace(status, residents=with_adapters)))
display(views.pool_table(replace(status, residents=with_drafts)))
""",
    "the pool panel": """
status, system = mm.session().pool.status(), mm.session().system_memory()
made = [
    replace(status.residents[0], name=text, spec=text, family=text, kind=text, base=base)
    for text, base in zip(TEXTS, [*TEXTS[1:], None])
]
status = replace(status, residents=tuple(replace(r, adapter=r.base and r.spec) for r in made))
now = status.residents[0].last_used
html = panels.snapshot_html(status, system, now, (1, 2))
display({"text/html": html, "text/plain": panels.snapshot_text(status, system, now)}, raw=True)
shown = [panels.gauge_html(status), *map(panels.row_html, panels.rows(status, now, plan=None))]
shown += [panels.line_html(text) for text in TEXTS]
shown += [panels.line_html(panels.going_line(text, busy=True)) for text in TEXTS]
display(ipywidgets.HTML("".join(shown)))
""",
    "a download and what became of it": """
status = mm.session().pool.status()
for text in TEXTS:
    live = LiveLine(shell, text)
    live.progress(DownloadProgress(text, 1, 3, 5.0, 2.0))
    live.finish(views.loaded_line(replace(status.residents[0], name=text, family=text)))
""",
    "what a model's files say": """
config = json.loads((Path(TINY) / "config.json").read_text())
typed, sharded = folder("typed", **{"config.json": {}}), folder("sharded", **{INDEX: {}})
for text in TEXTS:
    (typed / "config.json").write_text(json.dumps(config | {"model_type": text}))
    magic(f"load_model {typed}")
    (sharded / INDEX).write_text(json.dumps({"weight_map": {"a": text}}))
    magic(f"load_model {sharded}")
""",
    "what an adapter's files say": """
weights = Path(mm.demo.find_adapter("shout").path) / "adapters.safetensors"
place = folder("adapter")
(place / weights.name).symlink_to(weights)
for text in TEXTS:
    said = {"fine_tune_type": text, "model": text, "num_layers": 2, "lora_parameters": {}}
    (place / "adapter_config.json").write_text(json.dumps(said))
    magic(f"load_model {TINY} --adapter {place}")
""",
    "what a chat template says": """
tokenizer = unwrap_tokenizer(engines[0].tokenizer)
template = tokenizer.chat_template
for text in TEXTS:
    tokenizer.chat_template = "{{ raise_exception(%s) }}" % json.dumps(text)
    magic("chat real --new", "x")
tokenizer.chat_template = template
""",
    "what lies in the cache": """
hub = Path(os.environ["HF_HOME"]) / "hub"
for number, name in enumerate(possible(NAMES)):
    snapshot = hub / f"models--{name}" / "snapshots" / f"{number:040x}"
    snapshot.mkdir(parents=True)
    for file in Path(TINY).iterdir():
        (snapshot / file.name).symlink_to(file)
magic("models --cached")
magic("models --cached --json")
for typed in map(quote, NAMES[::40]):
    magic("load_model " + typed)
""",
}


@pytest.mark.parametrize("sink", SINKS)
def test_nothing_runs_and_nothing_loads(watch: Watch, sink: str) -> None:
    watch.begin()
    text = watch.text(sink)
    found = watch.found()
    watch.hide(sink)
    assert text.count("__pwned") > 40  # of some only the beginning is shown
    assert not sink.startswith("half") or watch.lab.js("return window.halves") > 200
    assert not found, "\n".join(found)
    assert watch.steering(sink) == []


# What Tab is pressed after -> the sink whose names it then offers.
COMPLETIONS = {
    "%%chat scripted --conversation ": "what was sent, and in which conversation",
    "%%chat scripted --image ": "names of pictures",
    "%load_model ": "what lies in the cache",
}
OFFERED = """
  const nodes = [...document.querySelectorAll('.jp-Completer *')];
  return [nodes.map(node => node.localName), nodes.flatMap(node => node.getAttributeNames())];
"""


@pytest.mark.parametrize("typed", COMPLETIONS)
def test_names_that_tab_offers_run_nothing(watch: Watch, typed: str) -> None:
    watch.bring(COMPLETIONS[typed])
    lab = watch.lab
    lab.run("os.chdir(work)")
    watch.begin()
    cell = lab.add_cell(typed)
    lab.js("panel.content.activeCellIndex = a; panel.content.mode = 'edit'", cell)
    lab.page.keyboard.press("End")
    lab.page.keyboard.press("Tab")
    lab.wait_for("return document.querySelector('.jp-Completer').textContent.split('__pwned')[40]")
    tags, attributes = lab.js(OFFERED)
    lab.page.keyboard.press("Escape")
    assert set(tags) <= {"ul", "li", "code", "mark", "span", "div"}
    assert set(attributes) <= {"class", "data-value", "data-color-index", "style", "title"}
    assert watch.found() == []


def test_what_jupyter_links_in_plain_text_runs_nothing_when_it_is_pressed(watch: Watch) -> None:
    watch.begin()
    lab = watch.lab
    cell = lab.run("magic('models javascript://example.org/%0awindow.__pwned=1')").cell
    link = lab.page.locator(".jp-Notebook .jp-Cell").nth(cell).locator(".jp-RenderedText a")
    with lab.page.expect_popup() as popup:
        link.first.click()
    popup.value.close()
    assert watch.found() == ["a window: about:blank"]


SURROGATES = """
BROKEN = [p.text for p in payloads.filled(SERVER) if p.kind == "surrogate"]
for number, text in enumerate(BROKEN):
    folder(f"broken{number}", **{INDEX: {"weight_map": {"a": text}}})
"""


def test_half_characters_in_a_reply_are_shown_as_something_else(watch: Watch) -> None:
    """Jupyter can't send them: without care there is a traceback in the place of the reply."""
    watch.lab.run(SURROGATES)
    watch.begin()
    card = watch.lab.run("Reply(BROKEN[0], BROKEN[1], (), reasoning=BROKEN[2], interrupted=True)")
    assert watch.found() == []
    assert card.types == ["execute_result"]
    assert "window.__pwned" in card.text


def test_half_characters_in_an_error_are_shown_as_something_else(watch: Watch) -> None:
    """Without care nothing is shown at all, for the traceback or for the exception's own text."""
    watch.lab.run(SURROGATES.replace("broken", "half"))
    watch.begin()
    error = watch.lab.run("mm.load_model(work / 'half0')")
    assert watch.found() == []
    assert error.types == ["error"]
    assert error.text.startswith("SnapshotBroken: ")


# As Jupyter shows a model's words when nobody looks after them.
UNSAFE = """
for payload in payloads.filled(SERVER):
    if payload.kind not in ("head", "surrogate"):  # after a <base> the page finds nothing any more
        display({"text/html": payload.text}, raw=True)
        display({"text/markdown": payload.text}, raw=True)
"""


def test_the_same_texts_run_and_load_where_nobody_looks_after_them(watch: Watch) -> None:
    """Without this, that nothing was found proves nothing."""
    watch.begin()
    cell = watch.lab.run(UNSAFE).cell
    found = "\n".join(watch.found())
    watch.lab.js("panel.content.model.sharedModel.deleteCell(a)", cell)
    server = re.escape(watch.beacon.url)
    ran = set(re.findall(r"^payload (\d+) ran", found, re.MULTILINE))
    asked = set(re.findall(rf"^a request: {server}/(\d+)/", found, re.MULTILINE))
    assert len(ran) > 60 and len(asked) > 25
    for seen in (
        "a <script>",
        "a <iframe>",
        "a <svg>",
        "a handler",
        "an address",
        "a load",
        "a style",
        "a style sheet",
        "an attribute of Jupyter",
        "a frame",
    ):
        assert f"\n{seen}: " in f"\n{found}"


@pytest.mark.parametrize("trusted", [True, False], ids=["trusted", "not trusted"])
def test_nothing_runs_and_nothing_loads_when_the_saved_notebook_is_opened(
    watch: Watch, trusted: bool
) -> None:
    cells = {sink: watch.bring(sink) for sink in SINKS}
    watch.save(trusted)
    watch.begin()
    watch.open()
    assert watch.lab.js("return a.every(i => cells[i].model.trusted)", [*cells.values()]) == trusted
    found = watch.found()
    assert all("__pwned" in watch.text(sink) for sink in cells)
    assert not found, "\n".join(found)
