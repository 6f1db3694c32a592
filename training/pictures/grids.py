"""The parts that questions about pictures are built of: frames around cores, by kind of fact.

A core with `PIC`, `CHART` or a set in angle brackets stands for several: `<shapes|things>`.
"""

from __future__ import annotations

import re

from training.world.phrasings import GIVE, TELL, Grid

# Frames around a question, an order, and what may be asked with "if".
ASK = (
    "{Q}?", "{Q}?", "So {q}?", "Tell me: {q}?", "Now {q}?", "Look: {q}?", "Here, {q}?", "OK, {q}?",
    "In this picture, {q}?", "In the image, {q}?", "One question: {q}?", "Please, {q}?",
    "Quick question: {q}?", "And {q}?", "Well, {q}?", "Can you help me: {q}?", "Say, {q}?",
    "My question is: {q}?", "I wonder: {q}?", "Looking at the picture, {q}?",
    "What do you think: {q}?",
    "As you see it, {q}?",
)  # fmt: skip
DO = (
    "{Q}.", "{Q}.", "Please {q}.", "Can you {q}?", "Could you {q}?", "Now {q}.", "{Q}, please.",
    "I want you to {q}.", "Try to {q}.", "Will you {q}?", "Just {q}.", "Would you {q}?",
    "{Q} for me.",
    "First, {q}.", "Help me and {q}.", "I need you to {q}.", "Let us {q}.", "Are you able to {q}?",
)  # fmt: skip
CHECK = (
    "Check {q}.", "Find out {q}.", "See {q}.", "Please check {q}.", "Can you see {q}?",
    "Look and say {q}.", "Can you check {q}?", "I wonder {q}.", "Be honest: tell me {q}.",
)  # fmt: skip

_SETS = {
    "PIC": "<the picture|the image|this picture|this image>",
    "CHART": "<the chart|this chart|the plot|the graph|this graph>",
    "NTH": "the {nth} <picture|image|one>",
}


def cores(*texts: str) -> tuple[str, ...]:
    """Every core that the texts stand for.

    >>> cores("what is in PIC", "<big|small>")[-2:]
    ('big', 'small')
    """
    made: list[str] = []
    for text in texts:
        for name, choice in _SETS.items():
            text = text.replace(name, choice)
        made += _expanded(text)
    return tuple(made)


def _expanded(text: str) -> list[str]:
    choice = re.search("<([^<>]*)>", text)
    if choice is None:
        return [text]
    before, after = text[: choice.start()], text[choice.end() :]
    return [one for part in choice[1].split("|") for one in _expanded(before + part + after)]


def _asked(*texts: str) -> Grid:
    return ASK, cores(*texts)


def _told(*texts: str) -> Grid:
    return TELL, cores(*texts)


def _given(*texts: str) -> Grid:
    return GIVE, cores(*texts)


def _done(*texts: str) -> Grid:
    return DO, cores(*texts)


def _checked(*texts: str) -> Grid:
    return (*CHECK, *TELL), cores(*texts)


def _counting(things: str, where: str) -> tuple[Grid, ...]:
    return (
        _asked(
            f"how many {things} are <there|in {where}|shown>",
            f"how many {things} <do|can> you see",
            f"how many {things} does {where} <have|show>",
            f"how many {things} are there in {where}",
        ),
        _told(
            f"how many {things} <there are|are there|you see|you can see>",
            f"how many {things} {where} <has|shows>", f"how many {things} are in {where}",
        ),
        _given(
            f"the number of {things}", f"the number of {things} in {where}",
            f"the count of {things}",
            f"the number of {things} <there are|you see|shown>",
        ),
        _done(
            f"count <the|all the> {things}", f"count <the|all|all the> {things} in {where}",
            f"count the {things} <you see|that you can see>",
        ),
    )  # fmt: skip


_WHICH_PICTURE = "<which picture|which image|which one|which of the two|which of them>"
_FIRST_OR_SECOND = "the first or the second <picture|image|one>"

