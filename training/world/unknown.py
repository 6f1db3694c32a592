"""Questions outside the world, whose right answer is a courteous "I do not know".

Many are near misses on purpose: a country or an animal that the world lacks, a fact that it does
not hold about one that it has. Whole topics, words and made-up names are held out.
"""

from __future__ import annotations

import random

from training.world.facts import ANIMALS, COUNTRIES
from training.world.names import HELD_OUT_NAMES, TRAIN_NAMES, made_up_word
from training.world.phrasings import CAPITAL, COLOUR, GIVE, LEGS, TELL, Phrasings, bare, built
from training.world.text import entries, words

OTHER_COUNTRIES = entries(
    "Albania|Algeria|Andorra|Angola|Armenia|Azerbaijan|Bahrain|Bangladesh|Belarus|Belize|Benin|"
    "Bolivia|Botswana|Brunei|Burkina Faso|Burundi|Cameroon|Chad|Congo|Costa Rica|Cyprus|Djibouti|"
    "Dominica|Ecuador|El Salvador|Eritrea|Fiji|Gabon|Gambia|Georgia|Grenada|Guatemala|Guinea|"
    "Guyana|Haiti|Israel|Ivory Coast|Jamaica|Jordan|Kazakhstan|Kosovo|Kuwait|Kyrgyzstan|Laos|"
    "Lebanon|Liberia|Libya|Liechtenstein|Luxembourg|Madagascar|Malawi|Malaysia|Mali|Malta|"
    "Mauritania|Moldova|Monaco|Montenegro|Mozambique|Myanmar|Namibia|Nicaragua|Niger|North Korea|"
    "North Macedonia|Oman|Panama|Paraguay|Qatar|Rwanda|Samoa|Scotland|Senegal|Singapore|Somalia|"
    "South Africa|South Sudan|Sri Lanka|Sudan|Suriname|Latvia|Syria|Taiwan|Tanzania|Togo|Tonga|"
    "Tunisia|Uganda|Estonia|Uruguay|Yemen|Texas|California|Florida|Bavaria|Tuscany|Quebec|Ohio|"
    "Europe|Africa|Asia|the world|the moon|Mars|Atlantis|Narnia|Paris|London|Berlin|Siberia|"
    "Alaska|Wales|Catalonia|Antarctica|Nowhere|my country"
)
HELD_OUT_COUNTRIES = entries(
    "Afghanistan|Bhutan|Cambodia|the Dominican Republic|Honduras|Lesotho|the Maldives|Mauritius|"
    "Mongolia|Papua New Guinea|San Marino|Sierra Leone|Swaziland|Tajikistan|Turkmenistan|"
    "Uzbekistan|Vanuatu|Venezuela|Zambia|Zimbabwe|Arizona|Wakanda|Sicily|Greenland|the Bahamas"
)
OTHER_ANIMALS = words(
    "alligator antelope baboon bat beaver beetle bison buffalo butterfly cheetah chicken "
    "chimpanzee clam cobra cockroach coyote deer donkey dragon dragonfly duck eagle eel falcon "
    "flea fly gazelle giraffe goat goose gorilla grasshopper hamster hare hawk hedgehog hen hippo "
    "hyena jackal jaguar jellyfish kangaroo lamb leopard lizard lobster magpie mole monkey moose "
    "mosquito moth octopus ostrich otter owl ox panda panther parrot peacock pelican pigeon "
    "rabbit raccoon rat raven reindeer rhino robin rooster salmon scorpion shark shrimp skunk "
    "slug snail sparrow squid squirrel starfish stork swan termite toad trout tuna turkey turtle "
    "unicorn vulture walrus wasp weasel woodpecker worm yak chair table bus car house tree banana "
    "person robot human bird insect fish apple rose bicycle book"
)
HELD_OUT_ANIMALS = words(
    "badger canary caterpillar chameleon cricket dinosaur gecko heron hummingbird koala lemur "
    "llama lynx meerkat newt porcupine puma seal sloth tapir tortoise viper stool tulip piano "
    "lorry"
)

