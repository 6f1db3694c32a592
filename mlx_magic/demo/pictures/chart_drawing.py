"""Draws charts with matplotlib, without pyplot: in any thread, whatever style is set."""

import math
from contextlib import AbstractContextManager
from threading import Lock
from typing import TYPE_CHECKING, Any

from PIL import Image

from ...errors import UsageProblem
from .backgrounds import RGB, as_file
from .charts import LOOKS, Chart, Look

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LOCK = Lock()  # matplotlib's settings are global
_KEPT = ("backend", "interactive", "toolbar", "webagg", "tk.", "macosx")  # no matter of a picture


def draw(chart: Chart, max_side: int | None = None) -> Image.Image:
    """The chart as an RGB picture, made smaller at the end when it is larger than `max_side`.

    Raises `UsageProblem` when matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise UsageProblem("charts need matplotlib; type: pip install matplotlib") from error
    with _LOCK, _default_settings():
        image = _drawn(chart, Figure)
    if max_side and max(image.size) > max_side:
        image.thumbnail((max_side, max_side), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return as_file(image, chart.quality)


def _default_settings() -> AbstractContextManager[None]:
    """matplotlib as it comes, whatever style is set; only what differs is set, which is quick."""
    from matplotlib import rc_context, rcParams, rcParamsDefault

    names = [name for name in rcParamsDefault if not name.startswith(_KEPT)]
    changed = [name for name in names if rcParams[name] != rcParamsDefault[name]]
    return rc_context({name: rcParamsDefault[name] for name in changed})


def _drawn(chart: Chart, make_figure: "type[Figure]") -> Image.Image:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    look = LOOKS[chart.look]
    size = (chart.width / chart.dpi, chart.height / chart.dpi)
    figure = make_figure(figsize=size, dpi=chart.dpi, facecolor=look.paper)
    canvas: Any = FigureCanvasAgg(figure)  # its methods carry no types
    axes = figure.add_axes(_frame(chart), facecolor=look.area)
    _PAINTERS[chart.kind](axes, chart, look)
    _furnish(axes, chart, look)
    canvas.draw()
    width_height = canvas.get_width_height()
    return Image.frombuffer("RGBA", width_height, canvas.buffer_rgba()).convert("RGB")


def _points(chart: Chart, pixels: float) -> float:
    """A length in points that is so many ninety-sixths of the picture's mean side."""
    return pixels * math.sqrt(chart.width * chart.height) / 96 * 72 / chart.dpi


def _font_size(chart: Chart) -> float:
    """About a thirtieth of the width, and never below seven pixels."""
    return max(7.0, min(14.0, chart.width / 34)) * 72 / chart.dpi


def _frame(chart: Chart) -> tuple[float, float, float, float]:
    top = 0.88 if chart.title else 0.95
    if chart.kind == "pie":
        return (0.06, 0.05, 0.88, top - 0.07)
    left = 0.2 if chart.horizontal and chart.labels else 0.15
    bottom = 0.17 if chart.axis_names else 0.12
    return (left, bottom, 0.96 - left, top - bottom)


def _hex(rgb: RGB) -> str:
    return "#{:02x}{:02x}{:02x}".format(*rgb)


def _bars(axes: "Axes", chart: Chart, look: Look) -> None:
    places = list(range(chart.count))
    sizes = [row[0] * chart.scale for row in chart.values]
    colours = [_hex(rgb) for rgb in chart.rgbs]
    wide = 0.55 + 0.3 * chart.thick
    draw_bars: Any = axes.barh if chart.horizontal else axes.bar
    draw_bars(places, sizes, wide, color=colours, edgecolor=look.edge, linewidth=0.5)
    reach = max(sizes) * 1.07
    ticks = [reach * i / 4 for i in range(4)]
    names = [f"{tick:.3g}" for tick in ticks]
    (axes.set_xticks if chart.horizontal else axes.set_yticks)(ticks, names)
    set_places = axes.set_yticks if chart.horizontal else axes.set_xticks
    set_places(places, list(chart.labels) or [str(i + 1) for i in places])
    (axes.set_xlim if chart.horizontal else axes.set_ylim)(0, reach)
    (axes.set_ylim if chart.horizontal else axes.set_xlim)(-0.6, chart.count - 0.4)


