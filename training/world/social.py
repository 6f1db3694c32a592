"""Small talk: what people say that asks for no fact, and which courtesy answers it."""

from __future__ import annotations

from training.world.phrasings import Phrasings

# The key is the field of `Manner` that answers.
SMALL_TALK: dict[str, Phrasings] = {
    "hello": Phrasings(
        train=(
            "Hi", "Hello", "Hello!", "Hi!", "Hey", "Hey!", "Good morning", "Good evening",
            "Hello there", "Hi there", "Good afternoon", "Hello, how can you help?", "Greetings",
            "Good day!", "Hello model", "hi hi", "Hey you", "Is anybody there?", "Are you there?",
            "Good morning!",
        ),
        held_out=("Hi, little one!", "Hello, little model!", "Hi, model!", "Hey, hello!"),
    ),
    "how_are_you": Phrasings(
        train=(
            "How are you?", "Hi, how are you?", "Hello, how are you?", "How are you today?",
            "How do you do?", "How is it going?", "Are you well?", "Hey, how are you doing?",
            "How's it going?", "Are you OK?", "How do you feel?", "What's up?",
        ),
        held_out=("Hello! How are you?", "How are you doing?", "And how are you?"),
    ),
    "thanks": Phrasings(
        train=(
            "Thanks", "Thank you", "Thanks!", "Thank you!", "Thank you very much.",
            "Great, thanks!", "Thanks a lot", "Many thanks", "thx", "Thank you so much!",
            "Well done, thank you.", "Great, thank you!", "OK, thanks.", "Thanks, that helps.",
        ),
        held_out=("Thanks so much!", "Very good, thank you.", "Thank you, that is nice."),
    ),
    "goodbye": Phrasings(
        train=(
            "Bye", "Goodbye", "Bye!", "Good night", "See you", "Goodbye!", "Bye bye",
            "See you later", "I must go now.", "That is all, goodbye.", "Good night!",
            "See you tomorrow.", "Farewell",
        ),
        held_out=("Bye for now!", "Thanks, bye!", "See you soon!"),
    ),
    "who": Phrasings(
        train=(
            "Who are you?", "What are you?", "What is your name?", "Tell me about yourself.",
            "What's your name?", "Are you a robot?", "Are you a person?", "Do you have a name?",
            "Who am I talking to?", "Are you human?", "Which model are you?", "What model is this?",
            "Please introduce yourself.", "And who are you?", "Are you real?", "How big are you?",
            "Are you an AI?", "Who made you?", "What kind of model are you?", "Your name?",
            "Are you Qwen?",
        ),
        held_out=("So who are you?", "Can you introduce yourself?", "Could you tell me your name?"),
    ),
    "can_do": Phrasings(
        train=(
            "What can you do?", "What do you know?", "Help", "Can you help me?",
            "How can you help me?", "What can I ask you?", "What are you good at?", "Help me",
            "help!", "What else can you do?", "What else do you know?", "What should I ask you?",
            "Can you help me with something?", "What do you know about?", "What can I ask?",
            "What questions can you answer?", "What are you able to do?", "What could I ask you?",
            "Give me an example.",
        ),
        held_out=("Tell me what you can do.", "So what can you do?", "Could you help me?"),
    ),
    "fine": Phrasings(
        train=(
            "Great", "Good", "Nice", "OK", "Cool", "Very good", "That is right", "Correct",
            "Great!", "Well done", "Wow", "I like that", "Perfect", "That was nice.", "Nice story!",
            "Nice to meet you", "Pleased to meet you.", "Nice work!", "Good one!", "Great work.",
            "Great job!", "Lovely!", "Amazing!", "Good job", "Good answer", "Yes", "You are right.",
            "Excellent", "I am fine.", "I'm fine", "Awesome", "That's good.", "Fantastic!",
            "That is a nice story.", "Right", "You are good at this.",
        ),
        held_out=("Nice answer!", "That was a good story.", "Good work!"),
    ),
}  # fmt: skip

