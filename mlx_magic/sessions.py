"""The session: the pool and the conversations of one kernel."""

import math
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from . import hub
from .adapters import look_up_adapter
from .budget import AdmissionPlan
from .conversations import Conversation, Exchange
from .engines import device, preload
from .errors import ResidentNotFound, UsageProblem
from .events import DownloadProgress, LoadProgress, ResidentStatus, SystemMemory
from .fetch import Fetcher
from .images import image_part
from .messages import ImagePart, Message
from .names import check_name, default_name
from .options import GenerationOptions
from .pool import ModelPool, vision_hint
from .remote import Remote
from .residents import Asked
from .settings import Settings, current
from .worker import MLXThread

DEFAULT_CONVERSATION = "default"

Progress = Callable[[DownloadProgress | LoadProgress], None]


@dataclass(frozen=True)
class LoadPlan(AdmissionPlan):
    """What a load would do: make room, and before that download what is missing on disk."""

    download_bytes: int = 0


class Session:
    """Everything that lives as long as the kernel. One is made on first use: `get_session()`."""

    def __init__(self) -> None:
        self.thread = MLXThread()
        self.pool = ModelPool(self.thread, device.default_budget)
        self._conversations: dict[str, Conversation] = {}
        self._budget_set: object = "default"
        self._budget_lock = threading.RLock()
        self._fetcher = Fetcher()

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
        adapter: str | os.PathLike[str] | None = None,
        revision: str | None = None,
        ttl_seconds: float | None = None,
        draft: str | os.PathLike[str] | None = None,
        on_progress: Progress | None = None,
    ) -> ResidentStatus:
        """Resolve a spec (downloading what is missing) and bring it into the pool.

        `name` is what cells call it by; without one, the last part of the spec, or of the
        adapter's. `adapter` is a LoRA adapter that is laid over it, `draft` a small model with the
        same vocabulary that guesses ahead. What can't fit is refused before its download.
        `on_progress` hears of the download, and of a load that takes longer than a moment. Raises
        the errors of `hub.resolve`, `resolve_adapter` and `ModelPool.load`.
        """
        if ttl_seconds is not None and not (_is_number(ttl_seconds) and ttl_seconds >= 0):
            raise UsageProblem(f"ttl_seconds is a number of seconds, not {ttl_seconds!r}")
        name, parts = self._parts(spec, name, adapter, revision, draft)
        self.apply_budget()
        remote = {what: part for what, part in parts.items() if isinstance(part, Remote)}
        if remote:
            self.pool.plan(name=name, **parts)
        parts |= {what: part.fetch(on_progress) for what, part in remote.items()}
        if ttl_seconds is None:
            ttl_seconds = self.settings.ttl_seconds
        elif ttl_seconds == math.inf:
            ttl_seconds = None
        return self.pool.load(
            name=name, pinned=pin, ttl_seconds=ttl_seconds, on_progress=on_progress, **parts
        )

    def plan_load(
        self,
        spec: str | os.PathLike[str],
        name: str | None = None,
        *,
        adapter: str | os.PathLike[str] | None = None,
        revision: str | None = None,
        draft: str | os.PathLike[str] | None = None,
    ) -> LoadPlan:
        """What `load_model` would download and evict. Nothing is downloaded; raises its errors."""
        name, parts = self._parts(spec, name, adapter, revision, draft)
        self.apply_budget()
        plan = self.pool.plan(name=name, **parts)
        missing = (part.missing_bytes for part in parts.values() if isinstance(part, Remote))
        return LoadPlan(**vars(plan), download_bytes=sum(missing))

    def look_up(self, spec: str | os.PathLike[str], name: str | None = None) -> Asked:
        """What `load_model` would load, with its bytes; doesn't wait for the MLX thread.

        What isn't on disk is asked of the Hub, and nothing is downloaded. Raises its errors.
        """
        name, parts = self._parts(spec, name, None, None, None)
        return Asked(name=name, **parts)

    def _parts(
        self,
        spec: str | os.PathLike[str],
        name: str | None,
        adapter: str | os.PathLike[str] | None,
        revision: str | None,
        draft: str | os.PathLike[str] | None,
    ) -> tuple[str, dict[str, Any]]:
        """The name, and what makes it up: snapshots, or `Remote` where one isn't on disk."""
        device.require_backend()
        spec = hub.canonical(spec)
        if adapter is not None and draft is not None:
            raise UsageProblem("say an adapter or a draft model, not both")
        if name is None:
            name = default_name(spec if adapter is None else hub.canonical(adapter))
        check_name(name)
        self.pool.require_free(name, spec)  # before a download, not after it
        parts: dict[str, Any] = {"snapshot": hub.look_up(spec, revision=revision)}
        if adapter is not None:
            parts["adapter"] = look_up_adapter(hub.canonical(adapter))
        if draft is not None:
            parts["draft"] = hub.look_up(hub.canonical(draft))
        return name, parts

    def apply_budget(self) -> AdmissionPlan | None:
        """Let the pool keep to the budget of the settings; the plan, when it is a new one.

        An empty setting goes back to what the machine allows.
        """
        with self._budget_lock:
            return self._apply(self.settings.budget_bytes())

    def set_budget(self, text: str) -> AdmissionPlan | None:
        """Make `text` the budget of the settings and let the pool keep to it, as `apply_budget`.

        Raises `ValueError` for what is no size. Whoever observes the setting finds it in force.
        """
        with self._budget_lock:
            plan = self._apply(self.settings.budget_of(text))
            self.settings.memory_budget = text
        return plan

    def _apply(self, setting: int | Literal["default"] | None) -> AdmissionPlan | None:
        if setting == self._budget_set:
            return None
        budget_bytes = (
            self.thread.call(lambda _: device.default_budget()) if setting == "default" else setting
        )
        plan = self.pool.set_budget(budget_bytes)
        self._budget_set = setting
        return plan

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
        images: object = (),
        conversation: str | None = None,
        options: GenerationOptions | None = None,
        **turn: Any,
    ) -> Exchange:
        """Send a turn and return the exchange to iterate.

        `images` is what `image_part` takes (path, URL, PIL image, array, figure and so on), or a
        list of such.

        Without `model` the most recently used resident answers; if there is none, the model of
        the settings is loaded. Without `conversation` it is a single turn with no history.
        `turn` goes to `Conversation.send`: `system`, `new`, `made_by`.
        """
        if not isinstance(prompt, str):
            raise UsageProblem(f"a prompt is text, not {type(prompt).__name__}")
        if not prompt.strip():
            raise UsageProblem("the prompt is empty; write the question")
        pictures = self.pictures(images)
        if model is None and not self.pool.status().residents and self.settings.model:
            self.load_model(self.settings.model)
        if pictures and not self.pool.status().residents:
            raise ResidentNotFound(f"no model is loaded; {vision_hint()}")
        talk = self._conversations.get(conversation or "")
        if talk is None:
            talk = Conversation(conversation or "", self.settings.system or None)
        if turn.get("new"):
            talk.first_system = self.settings.system or None
        exchange = talk.send(
            self.pool,
            Message.of("user", prompt, images=pictures),
            model=self.pool.resident(model).name,
            options=self.settings.options(options or GenerationOptions()),
            **turn,
        )
        if conversation is not None:
            self._conversations[conversation] = talk  # a refused turn makes no conversation
        return exchange

    def pictures(self, sources: object) -> tuple[ImagePart, ...]:
        """The pictures that `sources` stand for, one or a list, within the settings' limits.

        Raises `ImageProblem` for the first that can't be taken.
        """
        limits = self.settings.image_limits
        every = sources if isinstance(sources, list | tuple) else [sources]
        return tuple(image_part(source, limits=limits, fetcher=self._fetcher) for source in every)

    def system_memory(self) -> SystemMemory:
        """The memory of the machine that the pool lives on."""
        return device.system_memory()

    def warm_up(self) -> None:
        """Import the engines' libraries on the MLX thread, ahead of the first load."""
        self.thread.submit(lambda _: preload())

    def close(self) -> None:
        """Cancel what runs, free every model, and end the MLX thread."""
        self._fetcher.close()
        if self.pool.status().residents:
            self.thread.submit(lambda _: self.pool.close())  # arrays are freed where they live
        self.thread.close()


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value


_lock = threading.Lock()
_current: Session | None = None


def get_session() -> Session:
    """This kernel's session, made on the first call."""
    global _current
    with _lock:
        if _current is None:
            _current = Session()
        return _current


def open_session() -> Session | None:
    """This kernel's session if there is one already. Never waits, for what may not wait."""
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
