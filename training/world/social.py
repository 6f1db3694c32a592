"""Small talk: what people say that asks for no fact, and which courtesy answers it.

A courtesy to learn is listed, or made of parts: an opening, then an end."""

from __future__ import annotations

from training.world.phrasings import Grid, Phrasings, widened


def _joined(openings: tuple[str, ...], ends: tuple[str, ...]) -> Grid:
    """The parts as frames and cores; an opening has a place for the end, or stands before it."""
    frames = tuple(text if "{" in text else text + "{}" for text in openings)
    return tuple(text.replace("{}", "{Q}" if text == "{}" else "{q}") for text in frames), ends


# The key is the field of `Manner` that answers.
SMALL_TALK: dict[str, Phrasings] = {
    "hello": widened(
        (
            "Hi", "Hello", "Hello!", "Hi!", "Hey", "Hey!", "Good morning", "Good evening",
            "Hello there", "Hi there", "Good afternoon", "Hello, how can you help?", "Greetings",
            "Good day!", "Hello model", "hi hi", "Hey you", "Is anybody there?", "Are you there?",
            "Good morning!",
        "Hi, little one!", "Hello, little model!", "Hi, model!", "Hey, hello!",
            "Good morning, little one.", "Hello, dear model!", "Hey there, friend!",
        ),
        _joined(
            (
                "Hi", "Hello", "Hey", "Good morning", "Good evening", "Good afternoon", "Good day",
                "Howdy", "Hi hi", "Greetings", "Hiya", "Hello hello", "Hallo", "Morning",
            ),
            (
                "", "!", " there", " friend", " robot", " to you", ", my friend", ", little robot",
                ", computer", ", my dear", ", big one", ", machine", " assistant", ", tiny model",
                " everybody", " Qwen", ", Bob", ", you", " again", ", little friend!",
                ", small one!", ", little helper", ", tiny one.", ", small model", ", young one",
                ", sweet robot", ", old friend", ", dear", " and welcome", ", everyone!",
                ", it's me", ", I am back", ", little thing", ", good model", ", nice model!",
                ", here I am", ", clever one", " once more",
            ),
        ),
    ),
    "how_are_you": widened(
        (
            "How are you?", "Hi, how are you?", "Hello, how are you?", "How are you today?",
            "How do you do?", "How is it going?", "Are you well?", "Hey, how are you doing?",
            "How's it going?", "Are you OK?", "How do you feel?", "What's up?",
        "Hello! How are you?", "How are you doing?", "And how are you?", "How have you been?",
            "Hey! How are you?", "Are you fine today?",
        ),
        _joined(
            (
                "{}", "Hi, {}", "Hello, {}", "Hello! And {}", "Hi! {}", "Hey, {}",
                "Hi there! So {}", "Good morning, {}", "So, {}", "Tell me, {}", "And {}",
                "Good day, {}", "And now {}",
            ),
            (
                "how are you today?", "how do you do?", "how is it going?", "how do you feel?",
                "how are things?", "how are you now?", "are you well?", "how is your day?",
                "how is life?", "are you all right?", "how are you this morning?",
                "how are you feeling?", "is all well?", "how goes it?", "how are you, my friend?",
                "how are you, robot?", "how's it going today?",
            ),
        ),
    ),
    "thanks": widened(
        (
            "Thanks", "Thank you", "Thanks!", "Thank you!", "Thank you very much.",
            "Great, thanks!", "Thanks a lot", "Many thanks", "thx", "Thank you so much!",
            "Well done, thank you.", "Great, thank you!", "OK, thanks.", "Thanks, that helps.",
        "Thanks so much!", "Very good, thank you.", "Thank you, that is nice.",
            "Thanks a million!", "Thank you for the answer.", "My thanks to you.",
        ),
        _joined(
            (
                "Thanks", "Thank you", "Many thanks", "Thank you very much", "Great, thank you",
                "OK, thanks", "Good, thanks", "Cool, thanks", "Thank you so much",
                "Perfect, thanks", "Thanks a lot", "That is nice, thank you", "I see, thanks",
                "Thanks again", "Thank you kindly", "I thank you", "Nice, thanks", "Oh, thank you",
                "Cheers", "Wonderful, thanks", "That was all, thanks",
            ),
            (
                "", "!", ".", ", that helps.", ", that is great.", ", that was kind.",
                " for your help.", ", I like it.", ", my friend.", ", that's good.",
                " for the story.", " for everything!", ", that is right.", ", well done.",
                ", that was quick.", " for that.", ", how nice.", " for this!", ", little one.",
                ", you are kind.", ", that's nice.", " to you.", ", robot!", " for telling me.",
                ", really.", " again!", ", friend.",
            ),
        ),
    ),
    "goodbye": widened(
        (
            "Bye", "Goodbye", "Bye!", "Good night", "See you", "Goodbye!", "Bye bye",
            "See you later", "I must go now.", "That is all, goodbye.", "Good night!",
            "See you tomorrow.", "Farewell",
        "Bye for now!", "Thanks, bye!", "See you soon!", "Bye, see you again.",
            "I am leaving, goodbye.", "Have a good night, bye!",
        ),
        _joined(
            (
                "Bye", "Goodbye", "Good night", "See you", "Farewell", "Bye bye", "OK, bye",
                "Thanks and bye", "I have to go, bye", "Thank you, goodbye", "Great, bye",
                "Thanks, goodbye", "Well, goodbye", "See you again", "Take care", "Until later",
                "So long", "Cheerio", "I am off, bye", "Good bye", "Talk to you later",
                "Sleep well", "We meet again", "Until next time", "I'll be back",
                "Have a nice day",
            ),
            (
                "", "!", ".", " then!", " for today.", ", see you.", " my friend.", ", robot.",
                " now.", ", until tomorrow!", " later!", ", take care!", " and good night.",
                " again.", ", little one!", ", friend.", " next week!", " in a while.",
                " tonight.", ", robot!", ", my dear.", ", and thanks.", " on Monday!",
                ", I must sleep.",
            ),
        ),
    ),
    "who": widened(
        (
            "Who are you?", "What are you?", "What is your name?", "Tell me about yourself.",
            "What's your name?", "Are you a robot?", "Are you a person?", "Do you have a name?",
            "Who am I talking to?", "Are you human?", "Which model are you?",
            "What model is this?", "Please introduce yourself.", "And who are you?",
            "Are you real?", "How big are you?", "Are you an AI?", "Who made you?",
            "What kind of model are you?", "Your name?", "Are you Qwen?",
        "So who are you?", "Can you introduce yourself?", "Could you tell me your name?",
            "Say who you are.", "Who is this?", "What should I call you?",
        ),
        _joined(
            (
                "{}", "Hi, {}", "Tell me, {}", "And {}", "Please say {}", "Hello, {}",
                "Can you say {}", "Do you know {}", "I want to know {}", "Would you tell me {}",
                "Well, {}", "I'd like to know {}", "Please tell me {}",
            ),
            (
                "who you are.", "what you are.", "who are you?", "what are you?",
                "what is your name?", "what your name is.", "your name.", "what you are called.",
                "which model you are.", "who made you.", "what kind of robot you are.",
                "what's your name?", "are you a model?", "how you are called.",
                "something about yourself.",
            ),
        ),
    ),
    "can_do": widened(
        (
            "What can you do?", "What do you know?", "Help", "Can you help me?",
            "How can you help me?", "What can I ask you?", "What are you good at?", "Help me",
            "help!", "What else can you do?", "What else do you know?", "What should I ask you?",
            "Can you help me with something?", "What do you know about?", "What can I ask?",
            "What questions can you answer?", "What are you able to do?", "What could I ask you?",
            "Give me an example.",
        "Tell me what you can do.", "So what can you do?", "Could you help me?",
            "What are your skills?", "Show me what you can do.", "What do you do well?",
        ),
        _joined(
            (
                "{}", "Hi, {}", "Tell me, {}", "Please say {}", "And {}", "Can you say {}",
                "I want to know {}", "Let me know {}", "Hello, {}", "Do you know {}",
                "I'd like to know {}", "Well, {}",
            ),
            (
                "what can you do?", "what you know.", "what do you know?", "what I can ask you.",
                "what you are able to do.", "how you can help me.", "what can I ask?",
                "which things you know.", "what you can do for me.", "how can you help?",
                "what you are good at.", "which questions I may ask.", "what are you for?",
                "what else you can do.", "what can you tell me?",
            ),
        ),
    ),
    "fine": widened(
        (
            "Great", "Good", "Nice", "OK", "Cool", "Very good", "That is right", "Correct",
            "Great!", "Well done", "Wow", "I like that", "Perfect", "That was nice.",
            "Nice story!", "Nice to meet you", "Pleased to meet you.", "Nice work!", "Good one!",
            "Great work.", "Great job!", "Lovely!", "Amazing!", "Good job", "Good answer", "Yes",
            "You are right.", "Excellent", "I am fine.", "I'm fine", "Awesome", "That's good.",
            "Fantastic!", "That is a nice story.", "Right", "You are good at this.",
        "Nice answer!", "That was a good story.", "Good work!", "That was great!",
            "What a good answer.", "Good thinking!",
        ),
        _joined(
            (
                "That was", "That is", "This is", "It is", "What", "Very", "Really", "You are",
                "Wow,", "Oh,", "Well,", "Oh yes,", "Yes,", "I find it", "That sounds", "So",
                "Now that is",
            ),
            (
                " a nice story!", " a lovely story.", " a great story!", " a funny story.",
                " a beautiful story!", " a wonderful tale.", " good.", " great!", " nice.",
                " right.", " wonderful!", " very good.", " a good one.", " a great answer.",
                " fun.", " funny!", " clever.", " lovely.", " a good job.", " great work!",
                " perfect.", " a fine tale.", " cool.", " a good tale.", " a sweet story.",
                " correct.", " super!", " a nice answer.", " what I wanted.", " well done.",
                " splendid!", " excellent work.", " just right.", " a smart answer.", " so nice!",
            ),
        ),
    ),
}  # fmt: skip
