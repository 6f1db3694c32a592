"""Charts as a notebook makes them, as values, and what is true of each."""

import math
import random
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

from .backgrounds import RGB, distance, jittered
from .facts import Fact, with_article
from .split import one_of
from .words import COLOUR_WORDS, HELD_OUT_WORDS, TRAIN_WORDS

COUNTS = {"bar": (2, 7), "line": (1, 4), "scatter": (1, 3), "pie": (2, 6)}
KIND_NAMES = {
    "bar": "bar chart",
    "line": "line chart",
    "scatter": "scatter plot",
    "pie": "pie chart",
}
PARTS = {"bar": "bar", "line": "line", "scatter": "group", "pie": "slice"}
# The first tone of each is matplotlib's own where it has one.
TONES: dict[str, tuple[RGB, ...]] = {
    "blue": ((31, 119, 180), (40, 80, 210), (50, 105, 190)),
    "orange": ((255, 127, 14), (245, 140, 30), (240, 120, 40)),
    "green": ((44, 160, 44), (30, 140, 70), (70, 165, 90)),
    "red": ((214, 39, 40), (225, 50, 50), (200, 40, 60)),
    "purple": ((148, 103, 189), (125, 60, 170), (140, 70, 180)),
    "brown": ((140, 86, 75), (125, 75, 45), (130, 80, 60)),
    "pink": ((238, 130, 195), (250, 140, 190), (245, 150, 200)),
    "grey": ((127, 127, 127), (118, 118, 122), (125, 127, 130)),
    "yellow": ((240, 205, 30), (250, 215, 50), (235, 200, 60)),
}
_APART = 130.0  # redmean distance of two colours of a chart; nearer ones merge at 96 pixels
CYCLE = ("blue", "orange", "green", "red", "purple", "brown", "pink")


@dataclass(frozen=True)
class Look:
    """How a style looks: paper, plot area, writing, grid and which sides are framed."""

    paper: str
    area: str
    ink: str
    grid: str
    grid_style: str
    spines: str
    edge: str


LOOKS = {
    "default": Look("#ffffff", "#ffffff", "#000000", "#b0b0b0", "-", "tblr", "none"),
    "ggplot": Look("#ffffff", "#e5e5e5", "#555555", "#ffffff", "-", "", "#eeeeee"),
    "dark": Look("#000000", "#000000", "#ffffff", "#303030", "-", "tblr", "none"),
    "seaborn": Look("#ffffff", "#eaeaf2", "#262626", "#ffffff", "-", "", "#ffffff"),
    "bmh": Look("#ffffff", "#eeeeee", "#333333", "#b2b2b2", "--", "tblr", "#bcbcbc"),
    "fivethirtyeight": Look("#f0f0f0", "#f0f0f0", "#3c3c3c", "#cbcbcb", "-", "", "none"),
    "minimal": Look("#ffffff", "#ffffff", "#444444", "#e4e4e4", "-", "bl", "none"),
    "solarized": Look("#fdf6e3", "#eee8d5", "#586e75", "#fdf6e3", "-", "", "none"),
}


@dataclass(frozen=True)
class Chart:
    """One chart: `values` holds a row for each bar, line, group (x, y, x, y, ...) or slice."""

    kind: str
    look: str
    width: int
    height: int
    dpi: int
    colours: tuple[str, ...]
    rgbs: tuple[RGB, ...]
    values: tuple[tuple[float, ...], ...]
    labels: tuple[str, ...]
    title: str
    axis_names: tuple[str, ...]
    scale: float
    grid: bool
    legend: bool
    horizontal: bool
    thick: float
    marker: str
    turn: float
    hole: float
    quality: int | None

    @property
    def count(self) -> int:
        """How many bars, lines, groups or slices."""
        return len(self.values)

    def facts(self, rng: random.Random) -> list[Fact]:
        """True things about the chart."""
        part, name = PARTS[self.kind], KIND_NAMES[self.kind]
        parts = part if self.count == 1 else f"{part}s"
        facts = [
            Fact("chart_kind", {}, name),
            Fact("chart_count", {"thing": part, "things": f"{part}s"}, str(self.count)),
            Fact("describe_chart", {}, f"{with_article(name)} with {self.count} {parts}"),
        ]
        if self.kind in ("bar", "pie") and len(set(self.colours)) == self.count:
            sizes = [row[0] for row in self.values]
            for kind, size in (("largest", max(sizes)), ("smallest", min(sizes))):
                most = rng.choice(_most(self.kind, self.horizontal)[kind])
                colour = self.colours[sizes.index(size)]
                facts.append(Fact(kind, {"thing": part, "most": most}, colour))
        if self.kind == "line" and self.count == 1:
            line = self.values[0]
            facts.append(Fact("trend", {}, "rising" if line[-1] > line[0] else "falling"))
        return facts


