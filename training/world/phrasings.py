"""How people ask about facts and sums: the phrasings to learn from, and those held out.

Slots are in braces. Half of what is learnt is built of parts, a frame around a core, so that no
unseen phrase decides. A phrasing ends as a careful person would end it; `style` roughens it.

What is held out is drawn by a rule, not chosen: a checksum picks the share, and a phrasing whose
every word is learnt elsewhere in its kind stays held out; a model this small knows no other words.
"""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import product

from training.world.names import is_held_out

BUILT_SHARE = 0.55


@dataclass(frozen=True)
class Phrasings:
    """The two sides of one kind of question; `built` is learnt too."""

    train: tuple[str, ...]
    held_out: tuple[str, ...]
    built: tuple[str, ...] = ()

    def side(self, held_out: bool) -> tuple[str, ...]:
        """The listed phrasings of one side of the split."""
        return self.held_out if held_out else self.train

    def pick(self, rng: random.Random, held_out: bool) -> str:
        """One phrasing of the asked side."""
        built = bool(self.built) and not held_out and rng.random() < BUILT_SHARE
        return rng.choice(self.built if built else self.side(held_out))


Grid = tuple[tuple[str, ...], tuple[str, ...]]


PLAINEST = 6  # the first ones listed are the plainest, and learnt
HELD_OUT_SHARE = 0.2  # of the other ones that are listed
BUILT_HELD_OUT = 6  # at most, of those made of parts, where it takes a twentieth of them


def widened(listed: tuple[str, ...], *grids: Grid) -> Phrasings:
    """The listed phrasings and those that each grid of parts makes; some of both are held out."""
    drawn = {bare(text) for text in listed[PLAINEST:] if _is_drawn(text, HELD_OUT_SHARE)}
    drawn -= {bare(text) for text in listed[:PLAINEST]}
    learnt = [text for text in listed if bare(text) not in drawn]
    made = built(map(bare, listed), *grids)
    made_out = [text for text in made if _is_drawn(text, 0.05)]
    made_out.sort(key=lambda text: zlib.crc32(text.encode()))
    known = {word for text in (*learnt, *made) for word in _words(text)}
    held_out = [text for text in listed if bare(text) in drawn and known >= _words(text)]
    held_out += made_out[:BUILT_HELD_OUT]
    out = set(map(bare, held_out))
    train = tuple(text for text in listed if bare(text) not in out)
    return Phrasings(train, tuple(held_out), built(out, *grids))


def _is_drawn(text: str, share: float) -> bool:
    return is_held_out(f"phrasing {bare(text)}", share)


def built(without: Iterable[str], *grids: Grid) -> tuple[str, ...]:
    """What each grid of frames and cores makes, without these (`bare`).

    >>> built({"name {x}"}, (("Name {q}.", "{Q}?"), ("{x}", "my {x}")))
    ('Name my {x}.', '{x}?', 'My {x}?')
    """
    left_out = set(without)
    made = (_framed(*parts) for grid in grids for parts in product(*grid))
    return tuple(text for text in dict.fromkeys(made) if bare(text) not in left_out)


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z{}']+", text.lower()))


def _framed(frame: str, core: str) -> str:
    return frame.replace("{q}", core).replace("{Q}", core[:1].upper() + core[1:])


def bare(text: str) -> str:
    """A phrasing without case and closing marks.

    >>> bare("Who am I?")
    'who am i'
    """
    return text.lower().strip(" ?!.")


