"""The live pool panel of one cell: what the watcher paints, and what its buttons ask for.

Its handlers only post to the watcher's thread. From there pool and session are asked aside, so
that a pin doesn't wait for an unloading that waits for an answer.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import ipywidgets
from IPython.display import display

from .. import demo, hub
from ..budget import AdmissionPlan, foresee
from ..events import DownloadProgress, LoadProgress, PoolStatus, ResidentStatus
from ..remote import Remote
from ..render import panel as views
from ..render.models import loaded_line, shrunk_line, unloaded_line
from ..render.progress import progress_line
from ..residents import Asked
from ..settings import parse_budget
from ..units import format_bytes, typed_bytes
from .comms import all_of, hear_while_busy
from .watcher import LOOK_SECONDS, View, Watcher

_MOST_ROWS = 40
_WIDGET = "application/vnd.jupyter.widget-view+json"
_NOTHING = {"text/html": "", "text/plain": ""}
_BUTTON = {"width": "73px", "flex": "0 0 auto", "margin": "2px"}
_LEAST_STEP = 22  # 4 MiB, as a power of two


@dataclass(frozen=True)
class _Priced:
    """A model that might be loaded, and what that takes."""

    spec: str
    name: str
    need_bytes: int
    download_bytes: int

    @classmethod
    def of(cls, asked: Asked) -> "_Priced":
        snapshot = asked.snapshot
        missing = snapshot.missing_bytes if isinstance(snapshot, Remote) else 0
        return cls(snapshot.spec, asked.name, asked.own_bytes, missing)


class _Cancelled(Exception):
    """Ends a load that a click has cancelled; its text is what to say."""


class _Row:
    """One resident: its facts, a button that pins it and one that frees it."""

    def __init__(self, name: str, panel: "PoolPanel") -> None:
        self.cells = ipywidgets.HTML(layout=panel.wide, style=panel.html_style)
        self.pin = ipywidgets.Button(layout=panel.narrow, style=panel.button_style)
        self.unload = ipywidgets.Button(
            description="Unload",
            tooltip=f"Free the memory of {name}",
            layout=panel.narrow,
            style=panel.button_style,
        )
        self.box = ipywidgets.HBox([self.cells, self.pin, self.unload])
        self.box.add_class("mlx-pool-row")
        self._name, self._pinned = name, False
        self.pin.on_click(lambda _: panel.post(lambda: panel.pin(name, not self._pinned)))
        self.unload.on_click(lambda _: panel.post(lambda: panel.unload(name)))
        hear_while_busy(self.pin, self.unload)

    def paint(self, row: views.Row, resident: ResidentStatus, pending: bool) -> None:
        self.cells.value = views.row_html(row)
        # By CSS: the row's own nodes stay, and with them the focus on one of its buttons.
        self.box.layout.order = str(row.number)
        self._pinned = resident.pinned
        self.pin.description = "Unpin" if resident.pinned else "Pin"
        self.pin.tooltip = (
            f"Let {self._name} be evicted again"
            if resident.pinned
            else f"Keep {self._name} in memory, whatever else is loaded"
        )
        self.pin.disabled = pending or resident.leaving
        self.unload.disabled = pending or resident.leaving

    def close(self) -> None:
        for widget in (self.box, self.box.layout, self.cells, self.pin, self.unload):
            widget.close()


class PoolPanel:
    """The panel of one cell, displayed when it is made; `key` is the cell's id.

    Two outputs: a static snapshot, which is what a saved notebook shows, and the widgets.
    """

    def __init__(self, watcher: Watcher, view: View, key: str | None) -> None:
        self.key = key
        self._watcher, self._session = watcher, watcher.session
        self._rows: dict[str, _Row] = {}
        self._pending: set[str] = set()
        self._line = ""
        self._priced: _Priced | None = None
        self._price_line = ""
        self._loading: threading.Event | None = None  # set to cancel the load under way
        self._budget: tuple[object, ...] = ()
        self._setting_budget = False
        self._build()
        self.paint(view)
        self._snapshot = display(self._saved(view), raw=True, display_id=True)
        live = {_WIDGET: self._root.get_view_spec(), **_NOTHING}
        self._live = display(live, raw=True, display_id=True)
        watcher.aside(self._find_specs, lambda _: None)

    def _build(self) -> None:
        layout, html = ipywidgets.Layout, ipywidgets.HTML
        self.wide, self.narrow = (
            layout(flex="1 1 0", min_width="0", margin="2px"),
            layout(**_BUTTON),
        )
        column = layout(margin="0", overflow="visible")
        self._style = html(views.STYLE, layout=layout(display="none"))
        self._gauge, self._facts = html(layout=column), html(layout=column)
        self.html_style = self._gauge.style
        self._titles = html(views.titles_html(), layout=self.wide)
        # As wide as the two buttons of a row, so that titles stand above their cells.
        gap = html(layout=layout(width="146px", flex="0 0 auto", margin="2px 4px"))
        self._head = ipywidgets.HBox([self._titles, gap])
        self._list = ipywidgets.VBox(layout=layout(margin="4px 0"))
        self._below = html(layout=layout(margin="0"))
        self._slider = ipywidgets.SelectionSlider(
            options=["none"],
            description="Budget",
            continuous_update=False,
            layout=layout(width="26em", max_width="100%"),
            style={"description_width": "4em"},
        )
        self._set = self._button("Set budget", "Let this be the most that models may hold", "8em")
        self.button_style = self._set.style
        self._budget_line = html(layout=self.wide)
        self._spec = ipywidgets.Combobox(
            description="Load",
            placeholder="demo:qwen, or a Hub repository",
            continuous_update=False,
            layout=layout(width="26em", max_width="100%"),
            style={"description_width": "4em"},
        )
        self._load = self._button("Load model", "Bring this model into memory", "8em")
        self._cancel = self._button("Cancel", "Stop this load; downloaded bytes are kept", "6em")
        self._plan_line = html(layout=self.wide)
        wrap = {"flex_flow": "row wrap", "align_items": "center"}
        self._controls = [
            ipywidgets.HBox([self._slider, self._set, self._budget_line], layout=layout(**wrap)),
            ipywidgets.HBox(
                [self._spec, self._load, self._cancel, self._plan_line], layout=layout(**wrap)
            ),
        ]
        self._said = html(layout=column)
        self._root = ipywidgets.VBox(
            [
                self._style, self._gauge, self._facts, self._head, self._list, self._below,
                *self._controls, self._said,
            ]
        )  # fmt: skip
        self._root.add_class("mlx-magic-live")
        self._set.on_click(lambda _: self.post(self._set_budget))
        self._load.on_click(lambda _: self.post(self._load_model))
        self._cancel.on_click(lambda _: self.post(self._cancel_load))
        self._spec.observe(lambda _: self.post(self._price), "value")
        self._slider.observe(lambda _: self.post(lambda: None), "value")
        hear_while_busy(self._set, self._load, self._cancel, self._spec, self._slider)

    def _button(self, description: str, tooltip: str, width: str) -> Any:
        layout = ipywidgets.Layout(width=width, flex="0 0 auto")
        return ipywidgets.Button(description=description, tooltip=tooltip, layout=layout)

    # What is shown.

    def post(self, action: Callable[[], None]) -> None:
        """What a handler does: leave it to the watcher's thread."""
        self._watcher.post(action)

    def paint(self, view: View) -> None:
        """Bring every widget up to date; ipywidgets sends what has changed."""
        status = view.status
        plan = self._plan(status)
        self._gauge.value = views.gauge_html(status)
        self._facts.value = views.facts_html(view.samples, view.system, view.at)
        self._paint_rows(status, view.at, plan)
        self._paint_budget(view)
        self._plan_line.value = views.line_html(self._plan_words(plan))
        self._load.disabled = self._loading is not None
        self._cancel.layout.display = "none" if self._loading is None else None
        self._cancel.disabled = self._loading is None or self._loading.is_set()
        self._said.value = views.line_html(self._line)

    def _paint_rows(self, status: PoolStatus, at: datetime, plan: AdmissionPlan | None) -> None:
        shown = views.rows(status, at, plan)[:_MOST_ROWS]
        residents = {r.name: r for r in status.residents}
        for row in shown:
            if row.name not in self._rows:
                self._rows[row.name] = _Row(row.name, self)
            self._rows[row.name].paint(row, residents[row.name], row.name in self._pending)
        names = {row.name for row in shown}
        gone = [self._rows.pop(name) for name in list(self._rows) if name not in names]
        boxes = tuple(made.box for made in self._rows.values())
        if boxes != self._list.children:
            self._list.children = boxes
        for made in gone:
            made.close()
        self._head.layout.display = None if shown else "none"
        hidden = len(residents) - len(shown)
        below = views.line_html(views.more_line(hidden)) if hidden else ""
        self._below.value = below if shown else views.empty_html()
        self._below.layout.display = None if self._below.value else "none"

    def _paint_budget(self, view: View) -> None:
        """The steps of the slider when the budget is another one, and what the chosen one does."""
        self._set.disabled = self._setting_budget
        if self._setting_budget:  # the pool knows of it already, the settings do not
            return
        setting = self._session.settings.budget_bytes()
        if self._budget != (setting, view.status.budget_bytes):
            self._budget = (setting, view.status.budget_bytes)
            options, chosen = _steps(setting, view.status.budget_bytes, view.system.total_bytes)
            self._slider.options = options
            self._slider.value = chosen
            self._in_force = chosen
        text = self._slider.value
        words = ""
        if text != self._in_force:
            words = "would evict nothing"
            if text:
                words = views.budget_line(foresee(view.status, 0, parse_budget(text)))
        self._budget_line.value = views.line_html(words)

    def _plan(self, status: PoolStatus) -> AdmissionPlan | None:
        priced = self._priced
        if priced is None or any(r.name == priced.name for r in status.residents):
            return None
        return foresee(status, priced.need_bytes, status.budget_bytes)

    def _plan_words(self, plan: AdmissionPlan | None) -> str:
        if self._priced is None:
            return self._price_line
        if plan is None:
            return f"{self._priced.name} is loaded already"
        return views.load_line(plan, self._priced.download_bytes)

    def rest(self, view: View) -> None:
        """Bring the snapshot up to date."""
        self._snapshot.update(self._saved(view), raw=True)

    def _saved(self, view: View, followed: bool = True) -> dict[str, str]:
        return {
            "text/html": views.snapshot_html(
                view.status, view.system, view.at, view.samples, followed=followed
            ),
            "text/plain": views.snapshot_text(view.status, view.system, view.at),
        }

    def close(self, view: View) -> None:
        """Leave the snapshot alone in the cell's output."""
        self._snapshot.update(self._saved(view, followed=False), raw=True)
        self._live.update(_NOTHING, raw=True)
        for row in self._rows.values():
            row.close()
        self._rows.clear()
        for widget in all_of(self._root):
            widget.close()
        self.narrow.close()

    # What is asked for, on the watcher's thread.

    def pin(self, name: str, pinned: bool) -> None:
        """Pin a resident or let it go again."""
        pool = self._session.pool

        def work() -> str:
            seen = pool.status().changes
            pool.pin(name, pinned)
            gone = [c.name for c in pool.changes(seen) if c.kind == "evicted"]
            return views.pinned_line(name, pinned, gone)

        self._ask(name, work)

    def unload(self, name: str) -> None:
        """Free a resident, or let it go when its answer has ended."""
        pool = self._session.pool
        busy = [r.name for r in pool.status().residents if r.busy]
        if busy and name not in self._pending:
            self._say(views.going_line(name, name in busy))
        self._ask(name, lambda: unloaded_line(pool.unload(name)))

    def _ask(self, name: str, work: Callable[[], str]) -> None:
        if name in self._pending:
            return

        def done(line: str | None) -> None:
            self._pending.discard(name)
            self._say(line)

        self._pending.add(name)
        self._watcher.aside(work, done)

    def _set_budget(self) -> None:
        text = self._slider.value
        label = next(label for label, value in self._slider.options if value == text)

        def work() -> str:
            plan = self._session.set_budget(text)
            went = shrunk_line(plan) if plan is not None else ""
            return f"budget: {label}" + (f"; {went}" if went else "")

        def done(line: str | None) -> None:
            self._setting_budget = False
            self._say(line)

        if self._setting_budget:
            return
        if any(r.busy for r in self._session.pool.status().residents):
            self._say(f"budget: {label}; what has to go waits for the answer's end")
        self._setting_budget = True
        self._watcher.aside(work, done)

    def _price(self) -> None:
        spec = self._spec.value.strip()
        self._priced, self._price_line = None, f"looking at {spec} …" if spec else ""
        if not spec:
            return

        def work() -> None:
            priced = _Priced.of(self._session.look_up(spec))
            self.post(lambda: self._found(spec, priced))

        def failed(line: str | None) -> None:
            if line and self._spec.value.strip() == spec:
                self._price_line = line

        self._watcher.aside(work, failed)

    def _found(self, spec: str, priced: _Priced) -> None:
        if self._spec.value.strip() == spec:  # and nothing else has been typed meanwhile
            self._priced = priced

    def _load_model(self) -> None:
        spec = self._spec.value.strip()
        if not spec or self._loading:
            if not spec:
                self._say("choose a model to load")
            return
        cancelled = self._loading = threading.Event()
        self._say(f"loading {spec} …")
        last_said = 0.0

        def progress(progress: DownloadProgress | LoadProgress) -> None:
            nonlocal last_said
            if cancelled.is_set():
                raise _Cancelled(views.cancelled_line(spec, isinstance(progress, DownloadProgress)))
            if time.monotonic() - last_said >= LOOK_SECONDS:
                last_said = time.monotonic()
                line = progress_line(spec, progress)
                self.post(lambda: self._say(line))

        def clear() -> None:
            if self._spec.value.strip() == spec:
                self._spec.value = ""

        def work() -> str:
            pool = self._session.pool
            before = pool.status()
            try:
                resident = self._session.load_model(spec, on_progress=progress)
            except _Cancelled as told:
                return str(told)
            self.post(clear)
            already = resident.name in {r.name for r in before.residents}
            return loaded_line(resident, already, pool.changes(before.changes))

        def done(line: str | None) -> None:
            self._loading = None
            self._say(line)
            self._watcher.aside(self._find_specs, lambda _: None)

        self._watcher.aside(work, done)

    def _cancel_load(self) -> None:
        if self._loading is not None:
            self._loading.set()

    def _say(self, line: str | None) -> None:
        """Show one line, with its time: it stays while other things happen."""
        self._line = f"{datetime.now():%H:%M:%S} · {line}" if line else ""

    def _find_specs(self) -> None:
        """Offer what lies on disk."""
        specs = [model.spec for model in demo.list()]
        specs += [model.spec for model in hub.list_cached() if model.complete]

        def offer() -> None:
            self._spec.options = tuple(dict.fromkeys(specs))

        self.post(offer)


def _steps(
    setting: object, budget_bytes: int | None, total_bytes: int
) -> tuple[list[tuple[str, str]], str]:
    """The slider's steps as (label, what `%pool --budget` takes), and which one is in force."""
    sizes = [2**power * factor // 2 for power in range(_LEAST_STEP, 50) for factor in (2, 3)]
    steps = {size: (_spaced(size), typed_bytes(size)) for size in sizes if size <= total_bytes}
    chosen = "none"
    if isinstance(setting, int):
        step = steps.setdefault(setting, (format_bytes(setting), str(setting)))
        chosen = step[1]
    default = "what the machine allows"
    if setting == "default":
        chosen = ""
        default = f"{format_bytes(budget_bytes)} (default)" if budget_bytes else default
    ordered = [steps[size] for size in sorted(steps)]
    return [*ordered, (default, ""), ("no limit", "none")], chosen


def _spaced(size: int) -> str:
    return typed_bytes(size).replace("iB", " iB").replace("M i", " Mi").replace("G i", " Gi")
