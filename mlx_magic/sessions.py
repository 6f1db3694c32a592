"""The session: the pool and the conversations of one kernel."""

import os
import re
import threading
from collections.abc import Callable
from typing import Any

from . import hub
from .conversations import Conversation, Exchange
from .engines import device, preload
from .errors import UsageProblem
from .events import ResidentStatus
from .messages import Message
from .options import GenerationOptions
from .plain import one_line
from .pool import ModelPool
from .settings import Settings, current
from .worker import MLXThread

DEFAULT_CONVERSATION = "default"

Progress = Callable[[hub.DownloadProgress], None]


class Session:
    """Everything that lives as long as the kernel. One is made on first use: `get_session()`."""

    def __init__(self) -> None:
        self.thread = MLXThread()
        self.pool = ModelPool(self.thread)
        self._conversations: dict[str, Conversation] = {}

    @property
    def settings(self) -> Settings:
        """The defaults that `%config MlxMagics` sets."""
        return current()

    def load_model(
        self,
        spec: str | os.PathLike[str],
        name: str | None = None,
        *,
        pin: bool = False,
        revision: str | None = None,
        on_progress: Progress | None = None,
    ) -> ResidentStatus:
        """Resolve a spec (downloading what is missing) and bring it into the pool.

        `name` is what cells call it by; without one, the last part of the spec.
        Raises the errors of `hub.resolve` and `ModelPool.load`.
        """
        device.require_backend()
        spec = hub.canonical(spec)
        if name is None:
            name = default_name(spec)
        check_name(name)
        self.pool.require_free(name, spec)  # before a download, not after it
        snapshot = hub.resolve(spec, revision=revision, on_progress=on_progress)
        return self.pool.load(snapshot, name=name, pinned=pin)

    def conversation(self, name: str | None = None) -> Conversation:
        """The conversation of that name, made when there is none."""
        name = name or DEFAULT_CONVERSATION
        if name not in self._conversations:
            self._conversations[name] = Conversation(name, self.settings.system or None)
        return self._conversations[name]

    @property
    def conversations(self) -> tuple[Conversation, ...]:
        """Every conversation of this kernel, in the order of their making."""
        return tuple(self._conversations.values())

    def ask(
        self,
        prompt: str,
        *,
        model: str | None = None,
        conversation: str | None = None,
        options: GenerationOptions | None = None,
        **turn: Any,
    ) -> Exchange:
        """Send a turn and return the exchange to iterate.

        Without `model` the most recently used resident answers; if there is none, the model of
        the settings is loaded. Without `conversation` it is a single turn with no history.
        `turn` goes to `Conversation.send`: `system`, `new`, `made_by`.
        """
        if not isinstance(prompt, str):
            raise UsageProblem(f"a prompt is text, not {type(prompt).__name__}")
        if not prompt.strip():
            raise UsageProblem("the prompt is empty; write the question")
        if model is None and not self.pool.status().residents and self.settings.model:
            self.load_model(self.settings.model)
        talk = self._conversations.get(conversation or "")
        if talk is None:
            talk = Conversation(conversation or "", self.settings.system or None)
        if turn.get("new"):
            talk.first_system = self.settings.system or None
        exchange = talk.send(
            self.pool,
            Message.of("user", prompt),
            model=self.pool.resident(model).name,
            options=self.settings.options(options or GenerationOptions()),
            **turn,
        )
        if conversation is not None:
            self._conversations[conversation] = talk  # a refused turn makes no conversation
        return exchange

    def warm_up(self) -> None:
        """Import the engines' libraries on the MLX thread, ahead of the first load."""
        self.thread.submit(lambda _: preload())

    def close(self) -> None:
        """Cancel what runs, free every model, and end the MLX thread."""
        if self.pool.status().residents:
            self.thread.submit(lambda _: self.pool.close())  # arrays are freed where they live
        self.thread.close()


def default_name(spec: str) -> str:
    """The name of a resident that was given none: the last part of its spec, fit to be typed.

    >>> default_name("mlx-community/Qwen3-4B-4bit"), default_name("demo:qwen")
    ('Qwen3-4B-4bit', 'qwen')
    """
    last = spec.rstrip("/").replace(":", "/").rsplit("/", 1)[-1]
    return re.sub(r"[^\w.+-]+", "-", last).strip("-.+") or "model"


def check_name(name: str) -> None:
    """Raise `UsageProblem` for a name that couldn't be typed after %%chat."""
    if not re.fullmatch(r"\w[\w.:+@/-]*", name):
        raise UsageProblem(
            f"{one_line(repr(name), 60)} is no name for a model; "
            "use letters, digits, '.', '_' and '-', as in --as my-model"
        )


_lock = threading.Lock()
_current: Session | None = None


def get_session() -> Session:
    """This kernel's session, made on the first call."""
    global _current
    with _lock:
        if _current is None:
            _current = Session()
        return _current


def close_session() -> int:
    """End this kernel's session, if there is one; the number of models that were freed.

    The next `get_session` makes a new one.
    """
    global _current
    with _lock:
        session, _current = _current, None
    if session is None:
        return 0
    freed = len(session.pool.status().residents)
    session.close()
    return freed