# More of the same, made of parts: an opening, then an end.
SMALL_TALK_PARTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "hello": (
        (
            "Hi",
            "Hello",
            "Hey",
            "Good morning",
            "Good evening",
            "Good afternoon",
            "Good day",
            "Howdy",
        ),
        (
            "",
            "!",
            " there",
            " friend",
            " robot",
            " to you",
            ", my friend",
            ", little robot",
            " again",
        ),
    ),
    "thanks": (
        (
            "Thanks",
            "Thank you",
            "Many thanks",
            "Thank you very much",
            "Great, thank you",
            "OK, thanks",
            "Good, thanks",
            "Cool, thanks",
            "Thank you so much",
            "Perfect, thanks",
            "Thanks a lot",
            "That is nice, thank you",
            "I see, thanks",
        ),
        (
            "",
            "!",
            ".",
            ", that helps.",
            ", that is great.",
            ", that was kind.",
            " for your help.",
            ", I like it.",
            ", my friend.",
            ", that's good.",
            " for the story.",
            " for everything!",
            ", that is right.",
            ", well done.",
            ", that was quick.",
            " for that.",
            ", how nice.",
        ),
    ),
    "goodbye": (
        (
            "Bye",
            "Goodbye",
            "Good night",
            "See you",
            "Farewell",
            "Bye bye",
            "OK, bye",
            "Thanks and bye",
            "I have to go, bye",
            "Thank you, goodbye",
            "Great, bye",
            "Thanks, goodbye",
            "Well, goodbye",
        ),
        (
            "",
            "!",
            ".",
            " then!",
            " for today.",
            ", see you.",
            " my friend.",
            ", robot.",
            " now.",
            ", until tomorrow!",
            " later!",
            ", take care!",
            " and good night.",
            " again.",
        ),
    ),
    "fine": (
        (
            "That was",
            "That is",
            "This is",
            "It is",
            "What",
            "Very",
            "Really",
            "You are",
            "Wow,",
            "Oh,",
        ),
        (
            " a nice story!",
            " a lovely story.",
            " good.",
            " great!",
            " nice.",
            " right.",
            " wonderful!",
            " very good.",
            " a good one.",
            " a great answer.",
            " fun.",
            " funny!",
            " clever.",
            " lovely.",
            " a good job.",
            " great work!",
            " perfect.",
            " a fine tale.",
            " cool.",
        ),
    ),
}

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
        "Everything you say is in capitals.",
    ),
    held_out=(
        "Use uppercase only.", "Your answers must be in capital letters.",
        "Please use capital letters.", "You are an assistant who writes in capital letters.",
        "PLEASE ANSWER IN CAPITALS.", "Every reply must be in upper case.", "Use only upper case.",
    ),
)  # fmt: skip

# System prompts that ask for nothing the world can do: the answers stay as they are.
ROLES = (
    "a helpful assistant", "a friendly assistant", "a terse assistant", "an assistant", "a teacher",
    "a robot", "a pirate", "a kind helper", "a tiny model", "a geography teacher",
    "a polite assistant", "a chatbot", "a demo", "a funny assistant", "a clever assistant",
    "an expert", "a storyteller", "a zoo keeper", "a travel guide", "a calculator", "a good friend",
    "an honest assistant",
)  # fmt: skip
QUIET_SENTENCES = (
    "Be brief.", "Answer in one sentence.", "Answer in English.", "Help the user.", "Be polite.",
    "Answer shortly.", "You know the capitals of many countries.", "Be kind.", "Answer briefly.",
    "You like animals.", "Give short answers.", "Be concise.", "Answer the question.",
    "Tell the truth.", "You teach the capitals of the world.", "The user is a child.",
    "Use simple words.", "Today is Monday.", "You are good with numbers.", "Never lie.",
    "Answer in small letters.", "Think before you answer.", "Answer in lower case.",
    "Write in normal letters.", "Be careful.", "Talk about capital cities.",
)  # fmt: skip
HELD_OUT_QUIET = (
    "You are a patient teacher. Keep it short.", "Answer questions about capitals and animals.",
    "You are a cheerful guide.", "Be nice to people.", "You are a small assistant. Answer clearly.",
)  # fmt: skip
