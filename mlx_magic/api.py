"""The Python functions: what the magics do, from code."""

import os
from typing import Any

from .conversations import Exchange
from .errors import Interrupted
from .events import ResidentStatus, Unloaded
from .options import GenerationOptions
from .reply import Reply
from .sessions import Session, get_session


def session() -> Session:
    """This kernel's session: `mm.session().pool.status()`."""
    return get_session()


def load_model(
    spec: str | os.PathLike[str],
    name: str | None = None,
    pin: bool = False,
    adapter: str | os.PathLike[str] | None = None,
    revision: str | None = None,
    ttl_seconds: float | None = None,
    *,
    draft: str | os.PathLike[str] | None = None,
) -> ResidentStatus:
    """Bring a model into memory, evicting what the budget asks for, least recently used first.

    `spec` is a Hub repository, a local folder or `demo:NAME`; `adapter` is a LoRA adapter that is
    laid over its weights, `draft` a small model of the same vocabulary that guesses ahead, and
    `ttl_seconds` how long it may stay idle. Raises a `MlxMagicError` that says what is wrong; the
    pool is then as it was.

    >>> load_model("demo:qwen").name  # doctest: +SKIP
    'qwen'
    """
    return get_session().load_model(
        spec,
        name,
        pin=pin,
        adapter=adapter,
        revision=revision,
        ttl_seconds=ttl_seconds,
        draft=draft,
    )


def unload_model(name: str, *, force: bool = False) -> Unloaded:
    """Free a resident's memory, once its answer has ended; `force` cancels the answer.

    Raises `ResidentNotFound`, or `ResidentBusy` for a base whose weights an adapter uses.
    """
    return get_session().pool.unload(name, force=force)


def pin_model(name: str, pinned: bool = True) -> ResidentStatus:
    """Keep a resident from being evicted, or allow it again. Raises `ResidentNotFound`."""
    return get_session().pool.pin(name, pinned)


def stream(
    prompt: str,
    model: str | None = None,
    images: object = (),
    conversation: str | None = None,
    *,
    system: str | None = None,
    new: bool = False,
    **options: Any,
) -> Exchange:
    """Ask and iterate the events: `PrefillProgress`, then `TextDelta`s, then `Finished`.

    `images` is a picture or a list of them: path, URL, data URI, bytes, PIL image, array or
    matplotlib figure. Without `model` the one used last answers; without `conversation` it is a
    single turn with no history. `system` sets the system prompt, `new` forgets the conversation's
    earlier turns. `options` are `max_tokens`, `temperature`, `top_p`, `top_k`, `min_p`,
    `repetition_penalty`, `seed`, `think` and `json_schema` (a dict); see `GenerationOptions` for
    their ranges. The iterator's `reply` is the answer so far.

    >>> for event in stream("What is 2 + 3?"):  # doctest: +SKIP
    ...     print(getattr(event, "text", ""), end="")
    2 + 3 = 5.
    """
    return get_session().ask(
        prompt,
        model=model,
        images=images,
        conversation=conversation,
        options=GenerationOptions.of(**options),
        system=system,
        new=new,
    )


def chat(
    prompt: str,
    model: str | None = None,
    images: object = (),
    conversation: str | None = None,
    *,
    system: str | None = None,
    new: bool = False,
    **options: Any,
) -> Reply:
    """Ask and wait for the whole answer.

    `images` is a picture or a list of them: path, URL, data URI, bytes, PIL image, array or
    matplotlib figure; the other arguments are those of `stream`.

    Raises `Interrupted` after a kernel interrupt.

    >>> print(chat("What is 2 + 3?", temperature=0))  # doctest: +SKIP
    2 + 3 = 5.
    """
    try:
        exchange = stream(
            prompt,
            model,
            images,
            conversation,
            system=system,
            new=new,
            **options,
        )
        for _ in exchange:
            pass
    except KeyboardInterrupt:
        raise Interrupted("interrupted") from None
    return exchange.reply
