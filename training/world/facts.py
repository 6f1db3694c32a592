"""What is true in the little world: sixty countries, thirty animals. Tables only."""

from __future__ import annotations

from dataclasses import dataclass

from training.world.text import words


@dataclass(frozen=True)
class Country:
    """A country as it is written inside a sentence, its capital, and its other names."""

    name: str
    capital: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Animal:
    """An animal with its colour, its number of legs, and where it lives in stories."""

    name: str
    colour: str
    legs: int
    home: str
    plural: str
    aliases: tuple[str, ...] = ()


COUNTRIES: tuple[Country, ...] = (
    Country("Argentina", "Buenos Aires"),
    Country("Australia", "Canberra"),
    Country("Austria", "Vienna"),
    Country("Belgium", "Brussels"),
    Country("Brazil", "Brasilia"),
    Country("Bulgaria", "Sofia"),
    Country("Canada", "Ottawa"),
    Country("Chile", "Santiago"),
    Country("China", "Beijing"),
    Country("Colombia", "Bogota"),
    Country("Croatia", "Zagreb"),
    Country("Cuba", "Havana"),
    Country("Czechia", "Prague", ("the Czech Republic",)),
    Country("Denmark", "Copenhagen"),
    Country("Egypt", "Cairo"),
    Country("Ethiopia", "Addis Ababa"),
    Country("Finland", "Helsinki"),
    Country("France", "Paris"),
    Country("Germany", "Berlin"),
    Country("Ghana", "Accra"),
    Country("Greece", "Athens"),
    Country("Hungary", "Budapest"),
    Country("Iceland", "Reykjavik"),
    Country("India", "New Delhi"),
    Country("Indonesia", "Jakarta"),
    Country("Iran", "Tehran"),
    Country("Iraq", "Baghdad"),
    Country("Ireland", "Dublin"),
    Country("Italy", "Rome"),
    Country("Japan", "Tokyo"),
    Country("Kenya", "Nairobi"),
    Country("Lithuania", "Vilnius"),
    Country("Mexico", "Mexico City"),
    Country("Morocco", "Rabat"),
    Country("Nepal", "Kathmandu"),
    Country("the Netherlands", "Amsterdam", ("Netherlands", "Holland")),
    Country("New Zealand", "Wellington"),
    Country("Nigeria", "Abuja"),
    Country("Norway", "Oslo"),
    Country("Pakistan", "Islamabad"),
    Country("Peru", "Lima"),
    Country("the Philippines", "Manila", ("Philippines",)),
    Country("Poland", "Warsaw"),
    Country("Portugal", "Lisbon"),
    Country("Romania", "Bucharest"),
    Country("Russia", "Moscow"),
    Country("Saudi Arabia", "Riyadh"),
    Country("Serbia", "Belgrade"),
    Country("Slovakia", "Bratislava"),
    Country("Slovenia", "Ljubljana"),
    Country("South Korea", "Seoul", ("Korea",)),
    Country("Spain", "Madrid"),
    Country("Sweden", "Stockholm"),
    Country("Switzerland", "Bern"),
    Country("Thailand", "Bangkok"),
    Country("Turkey", "Ankara"),
    Country("Ukraine", "Kyiv"),
    Country(
        "the United Kingdom", "London", ("the UK", "Britain", "Great Britain", "England", "UK")
    ),
    Country(
        "the United States",
        "Washington",
        ("the USA", "the US", "America", "USA", "the United States of America", "US"),
    ),
    Country("Vietnam", "Hanoi"),
)

