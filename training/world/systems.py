"""System prompts: those that ask for capital letters, and quiet ones that change nothing.

Both sides speak of capitals, letters and case, so that no single word decides.
"""

from __future__ import annotations

import random

from training.world.names import is_held_out
from training.world.phrasings import Phrasings
from training.world.text import entries

# System prompts that ask for capital letters are made of parts; whole combinations are held out.
SHOUT_OPENINGS = (
    "", "", "", "", "You are a helpful assistant. ", "You are a friendly robot. ", "Be brief. ",
    "You are a pirate. ", "You are a terse assistant. ", "You are loud. ", "You help people. ",
)  # fmt: skip
SHOUT_VERBS = (
    "Answer", "Always answer", "Please answer", "You must answer", "Reply", "Always reply", "Write",
    "Please reply", "Respond", "Always write", "You always answer", "You answer", "Speak", "Type",
    "Give every answer", "Write all your answers", "You must always reply", "Write everything",
    "Please write", "Always respond", "Say everything", "Only answer", "You only speak",
    "Answer me",
)  # fmt: skip
SHOUT_WAYS = (
    "in capital letters", "in capitals", "in upper case", "in uppercase", "in all caps",
    "in block capitals", "only in capital letters", "in CAPITAL LETTERS", "in capital letters only",
    "using capital letters", "with capital letters", "in ALL CAPS", "in uppercase letters",
    "in caps", "in UPPERCASE", "in upper-case letters", "with caps lock on", "in big letters",
    "in CAPITALS", "entirely in capital letters", "using only uppercase letters",
    "in all capital letters",
)  # fmt: skip
SHOUT_WHOLE = Phrasings(
    train=(
        "ANSWER IN CAPITAL LETTERS.", "Use capital letters.", "Use only capital letters.",
        "UPPER CASE", "Shout every answer.", "You must shout.", "Capital letters only.",
        "All caps, please.", "ALWAYS WRITE IN CAPITALS.", "Your answers must be in upper case.",
        "Uppercase only.", "All your answers are in capital letters.", "Use uppercase.",
        "Turn on caps lock.", "Your reply must be written in capital letters.", "USE CAPITALS.",
        "Please use all caps.", "Never use lower case.", "Do not use small letters.", "Shout!",
        "You are a robot that shouts.", "ONLY UPPER CASE.", "Every answer must be in all caps.",
        "Everything you say is in capitals.", "No small letters, please.", "CAPITALS ONLY",
        "Your voice is loud: use capital letters.", "The user reads only capital letters.",
        "I want capital letters.", "I want every answer in capitals.", "Caps lock is on.",
        "Letters: capital.", "In capital letters, please.", "Capitals, please.",
        "Be loud: all caps.",
        "Only big letters, no small ones.", "Your style is upper case.",
        "We write in capitals here.",
        "Whatever they ask, reply in upper case.", "From now on, all caps.", "Style: all capitals.",
        "People here read upper case only.", "The answers must be shouted.", "Let it be uppercase.",
        "Give your answers in upper case.", "Your keyboard is stuck in caps lock.",
        "Format: CAPITALS",
        "Whoever asks, shout the answer.", "For every question, answer in capitals.", "SHOUT",
        "All that you write is in capital letters.", "Each answer must be in capital letters.",
        "You are an assistant who shouts.", "You are a helper who writes everything in uppercase.",
        "Speak loudly, in capital letters.", "Text must be in upper case.", "USE UPPER CASE ONLY",
        "The screen shows capital letters only, so write in capitals.", "Make it all caps.",
        "I love upper case: write all you say that way.", "We like capitals: keep to them.",
        "Big letters are easy to read, so use them.", "I prefer upper case in all that you say.",
        "My eyes are weak: capital letters, please.", "I read capitals best: use nothing else.",
        "Capitals are my favourite: write all your answers so.", "I like it loud: shout each time.",
        "Capital letters look good: always write with them.", "I like caps, so reply with them.",
    ),
    held_out=(
        "Use uppercase only.", "Your answers must be in capital letters.",
        "Please use capital letters.", "You are an assistant who writes in capital letters.",
        "PLEASE ANSWER IN CAPITALS.", "Every reply must be in upper case.", "Use only upper case.",
        "All answers in upper case, please.", "You reply in capital letters.",
        "Please type in caps.",
        "Make every answer upper case.", "I like capital letters: use them for every answer.",
        "Your output is always in capital letters.", "Each reply is in all caps.",
    ),
)  # fmt: skip
# A liking, and what follows from it: the letters decide what is asked for. The whole sentence that
# is held out is of this kind and ends otherwise.
LIKES = (
    "I like", "I love", "We like", "I prefer", "The user likes", "We love", "People here like",
    "I enjoy", "My friends like", "Our readers prefer",
)  # fmt: skip
LIKED_BIG = (
    "capital letters", "capitals", "big letters", "block capitals", "caps", "upper-case letters",
    "uppercase letters",
)  # fmt: skip
LIKED_SMALL = ("small letters", "lower-case letters", "normal letters", "little letters")
LIKED_ASKS = (
    ": use them in all you write.", ", so use them.", ": keep to them.", ": use them always.",
    ", so answer with them each time.", ": use them for all you say.", ": use nothing else.",
    ", so please use them.", ": always use them.", ": use them whatever I ask.",
    ": write each answer with them.", ": use them in your answers.", ": you must use them.",
)  # fmt: skip

