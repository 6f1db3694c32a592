"""Conversations: named lists of turns, and the exchange that adds one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from .events import Event, Finished, GenerationStats, PrefillProgress, TextDelta
from .messages import Message
from .options import GenerationOptions
from .pool import ModelPool
from .reply import Reply
from .worker import Stream

# How long an interrupt waits for the last token and the stats, in seconds.
_LAST_WORDS_SECONDS = 0.5


@dataclass(frozen=True)
class Turn:
    """A user message with its reply, tagged with the notebook cell that made it."""

    user: Message
    reply: Reply
    cell: str | None = None


class Conversation:
    """A named list of turns under one system prompt.

    >>> conversation = Conversation("default")
    >>> conversation.turns
    ()
    """

    def __init__(self, name: str, system: str | None = None) -> None:
        self.name = name
        self.system = system
        self._turns: list[Turn] = []

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The turns so far, oldest first."""
        return tuple(self._turns)

    def append(self, turn: Turn) -> None:
        """Add a turn at the end."""
        self._turns.append(turn)

    def undo(self, count: int = 1) -> tuple[Turn, ...]:
        """Take back the last `count` turns and return them; fewer when there are fewer."""
        cut = max(0, len(self._turns) - max(0, count))
        taken = tuple(self._turns[cut:])
        del self._turns[cut:]
        return taken

    def reset(self, system: str | None = None) -> None:
        """Forget every turn, and set the system prompt."""
        self._turns.clear()
        self.system = system

    def send(
        self,
        pool: ModelPool,
        user: Message,
        *,
        model: str,
        options: GenerationOptions,
        system: str | None = None,
        new: bool = False,
        cell: str | None = None,
    ) -> "Exchange":
        """Ask a resident; the turn is added when the exchange ends.

        A cell that is run again speaks from before its own turn, `new` from the beginning. The
        turns that this leaves behind are dropped with the new turn's arrival and not before, so a
        request that is refused or fails changes nothing. `system` replaces the system prompt.
        """
        cut = 0 if new else self._turn_of(cell)
        if system is None:
            system = self.system
        messages = (*_messages(system, self._turns[:cut]), user)
        stream = pool.stream(model, messages, options)
        reply = Reply("", model, messages, images=user.images)

        def commit(reply: Reply) -> None:
            if cut is not None:
                del self._turns[cut:]
            self.system = system
            self.append(Turn(user, reply, cell))

        return Exchange(stream, reply, commit)

    def _turn_of(self, cell: str | None) -> int | None:
        """The position of the turn that a cell made; None when it made none."""
        if cell is None:
            return None
        cells = [turn.cell for turn in self._turns]
        return cells.index(cell) if cell in cells else None


def _messages(system: str | None, turns: list[Turn]) -> tuple[Message, ...]:
    """What a model is sent: the system prompt, then every turn."""
    start = (Message.of("system", system),) if system else ()
    said = (m for turn in turns for m in (turn.user, Message.of("assistant", turn.reply.text)))
    return (*start, *said)


class Exchange(Iterator[Event]):
    """One turn under way: iterate it for the events; `reply` is the answer so far.

    When it ends, by itself or by `interrupt`, the turn is in the conversation. An exchange that
    fails adds none, and neither does one that is interrupted before its first word.
    """

    def __init__(self, stream: Stream, reply: Reply, commit: Callable[[Reply], None]) -> None:
        self._stream = stream
        self._reply = reply
        self._commit = commit
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._stats: GenerationStats | None = None
        self._tokens: tuple[int, ...] = ()
        self._ended = False
        self.prefill: PrefillProgress | None = None

    def __next__(self) -> Event:
        try:
            event = next(self._stream)
        except StopIteration:
            self._end()
            raise
        except Exception:
            self._ended = True
            raise
        self._take(event)
        return event

    @property
    def reply(self) -> Reply:
        """The answer so far; with `stats`, `tokens` and all `messages` once it has ended."""
        if self._ended:
            return self._reply
        return replace(
            self._reply,
            text="".join(self._text).strip(),
            reasoning="".join(self._reasoning).strip(),
            stats=self._stats,
            tokens=self._tokens,
        )

    def interrupt(self) -> Reply:
        """Stop now, keep what there is, and return it marked as interrupted."""
        if not self._ended:
            self._stream.cancel()
            for event in self._stream.remaining(_LAST_WORDS_SECONDS):
                self._take(event)
            self._end(interrupted=True)
        return self._reply

    def close(self) -> None:
        """The same as `interrupt`, for an exchange that is dropped half-way."""
        self.interrupt()

    def _take(self, event: Event) -> None:
        if isinstance(event, TextDelta):
            (self._reasoning if event.channel == "reasoning" else self._text).append(event.text)
        elif isinstance(event, Finished):
            self._stats, self._tokens = event.stats, event.tokens
        else:
            self.prefill = event

    def _end(self, interrupted: bool = False) -> None:
        if self._ended:
            return
        finished = self._stats is not None and self._stats.finish_reason != "interrupted"
        reply = replace(self.reply, interrupted=interrupted and not finished)
        answer = Message.of("assistant", reply.text, reasoning=reply.reasoning)
        self._reply = replace(reply, messages=(*reply.messages, answer))
        self._ended = True
        if reply.text or finished:
            self._commit(self._reply)