def _curves(axes: "Axes", chart: Chart, look: Look) -> None:  # noqa: ARG001 - one painter's shape
    for i, (row, rgb) in enumerate(zip(chart.values, chart.rgbs, strict=True)):
        axes.plot(
            range(len(row)),
            [value * chart.scale for value in row],
            color=_hex(rgb),
            linewidth=_points(chart, 0.8 + 1.2 * chart.thick),
            marker=chart.marker or None,
            markersize=_points(chart, 3.2),
            label=_label(chart, i),
        )
    _value_ticks(axes)


def _dots(axes: "Axes", chart: Chart, look: Look) -> None:  # noqa: ARG001 - one painter's shape
    for i, (row, rgb) in enumerate(zip(chart.values, chart.rgbs, strict=True)):
        axes.plot(
            [value * chart.scale for value in row[::2]],
            [value * chart.scale for value in row[1::2]],
            linestyle="none",
            color=_hex(rgb),
            marker=chart.marker,
            markersize=_points(chart, 2.4 + 1.6 * chart.thick),
            markeredgewidth=0,
            label=_label(chart, i),
        )
    _value_ticks(axes)


def _slices(axes: "Axes", chart: Chart, look: Look) -> None:
    wedges: dict[str, Any] = {"linewidth": 0.8 * (look.edge != "none"), "edgecolor": look.edge}
    if chart.hole:
        wedges["width"] = 1 - chart.hole
    inside = bool(chart.labels) and not chart.legend
    axes.pie(
        [row[0] for row in chart.values],
        colors=[_hex(rgb) for rgb in chart.rgbs],
        labels=list(chart.labels) if inside else None,
        startangle=chart.turn,
        wedgeprops=wedges,
        radius=1.0,
        textprops={"fontsize": _font_size(chart), "color": look.ink, "family": "DejaVu Sans"},
    )
    if chart.legend:
        for i, patch in enumerate(axes.patches):
            patch.set_label(_label(chart, i))


_PAINTERS = {"bar": _bars, "line": _curves, "scatter": _dots, "pie": _slices}


def _label(chart: Chart, index: int) -> str:
    return chart.labels[index] if chart.labels else f"series {index + 1}"


def _value_ticks(axes: "Axes") -> None:
    """Four ticks a side, set by hand: cheaper than matplotlib's search for fine ones."""
    for limits, put in ((axes.get_xlim(), axes.set_xticks), (axes.get_ylim(), axes.set_yticks)):
        low, high = limits
        ticks = [low + (high - low) * share for share in (0.1, 0.37, 0.63, 0.9)]
        put(ticks, [f"{tick:.2g}" if abs(tick) < 100 else f"{tick:.0f}" for tick in ticks])


def _furnish(axes: "Axes", chart: Chart, look: Look) -> None:
    """Title, names of the axes, ticks, grid, frame and legend."""
    font: dict[str, Any] = {"fontsize": _font_size(chart), "family": "DejaVu Sans"}
    if chart.title:
        axes.set_title(
            chart.title, color=look.ink, pad=4, **{**font, "fontsize": font["fontsize"] * 1.15}
        )
    if chart.legend:
        axes.legend(
            prop={"size": font["fontsize"] * 0.85, "family": "DejaVu Sans"},
            facecolor=look.area,
            labelcolor=look.ink,
            edgecolor=look.grid,
            loc=("upper left", "upper right", "lower left", "lower right")[int(chart.turn) % 4],
            framealpha=0.7,
            borderpad=0.3,
            handlelength=1.2,
            labelspacing=0.25,
        )
    if chart.kind == "pie":
        return
    if chart.axis_names:
        axes.set_xlabel(chart.axis_names[0], color=look.ink, labelpad=2, **font)
        axes.set_ylabel(chart.axis_names[1], color=look.ink, labelpad=2, **font)
    axes.tick_params(
        colors=look.ink,
        labelsize=font["fontsize"] * 0.9,
        labelfontfamily="DejaVu Sans",
        length=3 if look.spines else 0,
        width=0.8,
    )
    if chart.grid:
        axis: Any = ("x" if chart.horizontal else "y") if chart.kind == "bar" else "both"
        axes.grid(True, axis=axis, color=look.grid, linestyle=look.grid_style, linewidth=0.8)
        axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side[0] in look.spines)
        spine.set_color(look.ink)
        spine.set_linewidth(0.8)
