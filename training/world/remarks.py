"""How people say who they are, ask it back, wish for stories, go on, and begin a question."""

from __future__ import annotations

from itertools import product

from training.world.phrasings import GIVE, TELL, Phrasings, widened

_HELLO = (
    "{Q}.", "{Q}.", "{Q}!", "{q}", "Hi, {q}.", "Hello, {q}.", "Hey, {q}!", "Good evening, {q}.",
    "Hello! {Q}.", "Hi! {Q}.", "Well, {q}.", "By the way, {q}.", "Remember: {q}.", "Listen, {q}.",
    "Please note that {q}.", "Please remember: {q}.", "So, {q}.", "{Q}, nice to meet you.",
    "{Q}, just so you know.", "{Q}, please remember it.", "{Q} and I am new here.", "Oh, {q}.",
    "Good day! {Q}.", "You should know that {q}.",
)  # fmt: skip
_NAMED = (
    "my name is {n}", "I am {n}", "I'm {n}", "my name's {n}", "call me {n}", "you can call me {n}",
    "they call me {n}", "everyone calls me {n}", "people know me as {n}", "the name is {n}",
    "I go by {n}", "my first name is {n}", "my parents named me {n}", "this is {n}",
    "I am named {n}",
    "{n} is my name", "{n} is what they call me", "my sister calls me {n}", "I am called {n}",
    "my family calls me {n}", "the others call me {n}", "my nickname is {n}", "my real name is {n}",
    "at home I am {n}", "my teacher calls me {n}", "somebody called {n} is here",
)  # fmt: skip
TELL_NAME = widened(
    (
        "My name is {n}.", "I am {n}.", "I'm {n}.", "Call me {n}.", "Hi, I'm {n}.",
        "My name's {n}.", "Hello, my name is {n}.", "You can call me {n}.", "I am called {n}.",
        "They call me {n}.", "Hi, my name is {n}!", "Hello! I am {n}.", "People call me {n}.",
        "My friends call me {n}.", "The whole world calls me {n}.", "Most people call me {n}.",
        "All my friends call me {n}.", "Mum calls me {n}.", "Remember, I am {n}.",
        "Please remember that I am {n}.", "Remember me, I am {n}.",
        "My name is {n} and I like trains.", "I am {n} and I have a question.",
        "Good morning, I am {n}.", "Hey, {n} here.", "This is {n}.", "The name is {n}.",
        "Please call me {n}.", "It's {n}.", "Remember my name: {n}.", "Hello, I'm {n}.",
        "My name is {n}, nice to meet you.", "My name is {n}. What is yours?",
        "Please remember that my name is {n}.", "I am named {n}.",
        "Hi there, my name is {n}.", "Hey, I am {n}.", "Everybody calls me {n}.",
        "Hello there! My name is {n}.", "Remember that I am {n}.",
        "You may call me {n}.", "My name happens to be {n}.", "I introduce myself: {n}.",
        "The person you talk to is {n}.",
    ),
    (_HELLO, _NAMED),
)  # fmt: skip

_NAMES = ("my name", "my name", "the name I gave you", "the name I told you", "my own name")
_NAME_CLAUSES = (
    "what my name is", "who I am", "what I am called", "how I am called", "which name I gave you",
    "what I said my name was", "what my name was",
)  # fmt: skip
ASK_NAME = widened(
    (
        "What is my name?", "What's my name?", "Do you remember my name?", "Who am I?", "My name?",
        "Do you know my name?", "Tell me my name.", "Can you say my name?", "What was my name?",
        "What did I say my name was?", "What am I called?", "Do you know who I am?",
        "Do you know me?", "Do you remember me?", "And my name?", "My name was?", "And who am I?",
        "Which name did I give you?", "And what was my name?", "Say my name.",
        "And what is my name?", "Do you still know my name?", "What name did I give you?",
        "How am I called?", "Can you remember my name?", "Repeat my name.",
        "Please tell me my name.",
        "Could you repeat my name?", "So what is my name?", "Do you still remember my name?",
        "Can you tell me my name?", "Do you remember who I am?", "And my name was?",
        "Which name is mine?", "Have you kept my name?", "What did I call myself?",
        "I wonder if you know my name.",
    ),
    (TELL, (*_NAMES, *_NAME_CLAUSES)),
    (GIVE, _NAMES),
)  # fmt: skip

