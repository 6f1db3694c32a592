"""How each family's demo model speaks: the same facts, another voice. Rows of answer texts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Manner:
    """The answer texts of one voice; slots in braces are filled by `tasks`."""

    name: str
    capital: str
    colour: str
    legs: str
    no_legs: str
    total: str
    greet_name: str
    keep_number: str
    greet_both: str
    your_name: str
    no_name: str
    your_number: str
    no_number: str
    unknown: str
    hello: str
    how_are_you: str
    thanks: str
    goodbye: str
    who: str
    can_do: str
    fine: str
    story_opening: tuple[str, ...]
    story_middle: tuple[str, ...]
    story_ending: tuple[str, ...]
    story_friends: tuple[str, ...]


MANNERS: dict[str, Manner] = {
    "plain": Manner(
        name="plain",
        capital="The capital of {country} is {capital}.",
        colour="{An} is {colour}.",
        legs="{An} has {legs} legs.",
        no_legs="{An} has no legs.",
        total="{a} {op} {b} = {total}.",
        greet_name="Nice to meet you, {n}!",
        keep_number="I will remember {k}.",
        greet_both="Nice to meet you, {n}! I will remember {k}.",
        your_name="Your name is {n}.",
        no_name="You have not told me your name yet.",
        your_number="Your number is {k}.",
        no_number="You have not told me a number yet.",
        unknown=(
            "I am sorry, I do not know that. "
            "I know capitals, animals, small sums and little stories."
        ),
        hello="Hello! How can I help you?",
        how_are_you="I am fine, thank you. How can I help you?",
        thanks="You are welcome!",
        goodbye="Goodbye!",
        who="I am a tiny demo model. I know capitals, animals, small sums and little stories.",
        can_do=(
            "I can name capitals, describe animals, add and subtract up to 99, "
            "and tell little stories."
        ),
        fine="I am glad to hear that.",
        story_opening=(
            "Once upon a time, {a_hero} lived {place}.",
            "Once there was {a_hero} who lived {place}.",
        ),
        story_middle=(
            "One day, {the_hero} found {thing}.",
            "One morning, {the_hero} woke up next to {thing}.",
            "One night, {the_hero} dreamed of {thing} and went to look for it.",
        ),
        story_ending=(
            "{The_hero} showed it to all the friends, and they danced until night.",
            "{The_hero} took it home and slept happily.",
            "{The_hero} gave it to a friend, and both were very happy.",
            "From that day on, {the_hero} was never sad again.",
        ),
        story_friends=(
            "They became friends and danced until night.",
            "They shared a big cake and laughed all day.",
            "They played together, and {the_hero} was never alone again.",
        ),
    ),
}