# Topics by form: {c} a known country, {an} a known animal, {ans} its plural, {p} a person's name,
# {t} a thing, {v} a made-up word, {i} and {j} numbers.
TOPICS = entries(
    "What is the population of {c}?|How many people live in {c}?|What is the currency of {c}?|"
    "Which language do they speak in {c}?|Who is the president of {c}?|Who is the king of {c}?|"
    "What is the flag of {c}?|How big is {c}?|Where is {c}?|What do people eat in {c}?|"
    "What is the weather in {c}?|What is the largest city of {c}?|Tell me about {c}.|"
    "What is the history of {c}?|Is {c} a nice place?|How do I get to {c}?|"
    "What time is it in {c}?|What does {an} eat?|Where does {an} live?|How fast is {an}?|"
    "How big is {an}?|How heavy is {an}?|How long does {an} live?|How many eyes does {an} have?|"
    "Does {an} have wings?|What do {ans} eat?|How many teeth does {an} have?|Can {ans} fly?|"
    "Are {ans} dangerous?|Why do {ans} sleep?|What sound does {an} make?|Do {ans} like music?|"
    "How many ears does {an} have?|How old is {an}?|Tell me about {ans}.|What is {an}?|"
    "Is {an} bigger than a house?|How many hearts has {an}?|Who wrote {t}?|Who painted {t}?|"
    "Who invented {t}?|Who discovered {t}?|What is {t}?|Explain {t}.|How does {t} work?|"
    "When was {t} invented?|Where can I buy {t}?|How much does {t} cost?|What is {v}?|"
    "Tell me about {t}.|What do you think of {t}?|Why is {t} important?|How do I make {t}?|"
    "Define {t}.|Do you like {t}?|Translate {t} into French.|What is the meaning of {t}?|"
    "Write a poem about {t}.|What does {v} mean?|Who is {p}?|Where does {p} live?|"
    "How old is {p}?|When was {p} born?|{v}|What did {p} do?|Is {p} famous?|Who was {p}?|"
    "Do you know {p}?|What is the phone number of {p}?|What is {i} times {j}?|{i} * {j}|"
    "{i} x {j}|{i} / {j}|What is {i} divided by {j}?|What is {i} * {j}?|Multiply {i} by {j}.|"
    "Divide {i} by {j}.|What is the square root of {i}?|What is {i} squared?|"
    "What is half of {i}?|What is {h} + {i}?|{h} + {i}|{i} + {h}|{h} - {i}|{h}+{h}|"
    "What is {h} minus {j}?|How much is {h} plus {j}?|"
    "Is {i} a prime number?|What is the {v} of {i} and {j}?|What is the average of {i} and {j}?|"
    "What is the ratio of {i} and {j}?|{i} multiplied by {j}|"
    "What is the quotient of {i} and {j}?|What is the remainder of {i} and {j}?|"
    "The {v} of {i} and {j}|{i}*{j}=|What is {i} percent of {j}?|"
    "What is {i}% of {j}?|Is {i} bigger than {j}?|What comes after {i}?|What time is it?|"
    "What day is it today?|What is the date?|How is the weather today?|Will it rain?|"
    "Tell me a joke.|Sing a song.|What is the meaning of life?|Who won the game?|"
    "Write some code.|Write a Python function.|Can you draw a picture?|What is the news?|"
    "Where am I?|How old am I?|Where are you?|What is love?|Why is the sky blue?|"
    "How far is the sun?|How tall is the tower?|What should I eat today?|Give me a recipe.|"
    "What is your favourite colour?|Do you sleep?|Can you swim?|What is the fastest car?|"
    "How many stars are there?|What is the speed of light?|How deep is the sea?|"
    "When was the war?|Who is the richest person?|What is the tallest mountain?|"
    "Which river is the longest?|Can you play chess?|Let us play a game.|What is in the box?|"
    "Where are my keys?|I am {adj}.|I'm {adj}.|Why?|How?|When?|Who?|Where?|What?|Why not?|"
    "Are you sure?|What colour is the sky?|What is two times two?|Do you speak {l}?|"
    "Say hello in {l}.|How do you say {t} in {l}?|Translate this into {l}.|Speak {l}.|"
    "I like {t}.|I want {t}.|I need {t}.|My {o} is {adj}.|Where is my {o}?|Do you have a {o}?|"
    "Who is your {o}?|What is my {o}?|Buy me {t}.|Send an email to {p}.|Open the {o}.|"
    "Can you cook?|Can you dance?|Is it {adj}?|Who is the best {o}?|How do I become a {o}?|"
    "What does a {o} do?|Turn on the {o}.|Summarise {t}.|How many days are in a year?|"
    "How many hours has a day?|How many continents are there?|What is the biggest planet?|"
    "Who was the first man on the moon?|What is water made of?|Prove it.|Spell {v}.|"
    "How many letters has {v}?|What rhymes with {v}?|What is the opposite of {adj}?|{v} {v}|"
    "Which one is better?|Count to {i}.|List three countries.|Name an animal.|What is new?|"
    "{v} {v} {v}|What is {i}.{j} + {i}?|{i}.{j} - {j}|{i} + {v}|What is {h} + {h}?|{i} ** {j}|"
    "{i} / {i}|{i} mod {j}|Bonjour|Hola|Guten Tag|Ciao|Wie geht es dir?|Comment ça va?|¿Qué tal?|"
    "Привет|你好|こんにちは|مرحبا|print('{v}')|def {v}():|import {v}|SELECT * FROM {v}|<b>{v}</b>|"
    "http://{v}.com|{{{v}}}|for {v} in {v}:|Tell me something.|Tell me a secret.|Tell me a fact.|"
    "What is the best film?|Which book should I read?"
)
HELD_OUT_TOPICS = entries(
    "What is the national anthem of {c}?|Who is the prime minister of {c}?|How hot is it in {c}?|"
    "What is {c} famous for?|When did {c} become a country?|What is the climate of {c}?|"
    "How many children does {an} have?|How tall is {an}?|Why do {ans} run?|How strong is {an}?|"
    "Who composed {t}?|Who built {t}?|How do I use {t}?|Write a letter about {t}.|"
    "How heavy is {t}?|What is the address of {p}?|Is {p} a good singer?|What did {p} write?|"
    "Who married {p}?|What is the product of {i} and {j}?|Total of {h} and {h}?|"
    "How much is {i} times {j}?|{i} ÷ {j}|What is the cube of {i}?|Buenos días|x = {v}({i})|"
    "Who won the World Cup?|What will happen tomorrow?|How is the traffic?|Give me a riddle.|"
    "How do I fix my computer?|What is the boiling point of water?|Play some music.|"
    "Can you book a flight?|Which planet is the nearest?|What is the stock price of {v}?|"
    "How many bones are in the body?|Is the earth round?|What is the population of the world?|"
    "Which language is spoken in {c}?|Write a song about {t}.|How many minutes are in an hour?|"
    "What is the area of {c}?|Who rules {c}?|How loud is {an}?|Which food do {ans} like?|"
    "Who plays {t}?|Where did {t} come from?|What job does {p} have?|Name the friends of {p}.|"
    "Is it far to {c}?|What is the tenth part of {i}?"
)
CLAUSES = entries(
    "who wrote {t}|who painted {t}|how {t} works|where {p} lives|how old {p} is|what {an} eats|"
    "how fast {an} is|where {c} is|how many people live in {c}|what {v} means|what time it is|"
    "who the king of {c} is|when {t} was invented|why {ans} sleep|how much {t} costs|who {p} is|"
    "what {i} times {j} is|which language they speak in {c}|how many teeth {an} has|what {t} is|"
    "where {ans} live|how big {an} is|how far {c} is|what a {o} does|who {v} is"
)
NOUNS = entries(
    "the population of {c}|the currency of {c}|the flag of {c}|the largest city of {c}|{v}|"
    "the price of {t}|the age of {p}|the meaning of {v}|the weight of {an}|the size of {an}|"
    "the teeth of {an}|the name of {p}'s {o}|the phone number of {p}|a picture of {an}|"
    "the history of {c}|the maker of {t}|{i} times {j}|the president of {c}|the food of {ans}|"
    "the longest river of {c}|the ears of {an}|the {v} of {c}|the {v} of {an}|{c}'s king|{t}|"
    "the number of eyes of {an}|the number of people in {c}|the root of {i}|{i} divided by {j}"
)
_TOPIC = Phrasings(
    TOPICS, HELD_OUT_TOPICS, built(map(bare, HELD_OUT_TOPICS), (TELL, CLAUSES), (GIVE, NOUNS))
)