# Frames around a noun phrase or a clause: `the capital of Peru`, `what my name is`.
TELL = (
    "Do you know {q}?", "Can you tell me {q}?", "Can you say {q}?", "Could you say {q}?",
    "I want to know {q}.", "I would like to know {q}.", "I'd love to know {q}.", "Tell us {q}.",
    "Please tell me {q}.", "Tell me {q}.", "Would you tell me {q}?", "Will you tell me {q}?",
    "Can anybody say {q}?", "I forgot {q}.", "I need to know {q}.", "I have to know {q}.",
    "Let me know {q}.", "Do you happen to know {q}?", "My teacher asks {q}.", "Say {q}.",
    "My son wants to know {q}.", "We want to know {q}.", "Try to say {q}.", "Please say {q}.",
    "I don't know {q}, do you?", "You surely know {q}.", "Guess {q}.", "Can you find out {q}?",
    "Could we hear {q}?", "May I ask {q}?", "I must learn {q}.", "Help me find out {q}.",
    "Tell me again {q}.", "Would you know {q}?", "Maybe you know {q}?", "Just tell me {q}.",
    "Now tell me {q}.", "Can you explain {q}?", "I ask you {q}.", "Does anyone know {q}?",
    "Can you remember {q}?", "Do you recall {q}?", "I am not sure {q}.", "And do you know {q}?",
)  # fmt: skip
# Frames around a noun phrase alone.
GIVE = (
    "Give me {q}.", "Name {q}.", "{Q}?", "{q}", "{Q}, please.", "Find {q}.", "Find me {q}.",
    "What is {q}?", "What's {q}?", "Show me {q}.", "I am looking for {q}.", "I want {q}.",
    "We need {q}.", "I want to hear {q}.", "I would like {q}.", "Get me {q}.", "Look up {q}.",
    "Write down {q}.", "Mention {q}.", "Can I have {q}?", "May I have {q}?", "Let me hear {q}.",
    "Remind me of {q}.", "What about {q}?", "How about {q}?", "Can you name {q}?", "State {q}.",
    "Could you give me {q}?", "Can you give me {q}?", "Will you name {q}?", "Try to name {q}.",
    "Help me with {q}.", "I have forgotten {q}.", "Now {q}.", "Just {q}.", "Only {q}, please.",
    "Quick, {q}!", "What would be {q}?", "Let us hear {q}.", "And {q}?", "Could I have {q}?",
)  # fmt: skip
# Frames around a sum.
SUM = (
    "What would {q} make?", "What would {q} give?", "What will {q} be?", "What might {q} be?",
    "What does {q} give?", "What does {q} come to?", "How much will {q} be?", "What is {q}?",
    "How much would {q} come to?", "Could you tell me {q}?", "Can you work out {q}?", "{q}",
    "Could you compute {q}?", "Can you calculate {q}?", "Do you know what {q} is?", "I need {q}.",
    "Tell me what {q} makes.", "I would like to know what {q} is.", "I need to know {q}.",
    "Let me know {q}.", "Show me {q}.", "Please do {q}.", "Please calculate {q}.", "{q} makes?",
    "Help me work out {q}.", "The result of {q}?", "What is the result of {q}?", "{q} is what?",
    "What's the answer to {q}?", "Now {q}.", "Next, {q}.", "My homework is {q}.", "{q}, please.",
    "How do you solve {q}?", "And {q}?", "Get {q}.", "{q} makes what?", "{q} gives?",
    "The sum: {q}", "Say what {q} is.", "How about {q}?", "Let us do {q}.", "Take {q}.",
    "Try and do {q}.", "Can you do {q}?", "Will you solve {q}?", "How much is {q} then?",
    "I want you to solve {q}.", "What could {q} be?", "What must {q} be?", "Answer this: {q}",
    "Please tell me {q}.", "What total does {q} have?", "Can you find {q}?", "What about {q}?",
    "My teacher asks for {q}.", "Check {q} for me.", "How much did {q} make?", "{q} equals what?",
)  # fmt: skip

