"""Conversations: named lists of turns, and the exchange that adds one."""

from collections.abc import Callable, Iterator, Sequence
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
class CellRun:
    """One run of a notebook cell: the cell's id, and the id of the run."""

    cell: str
    run: str


@dataclass(frozen=True)
class Turn:
    """A user message with its reply, the system prompt it was under, and the cell that made it."""

    user: Message
    reply: Reply
    system: str | None = None
    made_by: CellRun | None = None


class Conversation:
    """A named list of turns. Its system prompt is the last turn's, or at first the given one.

    >>> conversation = Conversation("default")
    >>> conversation.turns
    ()
    """

    def __init__(self, name: str, system: str | None = None) -> None:
        self.name = name
        self.first_system = system
        self._turns: list[Turn] = []

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The turns so far, oldest first."""
        return tuple(self._turns)

    @property
    def system(self) -> str | None:
        """The system prompt that the next turn is under unless it brings its own."""
        return self._system_after(self._turns)

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
        """Forget every turn, and set the system prompt to begin with."""
        self._turns.clear()
        self.first_system = system

    def send(
        self,
        pool: ModelPool,
        user: Message,
        *,
        model: str,
        options: GenerationOptions,
        system: str | None = None,
        new: bool = False,
        made_by: CellRun | None = None,
    ) -> "Exchange":
        """Ask a resident; the turn is added when the exchange ends.

        A cell that is run again speaks from before its own turn, `new` from the beginning. The
        turns that this leaves behind are dropped with the new turn's arrival and not before, so a
        request that is refused or fails changes nothing. `system` replaces the system prompt.
        """
        cut = 0 if new else self._own_turn(made_by)
        kept, left_behind = self._turns[:cut], self._turns[cut:]
        if system is None:
            system = self._system_after(kept)
        messages = (*_messages(system, kept), user)
        stream = pool.stream(model, messages, options)

        def commit(reply: Reply) -> None:
            # By identity: another thread may have added turns meanwhile.
            dropped = {id(turn) for turn in left_behind}
            self._turns[:] = [turn for turn in self._turns if id(turn) not in dropped]
            self.append(Turn(user, reply, system, made_by))

        asked = Reply("", model, messages, images=user.images)
        return Exchange(stream, asked, commit, (self.name, len(kept) + 1))

    def _own_turn(self, made_by: CellRun | None) -> int:
        """Where an earlier run of the same cell made its first turn; the end if none did."""
        for index, turn in enumerate(self._turns):
            earlier = turn.made_by
            if made_by and earlier and earlier.cell == made_by.cell and earlier.run != made_by.run:
                return index
        return len(self._turns)

    def _system_after(self, turns: Sequence[Turn]) -> str | None:
        return turns[-1].system if turns else self.first_system


def _messages(system: str | None, turns: Sequence[Turn]) -> tuple[Message, ...]:
    """What a model is sent: the system prompt, then every turn."""
    start = (Message.of("system", system),) if system else ()
    said = (m for turn in turns for m in (turn.user, Message.of("assistant", turn.reply.text)))
    return (*start, *said)


class Exchange(Iterator[Event]):
    """One turn under way: iterate it for the events; `reply` is the answer so far. It is turn
    number `turn` of the conversation of the name `conversation`.

    When it ends, by itself or by `interrupt`, the turn is in the conversation. An exchange that
    fails adds none, and neither does one that is stopped before its first word.
    """

    def __init__(
        self,
        stream: Stream,
        reply: Reply,
        commit: Callable[[Reply], None],
        place: tuple[str, int],
    ) -> None:
        self.conversation, self.turn = place
        self._stream = stream
        self._reply = reply
        self._commit = commit
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._stats: GenerationStats | None = None
        self._tokens: tuple[int, ...] = ()
        self._ended = False
        self.stopped = False
        self.prefill: PrefillProgress | None = None

    def __next__(self) -> Event:
        if self._ended:
            raise StopIteration
        try:
            event = next(self._stream)
        except StopIteration:
            self._end()
            raise
        except KeyboardInterrupt:
            self.interrupt()  # also for a loop of the person's own, which knows nothing of it
            raise
        except Exception:
            self._ended = True
            raise
        self._take(event)
        return event

    def wait(self, timeout_seconds: float) -> bool:
        """Wait for the next event, at most so long; whether iterating would give it at once."""
        return self._stream.wait(timeout_seconds)

    def rest(self, timeout_seconds: float) -> None:
        """Let events gather, at most so long and not beyond the last one."""
        self._stream.rest(timeout_seconds)

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

    def stop(self) -> None:
        """Let the model stop after the token it is at, from any thread; the iteration then ends
        with what there is, marked as interrupted."""
        self.stopped = True
        self._stream.cancel()

    def interrupt(self) -> Reply:
        """Stop now, keep what there is, and return it marked as interrupted.

        Does nothing to an exchange that has ended. A second interrupt only ends the wait for the
        last words.
        """
        if not self._ended:
            try:
                self._stream.cancel()
                for event in self._stream.remaining(_LAST_WORDS_SECONDS):
                    self._take(event)
            except KeyboardInterrupt:
                self._stream.cancel()
            self._end()
        return self._reply

    def _take(self, event: Event) -> None:
        if isinstance(event, TextDelta):
            (self._reasoning if event.channel == "reasoning" else self._text).append(event.text)
        elif isinstance(event, Finished):
            self._stats, self._tokens = event.stats, event.tokens
        else:
            self.prefill = event

    def _end(self) -> None:
        if self._ended:
            return
        # Whoever stopped it: without the engine's own word for its end, it did not get there.
        stopped = self._stats is None or self._stats.finish_reason == "interrupted"
        reply = replace(self.reply, interrupted=stopped)
        answer = Message.of("assistant", reply.text, reasoning=reply.reasoning)
        self._reply = replace(reply, messages=(*reply.messages, answer))
        self._ended = True
        if reply.text or not stopped:
            self._commit(self._reply)
