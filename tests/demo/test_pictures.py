"""The demo pictures: what they are said to show is what can be seen in their pixels."""

import random
import subprocess
import sys
import warnings
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
from PIL import Image

from mlx_magic import demo
from mlx_magic.demo.pictures import KINDS, chart_drawing, charts, scenes, texts
from mlx_magic.demo.pictures.backgrounds import Background, distance
from mlx_magic.demo.pictures.facts import QUESTIONS, Fact
from mlx_magic.demo.pictures.scenes import Scene
from mlx_magic.demo.pictures.shapes import COLOURS, SHAPES, Thing
from mlx_magic.demo.pictures.words import (
    COLOUR_WORDS,
    HELD_OUT_WORDS,
    TRAIN_WORDS,
    WORDS,
    number_held_out,
)
from mlx_magic.errors import UsageProblem

WHITE = Background("plain", (255, 255, 255), (255, 255, 255), 0)


def some_scenes(count: int, held_out: bool = False, seed: int = 1) -> list[Scene]:
    rng = random.Random(seed)
    return [scenes.sample_scene(rng, held_out) for _ in range(count)]


def blobs(image: Image.Image) -> int:
    """How many connected patches stand on white."""
    mask = image.convert("L").point(lambda value: 255 if value < 235 else 0)
    width, height = mask.size
    left = {(x, y) for x in range(width) for y in range(height) if mask.getpixel((x, y))}
    found = 0
    while left:
        found += 1
        stack = [left.pop()]
        while stack:
            x, y = stack.pop()
            for near in ((x + i, y + j) for i in (-1, 0, 1) for j in (-1, 0, 1)):
                if near in left:
                    left.remove(near)
                    stack.append(near)
    return found


@pytest.mark.parametrize("kind", ["scene", "chart", "text"])
def test_a_picture_is_the_same_each_time_and_another_for_another_seed(kind: str) -> None:
    one, again, other = (demo.picture(kind, seed) for seed in (4, 4, 5))
    assert one.image.tobytes() == again.image.tobytes() and one.questions == again.questions
    assert one.image.tobytes() != other.image.tobytes()
    assert one.image.mode == "RGB" and one.kind == kind and len(one.questions) >= 3


def test_an_unknown_kind_is_refused_in_one_line() -> None:
    with pytest.raises(UsageProblem, match="'scene'"):
        demo.picture("scen", 1)


@pytest.mark.parametrize(
    ("kind", "seed", "said"),
    [(["scene"], 1, "kind"), ({}, 1, "kind"), (None, 1, "kind"), ("scene", "7", "whole number"),
     ("scene", 1.5, "whole number"), ("text", None, "whole number")],
)  # fmt: skip
def test_what_is_no_kind_or_no_seed_is_refused_in_one_line(kind: Any, seed: Any, said: str) -> None:
    with pytest.raises(UsageProblem, match=said) as caught:
        demo.picture(kind, seed)
    assert "\n" not in str(caught.value)


def test_a_picture_can_be_a_key_and_each_kind_is_listed() -> None:
    pictures = {demo.picture(kind, 1): kind for kind in KINDS}
    assert list(pictures.values()) == ["scene", "chart", "text"]
    assert all(type(picture.questions) is list for picture in pictures)


def test_a_chart_heeds_no_style_of_a_notebook_and_leaves_it_as_it_was() -> None:
    import matplotlib as mpl

    rng = random.Random(3)
    some = [replace(charts.sample_chart(rng, kind=kind), quality=None) for kind in charts.COUNTS]
    plain = [chart_drawing.draw(chart).tobytes() for chart in some]
    mine: dict[Any, Any] = {
        "figure.autolayout": True, "figure.dpi": 40, "axes.titlesize": 30, "font.family": "serif",
        "lines.antialiased": False, "axes.xmargin": 0.4, "axes.edgecolor": "red",
        "patch.force_edgecolor": True, "xtick.direction": "in", "axes.titlelocation": "left",
        "path.sketch": (3, 50, 1), "legend.shadow": True, "axes.grid": True, "text.color": "red",
    }  # fmt: skip
    with mpl.rc_context(mine), warnings.catch_warnings():
        warnings.simplefilter("error")
        before = dict(mpl.rcParams)
        styled = [chart_drawing.draw(chart).tobytes() for chart in some]
        assert dict(mpl.rcParams) == before
    assert styled == plain