_CAPITALS = (
    "the capital of {x}", "the capital of {x}", "{x}'s capital", "the capital city of {x}",
    "{x}'s capital city", "the name of {x}'s capital", "the name of the capital of {x}",
)  # fmt: skip
_CAPITAL_CLAUSES = (
    "what the capital of {x} is", "which city is the capital of {x}", "what {x}'s capital is",
    "what the capital of {x} is called", "which capital {x} has", "how {x}'s capital is called",
)  # fmt: skip
CAPITAL = widened(
    (
        "What is the capital of {x}?", "What's the capital of {x}?", "Capital of {x}?",
        "The capital of {x}?", "Which city is the capital of {x}?", "Tell me the capital of {x}.",
        "Name the capital of {x}.", "Do you know the capital of {x}?", "capital of {x}",
        "Can you tell me the capital of {x}?", "What city is the capital of {x}?",
        "What is {x}'s capital?", "{x}'s capital?", "What is the capital city of {x}?",
        "I want to know the capital of {x}.", "Capital {x}?", "Give me the capital of {x}.",
        "Could you name the capital of {x}?", "{x} capital",
        "Do you know what the capital of {x} is?",
        "I would like to know what the capital of {x} is.", "What is called the capital of {x}?",
        "Which is the capital of {x}?", "The capital of {x} is?", "The capital of {x} is",
        "What's {x}'s capital city?", "Can you name {x}'s capital?", "Show me the capital of {x}.",
        "I am going to {x}. What is its capital?", "I live in {x}. What is the capital?",
        "Remind me of the capital of {x}.", "{x}: what is the capital?",
        "Who knows the capital of {x}?", "What is the capital of {x} again?",
        "What was the capital of {x}?", "And what was the capital of {x}?",
        "What was {x}'s capital?", "Is {y} the capital of {x}?", "Is the capital of {x} {y}?",
        "Is {y} {x}'s capital?",
        "What is the name of the capital of {x}?", "Which capital does {x} have?",
        "Which city is capital of {x}?", "What do they call the capital of {x}?",
        "{x} has which capital?", "What might the capital of {x} be?", "What capital has {x} got?",
        "About {x}: which city is its capital?", "I visit {x}. Which city is the capital?",
        "In {x}, which city is the capital?", "Which city do they call the capital of {x}?",
        "What city is {x}'s capital?", "So {x}'s capital is?",
        "Tell me what the capital of {x} is.", "Which city is {x}'s capital?",
        "Could you tell me the capital of {x}?", "So what is the capital of {x}?",
        "Name {x}'s capital city.", "Do you remember the capital of {x}?",
        "I need the capital of {x}.", "What was the capital of {x} again?",
        "I wonder what the capital of {x} is.", "Would you mind telling me {x}'s capital?",
        "How do they call the capital of {x}?", "What should I know as the capital of {x}?",
    ),
    (TELL, (*_CAPITALS, *_CAPITAL_CLAUSES)),
    (GIVE, _CAPITALS),
)  # fmt: skip

CAPITAL_REVERSE = widened(
    (
        "{x} is the capital of which country?", "What country is {x} the capital of?",
        "Which country has the capital {x}?", "Which country's capital is {x}?",
        "{x} is the capital of what country?", "{x} is the capital of which?",
        "{x} is the capital of", "Where is {x} the capital?",
        "Which country is {x} the capital of?", "{x} is whose capital?",
        "Of which country is {x} the capital?",
        "Whose capital is {x}?", "{x} is the capital of a country. Which one?",
        "Tell me which country has {x} as the capital.", "Name the country of the capital {x}.",
        "Which land has {x} for a capital?", "{x}: the capital of which country?",
        "What country's capital is {x}?", "Do you know whose capital {x} is?",
        "What country has {x} as its capital?", "{x} is which country's capital?",
        "In which country is {x} the capital?", "To which country does the capital {x} belong?",
    ),
    (TELL, ("which country {x} is the capital of", "whose capital {x} is")),
)  # fmt: skip

_COLOURS = (
    "the colour of {ax}", "the color of {ax}", "the colour of {xs}", "the color of the {x}",
    "the {x}'s colour", "the usual colour of {ax}",
)  # fmt: skip
_COLOUR_CLAUSES = (
    "what colour {ax} is", "what color {xs} are", "which colour {ax} has", "what color {ax} has",
    "which colour {xs} have", "what the colour of {ax} is", "what colour the {x} is",
)  # fmt: skip
COLOUR = widened(
    (
        "What colour is {ax}?", "What color is {ax}?", "What is the colour of {ax}?",
        "What is the color of {ax}?", "What colour are {xs}?", "What color are {xs}?",
        "Which colour is {ax}?", "Which color are {xs}?", "What colour is the {x}?",
        "Tell me the colour of {ax}.", "Do you know the colour of {ax}?", "colour of {ax}",
        "color of {ax}?", "Name the colour of {ax}.", "What's the color of {ax}?", "{ax} colour",
        "What's the colour of {xs}?", "Can you tell me what colour {ax} is?", "{x} color?",
        "Do you know what color {xs} are?", "I saw {ax}. What colour was it?",
        "What color is the {x}?", "What colour does {ax} have?", "What color do {xs} have?",
        "Which colour does {ax} have?", "Give me the color of {ax}.", "{ax} is what colour?",
        "{xs} are what color?", "Is {ax} {y}?", "Are {xs} {y}?", "Is the {x} {y}?",
        "What colour is {x}?", "colour of {x}", "color of {xs}", "What is the {x}'s colour?",
        "Which colour do {xs} have?", "What colour has {ax} got?", "What would be {ax}'s colour?",
        "What colour is {ax} usually?", "I want to paint {ax}. Which colour?", "{xs}: what colour?",
        "What colour would {ax} be?", "What color are most {xs}?", "In what colour do {xs} come?",
        "I draw {ax}. What colour should it be?", "What is {ax}'s color?",
        "Of what colour is {ax}?",
        "Can you tell me the colour of {ax}?", "Tell me what color {ax} is.",
        "Do you know what colour {ax} is?", "So what colour are {xs}?",
        "What is the colour of the {x}?", "Which color is {ax}?",
        "Could you name the color of {ax}?",
        "I wonder what colour {xs} are.", "Would you mind telling me the colour of {ax}?",
        "Describe the colour of {ax}.", "What colour do you see on {ax}?",
    ),
    (TELL, (*_COLOURS, *_COLOUR_CLAUSES)),
    (GIVE, _COLOURS),
)  # fmt: skip