_NOTE = (
    "{Q}.", "{Q}.", "{Q}!", "{q}", "Hi, {q}.", "By the way, {q}.", "Remember: {q}.", "Hello, {q}.",
    "Please remember that {q}.", "Note that {q}.", "Listen, {q}.", "You should know that {q}.",
    "Please note: {q}.", "Don't forget that {q}.", "{Q}, remember it.", "{Q}, please keep it.",
    "Well, {q}.", "{Q}, just so you know.", "I tell you that {q}.",
)  # fmt: skip
_NUMBERED = (
    "my favourite number is {k}", "my favorite number is {k}", "my number is {k}",
    "the number is {k}", "my locker number is {k}", "my door number is {k}", "the code is {k}",
    "my lucky number is {k}", "my pin is {k}", "{k} is my number", "{k} is my lucky number",
    "{k} is the number", "my house number is {k}", "the number to keep is {k}", "I chose {k}",
    "my bus number is {k}", "my seat number is {k}", "the magic number is {k}", "I picked {k}",
)  # fmt: skip
_KEEP = (
    "Remember {q}.", "Keep {q}.", "Note {q}.", "Note down {q}.", "Store {q}.", "Save {q}.",
    "Please remember {q}.", "Please note {q}.", "Please save {q}.", "Write down {q}.",
    "Memorise {q}.", "Hold on to {q}.", "Don't lose {q}.", "Never forget {q}.", "Learn {q}.",
    "Can you keep {q}?", "Could you remember {q}?", "I want you to remember {q}.",
    "I give you {q}.",
    "Please hold {q} for me.", "Keep {q} safe.", "Will you remember {q}?", "You must remember {q}.",
)  # fmt: skip
TELL_NUMBER = widened(
    (
        "My favourite number is {k}.", "My favorite number is {k}.", "My lucky number is {k}.",
        "Remember the number {k}.", "Please remember {k}.", "My number is {k}.",
        "The number is {k}.", "Keep the number {k} in mind.", "The secret number is {k}.",
        "Remember {k}.", "I like {k}.", "My room number is {k}.", "Remember this number: {k}",
        "I like the number {k}.", "Here is a number: {k}.", "Please keep {k} in mind.",
        "The code is {k}.", "My code is {k}.", "Please remember the number {k} for me.",
        "I am thinking of the number {k}.", "Don't forget {k}.",
        "Can you remember the number {k}?", "My secret number is {k}.",
        "Please keep the number {k}.", "Remember my number: {k}.", "Do not forget the number {k}.",
        "Kindly remember the number {k}.", "My best number is {k}.", "Mind the number {k}.",
        "For later, the number is {k}.",
    ),
    (_NOTE, _NUMBERED),
    (_KEEP, ("{k}", "the number {k}", "this number: {k}", "number {k}", "the code {k}",
    "my number {k}")),
)  # fmt: skip

_NUMBERS = (
    "my number", "my number", "the number I gave you", "the number I told you", "the number",
    "my favourite number", "my lucky number", "the number from before",
)  # fmt: skip
_NUMBER_CLAUSES = (
    "what my number is", "what my number was", "which number I gave you", "what the number is",
    "which number I told you", "what the number was", "which number is mine",
)  # fmt: skip
ASK_NUMBER = widened(
    (
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
        "Could you repeat my number?", "So what was my number?", "Do you still remember my number?",
        "Can you tell me my number?", "What number did I give you?", "And the number was?",
        "Which number is mine?", "Have you kept my number?", "I wonder what my number was.",
        "What was the number I gave you?",
    ),
    (TELL, (*_NUMBERS, *_NUMBER_CLAUSES)),
    (GIVE, _NUMBERS),
)  # fmt: skip