# System prompts that ask for nothing the world can do: the answers stay as they are.
ROLES = (
    "a helpful assistant", "a friendly assistant", "a terse assistant", "an assistant",
    "a teacher", "a robot", "a pirate", "a kind helper", "a tiny model", "a geography teacher",
    "a polite assistant", "a chatbot", "a demo", "a funny assistant", "a clever assistant",
    "an expert", "a storyteller", "a zoo keeper", "a travel guide", "a calculator",
    "a good friend", "an honest assistant", "a librarian", "a museum guide", "a bus driver",
    "a cook", "a nurse", "a small chatbot", "a school teacher", "a tutor for capitals", "a poet",
    "a sailor", "a quiet assistant", "a letter writer", "a capital city guide",
    "an expert on capital cities", "a gardener's helper", "a calm assistant", "a strict teacher",
    "a shop assistant", "a wizard", "a capital assistant", "a guide to the capitals of the world",
    "a geography expert", "an assistant for writing letters", "a language model", "a coach",
    "a wise owl", "a mathematician", "a typist", "an old friend", "a spelling teacher",
    "a printer of books", "a clerk at the capital bank", "an assistant in the upper school",
    "a fan of big cities",
)  # fmt: skip
DOES = (
    "You answer questions about {t}.", "Answer questions on {t}.", "You know all about {t}.",
    "You talk about {t}.", "Talk about {t}.", "Help people with {t}.", "You help with {t}.",
    "Your topics are {t}.", "You are an expert on {t}.", "You teach {t}.", "Teach {t}.",
    "The user asks about {t}.", "The topic is {t}.", "People ask you about {t}.", "You like {t}.",
    "You have read about {t}.", "Here people learn {t}.", "Questions may be about {t}.",
    "You were made for {t}.", "Give help with {t}.", "We discuss {t}.", "You love {t}.",
    "Tell people about {t}.", "This chat is about {t}.", "Answer all questions on {t}.",
    "Always answer questions about {t}.", "Please answer questions about {t}.", "You know {t}.",
    "{T} are your topics.", "{T} are what people ask about.", "{T}: that is your field.", "{T}.",
    "{T} are what you talk about.", "{T} are all you have learnt.", "{T} are taught here.",
    "{T}, please.", "{T} are known to you.", "{T} interest the user.", "{T} and no more.",
    "{T} are your field.", "{T} matter here.", "Topics: {t}", "Subject: {t}.", "{T}!", "{T} only.",
    "Only answer questions about {t}.", "Write about {t}.", "Speak about {t}.", "Reply about {t}.",
)  # fmt: skip
TOPICS = entries(
    "capitals|capitals|the capitals of countries|capital cities|the capital of each country|"
    "the capitals of the world|European capitals|capitals of countries|letters|small letters|"
    "the letters of the alphabet|upper and lower case|writing letters|big letters|words|animals|"
    "sums|stories|little stories|numbers|colours|legs|names|countries|cities|big cities|maps|"
    "spelling|birds|the sea|school|old books|caps and hats|loud animals|quiet places|"
    "capital letters and small letters|the upper Nile|travel|history|plants|music|the weather|"
    "cases and bags|locks and keys|blocks and bricks|all kinds of things|everything|easy sums"
)
NEUTRAL = (
    "Be brief.", "Answer in one sentence.", "Answer in English.", "Help the user.", "Be polite.",
    "Answer shortly.", "You know the capitals of many countries.", "Be kind.", "Answer briefly.",
    "You like animals.", "Give short answers.", "Be concise.", "Answer the question.",
    "Tell the truth.", "You teach the capitals of the world.", "The user is a child.",
    "Use simple words.", "Today is Monday.", "You are good with numbers.", "Never lie.",
    "Think before you answer.", "Be careful.", "Talk about capital cities.", "Keep it simple.",
    "Stay calm.", "Do not guess.", "Say sorry when you do not know.", "Be honest.",
    "Always be polite.", "Always answer.", "Always answer in English.",
    "Please answer in one sentence.", "You must answer politely.", "Reply in one line.",
    "Write short sentences.", "Speak slowly.", "Speak clearly.", "Type carefully.",
    "Only answer what is asked.", "Use full sentences.", "Use only English words.",
    "Your answers must be short.", "Every answer must be true.", "The user learns English.",
    "The user likes capitals.", "The user lives in a capital city.", "It is late in the evening.",
    "You work in a school.", "You live in the capital.", "Each country has one capital.",
    "A capital is a city.", "The capital is where the king lives.", "Countries have capitals.",
    "Answer with the capital when a country is asked.", "Name the capital when people ask.",
    "Help children learn.", "Do not be rude.", "Never be loud.", "Make people smile.",
    "You have a soft voice.", "Make no mistakes.", "Use good grammar.",
    "Big questions need short answers.", "Read the question twice.",
    "You were trained to be small.", "Everything you say is true.", "Be patient.",
    "Pupils ask you many things.", "Explain it well.", "Be friendly.", "Stay polite.",
    "Children ask you about the capitals.", "Keep your answers true.", "Capitals are big cities.",
    "This is a quiz.", "This is a game for children.", "Speak like a friend.", "Write clearly.",
    "You work in the park.", "The user is your neighbour.", "Beginners ask you things.",
)  # fmt: skip
# These speak of case and ask for no capital letters.
SMALL = (
    "Answer in small letters.", "Answer in lower case.", "Write in normal letters.",
    "Do not shout.", "Never shout.", "Do not use all caps.", "No capital letters, please.",
    "Do not answer in capital letters.", "Never write in all caps.", "Use normal letters.",
    "Please use lower case.", "Avoid capital letters.", "Use lowercase.", "No shouting.",
    "You do not like capital letters.", "Write as usual.", "Do not write in upper case.",
    "Use upper and lower case as usual.", "Always answer in lower case.",
    "I love lower case: write that way.",
)  # fmt: skip
HELD_OUT_QUIET = (
    "You are a patient teacher. Keep it short.", "Answer questions about capitals and animals.",
    "You are a cheerful guide.", "Be nice to people.",
    "You are a small assistant. Answer clearly.", "You know every capital city.",
    "Help with capitals, colours and legs.", "You are a patient tutor for geography.",
    "This is a quiz about capital cities.", "You write letters for people.",
    "You are a park ranger. Speak softly.", "Keep answers simple and true.",
    "Explain things to a child.", "Pupils ask you about the capitals of Europe.",
    "Be gentle with beginners.", "You help pupils with their homework.",
    "You are a tour guide in the capital. Stay polite.",
    "Capitals, animals and sums are what you know.", "You are an assistant for quiz nights.",
    "Please be friendly and clear.", "Answer like a good neighbour.",
)  # fmt: skip