def _most(kind: str, horizontal: bool) -> dict[str, tuple[str, ...]]:
    if kind == "pie":
        return {"largest": ("largest", "biggest"), "smallest": ("smallest",)}
    if horizontal:
        return {"largest": ("longest", "largest"), "smallest": ("shortest", "smallest")}
    return {"largest": ("tallest", "highest", "largest"), "smallest": ("shortest", "smallest")}


@lru_cache(maxsize=1)
def _held_out_looks() -> dict[tuple[str, int], str]:
    """For each kind and count the style in which no training chart shows it."""
    return {
        (kind, count): one_of(f"chart {kind} {count}", list(LOOKS))
        for kind, (low, high) in COUNTS.items()
        for count in range(low, high + 1)
    }


def is_held_out_chart(chart: Chart) -> bool:
    """Whether training never shows this kind and count in this style."""
    return _held_out_looks()[chart.kind, chart.count] == chart.look


def sample_chart(rng: random.Random, held_out: bool = False, kind: str | None = None) -> Chart:
    """A chart of that kind, or of any; held-out ones have a style and words of their own."""
    kind = kind or rng.choices(tuple(COUNTS), (40, 26, 12, 22))[0]
    count = rng.randint(*COUNTS[kind])
    if kind == "line" and rng.random() < 0.35:
        count = 1
    unseen = _held_out_looks()[kind, count]
    look = unseen if held_out else rng.choice([name for name in LOOKS if name != unseen])
    words = _chart_words(held_out)
    colours, rgbs = _sample_colours(rng, count, kind == "bar" and rng.random() < 0.3)
    width, height = _sample_size(rng, kind)
    labels = tuple(word.capitalize() for word in rng.sample(words, count))
    if rng.random() < 0.3:
        labels = tuple("ABCDEFG"[:count])
    return Chart(
        kind=kind,
        look=look,
        width=width,
        height=height,
        dpi=rng.choice((60, 72, 80, 100)),
        colours=colours,
        rgbs=rgbs,
        values=_sample_values(rng, kind, count),
        labels=labels if rng.random() < 0.8 else (),
        title=_sample_title(rng, words) if rng.random() < 0.6 else "",
        axis_names=tuple(rng.sample(words, 2)) if rng.random() < 0.4 else (),
        scale=rng.choice((1.0, 10.0, 100.0, 1000.0)),
        grid=rng.random() < (0.8 if not LOOKS[look].spines else 0.35),
        legend=kind != "bar" and rng.random() < 0.3,
        horizontal=kind == "bar" and rng.random() < 0.25,
        thick=rng.random(),
        marker=rng.choice(("", "", "o", "s", "^")) if kind == "line" else rng.choice("ooosD"),
        turn=rng.uniform(0, 360),
        hole=rng.uniform(0.35, 0.5) if rng.random() < 0.2 else 0.0,
        quality=rng.randint(70, 95) if rng.random() < 0.25 else None,
    )


@lru_cache(maxsize=2)
def _chart_words(held_out: bool) -> tuple[str, ...]:
    """Words of one side of the split without names of colours, which are answers here."""
    words = HELD_OUT_WORDS if held_out else TRAIN_WORDS
    return tuple(word for word in words if word not in COLOUR_WORDS)