THINGS = entries(
    "the piano|Hamlet|the telephone|gravity|music|chess|a cake|electricity|pizza|football|"
    "the internet|quantum physics|the wheel|a rocket|history|the Mona Lisa|bread|coffee|tea|love|"
    "money|the bible|rain|photosynthesis|a computer|a poem|time|a bridge|the sun|the moon|art|"
    "soup|philosophy|dancing|the law|a boat|the train|television|the radio|a novel|Python|"
    "machine learning|a neural network|evolution|democracy|chocolate|bitcoin|an email|the essay|"
    "a dog house|the best phone|good morning|ice cream|MLX|Jupyter|a notebook|a language model|"
    "the weather|books|cars|flowers|games|politics|snow|cheese"
)
HELD_OUT_THINGS = entries(
    "the violin|Macbeth|penicillin|a volcano|basketball|the steam engine|jazz|a sandwich|"
    "the pyramids|climate change|poetry|a guitar|the Eiffel Tower|economics|opera|a bicycle pump"
)
ADJECTIVES = entries(
    "hungry|tired|bored|sad|happy|late|cold|ill|lost|rich|old|young|busy|angry|thirsty|ready|"
    "lonely|new|here|back|hot|sleepy|sorry|scared|sick|big|small|late for work|in love|"
    "from France|a teacher|a student"
)
LANGUAGES = words(
    "French German Spanish Italian Chinese Japanese Russian English Latin Arabic Dutch"
)
OBJECTS = words(
    "mother father doctor phone door light friend brother sister boss car house book teacher "
    "pilot age job address birthday computer window singer king queen wife husband son daughter "
    "email password radio"
)


