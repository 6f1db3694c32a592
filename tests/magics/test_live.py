"""Live output: what presses of the stop button do while an answer is shown."""

import itertools
import json
import signal
import time
from dataclasses import replace
from threading import Timer
from types import SimpleNamespace
from typing import Any

import pytest

from mlx_magic.errors import Interrupted
from mlx_magic.events import LoadProgress, PrefillProgress, TextDelta
from mlx_magic.magics import displays, live, live_line
from mlx_magic.options import GenerationOptions
from mlx_magic.render.progress import progress_line
from mlx_magic.reply import Reply


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


@pytest.mark.parametrize("kernel", [True, False])
def test_a_long_load_says_what_it_is_doing_and_a_quick_one_nothing(
    kernel: bool, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    shown: list[dict[str, str]] = []
    monkeypatch.setattr(displays.LiveDisplay, "show", lambda _, bundle: shown.append(bundle))
    shell = SimpleNamespace(kernel=None) if kernel else SimpleNamespace()
    line = live_line.LiveLine(shell, "qwen")
    now = 100.0
    monkeypatch.setattr(live.time, "monotonic", lambda: now)
    for stage, done in (("waiting", 0), ("importing", 0), ("reading", 2**20), ("reading", 2**21)):
        line.progress(LoadProgress(stage, done, 2**22))
        now += 1.0
    line.progress(LoadProgress("reading", 2**22, 2**22))
    said = [bundle["text/plain"] for bundle in shown] or capsys.readouterr().out.split("\r")
    assert [text[text.index("qwen") :].strip() for text in said] == [
        "qwen: loading, 1.00 MiB of 4.00 MiB",
        "qwen: loading, 2.00 MiB of 4.00 MiB",
        "qwen: loading, 4.00 MiB of 4.00 MiB",
    ]
    assert progress_line("q", LoadProgress("waiting", 0, 1)) == "q: waiting for its turn …"


def _exchange() -> Any:
    """As much of an exchange as a card asks for, with nothing said yet."""
    return SimpleNamespace(
        reply=Reply("", "m", ()), prefill=None, conversation="", wait=lambda _: False,
        rest=lambda _: None,
    )  # fmt: skip


@pytest.mark.parametrize("word", ["word ", "漢字漢 "])
@pytest.mark.parametrize("tokens_per_second", [10, 20, 60, 400])
def test_the_page_gets_less_than_a_megabyte_of_a_long_answer(
    tokens_per_second: int, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, sent = 0.0, []
    monkeypatch.setattr(live.time, "monotonic", lambda: now)
    monkeypatch.setattr(displays.LiveDisplay, "show", lambda _, bundle: sent.append((now, bundle)))
    card = live._Card(8.0, SimpleNamespace(kernel=None))
    exchange = _exchange()
    for n in range(1500):
        now = n / tokens_per_second
        exchange.reply = replace(exchange.reply, text=exchange.reply.text + word)
        card.take(TextDelta(word), exchange)
    card.finish(exchange.reply)
    wire = (json.dumps(bundle, ensure_ascii=False).encode() for _, bundle in sent)
    assert sum(map(len, wire)) < 1_000_000
    assert sent[-1][1]["text/plain"].count(word.strip()) == 1500
    first = [at for at, _ in sent if at < 4]
    assert len(first) > 3.5 * 5  # at first as often as anybody can see
    pauses = [late - early for (early, _), (late, _) in itertools.pairwise(sent)]
    assert max(pauses) < 3.5


def test_an_answer_that_waits_for_its_turn_stops_at_once(session: Any, tiny: Any) -> None:
    session.load_model(str(tiny["slow"]), "s")
    first = session.ask("Hello", options=GenerationOptions(max_tokens=600))
    next(first)
    queued = session.ask("Hello", conversation="x")
    Timer(0.5, queued.stop).start()
    started = time.monotonic()
    reply = live.follow(queued, SimpleNamespace(), 8.0)
    assert time.monotonic() - started < 3
    assert reply.interrupted and session.conversation("x").turns == ()
    assert list(queued) == []
    first.interrupt()


def test_the_first_word_is_shown_however_long_the_prompt_took(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, shown = 0.0, []
    monkeypatch.setattr(live.time, "monotonic", lambda: now)
    monkeypatch.setattr(displays.LiveDisplay, "show", lambda _, b: shown.append(b["text/plain"]))
    card = live._Card(8.0, SimpleNamespace(kernel=None))
    exchange = _exchange()
    for n in range(3000):
        now = n / 10
        exchange.prefill = PrefillProgress(n, 3000)
        card.take(exchange.prefill, exchange)
    assert len(shown) > 1400
    exchange.reply = replace(exchange.reply, text="Yes")
    card.take(TextDelta("Yes"), exchange)
    assert shown[-1].startswith("Yes")