ANIMALS: tuple[Animal, ...] = (
    Animal("ant", "black", 6, "in a garden", "ants"),
    Animal("bear", "brown", 4, "in a forest", "bears"),
    Animal("bee", "yellow and black", 6, "in a garden", "bees"),
    Animal("camel", "brown", 4, "in a desert", "camels"),
    Animal("cat", "black", 4, "in a village", "cats", ("kitten",)),
    Animal("cow", "brown", 4, "on a farm", "cows"),
    Animal("crab", "red", 10, "on a beach", "crabs"),
    Animal("crocodile", "green", 4, "in a river", "crocodiles"),
    Animal("crow", "black", 2, "in a tall tree", "crows"),
    Animal("dog", "brown", 4, "in a village", "dogs", ("puppy",)),
    Animal("dolphin", "grey", 0, "in the sea", "dolphins"),
    Animal("elephant", "grey", 4, "in a jungle", "elephants"),
    Animal("flamingo", "pink", 2, "by a lake", "flamingos"),
    Animal("fox", "red", 4, "in a forest", "foxes"),
    Animal("frog", "green", 4, "in a pond", "frogs"),
    Animal("goldfish", "orange", 0, "in a pond", "goldfish"),
    Animal("horse", "brown", 4, "on a farm", "horses"),
    Animal("ladybird", "red", 6, "in a garden", "ladybirds", ("ladybug",)),
    Animal("lion", "yellow", 4, "in a wide valley", "lions"),
    Animal("mouse", "grey", 4, "in an old house", "mice"),
    Animal("penguin", "black and white", 2, "on the ice", "penguins"),
    Animal("pig", "pink", 4, "on a farm", "pigs"),
    Animal("polar bear", "white", 4, "on the ice", "polar bears"),
    Animal("sheep", "white", 4, "on a green hill", "sheep"),
    Animal("snake", "green", 0, "in a jungle", "snakes"),
    Animal("spider", "black", 8, "in an old house", "spiders"),
    Animal("tiger", "orange", 4, "in a jungle", "tigers"),
    Animal("whale", "blue", 0, "in the sea", "whales"),
    Animal("wolf", "grey", 4, "in a forest", "wolves"),
    Animal("zebra", "black and white", 4, "in a wide valley", "zebras"),
)

MAX_OPERAND = 99

NUMBER_WORDS = words(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen twenty"
)

# What a story may be asked to hold. The held-out stories are combinations never seen together.
STORY_COLOURS = words(
    "red orange yellow green blue purple pink brown black white grey golden silver"
)
STORY_SIZES = words(
    "little young small clever kind brave big tiny old sad happy lazy hungry friendly lonely funny "
    "strong shy proud sleepy"
)
STORY_PLACES = (
    "in a forest", "in a garden", "in a village", "in the sea", "in a castle", "in the mountains",
    "on a farm", "on an island", "on the moon", "on a boat", "by a lake", "by the sea", "in a cave",
    "in a jungle", "in a desert", "in a big city", "in an old house", "on a green hill",
)  # fmt: skip
STORY_THINGS = (
    "a golden key", "a lost kite", "a shiny stone", "a red balloon", "an old map", "a silver coin",
    "a tiny bell", "a warm scarf", "a music box", "a little lantern", "a blue feather",
    "a magic book", "a wooden boat", "a bright star", "a small drum", "a sweet apple",
)  # fmt: skip
STORY_HEROES = (
    "dragon", "robot", "princess", "knight", "wizard", "witch", "rabbit", "owl", "squirrel", "boy",
    "girl", "king", "queen", "pirate", "duck", "turtle", "hedgehog", "monkey", "unicorn", "giant",
    "fairy", "snowman", "farmer", "sailor", "ghost", "chicken", "goat", "donkey", "butterfly",
    "snail", "teapot", "train", "cloud", "baker", "clown", "kangaroo", "parrot", "dinosaur",
    "monster", "mermaid", "cook", "painter", "goose", "hamster", "otter", "beaver", "raven",
)  # fmt: skip
MORE_HEROES = words(
    "dwarf thief chief calf wolfhound scarf leaf loaf spy bunny puppy kitty lady baby daisy guppy "
    "mummy daddy jockey turkey boxer dancer singer teacher driver hunter fisher writer builder "
    "carpenter miner plumber butcher tailor barber potter weaver shepherd soldier pilot nurse "
    "dentist judge lawyer actor actress artist waiter captain admiral prince duke duchess emperor "
    "empress jester bandit ninja samurai viking caveman astronaut alien cyborg goblin gnome ogre "
    "imp sprite pixie nymph phoenix griffin centaur cyclops vampire werewolf zombie golem "
    "genie angel demon sorcerer warlock druid monk nun priest bishop saint hermit scout student "
    "pupil child granny grandpa uncle aunt cousin twin neighbour stranger guest postman policeman "
    "fireman milkman scarecrow puppet doll teddy toy rocket ship tugboat bus tram scooter "
    "kettle spoon broom lamp candle pumpkin potato carrot tomato cherry berry cactus oak pine bush "
    "box cub pup foal chick duckling kitten tadpole hatchling seahorse mantis "
    "glowworm finch thrush wren lark dove ibis emu puffin gull tern bass carp perch pike sardine"
)
HELD_OUT_HEROES = (
    "koala", "troll", "tractor", "gardener", "seal", "badger", "doctor", "pony", "lamb", "elf",
)  # fmt: skip
