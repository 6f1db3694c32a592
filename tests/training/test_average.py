"""The average of finished weights."""

from pathlib import Path

import mlx.core as mx
import pytest

from training.average import average


def folder(path: Path, **values: list[float]) -> Path:
    path.mkdir()
    weights = {name: mx.array(value, mx.bfloat16) for name, value in values.items()}
    mx.save_safetensors(str(path / "model.safetensors"), weights)
    (path / "config.json").write_text(path.name)
    return path


def test_weights_are_averaged_by_their_shares(tmp_path: Path) -> None:
    one = folder(tmp_path / "one", up=[1.0, 2.0], down=[0.0])
    two = folder(tmp_path / "two", up=[5.0, 2.0], down=[8.0])
    average({one: 0.75, two: 0.25}, tmp_path / "out")
    mean = mx.load(str(tmp_path / "out" / "model.safetensors"))
    assert isinstance(mean, dict)
    assert {name: value.tolist() for name, value in mean.items()} == {"up": [2, 2], "down": [2]}
    assert mean["up"].dtype == mx.bfloat16
    assert (tmp_path / "out" / "config.json").read_text() == "one"


def test_what_cannot_be_averaged_is_refused(tmp_path: Path) -> None:
    one, two = folder(tmp_path / "one", up=[1.0]), folder(tmp_path / "two", up=[1.0, 2.0])
    with pytest.raises(ValueError, match="not to 1"):
        average({one: 0.75, two: 0.75}, tmp_path / "out")
    with pytest.raises(ValueError, match="other weights"):
        average({one: 0.75, two: 0.25}, tmp_path / "out")
    assert not (tmp_path / "out").exists()
