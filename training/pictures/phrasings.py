"""How people ask about pictures: for each kind of fact phrasings to learn from, and held-out ones.

Slots are those of the facts. The plain question of `demo.picture` is among those to learn from.
"""

from __future__ import annotations

import random
from dataclasses import replace

from training.pictures.grids import GRIDS
from training.world.phrasings import Phrasings, bare, built

PHRASINGS: dict[str, Phrasings] = {
    "count_all": Phrasings(
        train=(
            "How many shapes are there?", "How many shapes are in the picture?",
            "How many shapes do you see?", "How many things are there?", "How many shapes?",
            "How many objects are in the image?", "Count the shapes.",
            "How many objects are there?",
            "What is the number of shapes?", "How many shapes can you see?", "Number of shapes?",
            "How many things are in this picture?", "How many things do you see?",
            "Can you count the shapes?", "How many shapes does the picture have?",
            "Tell me how many shapes there are.",
        ),
        held_out=(
            "How many shapes are in this image?", "Count all the shapes you see.",
            "How many objects can you see?", "Tell me the number of shapes.",
        ),
    ),
    "count_shape": Phrasings(
        train=(
            "How many {things} are there?", "How many {things} are in the picture?",
            "How many {things} do you see?", "How many {things}?", "Count the {things}.",
            "What is the number of {things}?", "How many {things} can you see?",
            "Number of {things}?", "How many {things} are in this image?",
            "Tell me how many {things} there are.", "Can you count the {things}?",
            "How many of the shapes are {things}?", "How many {things} does the picture have?",
            "{things}: how many?", "Are there {things}, and how many?",
        ),
        held_out=(
            "How many {things} are in the image?", "Count all {things}.",
            "Tell me the number of {things}.", "How many {things} are in this picture?",
        ),
    ),
    "count_colour": Phrasings(
        train=(
            "How many {colour} shapes are there?", "How many {colour} things are there?",
            "How many {colour} shapes do you see?", "How many shapes are {colour}?",
            "How many {colour} ones are there?", "Count the {colour} shapes.",
            "How many of the shapes are {colour}?", "How many things are {colour}?",
            "How many {colour} objects are in the picture?", "Number of {colour} shapes?",
            "How many {colour} shapes are in the picture?", "How many are {colour}?",
            "Tell me how many shapes are {colour}.", "How many {colour} shapes can you see?",
        ),
        held_out=(
            "How many {colour} things do you see?", "Count everything {colour}.",
            "How many {colour} shapes are in this image?", "How many objects are {colour}?",
        ),
    ),
    "colour_of": Phrasings(
        train=(
            "What colour is the {thing}?", "What color is the {thing}?",
            "Which colour is the {thing}?", "Which color does the {thing} have?",
            "What is the colour of the {thing}?", "What's the color of the {thing}?",
            "Tell me the colour of the {thing}.", "The {thing} is what color?",
            "Colour of the {thing}?", "What colour does the {thing} have?", "{thing} color?",
            "What color is that {thing}?", "Can you tell me what colour the {thing} is?",
            "What is the color of the {thing}?", "In which colour is the {thing}?",
        ),
        held_out=(
            "Which color is the {thing}?", "Tell me what color the {thing} is.",
            "What's the colour of the {thing}?", "Do you see what colour the {thing} is?",
        ),
    ),
    "shape_of": Phrasings(
        train=(
            "What shape is the {colour} one?", "What shape is the {colour} thing?",
            "Which shape is {colour}?", "What is the shape of the {colour} object?",
            "What is the {colour} thing?", "What shape is {colour}?", "The {colour} one is what?",
            "What is {colour} in the picture?", "Tell me the shape of the {colour} thing.",
            "What is the {colour} object?", "Which shape is the {colour} one?",
            "What shape does the {colour} thing have?", "What is the {colour} shape?",
            "The {colour} shape, what is it?", "Which shape does the {colour} one have?",
        ),
        held_out=(
            "What is the shape of the {colour} thing?", "What shape is the {colour} object?",
            "Tell me what the {colour} thing is.", "Which shape is the {colour} thing?",
        ),
    ),
    "spot": Phrasings(
        train=(
            "Where is the {thing}?", "Where in the picture is the {thing}?",
            "Where do you see the {thing}?", "In which part of the picture is the {thing}?",
            "Where can I find the {thing}?", "The {thing} is where?", "Where's the {thing}?",
            "Tell me where the {thing} is.", "In which corner is the {thing}?", "{thing}: where?",
            "Where does the {thing} stand?", "Can you tell me where the {thing} is?",
            "Where in the image do you see the {thing}?", "What part is the {thing} in?",
        ),
        held_out=(
            "Where in the image is the {thing}?", "Can you say where the {thing} is?",
            "In which part of the image do you see the {thing}?", "So where is the {thing}?",
        ),
    ),
    "where": Phrasings(  # the two sides of the axis are named
        train=(
            "Is the {a} {choice} the {b}?", "Where is it: is the {a} {choice} the {b}?",
            "The {a}: is it {choice} the {b}?", "Tell me if the {a} is {choice} the {b}.",
            "Does the {a} stand {choice} the {b}?", "Do you see the {a} {choice} the {b}?",
            "Can you say if the {a} is {choice} the {b}?", "The {a}, {choice} the {b}?",
            "In the picture, is the {a} {choice} the {b}?",
            "Would you say the {a} is {choice} the {b}?",
        ),
        held_out=(
            "So is the {a} {choice} the {b}?", "Tell me whether the {a} is {choice} the {b}.",
            "In this image, is the {a} {choice} the {b}?", "Say if the {a} is {choice} the {b}.",
        ),
    ),
    "where_open": Phrasings(
        train=(
            "Where is the {a}, seen from the {b}?", "Where is the {a} compared to the {b}?",
            "Where is the {a} relative to the {b}?", "On which side of the {b} is the {a}?",
            "Where does the {a} stand, seen from the {b}?", "Where is the {a} from the {b}?",
            "Is the {a} left, right, above or below the {b}?",
            "Which side of the {b} is the {a} on?",
            "Where do you see the {a} relative to the {b}?",
            "Seen from the {b}, where is the {a}?", "Where is the {a} in relation to the {b}?",
        ),
        held_out=(
            "Where is the {a} with respect to the {b}?",
            "Tell me where the {a} is, seen from the {b}.",
            "Relative to the {b}, where is the {a}?",
        ),
    ),
    "relation": Phrasings(
        train=(
            "Is the {a} {relation} the {b}?", "Is it true that the {a} is {relation} the {b}?",
            "Do you see the {a} {relation} the {b}?", "Does the {a} stand {relation} the {b}?",
            "The {a} is {relation} the {b}, right?", "The {a} is {relation} the {b}, isn't it?",
            "Would you say the {a} is {relation} the {b}?", "{a} {relation} {b}?",
            "In the picture, is the {a} {relation} the {b}?",
            "Can you see the {a} {relation} the {b}?",
            "Is the {a} {relation} the {b} in this picture?",
        ),
        held_out=(
            "So is the {a} {relation} the {b}?", "Am I right that the {a} is {relation} the {b}?",
            "In this image, is the {a} {relation} the {b}?",
            "Check if the {a} is {relation} the {b}.",
        ),
    ),
    "bigger": Phrasings(
        train=(
            "Which is {more}, the {a} or the {b}?", "What is {more}, the {a} or the {b}?",
            "Which one is {more}, the {a} or the {b}?", "Is the {a} or the {b} {more}?",
            "Which of the two is {more}: the {a} or the {b}?",
            "Which is {more}: the {a} or the {b}?",
            "{a} or {b}: which is {more}?", "Tell me which is {more}, the {a} or the {b}.",
            "The {a} or the {b}, which is {more}?", "Which shape is {more}, the {a} or the {b}?",
            "Which thing is {more}, the {a} or the {b}?",
            "Of the {a} and the {b}, which is {more}?",
        ),
        held_out=(
            "Which of these is {more}, the {a} or the {b}?", "Is the {a} {more} or the {b}?",
            "Which looks {more}, the {a} or the {b}?",
            "Between the {a} and the {b}, which is {more}?",
        ),
    ),
    "exists": Phrasings(
        train=(
            "Is there {a_thing}?", "Is there {a_thing} in the picture?", "Do you see {a_thing}?",
            "Are there any {things}?", "Can you see {a_thing}?", "Is {a_thing} in the picture?",
            "Does the picture show {a_thing}?", "Any {things}?",
            "Are there {things} in the picture?",
            "Is there any {thing}?", "Do you see any {things}?",
            "Is there {a_thing} in this image?",
            "Can you find {a_thing}?", "Does the image have {a_thing}?", "Is there {a_thing} here?",
        ),
        held_out=(
            "Is there {a_thing} in this picture?", "Can you see any {things}?",
            "Does the picture contain {a_thing}?", "Do you find {a_thing}?",
        ),
    ),
    "describe": Phrasings(
        train=(
            "Describe the picture.", "What do you see?", "What is in the picture?",
            "Describe this image.", "What does the picture show?", "What can you see?",
            "What is this?", "Tell me what you see.", "What's in the image?",
            "Describe what you see.",
            "What is shown here?", "What does this picture show?", "Please describe this picture.",
            "List everything you see.", "Tell me about this picture.", "What is in this image?",
            "Can you describe the picture?", "Describe it.", "What am I looking at?",
        ),
        held_out=(
            "What do you see in the picture?", "Describe the image.", "What's in this picture?",
            "Tell me what is in the picture.",
        ),
    ),
    "chart_kind": Phrasings(
        train=(
            "What kind of chart is this?", "Which kind of chart is it?",
            "What type of chart is this?",
            "What kind of plot is this?", "What chart is this?", "What sort of chart do you see?",
            "Which type of plot is it?", "Kind of chart?", "What kind of graph is this?",
            "What type of graph is it?", "Is it a bar, line, scatter or pie chart?",
            "Tell me the kind of chart.", "Which chart type is this?",
            "What kind of diagram is this?",
            "What kind of chart does the picture show?",
        ),
        held_out=(
            "What kind of chart do you see?", "Which type of chart is this?",
            "What type of plot is this?", "Tell me what kind of graph it is.",
        ),
    ),
    "chart_count": Phrasings(
        train=(
            "How many {things} are there?", "How many {things} does the chart have?",
            "How many {things} do you see?", "How many {things}?", "Count the {things}.",
            "What is the number of {things}?", "How many {things} are in the chart?",
            "Number of {things}?", "How many {things} can you see?", "Can you count the {things}?",
            "How many {things} has the chart?", "Tell me how many {things} there are.",
            "How many {things} are shown?", "How many {things} does this plot have?",
        ),
        held_out=(
            "How many {things} are in this chart?", "Tell me the number of {things}.",
            "Count all the {things}.", "How many {things} does the graph show?",
        ),
    ),
    "largest": Phrasings(
        train=(
            "What colour is the {most} {thing}?",
            "What color is the {most} {thing}?", "Which colour is the {most}?",
            "Which color has the {most} {thing}?", "The {most} {thing} is which colour?",
            "What is the colour of the {most} {thing}?", "Which colour {thing} is the {most}?",
            "What color {thing} is the {most}?", "Colour of the {most} {thing}?",
            "Tell me the color of the {most} {thing}.",
            "Which colour has the {most} {thing}?", "In which colour is the {most} {thing}?",
        ),
        held_out=(
            "Which color is the {most} {thing}?", "What's the color of the {most} {thing}?",
            "Tell me the colour of the {most} {thing}.", "Which color {thing} is the {most}?",
        ),
    ),
    "trend": Phrasings(
        train=(
            "Is the line rising or falling?", "Does the line rise or fall?",
            "Is the line going up or down?", "What is the trend?", "Does the line go up or down?",
            "Which way does the line go?", "Is the trend rising or falling?", "Rising or falling?",
            "Is it going up or down?", "Is the curve rising or falling?", "Up or down?",
            "Do the values rise or fall?", "Is the line increasing or decreasing?",
            "What does the line do, rise or fall?", "How does the line develop?",
        ),
        held_out=(
            "Is the line falling or rising?", "Do the values go up or down?",
            "What is the trend of the line?", "Does the curve rise or fall?",
        ),
    ),
    "reads": Phrasings(
        train=(
            "What does it say?", "What does the picture say?", "Read it.", "What is written here?",
            "Read the text.", "What is the {noun}?", "Which {noun} do you see?",
            "What does it read?",
            "What's written in the picture?", "Which {noun} is this?", "Can you read it?",
            "What does the text say?", "What {noun} is this?", "Read the {noun}.",
            "What {noun} is written here?", "Please read this.", "What text do you see?",
            "Tell me the {noun}.", "Can you read the {noun}?",
        ),
        held_out=(
            "What does this say?", "What is written in the picture?",
            "Which {noun} is written here?",
            "Can you tell me what it says?",
        ),
    ),
    "word_or_number": Phrasings(
        train=(
            "Is it a word or a number?", "Is this a number or a word?",
            "Do you see a word or a number?", "Word or number?", "Is that a word or a number?",
            "Does it show a word or a number?", "Is it a number or a word?",
            "Is a word or a number written here?", "Is the text a word or a number?",
            "Does the picture show a number or a word?", "Is this a word or a number?",
        ),
        held_out=(
            "Do you see a number or a word?", "Is the text a number or a word?",
            "Does the picture show a word or a number?",
        ),
    ),
    "which_more": Phrasings(
        train=(
            "Which picture has more {things}, the first or the second?",
            "Which picture has more {things}?", "Which one has more {things}?",
            "Where are more {things}, in the first or the second picture?",
            "Does the first or the second picture have more {things}?",
            "Which image shows more {things}?", "More {things} in the first or the second?",
            "In which picture are there more {things}?", "Which has more {things}?",
            "Which image has more {things}, the first or the second?",
        ),
        held_out=(
            "Which of the two pictures has more {things}?", "Which picture shows more {things}?",
            "Does the first or the second one have more {things}?",
        ),
    ),
    "which_has": Phrasings(
        train=(
            "Which one has {a_thing}?", "Which picture has {a_thing}?",
            "Which one shows {a_thing}?",
            "In which picture is {a_thing}?", "Which picture shows {a_thing}?",
            "Where is {a_thing}, in the first or the second picture?",
            "Which image has {a_thing}?", "Does the first or the second picture show {a_thing}?",
            "Which of them has {a_thing}?", "Which one is with {a_thing}?",
            "Which picture has {a_thing}, the first or the second?",
        ),
        held_out=(
            "Which of the two has {a_thing}?", "In which image do you see {a_thing}?",
            "Which one of the pictures has {a_thing}?",
        ),
    ),
    "show_one": Phrasings(
        train=(
            "What does the {nth} picture show?", "Describe the {nth} picture.",
            "What is in the {nth} picture?", "What do you see in the {nth} image?",
            "What does the {nth} one show?", "Describe the {nth} image.",
            "What is the {nth} picture?",
            "What is in the {nth} one?", "Tell me about the {nth} picture.",
            "And the {nth} picture?",
            "What can you see in the {nth} picture?",
        ),
        held_out=(
            "What do you see in the {nth} picture?", "Describe the {nth} one.",
            "What's in the {nth} image?",
        ),
    ),
}  # fmt: skip
PHRASINGS = {
    kind: replace(listed, built=built(map(bare, listed.held_out), *GRIDS[kind]))
    for kind, listed in PHRASINGS.items()
}
PHRASINGS["smallest"] = PHRASINGS["largest"]
PHRASINGS["describe_chart"] = PHRASINGS["describe_text"] = PHRASINGS["describe"]