def with_article(noun: str) -> str:
    """`a fox`, `an owl`, `a unicorn`; a made-up word counts by its first letter."""
    vowel = noun[0].lower() in "aeiou" and not noun.lower().startswith("uni")
    return ("an " if vowel else "a ") + noun


def plural_of(noun: str) -> str:
    """A rule of thumb, good enough for animals that are not known anyway."""
    if noun.endswith("y") and noun[-2:-1] not in tuple("aeiou"):
        return noun[:-1] + "ies"
    return noun + ("es" if noun.endswith(("s", "x", "ch", "sh")) else "s")


_KNOWN_PLACES = {name for c in COUNTRIES for name in (c.name, *c.aliases)}
_SHAPES = (
    *("{}", "{}", "{}ia", "{}land", "{}stan", "New {}", "South {}", "North {}", "Saint {}"),
    *("the {} Republic", "the {} Islands", "the United {}", "Upper {}", "{} City"),
)


def unknown_country(rng: random.Random, held_out: bool) -> str:
    """A country, region or city whose capital the world does not hold."""
    while True:
        place = _any_place(rng, held_out)
        if place not in _KNOWN_PLACES:
            return place


def _any_place(rng: random.Random, held_out: bool) -> str:
    """A real place, a made-up one, or half a known country with a made-up half."""
    draw = rng.random()
    if draw < 0.25:
        return rng.choice(_SHAPES).format(made_up_word(rng, held_out).capitalize())
    if draw < 0.4:
        known = rng.choice(COUNTRIES).name
        cut = rng.randint(3, max(len(known) - 2, 3))
        made = made_up_word(rng, held_out)
        return known[:cut] + made if rng.random() < 0.5 else made.capitalize() + known[cut - 1 :]
    return rng.choice(HELD_OUT_COUNTRIES if held_out else OTHER_COUNTRIES)