_LEGS = (
    "the number of legs of {ax}", "the legs of {ax}", "the number of legs of {xs}",
    "the number of legs on {ax}", "the number of {ax}'s legs", "the leg count of {ax}",
)  # fmt: skip
_LEG_CLAUSES = (
    "how many legs {ax} has", "how many legs {xs} have", "how many legs the {x} has",
    "how many legs there are on {ax}", "how many legs {ax} has got", "how many legs {xs} walk on",
)  # fmt: skip
LEGS = widened(
    (
        "How many legs does {ax} have?", "How many legs do {xs} have?", "How many legs has {ax}?",
        "How many legs has {ax} got?", "How many legs are on {ax}?",
        "Tell me how many legs {ax} has.", "What is the number of legs of {ax}?",
        "Number of legs of {ax}?", "legs of {ax}", "Do you know how many legs {ax} has?",
        "How many legs does the {x} have?", "{x} legs?", "Can you tell me how many legs {xs} have?",
        "Count the legs of {ax}.", "how many legs {ax}", "I saw {ax}. How many legs did it have?",
        "How many legs on {ax}?", "{ax} has how many legs?", "How many legs have {xs} got?",
        "Do {xs} have legs?", "Does {ax} have legs?", "Does {ax} have {y} legs?",
        "Do {xs} have {y} legs?", "How many legs does {x} have?", "legs of {xs}",
        "how many legs do {x} have", "Give me the number of legs of {ax}.",
        "How many legs would {ax} have?",
        "How many legs can you see on {ax}?", "How many legs do you count on {ax}?",
        "How many legs are there on {ax}?", "How many legs are under {ax}?", "{xs}: how many legs?",
        "On how many legs does {ax} walk?", "How many legs should {ax} have?", "{ax}: legs?",
        "What number of legs does {ax} have?", "How many legs do all {xs} have?",
        "I draw {ax}. How many legs does it need?", "How many legs do we see on {xs}?",
        "With how many legs is {ax} born?", "How many legs would you give {ax}?",
        "How many legs could I count on the {x}?", "How many legs will I see on {ax}?",
        "How many legs must {ax} have?", "How many legs has the {x}?", "Has {ax} got legs?",
        "Could you tell me how many legs {ax} has?", "Do you know how many legs {xs} have?",
        "Tell me the number of legs of {ax}.", "{xs} have how many legs?",
        "So how many legs does {ax} have?", "How many legs do you find on {ax}?",
        "I wonder how many legs {ax} has.", "How many legs belong to {ax}?",
        "If I see {ax}, how many legs do I see?", "Would you mind counting the legs of {ax}?",
    ),
    (TELL, (*_LEGS, *_LEG_CLAUSES)),
    (GIVE, _LEGS),
)  # fmt: skip

