"""The pool panel: who holds the memory, as safe HTML and as text.

Every function makes a string of frozen values; times stand in the kernel's own time zone. What
changes by itself (the seconds since a use) is left out, so that a pool at rest always looks the
same and nobody has to send it again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zlib import crc32

from ..budget import AdmissionPlan, foresee
from ..events import PoolStatus, ResidentStatus, SystemMemory
from ..units import count, format_bytes
from .markdown import escape
from .models import does, model_of, pool_note
from .table import Table

SAMPLE_SECONDS = 5  # each bar of the sparkline
SAMPLES = 60

# Middle tones: each has a contrast of 3 or more with white and with JupyterLab's dark #111111.
_COLOURS = (
    "#2f7ed8", "#c8701a", "#1f9464", "#9467bd", "#d0484f", "#0f8ea3", "#8a8a1f", "#c65d9b",
)  # fmt: skip
_GREY = "#7f8790"
_WORTH_SHOWING = 1 << 16  # bytes; less is what a sampler or an empty cache leaves behind
_TEXT_CELLS = 40
_MOST_NAMED = 12  # parts of the bar with a name of their own

STYLE = """<style>
.mlx-pool{--mp-text:var(--jp-ui-font-color1,#212121);--mp-quiet:var(--jp-ui-font-color2,#5f6368);
--mp-line:var(--jp-border-color2,#c0c4c8);color:var(--mp-text);font-size:13px;line-height:1.4;
font-family:var(--jp-ui-font-family,system-ui,sans-serif);font-variant-numeric:tabular-nums;
max-width:1100px}
.mlx-pool-head b{font-weight:600}
.mlx-pool-quiet{color:var(--mp-quiet)}
.mlx-pool-bar{display:flex;gap:2px;height:18px;margin:4px 0 6px;padding:1px;
border:1px solid var(--jp-border-color1,#9e9e9e);border-radius:3px;forced-color-adjust:none}
.mlx-pool-bar>span,.mlx-pool-swatch{background:var(--c)}
.mlx-pool-bar>span{min-width:3px;border-radius:1px}
.mlx-pool-bar>.mlx-pool-free,.mlx-pool-swatch.mlx-pool-free{background:none;min-width:0}
.mlx-pool-hatched{background:repeating-linear-gradient(45deg,var(--c) 0 2px,transparent 2px 5px),
linear-gradient(var(--c) 0 2px,transparent 2px calc(100% - 2px),var(--c) 0)!important}
.mlx-pool .mlx-pool-legend,.mlx-pool .mlx-pool-legend tbody{display:flex;flex-wrap:wrap;
gap:2px 18px;margin:0;border:0;font-size:inherit;align-content:flex-start}
.mlx-pool .mlx-pool-legend tbody{min-height:40px}
.mlx-pool .mlx-pool-legend tr{display:flex;gap:6px;align-items:baseline;
background:none!important}
.mlx-pool .mlx-pool-legend td{padding:0;border:0;text-align:left;max-width:none;
white-space:nowrap;line-height:1.4}
.mlx-pool .mlx-pool-legend tr{padding:0}
.mlx-pool .mlx-pool-legend td:last-child{min-width:4.6em}
.mlx-pool-swatch{display:inline-block;width:10px;height:10px;border-radius:2px;
forced-color-adjust:none}
.mlx-pool-swatch.mlx-pool-free{outline:1px solid var(--jp-border-color1,#9e9e9e);
outline-offset:-1px}
.mlx-pool-facts{display:flex;flex-wrap:wrap;gap:6px 28px;margin:8px 0 4px;align-items:flex-end}
.mlx-pool-spark{display:flex;align-items:flex-end;gap:1px;width:239px;height:26px;
border-bottom:1px solid var(--mp-line);forced-color-adjust:none}
.mlx-pool-spark>span{width:3px;height:var(--h);min-height:1px;background:#2f7ed8}
.mlx-pool-spark>span:not([style]){min-height:0}
.mlx-pool-meter{width:239px;height:6px;border-radius:3px;overflow:hidden;margin:10px 0 9px;
box-shadow:inset 0 0 0 1px var(--jp-border-color1,#9e9e9e);forced-color-adjust:none}
.mlx-pool-meter>span{display:block;height:100%;width:var(--w);background:#7f8790}
.mlx-pool-cells{display:grid;column-gap:12px;align-items:center;grid-template-columns:
16px minmax(90px,1fr) 110px 62px 62px 44px 60px 64px 110px}
.mlx-pool-cells>span{min-width:0;overflow-wrap:anywhere}
.mlx-pool-cells>.mlx-pool-number{text-align:right}
.mlx-pool-cells small{display:block;font-size:12px;line-height:1.25;color:var(--mp-quiet)}
.mlx-pool-cells b{font-weight:600}
.mlx-pool-name{line-height:1.25}
.mlx-pool-name small,.mlx-pool-name b{overflow:hidden;text-overflow:ellipsis;white-space:nowrap;
display:block}
.mlx-pool-titles{color:var(--mp-quiet)}
.mlx-pool-titles .mlx-pool-cells>span{font-size:12px;overflow-wrap:normal}
.mlx-pool-label{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);
white-space:nowrap}
.mlx-pool-dot{forced-color-adjust:none}
.mlx-pool-rows{overflow-x:auto}
.mlx-pool-note{color:var(--mp-quiet)}
.mlx-magic-live{container-type:inline-size;padding:4px 8px;max-width:1100px}
.mlx-magic-live .widget-html-content,.mlx-magic-live .jupyter-widgets.widget-html-content{
line-height:1.4;font-size:13px}
.mlx-magic-live .mlx-pool-row{border-top:1px solid var(--jp-border-color3,#e0e0e0);
align-items:center}
.mlx-magic-live button:focus-visible{outline:2px solid var(--jp-brand-color1,#1976d2);
outline-offset:1px}
@container (max-width:860px){
.mlx-pool-titles{display:none}
.mlx-pool-cells{display:flex;flex-wrap:wrap;column-gap:10px;font-size:12px}
.mlx-pool-cells>.mlx-pool-name{flex:1 1 calc(100% - 40px);font-size:13px}
.mlx-pool-name small,.mlx-pool-name b{display:inline;white-space:normal}
.mlx-pool-name small{margin-left:8px}
.mlx-pool-cells>.mlx-pool-none{display:none}
.mlx-pool-label{position:static;width:auto;height:auto;clip-path:none;color:var(--mp-quiet)}
}
</style>"""

# Of the two outputs one is shown: the live panel behind the snapshot where its kernel is there,
# else the snapshot, and never "Error displaying widget". JupyterLab marks the widgets of a kernel
# that has gone; of one that was shut down only the indicator of the notebook's toolbar tells.
_LIVE = ".mlx-magic-live:not(.jupyter-widgets-disconnected)"
_HOST = (
    ":is(.jp-NotebookPanel:not(:has(.jp-Notebook-ExecutionIndicator[data-status=unknown])),"
    ".jp-LinkedOutputView,.jp-CodeConsole)"
)
_OUTPUT = ".jp-OutputArea-child"
_FOLLOWED = (
    f"<style>{_OUTPUT}:has(.mlx-magic-snapshot)+{_OUTPUT}{{display:none!important}}\n"
    f"{_HOST} {_OUTPUT}:has(.mlx-magic-snapshot)+{_OUTPUT}:has({_LIVE})"
    "{display:flex!important}\n"
    f"{_HOST} {_OUTPUT}:has(.mlx-magic-snapshot):has(+{_OUTPUT} {_LIVE})"
    "{display:none!important}</style>"
)


@dataclass(frozen=True)
class Part:
    """A stretch of the bar; `hatched` ones are what can be had back without losing a model."""

    label: str
    size_bytes: int
    colour: str
    hatched: bool = False
    note: str = ""


@dataclass(frozen=True)
class Row:
    """A resident in the LRU list, in words. `number` 1 is the least recently used."""

    name: str
    number: int
    model: str
    kind: str
    memory: str
    caches: str
    speed: str
    requests: str
    used: str
    states: tuple[str, ...]


_COLUMNS = (
    ("number", "#"), ("name", "name"), ("kind", "kind"), ("memory", "memory"),
    ("caches", "caches"), ("speed", "tok/s"), ("requests", "requests"), ("used", "last used"),
    ("state", "state"),
)  # fmt: skip
_NUMERIC = frozenset({"number", "memory", "caches", "speed", "requests", "used"})
# A state's dot; the word beside it says the same.
_DOTS = {"answering": "#1f9464", "would go": "#d0484f", "next to go": "#c8701a"}


# What is shown.


def parts(status: PoolStatus) -> list[Part]:
    """The bar from left to right; by name, so that nothing moves when another one is used."""
    found = []
    colours = _colours(r.name for r in status.residents)
    for r in sorted(status.residents, key=lambda r: r.name):
        colour = colours[r.name]
        views = sorted(v.name for v in status.residents if v.base == r.name)
        note = f"shared with {', '.join(views)}" if views else ""
        found.append(Part(r.name, r.weight_bytes, colour, note=note))
        if r.cache_bytes:
            found.append(Part(f"{r.name} caches", r.cache_bytes, colour, hatched=True))
    if len(found) > _MOST_NAMED:
        rest = found[_MOST_NAMED - 1 :]
        found[_MOST_NAMED - 1 :] = [Part("more models", sum(p.size_bytes for p in rest), _GREY)]
    for label, size, hatched in (
        ("answers and other arrays", status.other_bytes, False),
        ("buffer pool", status.buffer_pool_bytes, True),
    ):  # always there, so that the legend keeps its places
        found.append(Part(label, size if size >= _WORTH_SHOWING else 0, _GREY, hatched))
    return found


def _colours(names: Iterable[str]) -> dict[str, str]:
    """A colour for each name: its own, as long as no other name that is here has it too."""
    given: dict[str, str] = {}
    for name in sorted(names):
        first = crc32(name.encode("utf-8", "replace"))
        wished = [_COLOURS[(first + i) % len(_COLOURS)] for i in range(len(_COLOURS))]
        free = (colour for colour in wished if colour not in given.values())
        given[name] = next(free, wished[0])
    return given


def rows(status: PoolStatus, now: datetime, plan: AdmissionPlan | None = None) -> list[Row]:
    """The residents, least recently used first; `plan` marks who would go for a load."""
    order = foresee(status, 0, 0).evict  # all that may go, in the order in which they would
    next_to_go = order[0] if order and status.budget_bytes is not None else None
    return [
        Row(
            name=r.name,
            number=i,
            model=model_of(r),
            kind=f"{r.family} {r.kind}",
            memory=format_bytes(r.weight_bytes),
            caches=format_bytes(r.cache_bytes) if r.cache_bytes else "",
            speed=f"{r.generation_tps:,.0f}" if r.generation_tps else "",
            requests=f"{r.requests:,}",
            used=_clock(r.last_used, now),
            states=_states(r, next_to_go, plan),
        )
        for i, r in enumerate(status.residents, 1)
    ]


def _states(
    resident: ResidentStatus, next_to_go: str | None, plan: AdmissionPlan | None
) -> tuple[str, ...]:
    states = ["answering"] if resident.busy else []
    if resident.leaving:
        return (*states, "then goes" if resident.busy else "going")
    states += ["pinned"] if resident.pinned else []
    if plan is not None:
        states += ["would go"] if resident.name in plan.evict else []
        states += ["caches would go"] if resident.name in plan.drop_caches else []
    elif resident.name == next_to_go and not resident.busy:
        states.append("next to go")
    return tuple(states or ["idle"])


def _clock(at: datetime, now: datetime) -> str:
    """The time of day, or the date of another day."""
    here, today = at.astimezone(), now.astimezone()
    return f"{here:%H:%M:%S}" if here.date() == today.date() else f"{here:%Y-%m-%d}"


def use_line(status: PoolStatus) -> str:
    """What is in use, of how much."""
    used, budget = status.active_bytes, status.budget_bytes
    if budget is None:
        return f"{format_bytes(used)} in use, no budget is set"
    if used > budget:
        over = f"{format_bytes(used - budget)} over it"
    else:
        over = f"{format_bytes(budget - used)} free"
    return f"{format_bytes(used)} in use of a budget of {format_bytes(budget)}, {over}"


def system_line(system: SystemMemory) -> str:
    """The system's memory in words."""
    used = format_bytes(system.total_bytes - system.available_bytes)
    total = format_bytes(system.total_bytes)
    return f"system memory {used} of {total} · this kernel {format_bytes(system.process_bytes)}"


def spark_line(samples: Sequence[int], now: datetime) -> str:
    """What the sparkline shows, in words."""
    seconds = SAMPLE_SECONDS * len(samples)
    span = f"{max(1, round(seconds / 60))} min" if seconds >= 60 else f"{seconds} s"
    return f"last {span} to {_clock(now, now)} · most {format_bytes(max(samples, default=0))}"


def load_line(plan: AdmissionPlan, download_bytes: int = 0) -> str:
    """What a load would take, and who would go for it."""
    words = [f"needs {format_bytes(plan.need_bytes)}"]
    words += [f"{format_bytes(download_bytes)} to download first"] if download_bytes else []
    if plan.short_bytes:
        words.append(f"{format_bytes(plan.short_bytes)} too much: {plan.in_the_way}")
    else:
        words.append(f"would {does(plan)}")
    return " · ".join(words)


def budget_line(plan: AdmissionPlan) -> str:
    """What another budget would do."""
    short = f"{format_bytes(plan.short_bytes)} would stay over it: {plan.in_the_way}"
    return " · ".join([f"would {does(plan)}", *([short] if plan.short_bytes else [])])


# As HTML.


def gauge_html(status: PoolStatus) -> str:
    """The stacked bar of the budget, with a legend in words and numbers."""
    shown = parts(status)
    held_bytes = sum(part.size_bytes for part in shown)
    scale_bytes = max(status.budget_bytes or 0, held_bytes, 1)
    free_bytes = max(0, (status.budget_bytes or 0) - held_bytes)
    bar = "".join(
        f'<span class="mlx-pool-part{_hatch(part)}" title="{escape(_named(part))}" '
        f'style="--c:{part.colour};flex:{100 * part.size_bytes / scale_bytes:.2f} 1 0"></span>'
        for part in shown
        if part.size_bytes
    )
    if free_bytes or not bar:
        share = 100 * free_bytes / scale_bytes
        bar += f'<span class="mlx-pool-free" style="flex:{share:.2f} 1 0" title="free"></span>'
    legend = "".join(
        f'<tr><td><span class="mlx-pool-swatch{_hatch(part)}" style="--c:{part.colour}"></span>'
        f"</td><td>{escape(part.label)}{_noted(part)}</td><td>{format_bytes(part.size_bytes)}</td></tr>"
        for part in shown
    )
    if status.budget_bytes is not None:
        legend += (
            '<tr><td><span class="mlx-pool-swatch mlx-pool-free"></span></td>'
            f"<td>free</td><td>{format_bytes(free_bytes)}</td></tr>"
        )
    words = escape(use_line(status))
    return (
        f'<div class="mlx-pool mathjax_ignore"><div class="mlx-pool-head"><b>{words}</b></div>'
        f'<div class="mlx-pool-bar" role="img" aria-label="{words}">{bar}</div>'
        f'<table class="mlx-pool-legend"><tbody>{legend}</tbody></table></div>'
    )


def _hatch(part: Part) -> str:
    return " mlx-pool-hatched" if part.hatched else ""


def _named(part: Part) -> str:
    return f"{part.label} {format_bytes(part.size_bytes)}"


def _noted(part: Part) -> str:
    return f' <span class="mlx-pool-quiet">({escape(part.note)})</span>' if part.note else ""


def facts_html(samples: Sequence[int], system: SystemMemory, now: datetime) -> str:
    """The sparkline of what MLX held, and the system's memory."""
    top = max(samples, default=0) or 1
    bars = "<span></span>" * (SAMPLES - len(samples)) + "".join(
        f'<span style="--h:{100 * size / top:.0f}%"></span>' for size in samples[-SAMPLES:]
    )
    used = system.total_bytes - system.available_bytes
    share = 100 * used / max(1, system.total_bytes)
    lines = escape(spark_line(samples, now)), escape(system_line(system))
    return (
        '<div class="mlx-pool mathjax_ignore"><div class="mlx-pool-facts">'
        f'<div><div class="mlx-pool-spark" aria-hidden="true">{bars}</div>'
        f'<div class="mlx-pool-quiet">{lines[0]}</div></div>'
        f'<div><div class="mlx-pool-meter" aria-hidden="true" style="--w:{share:.0f}%">'
        f'<span></span></div><div class="mlx-pool-quiet">{lines[1]}</div></div></div></div>'
    )


def titles_html() -> str:
    """The titles above the rows."""
    cells = "".join(f'<span class="{_side(key)}">{title}</span>' for key, title in _COLUMNS)
    return f'<div class="mlx-pool mlx-pool-titles"><div class="mlx-pool-cells">{cells}</div></div>'


def row_html(row: Row) -> str:
    """A resident's line in the live panel; in a narrow one each number gets its title."""
    cells = "".join(_cell_html(row, key, title) for key, title in _COLUMNS)
    return f'<div class="mlx-pool mathjax_ignore"><div class="mlx-pool-cells">{cells}</div></div>'


def _cell_html(row: Row, key: str, title: str) -> str:
    if key == "name":
        small = (
            ""
            if row.model == row.name
            else f'<small title="{escape(row.model)}">{escape(row.model)}</small>'
        )
        return f'<span class="mlx-pool-name"><b>{escape(row.name)}</b>{small}</span>'
    if key == "state":
        return f'<span class="mlx-pool-state">{_states_html(row.states)}</span>'
    text = str(getattr(row, key))
    label = "" if key in ("number", "kind") else f'<span class="mlx-pool-label">{title} </span>'
    kind = _side(key) + ("" if text else " mlx-pool-none")
    return f'<span class="{kind}">{label if text else ""}{escape(text)}</span>'


def _side(key: str) -> str:
    return "mlx-pool-number" if key in _NUMERIC else f"mlx-pool-{key}"


def _states_html(states: Sequence[str]) -> str:
    def one(state: str) -> str:
        colour = _DOTS.get(state)
        dot = f'<span class="mlx-pool-dot" aria-hidden="true" style="color:{colour}">● </span>'
        word = f"<b>{escape(state)}</b>" if colour else escape(state)
        return (dot if colour else "") + word

    return ", ".join(map(one, states))


def line_html(text: str) -> str:
    """One calm line, which a screen reader reads out when it changes."""
    return (
        '<div class="mlx-pool mlx-pool-note mathjax_ignore" role="status">'
        f"{escape(text) or '&nbsp;'}</div>"
    )


def empty_html() -> str:
    """What stands in the place of the list as long as there is none."""
    return line_html("no model is loaded; load one below, or try %load_model demo:qwen")


# The static form.


def snapshot_html(
    status: PoolStatus,
    system: SystemMemory,
    now: datetime,
    samples: Sequence[int] = (),
    *,
    followed: bool = False,
) -> str:
    """The panel without its controls, legible with styles and without.

    `followed`: the live panel is the next output of the cell, and only one of the two is shown.
    """
    facts = facts_html(samples, system, now) if samples else _system_html(system)
    note = f"{pool_note(status)}; as of {now.astimezone():%Y-%m-%d %H:%M:%S}"
    table = replace(_table(status, now), note="").to_html()
    return (
        f"{STYLE}{_FOLLOWED if followed else ''}"
        f'<div class="{"mlx-magic-snapshot" if followed else "mlx-magic-pool"}" '
        'style="padding-left: 8px">'
        f"{gauge_html(status)}{facts}{table}"
        f'<div class="mlx-pool mlx-pool-note">{note}</div></div>'
    )


def _system_html(system: SystemMemory) -> str:
    return f'<div class="mlx-pool mlx-pool-note">{escape(system_line(system))}</div>'


def snapshot_text(status: PoolStatus, system: SystemMemory, now: datetime) -> str:
    """The panel in plain text: the list, the bar and what it is made of."""
    return f"{_table(status, now)}\n{_bar_text(status)} {use_line(status)}\n{system_line(system)}"


def _table(status: PoolStatus, now: datetime) -> Table:
    lines = [
        (
            row.name, row.model, row.kind, row.memory, row.caches, row.speed, row.requests,
            row.used, ", ".join(row.states),
        )
        for row in rows(status, now)
    ]  # fmt: skip
    columns = ("name", "model", "kind", *(title for _, title in _COLUMNS[3:]))
    return Table(
        columns, lines, frozenset(dict(_COLUMNS)[key] for key in _NUMERIC), pool_note(status)
    )


def _bar_text(status: PoolStatus) -> str:
    """The bar in characters: `#` weights, `+` caches, `o` other arrays, `.` free."""
    residents = status.residents
    sizes = {
        "#": sum(r.weight_bytes for r in residents),
        "+": sum(r.cache_bytes for r in residents),
        "o": status.other_bytes if status.other_bytes >= _WORTH_SHOWING else 0,
    }
    scale = max(status.budget_bytes or 0, sum(sizes.values()), 1)
    bar, held = "", 0
    for sign, size in sizes.items():
        held += size
        least = len(bar) + (1 if size else 0)
        bar = bar.ljust(max(least, round(_TEXT_CELLS * held / scale)), sign)
    return f"[{bar[:_TEXT_CELLS].ljust(_TEXT_CELLS, '.')}]"


def going_line(name: str, busy: bool) -> str:
    """What unloading comes to while a model, this one or another, is answering."""
    if busy:
        return f"{name} is answering; it goes when the answer ends"
    return f"{name} goes when the answer under way has ended"


def pinned_line(name: str, pinned: bool, evicted: Sequence[str]) -> str:
    """What a pin came to; `evicted` went because an unpinned one broke the budget."""
    over = f"; over the budget, so evicted {', '.join(evicted)}" if evicted else ""
    return f"{name} {'pinned' if pinned else 'unpinned'}{over}"


def cancelled_line(spec: str, downloading: bool) -> str:
    """What became of a load that was cancelled."""
    kept = "; what was downloaded is kept for another load" if downloading else ""
    return f"loading {spec} was cancelled{kept}"


def more_line(hidden: int) -> str:
    """What stands below a list that is too long to be shown whole."""
    return f"and {count(hidden, 'more model')}; %models lists them all"
