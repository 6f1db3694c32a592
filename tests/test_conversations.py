"""Conversations: what is sent, what is kept, and that nothing is lost by what goes wrong."""

from typing import Any

import pytest

from mlx_magic.conversations import CellRun, Conversation, Exchange
from mlx_magic.errors import TemplateRefused, UsageProblem
from mlx_magic.messages import Message


@pytest.fixture
def loaded(session: Any, tiny: Any) -> Any:
    session.load_model(str(tiny["llama"]), "a")
    return session


def _ask(session: Any, conversation: Conversation, prompt: str, **turn: Any) -> Exchange:
    from mlx_magic.options import GenerationOptions

    exchange = session.ask(
        prompt, conversation=conversation.name, options=GenerationOptions(max_tokens=6), **turn
    )
    for _ in exchange:
        pass
    assert isinstance(exchange, Exchange)
    return exchange


def _said(exchange: Exchange) -> list[tuple[str, str]]:
    return [(m.role, m.text) for m in exchange.reply.messages]


def test_a_turn_is_sent_with_the_turns_before_it(loaded: Any) -> None:
    conversation = loaded.conversation("x")
    first = _ask(loaded, conversation, "one").reply
    second = _ask(loaded, conversation, "two")
    assert _said(second)[:3] == [("user", "one"), ("assistant", first.text), ("user", "two")]
    assert [t.user.text for t in conversation.turns] == ["one", "two"]
    assert conversation.turns[1].reply is second.reply


def test_a_system_prompt_holds_from_its_turn_on(loaded: Any) -> None:
    conversation = loaded.conversation("x")
    _ask(loaded, conversation, "one", system="Be brief")
    assert _said(_ask(loaded, conversation, "two"))[0] == ("system", "Be brief")


def test_undo_takes_back_the_last_turns_and_reset_all(loaded: Any) -> None:
    conversation = loaded.conversation("x")
    for prompt in ("one", "two", "three"):
        _ask(loaded, conversation, prompt)
    assert [t.user.text for t in conversation.undo()] == ["three"]
    assert [t.user.text for t in conversation.undo(5)] == ["one", "two"]
    assert conversation.undo() == ()
    conversation.reset("Be brief")
    assert _said(_ask(loaded, conversation, "one"))[0] == ("system", "Be brief")
    conversation.reset()
    assert (conversation.turns, conversation.system) == ((), None)


def test_a_cell_that_runs_again_speaks_from_before_its_own_turn(loaded: Any) -> None:
    conversation = loaded.conversation("x")
    for cell in ("A", "B", "C"):
        _ask(loaded, conversation, f"from {cell}", made_by=CellRun(cell, "1"))
    again = _ask(loaded, conversation, "from B, edited", made_by=CellRun("B", "2"))
    assert [text for role, text in _said(again) if role == "user"] == ["from A", "from B, edited"]
    assert [t.made_by.cell for t in conversation.turns if t.made_by] == ["A", "B"]


def test_a_cell_that_runs_again_speaks_under_the_system_prompt_of_its_place(loaded: Any) -> None:
    conversation = loaded.conversation("x")
    _ask(loaded, conversation, "one", made_by=CellRun("A", "1"))
    _ask(loaded, conversation, "two", system="Be brief", made_by=CellRun("B", "1"))
    again = _ask(loaded, conversation, "one", made_by=CellRun("A", "2"))
    assert _said(again)[0] == ("user", "one") and conversation.system is None


def test_several_turns_of_one_run_of_a_cell_follow_each_other(loaded: Any) -> None:
    conversation = loaded.conversation("x")
    for run in ("1", "2"):
        for prompt in ("one", "two"):
            _ask(loaded, conversation, prompt, made_by=CellRun("A", run))
        assert [t.user.text for t in conversation.turns] == ["one", "two"]


def test_a_turn_that_another_thread_added_meanwhile_is_not_dropped(loaded: Any) -> None:
    conversation = loaded.conversation("x")
    _ask(loaded, conversation, "one", made_by=CellRun("A", "1"))
    exchange = loaded.ask("again", conversation="x", made_by=CellRun("A", "2"))
    _ask(loaded, conversation, "meanwhile")
    list(exchange)
    assert [t.user.text for t in conversation.turns] == ["meanwhile", "again"]


def test_new_starts_afresh(loaded: Any) -> None:
    conversation = loaded.conversation("x")
    _ask(loaded, conversation, "one")
    assert _said(_ask(loaded, conversation, "two", new=True))[0] == ("user", "two")
    assert [t.user.text for t in conversation.turns] == ["two"]


def test_a_refused_turn_changes_nothing(session: Any, tiny: Any) -> None:
    session.load_model(str(tiny["gemma"]), "g")
    conversation = session.conversation("x")
    _ask(session, conversation, "one", made_by=CellRun("A", "1"))
    before = conversation.turns
    conversation.append(before[0])  # two answers in a row are no conversation for Gemma
    conversation._turns[1:] = [before[0].__class__(Message.of("assistant", "odd"), before[0].reply)]
    broken = conversation.turns
    with pytest.raises(TemplateRefused, match="alternate"):
        _ask(session, conversation, "two", system="new", made_by=CellRun("B", "1"))
    assert conversation.turns == broken and conversation.system is None
    with pytest.raises(UsageProblem, match="the prompt is empty"):
        _ask(session, conversation, "  \n", new=True)
    assert conversation.turns == broken


def test_an_interrupt_keeps_the_words_so_far_and_marks_the_turn(session: Any, tiny: Any) -> None:
    session.load_model(str(tiny["slow"]), "s")
    conversation = session.conversation("x")
    exchange = session.ask("one", conversation="x")
    while not exchange.reply.text:
        next(exchange)
    reply = exchange.interrupt()
    assert reply.interrupted and reply.text
    assert reply.stats is not None and reply.stats.finish_reason == "interrupted"
    assert conversation.turns[-1].reply is reply
    assert exchange.interrupt() is reply
    assert not session.pool.resident("s").busy


def test_a_second_interrupt_only_ends_the_wait_for_the_last_words(
    session: Any, tiny: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.load_model(str(tiny["slow"]), "s")
    exchange = session.ask("one", conversation="x")
    while not exchange.reply.text:
        next(exchange)

    def impatient(_: float) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(exchange._stream, "remaining", impatient)
    reply = exchange.interrupt()
    assert reply.interrupted and session.conversation("x").turns[-1].reply is reply


def test_what_was_stopped_from_elsewhere_is_marked_as_interrupted(session: Any, tiny: Any) -> None:
    session.load_model(str(tiny["slow"]), "s")
    exchange = session.ask("one", conversation="x")
    while not exchange.reply.text:
        next(exchange)
    session.close()
    list(exchange)
    assert exchange.reply.interrupted


def test_an_interrupt_before_the_first_word_adds_no_turn(session: Any, tiny: Any) -> None:
    session.load_model(str(tiny["slow"]), "s")
    conversation = session.conversation("x")
    _ask(session, conversation, "one", made_by=CellRun("A", "1"))
    exchange = session.ask("long " * 500, conversation="x", made_by=CellRun("A", "2"))
    next(exchange)
    assert exchange.interrupt().interrupted
    assert [t.user.text for t in conversation.turns] == ["one"]


def test_a_single_turn_has_no_history(loaded: Any) -> None:
    import mlx_magic as mm

    mm.chat("one", max_tokens=3)
    assert [m.role for m in mm.chat("two", max_tokens=3).messages] == ["user", "assistant"]
    assert loaded.conversations == ()