def _sample_colours(
    rng: random.Random, count: int, single: bool
) -> tuple[tuple[str, ...], tuple[RGB, ...]]:
    """Names and tones: one for all, or different ones that can be told apart."""
    while True:
        tone, jitter = rng.randrange(3), rng.choice((0, 0, 8))
        names = (rng.choice(tuple(TONES)),) if single else _sample_names(rng, count)
        rgbs = tuple(jittered(rng, TONES[name][tone], jitter) for name in names)
        if all(distance(one, other) > _APART for one, other in combinations(rgbs, 2)):
            return (names * count, rgbs * count) if single else (names, rgbs)


def _sample_names(rng: random.Random, count: int) -> tuple[str, ...]:
    """Different colours, in matplotlib's order for a third of the charts."""
    if rng.random() < 0.3:
        return CYCLE[:count]
    return tuple(rng.sample(tuple(TONES), count))


def _sample_size(rng: random.Random, kind: str) -> tuple[int, int]:
    """200 to 700 pixels wide; pies are nearer to a square."""
    width = rng.randint(220, 700)
    ratio = rng.uniform(1.0, 1.4) if kind == "pie" else rng.uniform(1.0, 1.6)
    return width, max(180, round(width / ratio))


def _sample_title(rng: random.Random, words: tuple[str, ...]) -> str:
    first, second = rng.sample(words, 2)
    forms = (f"{first} by {second}", f"{first} and {second}", first, f"{first} per {second}")
    return rng.choice(forms).capitalize()


def _sample_values(rng: random.Random, kind: str, count: int) -> tuple[tuple[float, ...], ...]:
    if kind == "bar":
        return tuple((value,) for value in _spread(rng, count, (0.35, 0.8)))
    if kind == "pie":
        parts = _spread(rng, count, (0.8, 1.15))
        return tuple((part / sum(parts),) for part in parts)
    return _lines(rng, count) if kind == "line" else _groups(rng, count)


def _spread(rng: random.Random, count: int, band: tuple[float, float]) -> list[float]:
    """Numbers of which the largest and the smallest stand out."""
    values = [rng.uniform(*band) for _ in range(count)]
    top, low = rng.sample(range(count), 2)
    rest = [v for i, v in enumerate(values) if i not in (top, low)] or [sum(band) / 2]
    values[top] = max(rest) * rng.uniform(1.18, 1.6)
    values[low] = min(rest) * rng.uniform(0.5, 0.8)
    return values


def _lines(rng: random.Random, count: int) -> tuple[tuple[float, ...], ...]:
    """Lines that rise or fall; several keep apart for most of their way."""
    points = rng.randint(4, 16)
    if count == 1:
        return (_line(rng, 0.0, rng.choice((-1, 1)) * rng.uniform(0.6, 1.6), points, 0.09),)
    levels = [i * rng.uniform(0.45, 0.6) for i in range(count)]
    rng.shuffle(levels)
    slope = rng.uniform(-0.6, 0.6)
    return tuple(
        _line(rng, level, slope + rng.uniform(-0.25, 0.25), points, 0.05) for level in levels
    )


def _line(
    rng: random.Random, start: float, slope: float, points: int, rough: float
) -> tuple[float, ...]:
    wave, phase, bend = rng.uniform(0, rough), rng.uniform(0, 6.3), rng.uniform(0.7, 1.4)
    made = []
    for i in range(points):
        t = i / (points - 1)
        bumps = wave * math.sin(phase + 7 * t) + rng.gauss(0, rough / 3)
        made.append(start + slope * t**bend + bumps)
    return tuple(made)


def _groups(rng: random.Random, count: int) -> tuple[tuple[float, ...], ...]:
    """Clouds of points whose middles are well apart."""
    while True:
        middles = [(rng.uniform(0.15, 0.85), rng.uniform(0.15, 0.85)) for _ in range(count)]
        gaps = [math.dist(a, b) for i, a in enumerate(middles) for b in middles[:i]]
        if not gaps or min(gaps) > 0.38:
            break
    spread = rng.uniform(0.05, 0.09) if count > 1 else rng.uniform(0.08, 0.2)
    points = rng.randint(8, 24)
    return tuple(
        tuple(rng.gauss(middle[i % 2], spread) for i in range(2 * points)) for middle in middles
    )