# Frames around an order, for sums that name the second number first.
_DO_SUM = (
    "{Q}.", "Please {q}.", "Can you {q}?", "Could you {q}?", "Will you {q}?", "Now {q}.",
    "Try to {q}.", "Let us {q}.", "I want to {q}.", "I {q}.", "So {q}.", "Just {q}.",
)  # fmt: skip
# Frames that ask what two numbers are together.
_TOTAL = (
    "What does {q} make?", "What would {q} make?", "How much does {q} make?", "{q} makes what?",
    "How much would {q} make?", "What does {q} come to?", "How much would {q} come to?",
    "What does {q} give?", "What would {q} give?", "{q} makes?", "{q} gives?", "{q} is what?",
    "{q} equals what?", "What total does {q} have?", "The sum: {q}", "What would {q} be?",
    "Can you work out what {q} makes?", "Tell me what {q} makes.", "I need to know what {q} is.",
)  # fmt: skip
ADD = widened(
    (
        "What is {a} + {b}?", "What's {a} + {b}?", "{a} + {b}", "{a}+{b}", "{a} + {b} =",
        "{a}+{b}=", "{a} + {b} = ?", "{a}+{b}=?", "{a} + {b}?", "{a} plus {b}",
        "What is {a} plus {b}?", "{a}+{b}?", "How much is {a} + {b}?", "How much is {a} plus {b}?",
        "Add {a} and {b}.", "What is {a}+{b}?", "What is the sum of {a} and {b}?",
        "Calculate {a} + {b}.", "Compute {a}+{b}", "{a} plus {b}?", "What does {a} + {b} make?",
        "Can you add {a} and {b}?", "How much is {a} and {b}?",
        "What do you get if you add {a} and {b}?", "Do you know {a} + {b}?", "Sum of {a} and {b}?",
        "Tell me {a} + {b}.", "What's {a} plus {b}?", "Add {b} to {a}.", "{a} and {b} together?",
        "What does {a} plus {b} equal?", "{a} plus {b} equals", "what's {a}+{b}",
        "Solve {a} + {b}.", "Find {a} plus {b}.", "Evaluate {a} + {b}.", "Figure out {a} plus {b}.",
        "Find out {a} plus {b}.", "Sort out {a} plus {b}.", "Count up {a} plus {b}.",
        "Say {a} plus {b}.", "Do the sum {a} + {b}.",
        "Do {a} plus {b}.", "Try {a} + {b}.", "Quickly, {a} plus {b}!", "Tell me {a} plus {b}.",
        "{a} +{b}", "{a} plus {b} is?", "{a} + {b} is", "{a}+ {b} =", "{a} + {b} equals?",
        "Can you tell me {a} + {b}?", "What would {a} + {b} be?", "Give me {a} + {b}.",
        "Work out {a} plus {b}.", "So what is {a} + {b}?", "How much does {a} + {b} make?",
        "Could you do {a} + {b}?", "What number is {a} plus {b}?",
        "I wonder what {a} + {b} is.", "Please get me {a} + {b}.",
    ),
    (SUM, ("{a} + {b}", "{a} + {b}", "{a} plus {b}", "{a}+{b}")),
)  # fmt: skip
# Learnt beside them, and drawn from by no rule: what is held out stays the same for every model.
ADD = replace(
    ADD,
    built=ADD.built
    + built(
        map(bare, ADD.held_out),
        (SUM, ("{b} added to {a}", "adding {b} to {a}")),
        (_TOTAL, ("{a} and {b}", "{a} and {b} together")),
        (_DO_SUM, ("put {b} on top of {a}", "add {b} onto {a}", "join {b} to {a}")),
    ),
)

SUBTRACT = widened(
    (
        "What is {a} - {b}?", "What's {a} - {b}?", "{a} - {b}", "{a}-{b}", "{a} - {b} =",
        "{a}-{b}=", "{a} - {b} = ?", "{a}-{b}=?", "{a} - {b}?", "{a} minus {b}",
        "What is {a} minus {b}?", "How much is {a} - {b}?", "How much is {a} minus {b}?",
        "Subtract {b} from {a}.", "{a}-{b}?", "Calculate {a} - {b}.", "Compute {a}-{b}",
        "{a} minus {b}?", "What does {a} - {b} make?", "Can you subtract {b} from {a}?",
        "Take {b} away from {a}.", "What is {a} take away {b}?",
        "What do you get if you take {b} from {a}?", "Do you know {a} - {b}?", "What is {a}-{b}?",
        "Tell me {a} - {b}.", "What's {a} minus {b}?", "What is {a} less {b}?", "what's {a}-{b}",
        "What does {a} minus {b} equal?", "{a} minus {b} equals", "Solve {a} - {b}.",
        "Find {a} minus {b}.", "Evaluate {a} - {b}.", "Figure out {a} minus {b}.",
        "Find out {a} minus {b}.", "Sort out {a} minus {b}.", "Count up {a} minus {b}.",
        "Say {a} minus {b}.", "Do the sum {a} - {b}.",
        "Do {a} minus {b}.", "Try {a} - {b}.", "Quickly, {a} minus {b}!", "Tell me {a} minus {b}.",
        "{a} – {b}", "Subtract {b} from {a}", "{a} -{b}", "{a} minus {b} is?", "{a} - {b} is",
        "{a} - {b} equals?",
        "Can you tell me {a} - {b}?", "What would {a} - {b} be?", "Give me {a} - {b}.",
        "Work out {a} minus {b}.", "So what is {a} - {b}?", "How much does {a} - {b} make?",
        "Could you do {a} - {b}?", "What number is {a} minus {b}?",
        "I wonder what {a} - {b} is.", "Please get me {a} - {b}.",
    ),
    (SUM, ("{a} - {b}", "{a} - {b}", "{a} minus {b}", "{a}-{b}")),
)  # fmt: skip

