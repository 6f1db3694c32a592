"""How people ask: for each kind of question the phrasings to learn from, and those held out.

Slots are in braces. A phrasing ends as a careful person would end it; `conversations` roughens it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Phrasings:
    """The two sides of one kind of question."""

    train: tuple[str, ...]
    held_out: tuple[str, ...]

    def side(self, held_out: bool) -> tuple[str, ...]:
        """The phrasings of one side of the split."""
        return self.held_out if held_out else self.train


CAPITAL = Phrasings(
    train=(
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
        "Who knows the capital of {x}?", "Is {y} the capital of {x}?", "Is the capital of {x} {y}?",
        "Is {y} {x}'s capital?",
    ),
    held_out=(
        "Tell me what the capital of {x} is.", "Which city is {x}'s capital?",
        "Could you tell me the capital of {x}?", "So what is the capital of {x}?",
        "Name {x}'s capital city.", "Do you remember the capital of {x}?",
        "I need the capital of {x}.", "What was the capital of {x} again?",
    ),
)  # fmt: skip

CAPITAL_REVERSE = Phrasings(
    train=(
        "{x} is the capital of which country?", "What country is {x} the capital of?",
        "Which country has the capital {x}?", "Which country's capital is {x}?",
        "{x} is the capital of what country?", "{x} is the capital of which?",
        "{x} is the capital of", "Where is {x} the capital?",
        "Which country is {x} the capital of?", "{x} is whose capital?",
        "Of which country is {x} the capital?",
    ),
    held_out=("What country has {x} as its capital?", "{x} is which country's capital?"),
)  # fmt: skip

COLOUR = Phrasings(
    train=(
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
    ),
    held_out=(
        "Can you tell me the colour of {ax}?", "Tell me what color {ax} is.",
        "Do you know what colour {ax} is?", "So what colour are {xs}?",
        "What is the colour of the {x}?", "Which color is {ax}?",
        "Could you name the color of {ax}?",
    ),
)  # fmt: skip

LEGS = Phrasings(
    train=(
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
    ),
    held_out=(
        "Could you tell me how many legs {ax} has?", "Do you know how many legs {xs} have?",
        "Tell me the number of legs of {ax}.", "{xs} have how many legs?",
        "So how many legs does {ax} have?", "How many legs do you find on {ax}?",
    ),
)  # fmt: skip

ADD = Phrasings(
    train=(
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
        "Do {a} plus {b}.", "Try {a} + {b}.", "Quickly, {a} plus {b}!", "Tell me {a} plus {b}.",
        "{a} +{b}", "{a} plus {b} is?", "{a} + {b} is", "{a}+ {b} =", "{a} + {b} equals?",
    ),
    held_out=(
        "Can you tell me {a} + {b}?", "What would {a} + {b} be?", "Give me {a} + {b}.",
        "Work out {a} plus {b}.", "So what is {a} + {b}?", "How much does {a} + {b} make?",
    ),
)  # fmt: skip

SUBTRACT = Phrasings(
    train=(
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
        "Do {a} minus {b}.", "Try {a} - {b}.", "Quickly, {a} minus {b}!", "Tell me {a} minus {b}.",
        "{a} – {b}", "Subtract {b} from {a}", "{a} -{b}", "{a} minus {b} is?", "{a} - {b} is",
        "{a} - {b} equals?",
    ),
    held_out=(
        "Can you tell me {a} - {b}?", "What would {a} - {b} be?", "Give me {a} - {b}.",
        "Work out {a} minus {b}.", "So what is {a} - {b}?", "How much does {a} - {b} make?",
    ),
)  # fmt: skip

TELL_NAME = Phrasings(
    train=(
        "My name is {n}.", "I am {n}.", "I'm {n}.", "Call me {n}.", "Hi, I'm {n}.",
        "My name's {n}.", "Hello, my name is {n}.", "You can call me {n}.", "I am called {n}.",
        "They call me {n}.", "Hi, my name is {n}!", "Hello! I am {n}.", "People call me {n}.",
        "My friends call me {n}.",
        "All my friends call me {n}.", "Mum calls me {n}.", "Remember, I am {n}.",
        "Please remember that I am {n}.", "Remember me, I am {n}.",
        "My name is {n} and I like trains.", "I am {n} and I have a question.",
        "Good morning, I am {n}.", "Hey, {n} here.", "This is {n}.", "The name is {n}.",
        "Please call me {n}.", "It's {n}.", "Remember my name: {n}.", "Hello, I'm {n}.",
        "My name is {n}, nice to meet you.", "My name is {n}. What is yours?",
        "Please remember that my name is {n}.", "I am named {n}.",
    ),
    held_out=(
        "Hi there, my name is {n}.", "Hey, I am {n}.", "Everybody calls me {n}.",
        "Hello there! My name is {n}.", "Remember that I am {n}.",
    ),
)  # fmt: skip

ASK_NAME = Phrasings(
    train=(
        "What is my name?", "What's my name?", "Do you remember my name?", "Who am I?", "My name?",
        "Do you know my name?", "Tell me my name.", "Can you say my name?", "What was my name?",
        "What did I say my name was?", "What am I called?", "Do you know who I am?",
        "Do you know me?", "Do you remember me?", "And my name?", "My name was?", "And who am I?",
        "Which name did I give you?", "And what was my name?", "Say my name.",
        "And what is my name?", "Do you still know my name?", "What name did I give you?",
        "How am I called?", "Can you remember my name?", "Repeat my name.",
        "Please tell me my name.",
    ),
    held_out=(
        "Could you repeat my name?", "So what is my name?", "Do you still remember my name?",
        "Can you tell me my name?", "Do you remember who I am?", "And my name was?",
    ),
)  # fmt: skip

TELL_NUMBER = Phrasings(
    train=(
        "My favourite number is {k}.", "My favorite number is {k}.", "My lucky number is {k}.",
        "Remember the number {k}.", "Please remember {k}.", "My number is {k}.",
        "The number is {k}.", "Keep the number {k} in mind.", "The secret number is {k}.",
        "Remember {k}.", "I like {k}.", "My room number is {k}.", "Remember this number: {k}",
        "I like the number {k}.", "Here is a number: {k}.", "Please keep {k} in mind.",
        "The code is {k}.", "My code is {k}.", "Please remember the number {k} for me.",
        "I am thinking of the number {k}.", "Don't forget {k}.",
    ),
    held_out=(
        "Can you remember the number {k}?", "My secret number is {k}.",
        "Please keep the number {k}.", "Remember my number: {k}.", "Do not forget the number {k}.",
    ),
)  # fmt: skip

ASK_NUMBER = Phrasings(
    train=(
        "What is my number?", "What was my number?", "Which number did I give you?",
        "What's the number?", "What number did I tell you?", "What is my favourite number?",
        "Do you remember my number?", "What is my lucky number?", "Repeat my number.",
        "What is my favorite number?", "My number?", "What was the number?",
        "Do you know my number?", "Tell me my number.", "What's my number?",
        "Which number did I tell you?", "What was the code?", "What is the secret number?",
        "What number should you remember?", "And the number?", "The number was?",
        "And my number is?", "Do you still know the number?", "Say my number.",
        "What is my favourite number again?", "And what was my number?",
        "Which number is my favourite?",
    ),
    held_out=(
        "Could you repeat my number?", "So what was my number?", "Do you still remember my number?",
        "Can you tell me my number?", "What number did I give you?", "And the number was?",
    ),
)  # fmt: skip

TELL_BOTH = Phrasings(
    train=(
        "My name is {n} and my favourite number is {k}.",
        "I'm {n} and my number is {k}.",
        "I am {n}. My favorite number is {k}.",
        "My name is {n}. My lucky number is {k}.",
        "Hi, I'm {n}. Remember the number {k}.",
    ),
    held_out=(
        "Hello, I am {n} and my lucky number is {k}.",
        "My name is {n} and my number is {k}.",
    ),
)

STORY = Phrasings(
    train=(
        "Tell me {s} about {w}.", "Tell {s} about {w}.", "Write {s} about {w}.", "{S} about {w}",
        "Can you tell me {s} about {w}?", "I want {s} about {w}.", "Could you write {s} about {w}?",
        "Write me {s} about {w}.", "Do you know {s} about {w}?", "Give me {s} about {w}.",
        "I would like {s} about {w}.", "Make up {s} about {w}.", "Let me hear {s} about {w}.",
        "Invent {s} about {w}.", "How about {s} about {w}?", "Can I have {s} about {w}?",
        "Tell me {s} with {w}.", "{S} about {w}, please.",
    ),
    held_out=(
        "Could you tell me {s} about {w}?", "Can you write {s} about {w}?",
        "I'd like {s} about {w}.", "Tell us {s} about {w}.", "Read me {s} about {w}.",
        "I want to hear {s} about {w}.",
    ),
)  # fmt: skip

STORY_WORDS = (
    "a story", "a story", "a story", "a short story", "a little story", "a tale", "a bedtime story",
    "a small story", "a nice story", "a tiny story", "a fairy tale",
)  # fmt: skip

ANY_STORY = Phrasings(
    train=(
        "Tell me a story.", "Tell a story.", "A story, please.", "Can you tell me a story?",
        "Write a story.", "I want a story.", "Tell me a short story.", "Do you know a story?",
        "A story!", "Can you write a story?", "Make up a story.", "Story please",
        "Tell me a little story.", "Tell me a bedtime story.", "Tell me any story.",
        "Tell me a nice story.", "story",
    ),
    held_out=("Could you tell me a story?", "Please write me a story.", "I want to hear a story."),
)  # fmt: skip

ANOTHER_STORY = (
    "Another one, please.", "Another story.", "Tell me another one.", "One more!", "Another one",
    "Tell me another story.", "One more story, please.", "Can you tell me another one?", "Again!",
)  # fmt: skip

AND_THIS = (
    "And {x}?", "What about {x}?", "And of {x}?", "How about {x}?", "and {x}", "And for {x}?",
    "And what about {x}?", "Now {x}.", "Then {x}?",
)  # fmt: skip
ITS_LEGS = (
    "How many legs does it have?", "And how many legs does it have?", "How many legs?",
    "And its legs?", "How many legs has it got?", "And how many legs?",
)  # fmt: skip
ITS_COLOUR = (
    "What colour is it?", "What color is it?", "And what colour is it?", "And its colour?",
    "And what color?", "What is its colour?", "And its color?",
)  # fmt: skip

CARRIERS = Phrasings(
    train=(
        "Please, {q}", "Tell me, {q}", "Quick question: {q}", "Hey, {q}", "Hi! {Q}", "Hello, {q}",
        "I have a question. {Q}", "Next question: {q}", "OK, {q}", "Ok. {Q}", "And now, {q}",
        "Now, {q}", "Can you help me? {Q}", "Hi, {q}", "Hello! {Q}", "Thanks. {Q}",
        "Thank you! {Q}", "Great. {Q}", "Good. {Q}", "Well, {q}", "One more: {q}",
        "Good morning. {Q}", "Another question: {q}", "So, {q}", "Please tell me: {q}", "Good! {Q}",
        "Nice. {Q}", "Cool, {q}", "Question: {q}", "Right. {Q}",
    ),
    held_out=(
        "Hi there! {Q}", "Okay, {q}", "One question: {q}", "Very good. {Q}", "Hey! {Q}",
    ),
)  # fmt: skip
