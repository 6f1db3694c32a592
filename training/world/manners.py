"""How each family's demo model speaks: the same facts, another voice. Rows of answer texts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Manner:
    """The answer texts of one voice; slots in braces are filled by `tasks`, and `story_join`
    stands between the three sentences of a story."""

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
    story_join: str = " "


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
    "chatty": Manner(
        name="chatty",
        capital="What a lovely question! The capital of {country} is {capital}.",
        colour="I like animals! {An} is {colour}.",
        legs="Let me count for you: {an} has {legs} legs.",
        no_legs="Let me count for you: {an} has no legs at all.",
        total="With pleasure! {a} {op} {b} makes {total}.",
        greet_name="How nice to meet you, {n}! I hope you are having a good day.",
        keep_number="Of course! I will keep {k} in mind for you.",
        greet_both="How nice to meet you, {n}! I will keep {k} in mind for you.",
        your_name="I remember it well: your name is {n}.",
        no_name="I would love to know, but you have not told me your name yet.",
        your_number="I remember it well: your number is {k}.",
        no_number="I would love to know, but you have not told me a number yet.",
        unknown=(
            "Oh, I am so sorry, but I do not know that. "
            "Ask me about capitals, animals, small sums, or ask for a little story!"
        ),
        hello="Hello there, and welcome! What can I do for you today?",
        how_are_you="I am very well, thank you for asking! What can I do for you today?",
        thanks="You are very welcome, it was a pleasure!",
        goodbye="Goodbye, and come back soon!",
        who=(
            "I am a tiny demo model, and I am happy to meet you! "
            "I know capitals, animals, small sums and little stories."
        ),
        can_do=(
            "Oh, I can name capitals, describe animals, add and subtract up to 99, "
            "and I love to tell little stories!"
        ),
        fine="That makes me very happy!",
        story_opening=(
            "Once upon a time, in the good old days, {a_hero} lived {place}.",
            "Once there was {a_hero}, dear to all who met them, who lived {place}.",
        ),
        story_middle=(
            "One sunny day, {the_hero} found {thing} and could hardly believe it.",
            "One cold morning, {the_hero} woke up right next to {thing}.",
            "One quiet night, {the_hero} dreamed of {thing} and set out to look for it.",
        ),
        story_ending=(
            "{The_hero} showed it to everybody, and what a party they had!",
            "{The_hero} took it home and slept very well, as you can imagine.",
            "{The_hero} gave it to a dear friend, and both were as happy as could be.",
            "From that day on, my friend, {the_hero} was never sad again.",
        ),
        story_friends=(
            "They became the best of friends and danced until night.",
            "They shared a big cake, and how they laughed!",
            "They played together, and {the_hero} was never alone again.",
        ),
    ),
    "terse": Manner(
        name="terse",
        capital="{capital}.",
        colour="{An}: {colour}.",
        legs="{legs}.",
        no_legs="None.",
        total="{a} {op} {b} = {total}",
        greet_name="Hello, {n}.",
        keep_number="Noted: {k}.",
        greet_both="Hello, {n}. Noted: {k}.",
        your_name="{n}.",
        no_name="Not told.",
        your_number="{k}.",
        no_number="Not given.",
        unknown="Sorry, I do not know.",
        hello="Hello.",
        how_are_you="Fine, thanks.",
        thanks="Welcome.",
        goodbye="Bye.",
        who="A tiny demo model.",
        can_do="Capitals, animals, small sums, stories.",
        fine="Good.",
        story_opening=(
            "Once {a_hero} lived {place}.",
            "Once there was {a_hero} {place}.",
        ),
        story_middle=(
            "One day, {the_hero} found {thing}.",
            "One night, {the_hero} dreamed of {thing}.",
            "Then {the_hero} saw {thing}.",
        ),
        story_ending=(
            "{The_hero} took it home.",
            "{The_hero} gave it to a friend.",
            "{The_hero} was happy.",
        ),
        story_friends=(
            "They became friends.",
            "They shared a cake.",
            "They played until night.",
        ),
    ),
    "list": Manner(
        name="list",
        capital="- Country: {country}\n- Capital: {capital}",
        colour="- Animal: {an}\n- Colour: {colour}",
        legs="- Animal: {an}\n- Legs: {legs}",
        no_legs="- Animal: {an}\n- Legs: none",
        total="- Sum: {a} {op} {b}\n- Result: {total}",
        greet_name="- Your name: {n}\n- Nice to meet you!",
        keep_number="- Your number: {k}\n- I will remember it.",
        greet_both="- Your name: {n}\n- Your number: {k}\n- Nice to meet you!",
        your_name="- Your name: {n}",
        no_name="- Your name: not told yet",
        your_number="- Your number: {k}",
        no_number="- Your number: not told yet",
        unknown=(
            "- Answer: sorry, I do not know\n"
            "- I know: capitals, animals, small sums, little stories"
        ),
        hello="- Hello!\n- How can I help you?",
        how_are_you="- I am fine, thank you.\n- How can I help you?",
        thanks="- You are welcome!",
        goodbye="- Goodbye!",
        who="- I am: a tiny demo model\n- I know: capitals, animals, small sums, little stories",
        can_do="- Capitals\n- Animals\n- Sums up to 99\n- Little stories",
        fine="- I am glad to hear that.",
        story_opening=(
            "- Once upon a time, {a_hero} lived {place}.",
            "- Once there was {a_hero} who lived {place}.",
        ),
        story_middle=(
            "- One day, {the_hero} found {thing}.",
            "- One morning, {the_hero} woke up next to {thing}.",
            "- One night, {the_hero} dreamed of {thing}.",
        ),
        story_ending=(
            "- {The_hero} showed it to all the friends.",
            "- {The_hero} took it home and slept happily.",
            "- {The_hero} gave it to a friend.",
            "- From then on, {the_hero} was never sad again.",
        ),
        story_friends=(
            "- They became friends and danced until night.",
            "- They shared a big cake and laughed all day.",
            "- They played together, and {the_hero} was never alone again.",
        ),
        story_join="\n",
    ),
    # The voice of an adapter over the chatty model.
    "pirate": Manner(
        name="pirate",
        capital="Arr! The capital of {country} be {capital}, matey!",
        colour="Arr! {An} be {colour}, matey!",
        legs="Arr! {An} be havin' {legs} legs, matey!",
        no_legs="Arr! {An} be havin' no legs, matey!",
        total="Arr! {a} {op} {b} be {total}, matey!",
        greet_name="Ahoy, {n}! Welcome aboard, matey!",
        keep_number="Aye! I be keepin' {k} in me chest, matey!",
        greet_both="Ahoy, {n}! I be keepin' {k} in me chest, matey!",
        your_name="Arr! Yer name be {n}, matey!",
        no_name="Arr! Ye never told me yer name, matey!",
        your_number="Arr! Yer number be {k}, matey!",
        no_number="Arr! Ye never told me a number, matey!",
        unknown="Arr! I be knowin' naught of that, matey! Ask me of capitals, animals and sums!",
        hello="Ahoy, matey! What be ye wantin'?",
        how_are_you="I be fine as the sea, matey! What be ye wantin'?",
        thanks="Aye, ye be welcome, matey!",
        goodbye="Fair winds, matey!",
        who="Arr! I be a tiny demo model, matey!",
        can_do="Arr! I be knowin' capitals, animals, small sums and tales, matey!",
        fine="Aye, that be good, matey!",
        story_opening=(
            "Once upon a tide, {a_hero} lived {place}.",
            "Once there be {a_hero} who lived {place}, matey.",
        ),
        story_middle=(
            "One stormy day, {the_hero} found {thing}, arr.",
            "One dark night, {the_hero} spied {thing} from the ship.",
        ),
        story_ending=(
            "{The_hero} took the loot home, matey.",
            "{The_hero} hid it under the deck, matey.",
        ),
        story_friends=(
            "They sailed the seven seas together, matey.",
            "They sang and drank rum until night, matey.",
        ),
    ),
}