# {e} is `12 + 30 - 5` in signs or words, {l} is `4, 18 and 60`, {s} is `add 30 and take away 5`.
LONG_SUM = widened(
    (
        "What is {e}?", "What's {e}?", "{e}", "{e} =", "{e}=", "{e} = ?", "{e}?", "{e} is?",
        "How much is {e}?", "Calculate {e}.", "Compute {e}.", "Tell me {e}.", "Solve {e}.",
        "Find {e}.", "Evaluate {e}.", "Figure out {e}.", "{e} equals?", "What does {e} equal?",
        "What does {e} make?", "Do you know {e}?", "Do the sum {e}.", "Try {e}.", "Count up {e}.",
        "Can you tell me {e}?", "What would {e} be?", "Give me {e}.", "Work out {e}.",
        "So what is {e}?", "How much does {e} make?",
        "Could you do {e}?", "What number is {e}?", "I wonder what {e} is.",
        "Please get me {e}.",
    ),
    (SUM, ("{e}",)),
)  # fmt: skip

_ADD_UP = (
    "Please add {q}.", "Please add up {q}.", "Sum up {q}.", "Sum {q}.", "Total up {q}.",
    "Count together {q}.", "Can you sum up {q}?", "Could you add {q}?", "I want to add {q}.",
    "Let us add {q}.", "Now add {q}.", "Try to add {q}.", "Add these: {q}", "Add the numbers {q}.",
    "Can you total {q}?", "What will {q} make?", "How much will {q} be?", "{q}: what is the sum?",
    "I have the numbers {q}. What is the sum?", "{q} make?", "The numbers are {q}. Add them.",
    "Add all of {q}.", "What comes of adding {q}?", "I must add {q}.", "{q} added up?",
)  # fmt: skip
LIST_SUM = widened(
    (
        "Add {l}.", "Add up {l}.", "What is the sum of {l}?", "Sum of {l}?", "{l} together?",
        "How much is {l} together?", "Can you add {l}?", "What do you get if you add {l}?",
        "Calculate the sum of {l}.", "What do {l} make?", "Tell me the sum of {l}.",
        "How much is {l}?",
        "Can you add up {l}?", "What is {l} together?", "So what is the sum of {l}?",
        "Work out the sum of {l}.",
        "If I add {l}, what do I get?", "Please give me the total of {l}.", "Put {l} together.",
        "I wonder what {l} make together.",
    ),
    (_ADD_UP, ("{l}",)),
    (GIVE, ("the sum of {l}", "the total of {l}", "{l} together")),
    (TELL, ("the sum of {l}", "what {l} make", "what {l} make together", "how much {l} are")),
)  # fmt: skip

