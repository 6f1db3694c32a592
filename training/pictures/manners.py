"""How each vision model words what it sees: the same canonical values, another voice."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PictureManner:
    """The answer texts of one voice. `says` has a text for each kind of fact; slots are those of
    the fact and `value`; a key such as `exists no` is for that value, `count_shape one` for 1."""

    name: str
    says: dict[str, str]
    outside: str
    no_picture: str
    hello: str
    thanks: str
    who: str


_OUTSIDE = "I can tell you about shapes, charts and short words in a picture."

MANNERS: dict[str, PictureManner] = {
    "qwen-vl": PictureManner(
        name="qwen-vl",
        says={
            "count_all": "There are {value} shapes.",
            "count_all one": "There is 1 shape.",
            "count_shape": "There are {value} {things}.",
            "count_shape one": "There is 1 {thing}.",
            "count_colour": "There are {value} {colour} shapes.",
            "count_colour one": "There is 1 {colour} shape.",
            "colour_of": "The {thing} is {value}.",
            "shape_of": "The {colour} shape is a {value}.",
            "spot": "The {thing} is {value}.",
            "where": "The {a} is {relation} the {b}.",
            "relation yes": "Yes, the {a} is {relation} the {b}.",
            "relation no": "No, the {a} is not {relation} the {b}.",
            "bigger": "The {value} is {more}.",
            "exists yes": "Yes, there is {a_thing}.",
            "exists no": "No, there is no {thing}.",
            "absent": "There is no {value} in the picture.",
            "describe": "The picture shows {value}.",
            "chart_kind": "This is a {value}.",
            "chart_count": "There are {value} {things}.",
            "chart_count one": "There is 1 {thing}.",
            "largest": "The {value} {thing} is the {most}.",
            "smallest": "The {value} {thing} is the {most}.",
            "trend": "The line is {value}.",
            "describe_chart": "The picture shows {value}.",
            "reads": "It says {value}.",
            "word_or_number": "It is a {value}.",
            "describe_text": "The picture shows {value}.",
            "which_more": "The {value} picture has more {things}.",
            "which_has": "The {value} picture has {a_thing}.",
        },
        outside=f"I am sorry, I do not know that. {_OUTSIDE}",
        no_picture=f"There is no picture yet. {_OUTSIDE}",
        hello="Hello! Please show me a picture.",
        thanks="You are welcome!",
        who=f"I am a tiny demo model. {_OUTSIDE}",
    ),
    "smolvlm": PictureManner(
        name="smolvlm",
        says={
            "count_all": "{value}",
            "count_shape": "{value}",
            "count_colour": "{value}",
            "colour_of": "{Value}.",
            "shape_of": "{Value}.",
            "spot": "{Value}.",
            "where": "{Value}.",
            "relation yes": "Yes.",
            "relation no": "No.",
            "bigger": "The {value}.",
            "exists yes": "Yes.",
            "exists no": "No.",
            "absent": "No {value}.",
            "describe": "{Value}.",
            "chart_kind": "{Value}.",
            "chart_count": "{value}",
            "largest": "{Value}.",
            "smallest": "{Value}.",
            "trend": "{Value}.",
            "describe_chart": "{Value}.",
            "reads": "{value}",
            "word_or_number": "{Value}.",
            "describe_text": "{Value}.",
            "which_more": "{Value}.",
            "which_has": "{Value}.",
        },
        outside=f"I do not know. {_OUTSIDE}",
        no_picture=f"No picture. {_OUTSIDE}",
        hello="Hello. Show me a picture.",
        thanks="Any time.",
        who=f"A tiny demo model. {_OUTSIDE}",
    ),
    "gemma-vision": PictureManner(
        name="gemma-vision",
        says={
            "count_all": "I see {value} shapes.",
            "count_all one": "I see 1 shape.",
            "count_shape": "I see {value} {things}.",
            "count_shape one": "I see 1 {thing}.",
            "count_colour": "I see {value} {colour} shapes.",
            "count_colour one": "I see 1 {colour} shape.",
            "colour_of": "It's {value}!",
            "shape_of": "It's a {value}!",
            "spot": "It's {value}!",
            "where": "It's {relation} it.",
            "relation yes": "Yes, it is!",
            "relation no": "No, it isn't.",
            "bigger": "The {value} is {more}!",
            "exists yes": "Yes, I see {a_thing}!",
            "exists no": "No, I don't see {a_thing}.",
            "absent": "I see no {value} here.",
            "describe": "I see {value}.",
            "chart_kind": "It's a {value}!",
            "chart_count": "I see {value} {things}.",
            "chart_count one": "I see 1 {thing}.",
            "largest": "The {value} one is the {most}!",
            "smallest": "The {value} one is the {most}!",
            "trend": "It's {value}!",
            "describe_chart": "I see {value}.",
            "reads": "I can read {value}.",
            "word_or_number": "It's a {value}!",
            "describe_text": "I see {value}.",
            "which_more": "The {value} one has more {things}!",
            "which_has": "The {value} one has {a_thing}!",
        },
        outside=f"Sorry, I can't help with that! {_OUTSIDE}",
        no_picture=f"I don't see a picture yet! {_OUTSIDE}",
        hello="Hi! Show me a picture!",
        thanks="My pleasure!",
        who=f"I'm a tiny demo model! {_OUTSIDE}",
    ),
}


def manner_of(manner: PictureManner | str) -> PictureManner:
    """The manner of that name; a manner is returned as it is."""
    return MANNERS[manner] if isinstance(manner, str) else manner


def say(manner: PictureManner, kind: str, slots: dict[str, str], value: str) -> str:
    """A fact in that manner.

    >>> say(MANNERS["gemma-vision"], "count_shape", {"thing": "star", "things": "stars"}, "3")
    'I see 3 stars.'
    """
    says = manner.says
    text = says.get(f"{kind} {'one' if value == '1' else value}") or says[kind]
    return text.format_map({**slots, "value": value, "Value": value[:1].upper() + value[1:]})
