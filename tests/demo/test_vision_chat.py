"""The trained vision models through the package: `%%chat` with held-out pictures in a kernel."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from kernel import Kernel

from mlx_magic import demo
from training.pictures.cases import FOLLOW_UP, held_out_cases
from training.vision.recipes import VISION_RECIPES

pytestmark = pytest.mark.kernel

NAMES = [model.name for model in demo.list() if model.kind == "vision"]
KINDS = ("scenes: how many shapes", "charts: which kind", "text: what does it say")
CASES_A_KIND = 4


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    with Kernel() as kernel:
        kernel.ok("%load_ext mlx_magic")
        yield kernel


@pytest.mark.parametrize("name", NAMES)
def test_held_out_pictures_are_answered_rightly(kernel: Kernel, tmp_path: Path, name: str) -> None:
    kernel.ok(f"%load_model demo:{name}")
    made = held_out_cases(VISION_RECIPES[name].manner, CASES_A_KIND, seed=3)
    wrong = []
    for kind in KINDS:
        for number, case in enumerate(made[kind]):
            file = tmp_path / f"{number}.png"
            case.images[0].save(file)
            kernel.ok(f"%%chat {name} --new --image {file} -o r\n{case.asked}")
            said = kernel.ok("print(r.text)").text.strip()
            if not case.is_right(said):
                wrong.append((case.asked, case.expected, said))
    assert len(wrong) <= 1, wrong


@pytest.mark.parametrize("name", NAMES)
def test_a_follow_up_is_about_the_same_picture(kernel: Kernel, tmp_path: Path, name: str) -> None:
    kernel.ok(f"%load_model demo:{name}")
    (case, *_) = held_out_cases(VISION_RECIPES[name].manner, 1, seed=4)[FOLLOW_UP]
    case.images[0].save(tmp_path / "a.png")
    first, *_, last = case.turns
    kernel.ok(f"%%chat {name} --new --image {tmp_path / 'a.png'}\n{first.user}")
    for turn in case.turns[1:-1]:
        kernel.ok(f"%%chat {name}\n{turn.user}")
    kernel.ok(f"%%chat {name} -o r\n{last.user}")
    assert case.is_right(kernel.ok("print(r.text)").text.strip())
    assert int(kernel.ok("print(r.stats.cached_tokens)").text) > 0