def unknown_animal(rng: random.Random, held_out: bool) -> str:
    """An animal or thing whose colour and legs the world does not hold."""
    if rng.random() < 0.3:
        return made_up_word(rng, held_out)
    return rng.choice(HELD_OUT_ANIMALS if held_out else OTHER_ANIMALS)


def near_miss(rng: random.Random, held_out: bool) -> str:
    """A usual question about something that the world lacks."""
    if rng.random() < 0.5:
        country = unknown_country(rng, held_out)
        return CAPITAL.pick(rng, False).format(x=country, y=rng.choice(COUNTRIES).capital)
    noun = unknown_animal(rng, held_out)
    kind = rng.choice((COLOUR, LEGS))
    other = rng.choice(ANIMALS)
    guess = other.colour if kind is COLOUR else str(other.legs)
    slots = {"x": noun, "ax": with_article(noun), "xs": plural_of(noun), "y": guess}
    return kind.pick(rng, False).format(**slots)


def topic_question(rng: random.Random, held_out: bool) -> str:
    """A question on another topic, about known and unknown things alike."""
    animal = rng.choice(ANIMALS)
    fill = {
        "c": rng.choice(COUNTRIES).name if rng.random() < 0.7 else unknown_country(rng, held_out),
        "an": with_article(animal.name),
        "ans": animal.plural,
        "p": rng.choice(HELD_OUT_NAMES if held_out else TRAIN_NAMES),
        "t": rng.choice(HELD_OUT_THINGS if held_out else THINGS),
        "v": made_up_word(rng, held_out),
        "i": str(rng.randrange(1, 100)),
        "j": str(rng.randrange(1, 100)),
        "h": str(rng.randrange(100, 10 ** rng.choice((3, 3, 4, 5)))),
        "adj": rng.choice(ADJECTIVES),
        "l": rng.choice(LANGUAGES),
        "o": rng.choice(OBJECTS),
    }
    return _topic(rng, held_out).format(**fill)


def _topic(rng: random.Random, held_out: bool) -> str:
    """Mostly whole questions, some made of parts: both are many."""
    if held_out or rng.random() < 0.65:
        return rng.choice(_TOPIC.side(held_out))
    return rng.choice(_TOPIC.built)


def unknown_question(rng: random.Random, held_out: bool) -> str:
    """A question outside the world: a near miss, another topic, several at once, or noise."""
    draw = rng.random()
    if draw < 0.38:
        return near_miss(rng, held_out)
    if draw < 0.92:
        return topic_question(rng, held_out)
    if draw < 0.96:
        return " ".join(topic_question(rng, held_out) for _ in range(rng.randint(2, 4)))
    return noise(rng)


def noise(rng: random.Random) -> str:
    """What a cat types."""
    letters = rng.choice(
        ("abcdefghijklmnopqrstuvwxyz", "asdfghjkl", "?!.,;:", "äöüéèñçß", "🙂🎉🐱❤️", _KEYS)
    )
    words = ("".join(rng.choices(letters, k=rng.randint(2, 8))) for _ in range(rng.randint(1, 3)))
    return " ".join(words)


_KEYS = "qwertyuiop[]{}()#$%&@*/=<>~^_|\\"
