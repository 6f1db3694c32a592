"""The table of scores: bars, kinds without a bar, what is scored by `--all`."""

from pathlib import Path

import pytest

from mlx_magic import demo
from mlx_magic.errors import ModelNotFound
from training.evaluate import NO_BAR, Score, find_subject, present, table
from training.world import MANNERS
from training.world.cases import held_out_cases


def test_a_score_below_its_bar_is_marked_and_one_without_a_bar_is_not() -> None:
    scores = [Score("a", 97, 100), Score("b", 96, 100), Score("c", 95, 100, bar=0.95)]
    scores.append(Score("d", 0, 100, bar=None))
    assert [score.missed for score in scores] == [False, True, False, False]
    rows = table(scores).splitlines()[2:]
    assert ["below" in row for row in rows] == [False, True, False, False]
    assert "no bar" in rows[3]


def test_every_kind_without_a_bar_is_a_kind() -> None:
    assert set(NO_BAR) <= set(held_out_cases(MANNERS["plain"], limit=1, thinks=True))


def test_all_that_the_package_holds_is_scored() -> None:
    rows = (*demo.list(), *demo.adapters())
    assert [name for name, _, _ in present()] == [row.name for row in rows]


def test_what_to_score_is_named_by_the_package_or_by_a_folder(tmp_path: Path) -> None:
    assert find_subject("demo:qwen") == ("qwen", "text", demo.find("qwen").path)
    kinds = {"llama": "text", "pirate": "adapter", "smolvlm": "vision"}
    for name, kind in kinds.items():
        assert find_subject(str(tmp_path / name)) == (name, kind, tmp_path / name)
    with pytest.raises(ModelNotFound, match="qwem"):
        find_subject("demo:qwem")
    with pytest.raises(ModelNotFound, match="typo"):
        find_subject(str(tmp_path / "typo"))