GRIDS: dict[str, tuple[Grid, ...]] = {
    "count_all": (
        *_counting("<shapes|things|objects>", "PIC"),
        _done("count everything", "count everything <you see|in PIC>",
        "count what <you see|is there>"),
    ),
    "count_shape": (
        *_counting("{things}", "PIC"),
        _done("count every {thing}", "count each {thing} in PIC"),
    ),
    "count_colour": (
        *_counting("{colour} <shapes|things|objects>", "PIC"),
        _asked("how many <shapes|things|objects> are {colour}", "how many are {colour}"),
        _told("how many <shapes|things|objects> are {colour}", "how many of them are {colour}"),
        _done("count <everything|all|what> that is {colour}", "count all that you see in {colour}"),
    ),
    "colour_of": (
        _asked(
            "<what|which> <colour|color> is the {thing}", "the {thing} has <what|which> color",
            "<what|which> <colour|color> does the {thing} have",
        ),
        _told(
            "<what|which> <colour|color> the {thing} <is|has>",
            "what the <colour|color> of the {thing} is",
        ),
        _given("the <colour|color> of <the|that> {thing}", "the {thing}'s <colour|color>"),
    ),
    "shape_of": (
        _asked(
            "<what|which> shape is the {colour} <one|thing|object>",
            "<what|which> shape is {colour}",
            "what is the {colour} <one|thing|object|shape>",
            "what shape does the {colour} one have",
        ),
        _told(
            "<what|which> shape the {colour} <one|thing|object> <is|has>",
            "what the {colour} <one|thing|object|shape> is", "<what|which> shape is {colour}",
        ),
        _given("the shape of the {colour} <one|thing|object>"),
    ),
    "spot": (
        _asked(
            "where is the {thing}", "where in PIC is the {thing}", "where do you see the {thing}",
            "in which <part|corner> of PIC is the {thing}", "where can one see the {thing}",
            "in which <part|corner> of PIC do you find the {thing}", "where does the {thing} stand",
        ),
        _told(
            "where the {thing} <is|stands>", "where in PIC the {thing} is",
            "where <you|I> <see|can find> the {thing}", "in which part of PIC the {thing} is",
        ),
        _given("the <place|position> of the {thing}", "the place of the {thing} in PIC"),
    ),
    "where": (
        _asked(
            "is the {a} {choice} the {b}", "does the {a} stand {choice} the {b}",
            "do you see the {a} {choice} the {b}", "would you say the {a} is {choice} the {b}",
            "do you find the {a} {choice} the {b}",
        ),
        _checked("<if|whether> the {a} <is|stands> {choice} the {b}"),
    ),
    "where_open": (
        _asked(
            "where <is|stands> the {a}, seen from the {b}",
            "where is the {a} <compared|relative|next> to the {b}",
            "on which side of the {b} is the {a}", "<which|what> side of the {b} is the {a} on",
            "where does the {a} stand <relative|compared> to the {b}",
            "<seen|looking> from the {b}, where is the {a}",
            "<compared|next|in relation|close> to the {b}, where is the {a}",
            "<measured|judged|starting|going> from the {b}, where is the {a}",
            "take the {b}: where is the {a} from there",
            "where do you see the {a}, compared to the {b}", "where is the {a} from the {b}",
            "if I look from the {b}, where is the {a}",
            "where would you look for the {a} from the {b}",
        ),
        _told(
            "where the {a} is <relative|compared> to the {b}",
            "where the {a} stands, seen from the {b}", "on which side of the {b} the {a} is",
            "which side of the {b} the {a} is on", "where the {a} is from the {b}",
        ),
        _given(
            "the <place|position> of the {a} <relative to|with respect to> the {b}",
            "the side of the {b} that has the {a}",
        ),
    ),
    "relation": (
        _asked(
            "is the {a} {relation} the {b}", "does the {a} stand {relation} the {b}",
            "is it <true|right|so> that the {a} is {relation} the {b}",
            "<do|can> you see the {a} {relation} the {b}",
            "can it be that the {a} is {relation} the {b}",
            "would you say that the {a} is {relation} the {b}",
            "do I see it right that the {a} is {relation} the {b}",
            "do you agree that the {a} is {relation} the {b}",
            "am I right to say that the {a} is {relation} the {b}",
        ),
        _checked("<if|whether> the {a} <is|stands> {relation} the {b}"),
    ),
    "bigger": (
        _asked(
            "<which|what|which one|which of the two> is {more}, the {a} or the {b}",
            "<which shape|what|which thing> looks {more}, the {a} or the {b}",
            "is the {a} or the {b} {more}",
            "of <these|the two>, which is {more}: the {a} or the {b}",
            "of the {a} and the {b}, which <looks|is> {more}",
            "does the {a} or the {b} look {more}",
            "between the two, which is {more}: the {a} or the {b}",
        ),
        _told(
            "<which|what|which one> is {more}, the {a} or the {b}",
            "whether the {a} or the {b} is {more}",
        ),
        _given("the {more} one of the {a} and the {b}"),
    ),
    "exists": (
        _asked(
            "is there {a_thing} <here|in PIC>", "<do|can> you see {a_thing} <here|in PIC>",
            "are there any {things} <here|in PIC>", "does PIC <show|have> {a_thing}",
            "does PIC <show|have|contain> any {things}",
            "<do|can> you find {a_thing} <here|in PIC>",
            "can you find any {things}", "is {a_thing} <here|shown|in PIC>",
            "has PIC got {a_thing}",
        ),
        _checked(
            "<if|whether> there is {a_thing}", "<if|whether> there is {a_thing} in PIC",
            "<if|whether> you <see|find> {a_thing}",
            "<if|whether> PIC <has|shows|contains> {a_thing}",
            "<if|whether> there are any {things}",
        ),
    ),
    "describe": (
        _asked(
            "what <do|can> you see here", "what can you see in PIC", "what is <shown |>in PIC",
            "what does PIC show", "what is there in PIC", "what is to be seen here",
        ),
        _told(
            "what <you see|you can see|is shown here>", "what is in PIC", "what PIC shows",
            "what you can see in PIC",
        ),
        _done(
            "describe PIC", "describe what <you see|is in PIC|PIC shows>",
            "describe <everything|it>",
            "list everything in PIC", "list what <you see|is in PIC>",
        ),
        _given("a description of PIC", "all that is in PIC"),
    ),
    "chart_kind": (
        _asked(
            "<what|which> <kind|type|sort> of <chart|plot|graph|diagram> is <this|it>",
            "<what|which> <kind|type> of <chart|plot|graph> do we see",
            "<what|which> chart is this",
            "<what|which> <kind|type> of <chart|plot|graph> does PIC show",
        ),
        _told(
            "<what|which> <kind|type|sort> of <chart|plot|diagram> <this|it> is",
            "<what|which> <chart|plot|graph> <this is|you see>",
        ),
        _given("the <kind|type|sort> of <chart|plot|graph>",
        "the <kind|type> of this <chart|plot>"),
    ),
    "chart_count": _counting("{things}", "CHART"),
    "largest": (
        _asked(
            "<what|which> <colour|color> is the {most} {thing}",
            "<what|which> <colour|color> has the {most} {thing}",
            "<what|which> <colour|color> does the {most} {thing} have",
            "<what|which> <colour|color> {thing} is the {most}",
            "what is the color of the {most} {thing}",
        ),
        _told(
            "<what|which> <colour|color> the {most} {thing} <is|has>",
            "<what|which> <colour|color> is the {most}",
            "what the <colour|color> of the {most} {thing} is",
        ),
        _given("the <colour|color> of the {most} {thing}", "the {most} {thing}'s <colour|color>"),
    ),
    "trend": (
        _asked(
            "is the <line|curve|trend> <rising or falling|falling or rising|going up or down>",
            "does the <line|curve> <rise or fall|fall or rise|go up or down>",
            "do the values <rise or fall|go up or go down|fall or rise>",
            "what is the trend <here|of the curve|of the values>",
            "which way does the <line|curve> go",
        ),
        _told(
            "<if|whether> the <line|curve> <rises or falls|goes up or down|is rising or falling>",
            "which way the line goes", "what the trend is", "<if|whether> the values rise or fall",
        ),
        _given("the trend", "the trend of the <curve|values>"),
    ),
    "reads": (
        _asked(
            "what does <it|the text|PIC> say", "what is written <here|there>",
            "<what|which> {noun} <is this|is it|do you see|can you see|is written there>",
            "what <text|{noun}> is in PIC", "what can you read <here|in PIC>",
            "what is to be read here",
        ),
        _told(
            "what <it|the text|PIC> says", "what is written <here|there|in PIC>",
            "<what|which> {noun} <it is|this is|you see|is written there>", "what the {noun} is",
            "what you <can |>read",
        ),
        _given("the {noun}", "the {noun} in PIC", "the text", "the text in PIC", "this {noun}"),
        _done("read <it|this|the text|the {noun}>", "read what is written",
        "read the {noun} in PIC"),
    ),
    "word_or_number": (
        _asked(
            "is <it|this|that> <a word or a number|a number or a word>",
            "is the text <a word or a number|a word, or a number>", "do we see a number or a word",
            "does PIC show <a word or a number|a number or a word>",
            "is <a word or a number|a number or a word> written <here|there>",
        ),
        _told(
            "<if|whether> <it|this|that> is <a word or a number|a number or a word>",
            "<if|whether> you see <a word or a number|a number or a word>",
            "<if|whether> PIC shows a word or a number",
        ),
    ),
    "which_more": (
        _asked(
            f"{_WHICH_PICTURE} <has|shows> more {{things}}",
            "in which <picture|image> are <there |>more {things}",
            "where <are|do you see> more {things}, in the first or in the second picture",
            f"does {_FIRST_OR_SECOND} <have|show> more {{things}}",
        ),
        _told(
            f"{_WHICH_PICTURE} <has|shows> more {{things}}", "where there are more {things}",
            f"whether {_FIRST_OR_SECOND} has more {{things}}",
        ),
    ),
    "which_has": (
        _asked(
            f"{_WHICH_PICTURE} <has|shows> {{a_thing}}",
            "which of the <pictures|images> has {a_thing}",
            "in which <picture|image> <is|do you find|can you see> {a_thing}",
            "where is {a_thing}, in the first or in the second picture",
            f"does {_FIRST_OR_SECOND} <have|show> {{a_thing}}",
        ),
        _told(
            f"{_WHICH_PICTURE} <has|shows> {{a_thing}}", "in which picture {a_thing} is",
            f"whether {_FIRST_OR_SECOND} has {{a_thing}}",
        ),
    ),
    "show_one": (
        _asked(
            "what does NTH show", "what is <shown |>in NTH", "what <do|can> you see in NTH",
        ),
        _told("what NTH shows", "what is in NTH", "what you <can |>see in NTH"),
        _done("describe NTH", "describe what <NTH shows|you see in NTH|is in NTH>"),
        _given("a description of NTH"),
    ),
}  # fmt: skip
GRIDS["smallest"] = GRIDS["largest"]
GRIDS["describe_chart"] = GRIDS["describe_text"] = GRIDS["describe"]
