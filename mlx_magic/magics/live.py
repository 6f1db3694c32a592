"""An answer while it comes: a card that is repainted, or plain text in a terminal."""

import math
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from IPython.display import display

from ..conversations import Exchange
from ..errors import Interrupted
from ..events import TextDelta
from ..plain import plain_text
from ..render.pictures import pictures_bundle, pictures_text
from ..render.reply import card_bundle, footer_bundle, place_in, reading_status, reply_text
from ..reply import Reply
from ..widgets.comms import hears_while_busy
from ..widgets.stop import StopLine
from .displays import LiveDisplay, in_notebook, write

# After this long without a sign of life a cell says that it is waiting.
_SILENCE_SECONDS = 0.3
# An answer that takes longer gets a line with a stop button; a quick one needs none.
_QUICK_SECONDS = 0.7
# What may travel to the page: an answer of 1,500 tokens takes less than 1 MB at 10 a second and
# more, since a slow one is repainted more seldom as it grows, but every few seconds at least.
_FIRST_BYTES, _BYTES_A_TOKEN = 60_000, 450
_LONGEST_PAUSE_SECONDS = 3.0


def follow(exchange: Exchange, shell: Any, render_hz: float) -> Reply:
    """Show an exchange while it runs and return the reply.

    Raises `Interrupted` after a kernel interrupt, with the partial answer kept and marked.
    """
    painter = _Card(render_hz, shell) if in_notebook(shell) else _Terminal()
    with one_interrupt():
        try:
            if exchange.reply.images:
                painter.illustrate(exchange.reply)
            pause_seconds = _SILENCE_SECONDS
            while not exchange.wait(pause_seconds):  # another answer is under way
                painter.wait(exchange)
                pause_seconds = _QUICK_SECONDS
                if exchange.stopped:  # it would notice only when its turn comes
                    exchange.interrupt()
                    break
            for event in exchange:
                painter.take(event, exchange)
            painter.finish(exchange.reply)
        except KeyboardInterrupt:
            reply = exchange.interrupt()
            painter.finish(reply)
            raise Interrupted(_what_is_kept(reply)) from None
        except Exception:
            painter.give_up(exchange.reply)
            raise
        finally:
            exchange.interrupt()  # whatever went wrong here, the model must not go on unheard
    return exchange.reply


def _what_is_kept(reply: Reply) -> str:
    if not reply.interrupted:
        return "interrupted; the answer had just ended and is kept"
    if not reply.text:
        return "interrupted before the first word; the conversation is as it was"
    return "interrupted; the answer so far is kept"


@contextmanager
def one_interrupt() -> Iterator[None]:
    """Let the first press of the stop button through and no second one until it is dealt with."""
    before = signal.getsignal(signal.SIGINT)
    if before is None or threading.current_thread() is not threading.main_thread():
        yield  # interrupts reach the main thread only
        return

    def first(_number: int, _frame: object) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # before anybody hears of the first
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, first)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class _Card:
    """The reply card, repainted `hz` times a second: at the first token, in between, at the end."""

    def __init__(self, hz: float, shell: Any) -> None:
        self._display = LiveDisplay()
        self._shortest_pause_seconds = 1 / hz
        self._next_paint = self._painted = 0.0
        self._answering = False
        self._bytes_left = _FIRST_BYTES
        self._place = ""
        self._stop_line: StopLine | None = None
        can_stop = hears_while_busy(shell.kernel)
        self._stop_line_due = time.monotonic() + _QUICK_SECONDS if can_stop else math.inf

    def illustrate(self, reply: Reply) -> None:
        """The pictures in an output of their own: they travel once, not with each update."""
        display(pictures_bundle(reply.images), raw=True)

    def take(self, event: object, exchange: Exchange) -> None:
        first_word = isinstance(event, TextDelta) and not self._answering
        self._answering |= first_word
        if self._answering:
            self._bytes_left += _BYTES_A_TOKEN
        due = time.monotonic() >= self._next_paint
        if first_word or (due and not exchange.wait(0)):  # the last of those that are here
            waited = time.monotonic() > self._painted + _LONGEST_PAUSE_SECONDS
            if first_word or waited or self._bytes_left > 0:
                self.show(exchange)
            else:
                self._next_paint = time.monotonic() + self._shortest_pause_seconds
            if self._answering:
                exchange.rest(self._next_paint - time.monotonic())

    def wait(self, exchange: Exchange) -> None:
        had_button = self._stop_line is not None
        if self._display.shown:
            self._offer_to_stop(exchange, reading_status(exchange.prefill))
        if not self._display.shown or (self._stop_line is not None and not had_button):
            self.show(exchange)

    def show(self, exchange: Exchange) -> None:
        status = "answering …" if self._answering else reading_status(exchange.prefill)
        if exchange.conversation:
            self._place = place_in(exchange.conversation, exchange.turn)
        self._offer_to_stop(exchange, status)
        self._paint(exchange.reply, status)

    def _offer_to_stop(self, exchange: Exchange, status: str) -> None:
        if self._stop_line is not None:
            self._stop_line.say(status)
        elif time.monotonic() >= self._stop_line_due and self._display.shown:
            self._stop_line_due = math.inf
            with suppress(ImportError):
                self._stop_line = StopLine(exchange.stop, status)

    def finish(self, reply: Reply) -> None:
        self._paint(reply, None)
        if self._stop_line is not None:
            self._stop_line.become(footer_bundle(reply))

    def give_up(self, reply: Reply) -> None:
        if self._display.shown:
            self._paint(reply, "failed")
        if self._stop_line is not None:
            self._stop_line.become(footer_bundle(reply, "failed"))

    def _paint(self, reply: Reply, status: str | None) -> None:
        started = time.monotonic()
        footer = self._stop_line is None
        bundle = card_bundle(reply, status, self._place, footer=footer)
        if self._answering:
            self._bytes_left -= sum(len(text.encode()) for text in bundle.values())
        self._display.show(bundle)
        self._painted = ended = time.monotonic()
        # A long answer takes long to draw; a tenth of the time is enough for it.
        self._next_paint = ended + max(self._shortest_pause_seconds, 9 * (ended - started))


class _Terminal:
    """The answer printed as it arrives, reasoning marked off from it, then a line of facts."""

    def __init__(self) -> None:
        self._channel = "text"

    def illustrate(self, reply: Reply) -> None:
        write(f"{pictures_text(reply.images)}\n")

    def wait(self, _: Exchange) -> None:
        pass

    def take(self, event: object, _: Exchange) -> None:
        if not isinstance(event, TextDelta):
            return
        if event.channel != self._channel:
            self._channel = event.channel
            heading = "[answer]" if event.channel == "text" else f"[{event.channel}]"
            write(f"\n{heading}\n")
        write(plain_text(event.text))

    def finish(self, reply: Reply) -> None:
        facts = reply_text(reply).rsplit("\n", 1)[-1]
        write(f"\n{facts}\n")

    def give_up(self, reply: Reply) -> None:
        if reply.text:
            write("\n")
