"""Live output: what presses of the stop button do while an answer is shown."""

import signal
from types import SimpleNamespace
from typing import Any

import pytest

from mlx_magic.errors import Interrupted
from mlx_magic.magics import live


def _press() -> None:
    signal.raise_signal(signal.SIGINT)


def test_only_the_first_press_is_heard_until_it_is_dealt_with() -> None:
    before = signal.getsignal(signal.SIGINT)
    with live.one_interrupt():
        with pytest.raises(KeyboardInterrupt):
            _press()
        _press()
    assert signal.getsignal(signal.SIGINT) is before
    with pytest.raises(KeyboardInterrupt):
        _press()


def test_three_presses_lose_nothing_of_the_answer(
    session: Any, tiny: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    session.load_model(str(tiny["slow"]), "s")
    take, finish = live._Terminal.take, live._Terminal.finish

    def press_at_the_first_word(painter: Any, event: Any, exchange: Any) -> None:
        take(painter, event, exchange)
        if exchange.reply.text:
            _press()

    def press_again(painter: Any, reply: Any) -> None:
        _press()
        finish(painter, reply)
        _press()

    monkeypatch.setattr(live._Terminal, "take", press_at_the_first_word)
    monkeypatch.setattr(live._Terminal, "finish", press_again)
    exchange = session.ask("Hello", conversation="x")
    with pytest.raises(Interrupted, match="the answer so far is kept"):
        live.follow(exchange, SimpleNamespace(), 8.0)
    assert "s · interrupted" in capsys.readouterr().out
    assert session.conversation("x").turns[-1].reply.interrupted


def test_a_fault_in_drawing_does_not_leave_the_model_running(
    session: Any, tiny: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.load_model(str(tiny["slow"]), "s")

    def fail(*_: Any) -> None:
        raise ValueError("no ink")

    monkeypatch.setattr(live._Terminal, "take", fail)
    exchange = session.ask("Hello", conversation="x")
    with pytest.raises(ValueError, match="no ink"):
        live.follow(exchange, SimpleNamespace(), 8.0)
    assert not session.pool.resident("s").busy
