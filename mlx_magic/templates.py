"""Chat templates: render a conversation, notice when a template refuses it or loses a part.

Templates fail silently: one drops string content, another drops a system message, a third prints
a Python list into the prompt. So every form of the conversation that a template may want is tried
in turn, and the first prompt that really holds every message's text is taken.
"""

from collections.abc import Callable, Sequence
from typing import Any

from .errors import TemplateRefused
from .plain import whole

Messages = Sequence[dict[str, Any]]

_SENTINEL = "quokka"


def unwrap_tokenizer(tokenizer_or_processor: Any) -> Any:
    """The Hugging Face tokenizer inside a Processor or mlx-lm's TokenizerWrapper."""
    tokenizer = getattr(tokenizer_or_processor, "tokenizer", tokenizer_or_processor)
    # Only the wrapper's `_tokenizer` is a tokenizer; that of a fast tokenizer is a Rust object.
    if type(tokenizer).__name__ == "TokenizerWrapper":
        return tokenizer._tokenizer
    return tokenizer


def render_prompt(
    tokenizer_or_processor: Any,
    messages: Messages,
    *,
    picture_mark: str | None = None,
    add_generation_prompt: bool = True,
    **template_options: Any,
) -> str:
    """The prompt text for `messages`: dictionaries of `role` and `content`.

    Content is a string, or a list of `{"type": "text", "text": ...}` and `{"type": "image"}`; in
    the prompt `picture_mark` then stands once for each picture. The system message is folded into
    the first user turn where the template refuses or drops it. Raises `TemplateRefused` naming the
    rule that the conversation breaks.
    """
    rules: list[str] = []
    for form in _FORMS:
        try:
            prompt: str = tokenizer_or_processor.apply_chat_template(
                form(messages, picture_mark),
                tokenize=False,
                add_generation_prompt=add_generation_prompt,
                **template_options,
            )
        except Exception as error:  # noqa: BLE001 - a template is a program; it may raise anything
            rules.append(_rule_broken(error))
            continue
        lost = _lost_message(prompt, messages)
        if lost is not None:
            rules.append(f"the text of the {lost} message does not reach the prompt")
        elif _pictures(messages) and prompt.count(picture_mark or "") != _pictures(messages):
            rules.append("the pictures do not reach the prompt")
        else:
            return whole(prompt)
    # The folded form has no system message to stumble over: what it breaks is the real rule.
    raise TemplateRefused(
        f"the model's chat template refuses this conversation: {rules[_FORMS.index(_folded)]}; "
        "start afresh with %%chat --new, or leave out what it refuses"
    )


def picture_mark(processor: Any) -> str | None:
    """What stands for a picture in the prompts of a vision model: a special token, or a word.

    Found by rendering a turn with a picture and one without; a template that knows no pictures
    gets the Processor's own token. None when there is neither.
    """
    text = {"type": "text", "text": _SENTINEL}
    declared = getattr(processor, "image_token", None)
    own = [declared] if isinstance(declared, str) and declared else []
    tokens = [*_special_tokens(processor), *own, "<image>"]
    for renderer in (processor, unwrap_tokenizer(processor)):
        try:
            bare, shown = (
                str(
                    renderer.apply_chat_template(
                        [{"role": "user", "content": content}],
                        tokenize=False,
                        add_generation_prompt=False,
                    )
                )
                for content in ([text], [{"type": "image"}, text])
            )
        except Exception:  # noqa: BLE001 - a template is a program; it may raise anything
            continue
        added = [token for token in tokens if shown.count(token) > bare.count(token)]
        if added:
            return min(added, key=lambda token: (shown.index(token), -len(token)))
    return own[0] if own else None


def end_of_turn_token(tokenizer_or_processor: Any) -> str | None:
    """The special token that the chat template writes after an assistant's words.

    Found by rendering a finished turn, and if nothing follows the words there, a turn with
    another after it (some templates end a turn with the next speaker's token). None when there
    is no template or no special token follows.
    """
    tokenizer = unwrap_tokenizer(tokenizer_or_processor)
    special = _special_tokens(tokenizer)
    turn: list[dict[str, Any]] = [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": _SENTINEL},
    ]
    for messages in (turn, [*turn, {"role": "user", "content": "Hello"}]):
        for renderer in (tokenizer_or_processor, tokenizer):
            try:
                prompt = render_prompt(renderer, messages, add_generation_prompt=False)
            except TemplateRefused:
                continue
            rest: str = prompt[prompt.rindex(_SENTINEL) + len(_SENTINEL) :].lstrip()
            following = [token for token in special if rest.startswith(token)]
            if following:
                return max(following, key=len)
    return None


def _special_tokens(tokenizer_or_processor: Any) -> list[str]:
    tokens = getattr(unwrap_tokenizer(tokenizer_or_processor), "added_tokens_decoder", {}).values()
    return [str(token) for token in tokens if getattr(token, "special", False)]


def _as_given(messages: Messages, _: str | None) -> Messages:
    return messages


def _as_lists(messages: Messages, _: str | None) -> Messages:
    return [{**message, "content": _parts(message)} for message in messages]


def _as_strings(messages: Messages, mark: str | None) -> Messages:
    """The pictures' marks written into the text, for templates that know strings only."""
    words = {"image": f"{mark or ''}\n"}
    return [
        {
            **message,
            "content": "".join(words.get(p["type"]) or p["text"] for p in _parts(message)),
        }
        for message in messages
    ]


def _folded(messages: Messages, _: str | None) -> Messages:
    """The system text put before the first user turn, as Gemma's own template does."""
    systems = [_text(message) for message in messages if message["role"] == "system"]
    rest = [dict(message) for message in messages if message["role"] != "system"]
    for message in rest:
        if systems and message["role"] == "user":
            said = message["content"]
            before = "\n\n".join([*systems, ""])
            message["content"] = (
                before + said
                if isinstance(said, str)
                else [{"type": "text", "text": before}, *said]
            )
            break
    return rest


_FORMS: tuple[Callable[[Messages, str | None], Messages], ...] = (
    _as_given,
    _as_lists,
    _as_strings,
    _folded,
    lambda messages, mark: _as_lists(_folded(messages, mark), mark),
    lambda messages, mark: _as_strings(_folded(messages, mark), mark),
)


def _parts(message: dict[str, Any]) -> list[dict[str, str]]:
    content = message.get("content") or ""
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)


def _text(message: dict[str, Any]) -> str:
    return "".join(part.get("text", "") for part in _parts(message))


def _pictures(messages: Messages) -> int:
    return sum(part["type"] == "image" for message in messages for part in _parts(message))


def _lost_message(prompt: str, messages: Messages) -> str | None:
    """Which message's text is missing from the prompt ("system" and so on), if any.

    Templates may trim text. A printed Python list holds the text but is not a prompt.
    """
    if "[{'type': '" in prompt:
        return str(messages[0]["role"])
    for message in messages:
        if message["role"] == "tool":  # tool results may be quoted as JSON
            continue
        if any(part.get("text", "").strip() not in prompt for part in _parts(message)):
            return str(message["role"])
    return None


def _rule_broken(error: Exception) -> str:
    text = " ".join(str(error).split())
    if type(error).__name__ == "TemplateError":  # jinja2's, raised by the template on purpose
        return text
    return f"{type(error).__name__}: {text}"[:200]