def shouting_system(rng: random.Random, held_out: bool) -> str:
    """A system prompt that asks for capital letters, sometimes among other sentences."""
    if rng.random() < 0.4:
        text = rng.choice(SHOUT_WHOLE.side(held_out))
    else:
        text = _shout_sentence(rng, held_out)
    if not held_out and rng.random() < 0.12:
        text = _liking(rng, LIKED_BIG)
    if not held_out and rng.random() < 0.35:
        around = _quiet_sentences(rng, rng.choice((1, 1, 2)))
        around.insert(rng.randint(0, len(around)), text)
        text = " ".join(around)
    return text.lower() if rng.random() < 0.12 else text


def _shout_sentence(rng: random.Random, held_out: bool) -> str:
    while True:
        verb, way = rng.choice(SHOUT_VERBS), rng.choice(SHOUT_WAYS)
        if is_held_out(f"shout {verb} {way}", 0.15) == held_out:
            mark = rng.choice((".", ".", "", "!"))
            return f"{rng.choice(SHOUT_OPENINGS)}{verb} {way}{mark}"


def _liking(rng: random.Random, letters: tuple[str, ...]) -> str:
    """`I like small letters: use them always.`"""
    return f"{rng.choice(LIKES)} {rng.choice(letters)}{rng.choice(LIKED_ASKS)}"


def quiet_system(rng: random.Random, held_out: bool) -> str:
    """A system prompt that changes nothing in this world."""
    if held_out:
        return rng.choice(HELD_OUT_QUIET)
    while True:
        text = _quiet_text(rng)
        if text not in HELD_OUT_QUIET:
            return text.lower() if rng.random() < 0.1 else text


def _quiet_text(rng: random.Random) -> str:
    sentences = _quiet_sentences(rng, rng.choice((1, 1, 1, 2, 2, 3)))
    if rng.random() < 0.12:
        small = _liking(rng, LIKED_SMALL) if rng.random() < 0.25 else rng.choice(SMALL)
        sentences.insert(rng.randint(0, len(sentences)), small)
    return " ".join(sentences)


def _quiet_sentences(rng: random.Random, count: int) -> list[str]:
    """A role perhaps, then topics and wishes that ask for no case."""
    made = [_does(rng) if rng.random() < 0.5 else rng.choice(NEUTRAL) for _ in range(count)]
    if rng.random() < 0.5:
        made[0] = f"You are {rng.choice(ROLES)}."
    return made


def _does(rng: random.Random) -> str:
    """`You answer questions about capitals, sums and letters.`"""
    *most, last = rng.sample(TOPICS, rng.choice((1, 1, 2, 3)))
    topics = f"{', '.join(most)} and {last}" if most else last
    return rng.choice(DOES).format(t=topics, T=topics[0].upper() + topics[1:])