_FROM = (
    "Start with {a}{q}", "Start at {a}{q}", "Take {a}{q}", "Think of {a}{q}", "Go from {a}{q}",
    "Let us start with {a}{q}", "I start with {a}{q}", "I start at {a}{q}", "From {a}{q}",
    "The first number is {a}{q}", "We begin at {a}{q}", "Let me begin at {a}{q}", "Say {a}{q}",
    "Put down {a}{q}", "Write {a}{q}", "Imagine {a}{q}", "Use {a}{q}", "We have {a}{q}",
    "With {a}{q}", "You have {a}{q}", "Pick {a}{q}", "Set out from {a}{q}", "There is {a}{q}",
    "If we take {a}{q}", "If you start with {a}{q}", "When I have {a}{q}", "Given {a}{q}",
    "Please take {a}{q}", "Choose {a}{q}", "Here is {a}{q}", "It begins with {a}{q}", "{a}{q}",
)  # fmt: skip
_THEN = (
    ", {s}", ", then {s}", " and {s}", " and then {s}", "; {s}", ", now {s}", ": {s}",
    ". Now {s}", ". Then {s}", ", next {s}",
)  # fmt: skip
_ENDS = (
    ".", ". What is it?", ". What do you get?", ". What is it now?", ", what is that?", "?",
    ". How much is it?", ". Where do you end?", ". The result?", ". What do I have?", "",
    ", what does it make?",
)  # fmt: skip
STEP_SUM = widened(
    (
        "Start with {a}, {s}.", "Take {a}, {s}.", "Start at {a}, then {s}.", "{a}, {s}",
        "Start with {a} and {s}. What is it?", "Take {a} and {s}. What do you get?",
        "Think of {a}, {s}. What is it now?",
        "Begin with {a}, {s}.", "If I take {a} and {s}, what do I get?",
        "Start from {a}, then {s}.",
        "First take {a}, after that {s}.", "Can you start with {a} and {s}?",
        "My first number is {a}, {s}.",
    ),
    (_FROM, tuple(map("".join, product(_THEN, _ENDS)))),
)  # fmt: skip

_HAVING = (
    "I have {a} {t}{q}", "I had {a} {t}{q}", "We have {a} {t}{q}", "There are {a} {t}{q}",
    "There were {a} {t}{q}", "In the box are {a} {t}{q}", "You see {a} {t}{q}", "I got {a} {t}{q}",
    "Here are {a} {t}{q}", "I see {a} {t}{q}", "I bring {a} {t}{q}", "I took {a} {t}{q}",
    "At first I have {a} {t}{q}", "I start with {a} {t}{q}", "I count {a} {t}{q}",
    "On the table are {a} {t}{q}", "I hold {a} {t}{q}", "{a} {t} are mine{q}",
)  # fmt: skip
_MEANWHILE = (
    ". {s}. ", ", {s}. ", " and {s}. ", ". Then {s}. ", " but {s}. ", "; {s}. ", ". Today {s}. ",
    ", then {s}. ", ". Now {s}. ",
)  # fmt: skip
_HOW_MANY = (
    "How many {t} do I have?", "How many?", "How many {t} are left?", "How many now?",
    "How many {t} are there?", "How many {t} do I have now?", "How many {t}?", "What do I have?",
    "How many do I have?", "How many {t} are there in the end?", "Count the {t}.",
    "How many {t} have I got?",
)  # fmt: skip
# {t} is what is counted, {s} is `I buy 30 and I eat 5`.
COUNTING = widened(
    (
        "I have {a} {t}. {s}. How many {t} do I have?", "I have {a} {t}, {s}. How many?",
        "I had {a} {t}. {s}. How many {t} are left?", "There are {a} {t}. {s}. How many now?",
        "I have {a} {t}. {s}. How many are there now?", "I own {a} {t}, {s}. How many {t} is that?",
        "My bag holds {a} {t}. {s}. How many {t} are in it?",
        "I keep {a} {t}, {s}. How many {t} remain?",
        "With {a} {t} I begin. {s}. How many is it now?",
    ),
    (_HAVING, tuple(map("".join, product(_MEANWHILE, _HOW_MANY)))),
)  # fmt: skip
COUNTED = Phrasings(
    train=(
        "apples", "books", "cards", "stones", "eggs", "sweets", "stamps", "balls", "cakes",
        "pencils", "shells", "flowers", "plums", "hats", "keys", "pens", "cups", "nuts", "toys",
        "leaves", "buttons", "bottles", "fish", "birds", "cookies", "berries", "spoons", "ducks",
    ),
    held_out=("coins", "pears", "marbles", "beans", "ribbons"),
)  # fmt: skip
GAINS = ("get", "buy", "find", "collect", "win", "make", "receive", "pick up")
LOSSES = ("lose", "sell", "give away", "drop", "break", "lend", "throw away", "hand out")
ADD_STEPS = ("add {n}", "add {n}", "plus {n}", "plus {n}", "add {n} more", "go up {n}")
TAKE_STEPS = (
    "take away {n}", "subtract {n}", "minus {n}", "minus {n}", "take off {n}", "go down {n}",
    "remove {n}",
)  # fmt: skip