# Asking the same thing again, after a question of the same kind.
FOLLOW_UPS: dict[str, Phrasings] = {
    "count_shape": Phrasings(
        ("And how many {things}?", "And {things}?", "How about {things}?", "And the {things}?",
         "What about the {things}?", "And how many {things} are there?",
         "How many {things}, then?"),
        ("And how many {things} do you see?", "What about {things}?"),
    ),
    "count_colour": Phrasings(
        ("And how many {colour} ones?", "And {colour} ones?", "How about {colour}?",
         "And how many are {colour}?", "What about {colour} ones?"),
        ("And how many {colour} shapes?", "What about {colour}?"),
    ),
    "colour_of": Phrasings(
        ("And the {thing}?", "What about the {thing}?", "And what colour is the {thing}?",
         "And which color is the {thing}?", "How about the {thing}?"),
        ("And what color is the {thing}?", "So what about the {thing}?"),
    ),
    "shape_of": Phrasings(
        ("And the {colour} one?", "What about the {colour} one?",
         "And what shape is the {colour} one?",
         "How about the {colour} one?", "And what is the {colour} thing?"),
        ("And which shape is the {colour} one?", "So what about the {colour} one?"),
    ),
    "exists": Phrasings(
        ("And {a_thing}?", "What about {a_thing}?", "And is there {a_thing}?",
         "How about {a_thing}?",
         "Is there also {a_thing}?"),
        ("And do you see {a_thing}?", "So what about {a_thing}?"),
    ),
    "largest": Phrasings(
        ("And the {most}?", "What about the {most} one?", "And which colour is the {most}?",
         "And what colour is the {most} one?"),
        ("And what color is the {most} {thing}?",),
    ),
}  # fmt: skip
FOLLOW_UPS["smallest"] = FOLLOW_UPS["largest"]

