"""What the right answers to a question would be if it were asked about another picture."""

from __future__ import annotations

import random

from mlx_magic.demo.pictures.charts import PARTS, Chart
from mlx_magic.demo.pictures.facts import Fact
from mlx_magic.demo.pictures.scene_facts import spot
from mlx_magic.demo.pictures.scenes import Scene
from mlx_magic.demo.pictures.shapes import Thing
from mlx_magic.demo.pictures.texts import Text

Spec = Scene | Chart | Text


def right_answers(spec: Spec, fact: Fact) -> set[str]:
    """Each value that would be right; none where what is asked about is not in the picture."""
    if isinstance(spec, Scene) and fact.kind in _OF_SCENES:
        return _OF_SCENES[fact.kind](spec, fact)
    if isinstance(spec, Chart) and fact.kind in _OF_CHARTS:
        return _OF_CHARTS[fact.kind](spec, fact)
    return {own.value for own in spec.facts(random.Random(0)) if own.kind == fact.kind}


def _called(scene: Scene, name: str) -> list[Thing]:
    """The things that a name such as `large red star`, `star` or `red shape` fits."""
    words = {word for word in name.split() if word != "shape"}
    return [t for t in scene.things if words <= {t.size, t.colour, t.shape}]


def _pairs(scene: Scene, fact: Fact) -> list[tuple[Thing, Thing]]:
    first, second = _called(scene, fact.slots["a"]), _called(scene, fact.slots["b"])
    return [(one, other) for one in first for other in second if one is not other]


def _sides(one: Thing, other: Thing) -> set[str]:
    across = "left" if one.x < other.x else "right"
    return {across, "above" if one.y < other.y else "below"}


def _count(scene: Scene, fact: Fact) -> set[str]:
    name = fact.slots["thing" if fact.kind == "count_shape" else "colour"]
    return {str(len(_called(scene, name)))}


def _where(scene: Scene, fact: Fact) -> set[str]:
    return {side for pair in _pairs(scene, fact) for side in _sides(*pair)}


def _relation(scene: Scene, fact: Fact) -> set[str]:
    asked = set(fact.slots["relation"].split())
    return {"yes" if asked & _sides(*pair) else "no" for pair in _pairs(scene, fact)}


def _bigger(scene: Scene, fact: Fact) -> set[str]:
    wanted = "large" if fact.slots["more"] == "bigger" else "small"
    return {
        fact.slots["a" if one.size == wanted else "b"]
        for one, other in _pairs(scene, fact)
        if one.size != other.size
    }


def _absent(scene: Scene, fact: Fact) -> set[str]:
    """Its colours where the shape is there, and otherwise that it is not."""
    return {thing.colour for thing in _called(scene, fact.value)} or {fact.value}


def _described(scene: Scene, fact: Fact) -> set[str]:
    """The description itself when it names the same things in any order."""
    own = next(f.value for f in scene.facts(random.Random(0)) if f.kind == "describe")
    same = sorted(_named(own)) == sorted(_named(fact.value))
    return {fact.value if same else own}


def _named(description: str) -> list[str]:
    return description.replace(" and ", ", ").split(", ")


def _extreme(chart: Chart, fact: Fact) -> set[str]:
    if PARTS[chart.kind] != fact.slots["thing"] or chart.kind not in ("bar", "pie"):
        return set()
    sizes = [row[0] for row in chart.values]
    size = max(sizes) if fact.kind == "largest" else min(sizes)
    return {chart.colours[sizes.index(size)]}


def _parts(chart: Chart, fact: Fact) -> set[str]:
    return {str(chart.count)} if PARTS[chart.kind] == fact.slots["thing"] else set()


def _trends(chart: Chart, fact: Fact) -> set[str]:  # noqa: ARG001 - as the others
    lines = chart.values if chart.kind == "line" else ()
    return {"rising" if line[-1] > line[0] else "falling" for line in lines}


_OF_SCENES = {
    "count_shape": _count,
    "count_colour": _count,
    "colour_of": lambda scene, fact: {t.colour for t in _called(scene, fact.slots["thing"])},
    "shape_of": lambda scene, fact: {t.shape for t in _called(scene, fact.slots["colour"])},
    "spot": lambda scene, fact: {spot(t) or "" for t in _called(scene, fact.slots["thing"])},
    "where": _where,
    "relation": _relation,
    "bigger": _bigger,
    "exists": lambda scene, fact: {"yes" if _called(scene, fact.slots["thing"]) else "no"},
    "absent": _absent,
    "describe": _described,
}
_OF_CHARTS = {
    "largest": _extreme,
    "smallest": _extreme,
    "chart_count": _parts,
    "trend": _trends,
}