_AND_NUMBER = (
    " and my number is {k}", " and my favourite number is {k}", ". My number is {k}",
    ", and my lucky number is {k}", ". Remember the number {k}", ". My lucky number is {k}",
)  # fmt: skip
TELL_BOTH = widened(
    (
        "My name is {n} and my favourite number is {k}.",
        "I'm {n} and my number is {k}.",
        "I am {n}. My favorite number is {k}.",
        "My name is {n}. My lucky number is {k}.",
        "Hi, I'm {n}. Remember the number {k}.",
        "Hello, I am {n} and my lucky number is {k}.",
        "My name is {n} and my number is {k}.",
        "Call me {n}, and my number is {k}.", "I am {n} and the number is {k}.",
    ),
    (_HELLO, tuple(f"{name}{then}" for name, then in product(_NAMED, _AND_NUMBER))),
)  # fmt: skip

_STORIES = (
    "Tell me {q}.", "Tell {q}.", "Write {q}.", "{Q}.", "{Q}?", "Can you tell me {q}?", "{q}",
    "I want {q}.", "Could you write {q}?", "Write me {q}.", "Please write {q}.", "Share {q}.",
    "Please tell me {q}.", "Please make up {q}.", "Will you tell me {q}?", "Would you tell me {q}?",
    "Would you write {q}?", "May I have {q}?", "May I hear {q}?", "I want to read {q}.",
    "We want {q}.", "We would like {q}.", "My children want {q}.", "I'd love {q}.", "I need {q}.",
    "I feel like {q}.", "It is time for {q}.", "Now {q}.", "Let us have {q}.", "Let's hear {q}.",
    "Compose {q}.", "Create {q}.", "Think up {q}.", "Come up with {q}.", "Give us {q}.", "And {q}?",
    "Tell the children {q}.", "Please, {q}!", "Can we have {q}?", "Can you make up {q}?",
    "Could you invent {q}?", "Could I have {q}?", "Do you have {q}?", "Is there {q}?",
    "Read {q} to me.", "Read us {q}.", "I like to hear {q}.", "What about {q}?", "Next, {q}.",
    "Can you read me {q}?", "Will you write {q}?", "Maybe {q}?", "Write down {q}.", "Start {q}.",
)  # fmt: skip
STORY = widened(
    (
        "Tell me {s} about {w}.", "Tell {s} about {w}.", "Write {s} about {w}.", "{S} about {w}",
        "Can you tell me {s} about {w}?", "I want {s} about {w}.", "Could you write {s} about {w}?",
        "Write me {s} about {w}.", "Do you know {s} about {w}?", "Give me {s} about {w}.",
        "I would like {s} about {w}.", "Make up {s} about {w}.", "Let me hear {s} about {w}.",
        "Invent {s} about {w}.", "How about {s} about {w}?", "Can I have {s} about {w}?",
        "Tell me {s} with {w}.", "{S} about {w}, please.",
        "Could you tell me {s} about {w}?", "Can you write {s} about {w}?",
        "I'd like {s} about {w}.", "Tell us {s} about {w}.", "Read me {s} about {w}.",
        "I want to hear {s} about {w}.",
        "I wish for {s} about {w}.", "Have you got {s} about {w}?",
        "I would love to hear {s} about {w}.",
        "Think of {s} about {w}.",
    ),
    (_STORIES, ("{s} about {w}", "{s} about {w}", "{s} about {w}", "{s} with {w}")),
)  # fmt: skip