def test_a_chart_can_be_drawn_in_several_threads() -> None:
    import matplotlib as mpl

    rng = random.Random(4)
    some = [replace(charts.sample_chart(rng), quality=None) for _ in range(8)]
    plain = [chart_drawing.draw(chart).tobytes() for chart in some]
    with mpl.rc_context({"figure.autolayout": True}), ThreadPoolExecutor(4) as pool:
        assert [image.tobytes() for image in pool.map(chart_drawing.draw, some)] == plain
        assert mpl.rcParams["figure.autolayout"]


def test_without_matplotlib_a_chart_names_what_to_install_and_a_text_stays_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = demo.picture("text", 3).image.tobytes()
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.setitem(sys.modules, "matplotlib.backends.backend_agg", None)
    with pytest.raises(UsageProblem, match="pip install matplotlib"):
        demo.picture("chart", 1)
    assert demo.picture("text", 3).image.tobytes() == before


def test_the_catalogue_loads_no_pillow_and_a_chart_no_pyplot() -> None:
    code = (
        "import sys, mlx_magic.demo as d; a = 'PIL' in sys.modules; d.picture('chart', 1);"
        "print(a, 'matplotlib.pyplot' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "False"]


def test_as_many_things_can_be_seen_as_there_are_and_each_in_its_colour() -> None:
    for scene in some_scenes(25):
        image = scenes.draw(replace(scene, background=WHITE, quality=None), max_side=224)
        assert blobs(image) == len(scene.things)
        for thing in scene.things:
            middle = image.getpixel((int(thing.x * image.width), int(thing.y * image.height)))
            named = min(COLOURS, key=lambda name: distance(COLOURS[name], middle))
            assert named == thing.colour


def test_a_small_copy_looks_as_the_large_picture_made_small() -> None:
    for scene in some_scenes(12):
        scene = replace(scene, background=WHITE, quality=None)
        sizes = (96, 96)
        small = scenes.draw(scene, 1, 192).resize(sizes, Image.Resampling.BICUBIC)
        large = scenes.draw(scene).resize(sizes, Image.Resampling.BICUBIC)
        pairs = zip(small.tobytes(), large.tobytes(), strict=True)
        assert sum(abs(a - b) for a, b in pairs) / (96 * 96 * 3) < 2.5


def test_things_keep_apart_stand_in_an_order_and_inside() -> None:
    for scene in some_scenes(300):
        mean = (scene.width * scene.height) ** 0.5
        across, down = 96 * scene.width / mean, 96 * scene.height / mean
        for one, other in combinations(scene.things, 2):
            gap = ((one.x - other.x) * across) ** 2 + ((one.y - other.y) * down) ** 2
            assert gap**0.5 > (one.extent + other.extent) / 2 + 1
            assert abs(one.x - other.x) * across > 3
        assert [t.x for t in scene.things] == sorted(t.x for t in scene.things)
        for thing in scene.things:
            assert (13.9 < thing.extent < 17.1) if thing.size == "small" else (thing.extent > 22)


def test_no_thing_hides_in_its_background() -> None:
    for scene in some_scenes(300):
        for paint in (scene.background.first, scene.background.second):
            assert all(distance(paint, thing.rgb) > 140 for thing in scene.things)


def test_training_scenes_hold_no_held_out_combination_and_held_out_ones_do() -> None:
    assert not any(scenes.held_out_parts(scene) for scene in some_scenes(600))
    assert all(scenes.held_out_parts(scene) for scene in some_scenes(300, held_out=True))


def test_a_scene_can_be_asked_for_with_any_number_of_things() -> None:
    rng = random.Random(2)
    for count in range(1, 7):
        assert len(scenes.sample_scene(rng, rng.random() < 0.5, count).things) == count


def is_true(scene: Scene, fact: Fact) -> bool:
    """Whether a fact holds, worked out another way than `facts` does."""
    things, slots, value = scene.things, fact.slots, fact.value

    def called(name: str) -> list[Thing]:
        words = [word for word in name.split() if word != "shape"]
        return [t for t in things if all(w in (t.size, t.colour, t.shape) for w in words)]

    match fact.kind:
        case "count_all":
            return value == str(len(things))
        case "count_shape":
            return value == str(len(called(slots["thing"])))
        case "count_colour":
            return value == str(len(called(slots["colour"])))
        case "colour_of":
            return [t.colour for t in called(slots["thing"])] == [value]
        case "shape_of":
            return [t.shape for t in called(slots["colour"])] == [value]
        case "spot":
            (thing,) = called(slots["thing"])
            across = "left" if thing.x < 0.4 else "right" if thing.x > 0.6 else ""
            down = "top" if thing.y < 0.4 else "bottom" if thing.y > 0.6 else ""
            spots = {"top", "bottom", "left", "right"} & set(value.split())
            return spots == {across, down} - {""} and (bool(spots) or value == "in the middle")
        case "exists":
            return (value == "yes") == bool(called(slots["thing"]))
        case "describe":
            return Counter(value.replace(" and ", ", ").split(", ")) == Counter(
                ("an " if t.full_name[0] in "aeiou" else "a ") + t.full_name for t in things
            )
    (one,), (other,) = called(slots["a"]), called(slots["b"])
    sides = {
        "left": one.x < other.x,
        "right": one.x > other.x,
        "above": one.y < other.y,
        "below": one.y > other.y,
    }
    if fact.kind == "where":
        return sides[value] and value in slots["choice"]
    if fact.kind == "relation":
        return (value == "yes") == next(sides[s] for s in sides if s in slots["relation"])
    larger = one if one.extent > other.extent else other
    smaller = other if larger is one else one
    return called(value) == [larger if slots["more"] == "bigger" else smaller]


def test_every_fact_about_a_scene_is_true() -> None:
    rng = random.Random(3)
    kinds = set()
    for scene in some_scenes(400):
        for fact in scene.facts(rng):
            kinds.add(fact.kind)
            assert is_true(scene, fact), (fact, scene)
    assert len(kinds) == 11 and kinds <= set(QUESTIONS)


def shares(
    sample: Callable[..., Any], held_out: bool, count: int
) -> dict[str, tuple[float, Counter[str]]]:
    """For each kind of fact the share of its most frequent answer, and all answers."""
    rng = random.Random(4)
    answers: dict[str, Counter[str]] = {}
    for _ in range(count):
        for fact in sample(rng, held_out).facts(rng):
            answers.setdefault(fact.kind, Counter())[fact.value] += 1
    return {kind: (max(c.values()) / c.total(), c) for kind, c in answers.items()}


@pytest.mark.parametrize("held_out", [False, True])
def test_no_answer_about_scenes_can_be_guessed(held_out: bool) -> None:
    found = shares(scenes.sample_scene, held_out, 2000)
    most = {kind: share for kind, (share, _) in found.items()}
    assert most["exists"] < 0.53 and most["relation"] < 0.53 and most["where"] < 0.3
    assert most["spot"] < 0.2 and len(found["spot"][1]) == 9
    assert most["colour_of"] < 0.17 and most["shape_of"] < 0.22 and most["count_all"] < 0.22
    assert most["count_shape"] < 0.4 and most["count_colour"] < 0.45
    assert most["bigger"] < 0.1 and most["describe"] < 0.02
    assert set(found["shape_of"][1]) == set(SHAPES) and set(found["colour_of"][1]) == set(COLOURS)


@pytest.mark.parametrize("held_out", [False, True])
def test_no_answer_about_charts_can_be_guessed(held_out: bool) -> None:
    found = shares(charts.sample_chart, held_out, 4000)
    most = {kind: share for kind, (share, _) in found.items()}
    assert most["largest"] < 0.2 and most["smallest"] < 0.2 and most["trend"] < 0.54
    assert most["chart_kind"] < 0.45 and most["chart_count"] < 0.3 and most["describe_chart"] < 0.15
    assert set(found["largest"][1]) == set(found["smallest"][1]) == set(charts.TONES)


@pytest.mark.parametrize("held_out", [False, True])
def test_no_answer_about_text_can_be_guessed(held_out: bool) -> None:
    most = {k: share for k, (share, _) in shares(texts.sample_text, held_out, 4000).items()}
    assert most["word_or_number"] < 0.54 and most["reads"] < 0.04 and most["describe_text"] < 0.04


@pytest.mark.parametrize("held_out", [False, True])
def test_colours_of_a_chart_can_be_told_apart_and_none_is_written(held_out: bool) -> None:
    rng = random.Random(11)
    for _ in range(1500):
        chart = charts.sample_chart(rng, held_out)
        shown = set(zip(chart.colours, chart.rgbs, strict=True))
        assert len(shown) == len(set(chart.colours))
        assert all(distance(one[1], two[1]) > 130 for one, two in combinations(shown, 2))
        written = " ".join((*chart.labels, chart.title, *chart.axis_names)).lower().split()
        assert not {*COLOUR_WORDS, *charts.TONES, *COLOURS} & set(written)


def test_no_line_hides_in_the_grid() -> None:
    for look in charts.LOOKS.values():
        red, green, blue = bytes.fromhex(look.grid[1:])
        for tone in (tone for tones in charts.TONES.values() for tone in tones):
            assert distance((red, green, blue), tone) > 125, (look, tone)


def test_a_question_about_the_largest_asks_for_its_colour() -> None:
    assert "colour" in QUESTIONS["largest"] and "colour" in QUESTIONS["smallest"]


def test_the_largest_and_the_smallest_of_a_chart_are_so_in_pixels() -> None:
    rng = random.Random(5)
    seen = 0
    while seen < 12:
        chart = replace(charts.sample_chart(rng, kind=rng.choice(("bar", "pie"))), quality=None)
        facts = {fact.kind: fact.value for fact in chart.facts(rng)}
        if "largest" not in facts:
            continue
        seen += 1
        painted = Counter(
            chart_drawing.draw(replace(chart, labels=(), legend=False)).get_flattened_data()
        )
        areas = {name: painted[rgb] for name, rgb in zip(chart.colours, chart.rgbs, strict=True)}
        assert max(areas, key=areas.__getitem__) == facts["largest"]
        assert min(areas, key=areas.__getitem__) == facts["smallest"]
        assert len(areas) == int(facts["chart_count"]) and min(areas.values()) > 0


def test_a_line_goes_where_it_is_said_to_go() -> None:
    rng = random.Random(6)
    for _ in range(6):
        chart = charts.sample_chart(rng, kind="line")
        while chart.count > 1:
            chart = charts.sample_chart(rng, kind="line")
        chart = replace(chart, quality=None, legend=False)
        image, rgb = chart_drawing.draw(chart), chart.rgbs[0]
        ink = [
            (i % image.width, i // image.width)
            for i, pixel in enumerate(image.get_flattened_data())
            if pixel == rgb
        ]
        first, last = min(ink), max(ink)
        trend = next(fact.value for fact in chart.facts(rng) if fact.kind == "trend")
        assert trend == ("rising" if last[1] < first[1] else "falling")


def test_charts_keep_to_their_side_of_the_split() -> None:
    rng = random.Random(7)
    for _ in range(300):
        assert not charts.is_held_out_chart(charts.sample_chart(rng))
        assert charts.is_held_out_chart(charts.sample_chart(rng, held_out=True))


def test_no_word_is_a_number_word_too_long_or_there_twice() -> None:
    assert not {"zero", "one", "two", "three", "four", "five", "six"} & set(WORDS)
    assert not {"seven", "eight", "nine", "ten", "word", "number"} & set(WORDS)
    assert all(3 <= len(word) <= 7 for word in WORDS) and len(WORDS) == len(set(WORDS))


def test_words_and_numbers_keep_to_their_side_of_the_split() -> None:
    rng = random.Random(8)
    assert len(TRAIN_WORDS) > 250 and len(HELD_OUT_WORDS) > 60
    assert not set(TRAIN_WORDS) & set(HELD_OUT_WORDS)
    for held_out in (False, True):
        for _ in range(400):
            value = texts.sample_text(rng, held_out).value
            if value.isdigit():
                assert number_held_out(int(value)) == held_out and int(value) <= 9999
            else:
                assert value in (HELD_OUT_WORDS if held_out else TRAIN_WORDS)


def test_what_is_written_is_inside_and_large() -> None:
    rng = random.Random(9)
    for _ in range(40):
        text = texts.sample_text(rng, fonts=texts.all_fonts())
        plain = replace(text, background=WHITE, ink=(0, 0, 0), quality=None, width=256, height=192)
        ink = texts.draw(plain).convert("L").point(lambda value: 255 if value < 128 else 0)
        left, top, right, bottom = ink.getbbox() or (0, 0, 0, 0)
        assert right - left > 128 or bottom - top > 50
        assert left >= 0 and top >= 0 and right <= 256 and bottom <= 192