# A question about one of two pictures.
IN_ONE = Phrasings(
    ("In the {nth} picture: {q}", "The {nth} picture. {Q}", "About the {nth} picture: {q}",
     "Look at the {nth} picture. {Q}", "{nth} picture: {q}", "In the {nth} image, {q}",
     "The {nth} image: {q}", "About the {nth} image: {q}", "For the {nth} one: {q}",
     "Take the {nth} picture. {Q}", "Now look at the {nth} one. {Q}", "In the {nth} one, {q}"),
    ("For the {nth} picture: {q}", "Look at the {nth} image. {Q}"),
)  # fmt: skip

# Before the question that comes with a further picture, later in a conversation.
NEXT_PICTURE = Phrasings(
    ("And this one? {Q}", "Here is another picture. {Q}", "Next picture: {q}", "Now this one. {Q}",
     "And here: {q}", "{Q}", "Look at this one. {Q}", "In this one: {q}",
     "And in this picture: {q}",
     "Here is one more. {Q}", "What about this one? {Q}"),
    ("Now look at this. {Q}", "And in this one: {q}"),
)  # fmt: skip

_PLEASE = (
    "Please: {q}",
    "{Q} Please.",
    "Please tell me: {q}",
    "Hi, {q}",
    "Hello! {Q}",
    "Excuse me, {q}",
)


def lower_first(text: str) -> str:
    """The text with a small first letter, unless it is `I`."""
    return text if text.startswith(("I ", "I'")) else text[:1].lower() + text[1:]


def upper_first(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]


def wrapped(form: str, text: str, **slots: str) -> str:
    """A question inside another sentence: `{q}` with a small first letter, `{Q}` with a capital."""
    made = form.format(q=lower_first(text), Q=upper_first(text), **slots)
    return upper_first(made)


def typed(rng: random.Random, text: str, polite: bool = True) -> str:
    """As people type: most with care, some in small letters, some without a mark at the end."""
    text = upper_first(text)
    if polite and rng.random() < 0.04:
        text = wrapped(rng.choice(_PLEASE), text)
    lower = rng.random() < 0.28
    if lower:
        text = text.lower()
    if rng.random() < (0.5 if lower else 0.12):
        text = text.rstrip("?.!")
    if rng.random() < 0.1:
        text = text.replace("'", "")
    return text