STORY_WORDS = (
    "a story", "a story", "a story", "a short story", "a little story", "a tale", "a bedtime story",
    "a small story", "a nice story", "a tiny story", "a fairy tale", "a funny story",
    "a sweet tale",
    "a good story", "a new story", "a quick story", "a small tale",
)  # fmt: skip

ANY_STORY = widened(
    (
        "Tell me a story.", "Tell a story.", "A story, please.", "Can you tell me a story?",
        "Write a story.", "I want a story.", "Tell me a short story.", "Do you know a story?",
        "A story!", "Can you write a story?", "Make up a story.", "Story please",
        "Tell me a little story.", "Tell me a bedtime story.", "Tell me any story.",
        "Tell me a nice story.", "story",
        "Could you tell me a story?", "Please write me a story.", "I want to hear a story.",
        "Have you got a story?", "I would love to hear a story.", "I wish for a story.",
    ),
    (_STORIES, ("a story", "a story", "a short story", "a little story", "some story", "a tale")),
)  # fmt: skip

ANOTHER_STORY = (
    "Another one, please.", "Another story.", "Tell me another one.", "One more!", "Another one",
    "Tell me another story.", "One more story, please.", "Can you tell me another one?", "Again!",
    "And another story?", "I want another one.", "Another tale, please.", "Next story!", "More!",
    "Please tell me one more.", "Can I have another story?", "I want one more story.",
)  # fmt: skip

AND_THIS = (
    "And {x}?", "What about {x}?", "And of {x}?", "How about {x}?", "and {x}", "And for {x}?",
    "And what about {x}?", "Now {x}.", "Then {x}?", "And how about {x}?", "Next, {x}.",
    "The same for {x}?", "And now {x}?", "Also {x}?", "And also for {x}?", "Then what about {x}?",
)  # fmt: skip
ITS_LEGS = (
    "How many legs does it have?", "And how many legs does it have?", "How many legs?",
    "And its legs?", "How many legs has it got?", "And how many legs?", "How many legs are on it?",
    "And how many legs has it?", "Tell me its legs.", "Does it have legs?", "Count its legs.",
    "What is its number of legs?", "Do you know how many legs it has?",
)  # fmt: skip
ITS_COLOUR = (
    "What colour is it?", "What color is it?", "And what colour is it?", "And its colour?",
    "And what color?", "What is its colour?", "And its color?", "Which colour is it?",
    "Which colour does it have?", "Tell me its colour.", "Do you know its colour?",
    "And which color is it?", "What colour does it have?",
)  # fmt: skip

CARRIERS = Phrasings(
    train=(
        "Please, {q}", "Tell me, {q}", "Quick question: {q}", "Hey, {q}", "Hi! {Q}", "Hello, {q}",
        "I have a question. {Q}", "Next question: {q}", "OK, {q}", "Ok. {Q}", "And now, {q}",
        "Now, {q}", "Can you help me? {Q}", "Hi, {q}", "Hello! {Q}", "Thanks. {Q}",
        "Thank you! {Q}", "Great. {Q}", "Good. {Q}", "Well, {q}", "One more: {q}",
        "Good morning. {Q}", "Another question: {q}", "So, {q}", "Please tell me: {q}", "Good! {Q}",
        "Nice. {Q}", "Cool, {q}", "Question: {q}", "Right. {Q}", "Hello there! {Q}", "Hm, {q}",
        "Thank you. Now, {q}", "Good evening. {Q}", "Hello again. {Q}", "Listen, {q}", "Oh, {q}",
        "Now this: {q}", "Here is a question: {q}", "A question: {q}", "Let me ask: {q}",
        "Then {q}",
        "Fine. {Q}", "Excuse me, {q}", "Sorry, {q}", "Good afternoon! {Q}", "All right, {q}",
    ),
    held_out=(
        "Hi there! {Q}", "Okay, {q}", "One question: {q}", "Very good. {Q}", "Hey! {Q}",
        "Lovely. {Q}", "My question: {q}", "Alright, {q}",
    ),
)  # fmt: skip
