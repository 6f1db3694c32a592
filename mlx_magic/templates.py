"""Chat templates: render a conversation, notice when a template refuses it or loses a part.

Templates fail silently: one drops string content, another drops a system message, a third prints
a Python list into the prompt. So every form of the conversation that a template may want is tried
in turn, and the first prompt that really holds every message's text is taken.
"""

from collections.abc import Callable, Sequence
from typing import Any

from .errors import TemplateRefused

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
    add_generation_prompt: bool = True,
    **template_options: Any,
) -> str:
    """The prompt text for `messages` (dictionaries of `role` and string `content`).

    The system message is folded into the first user turn where the template refuses or drops it.
    Raises `TemplateRefused` naming the rule that the conversation breaks.
    """
    rules: list[str] = []
    for form in _FORMS:
        try:
            prompt: str = tokenizer_or_processor.apply_chat_template(
                form(messages),
                tokenize=False,
                add_generation_prompt=add_generation_prompt,
                **template_options,
            )
        except Exception as error:  # noqa: BLE001 - a template is a program; it may raise anything
            rules.append(_rule_broken(error))
            continue
        lost = _lost_message(prompt, messages)
        if lost is None:
            return prompt
        rules.append(f"the text of the {lost} message does not reach the prompt")
    # The folded form has no system message to stumble over: what it breaks is the real rule.
    raise TemplateRefused(
        f"the model's chat template refuses this conversation: {rules[_FORMS.index(_folded)]}; "
        "start afresh with %%chat --new, or leave out what it refuses"
    )


def end_of_turn_token(tokenizer_or_processor: Any) -> str | None:
    """The special token that the chat template writes after an assistant's words.

    Found by rendering a finished turn, and if nothing follows the words there, a turn with
    another after it (some templates end a turn with the next speaker's token). None when there
    is no template or no special token follows.
    """
    tokenizer = unwrap_tokenizer(tokenizer_or_processor)
    tokens = getattr(tokenizer, "added_tokens_decoder", {}).values()
    special: list[str] = [str(token) for token in tokens if getattr(token, "special", False)]
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


def _as_given(messages: Messages) -> Messages:
    return messages


def _as_lists(messages: Messages) -> Messages:
    return [
        {**message, "content": [{"type": "text", "text": message["content"]}]}
        for message in messages
    ]


def _folded(messages: Messages) -> Messages:
    """The system text put before the first user turn, as Gemma's own template does."""
    systems = [message["content"] for message in messages if message["role"] == "system"]
    rest = [dict(message) for message in messages if message["role"] != "system"]
    for message in rest:
        if systems and message["role"] == "user":
            message["content"] = "\n\n".join([*systems, message["content"]])
            break
    return rest


_FORMS: tuple[Callable[[Messages], Messages], ...] = (
    _as_given,
    _as_lists,
    _folded,
    lambda messages: _as_lists(_folded(messages)),
)


def _lost_message(prompt: str, messages: Messages) -> str | None:
    """Which message's text is missing from the prompt ("system" and so on), if any.

    Templates may trim text. A printed Python list holds the text but is not a prompt.
    """
    if "[{'type': 'text'" in prompt:
        return str(messages[0]["role"])
    for message in messages:
        spoken = message["role"] != "tool"  # tool results may be quoted as JSON
        if spoken and str(message.get("content") or "").strip() not in prompt:
            return str(message["role"])
    return None


def _rule_broken(error: Exception) -> str:
    text = " ".join(str(error).split())
    if type(error).__name__ == "TemplateError":  # jinja2's, raised by the template on purpose
        return text
    return f"{type(error).__name__}: {text}"[:200]
