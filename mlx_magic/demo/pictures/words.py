"""Everyday words of three to seven letters, for pictures of words and labels of charts."""

from .split import is_held_out

WORDS = tuple(
    """
    able acorn actor apple apron april arrow atlas autumn badge bagel baker ball bamboo banana band
    bank barn basil basket beach beaker bean bear bell belt berry bike bird blanket board boat book
    boot bottle bowl box brave bread brick bridge bright broom brush bucket bunny bus butter button
    cabin cake camel camera candle candy canoe car carpet carrot castle cat cedar chair chalk
    cheese cherry chess chilly city clay clever clock cloud coat cocoa coffee comb comet cook cookie
    copper coral corn cotton cow crab cradle crayon cream cricket crow crown cup curtain daisy
    dance dawn deer desert desk dinner dish doctor dog dollar donkey door dove dragon drawer dream
    dress drum duck dune eagle early earth easy elbow empty engine evening fabric falcon family
    farm fast feather fence fern ferry field fig finger fire fish flag flame flower flute fog
    forest fork fox fresh friend frog fruit galaxy garden garlic gate ghost giant ginger giraffe
    glass glove goat gold goose grape grass green guitar hammer happy harbour hat hazel heart
    heavy helmet help hero hill home honey hope horse hotel house hut jacket jam jar jelly jewel
    joke juice jump jungle kettle key king kitchen kite kitten knee knife ladder lake lamp lantern
    lap large laugh leaf lemon letter library lime lion little lizard lobster lunch magic mango
    maple market meadow melon merry milk mint mirror monday monkey moon morning moth mouse museum
    music napkin nature needle nest new night noodle north nurse nut oak oasis ocean olive onion
    open orange orchid otter owl paddle page paint palace panda paper park parrot party pasta peach
    pear pebble pencil pepper piano picnic pilot pine pirate pizza planet plate plum pocket poem
    poet pond pony potato prince puzzle queen quick quiet quilt rabbit radio rain rainbow raven
    ribbon rice ring river road robin robot rocket roof room rope rose ruby sail salad salt sand
    saturn school sea seed shadow sheep shell ship shirt shoe silver sister sky sleep slow
    smile snail snow soap sock sofa soup south spider spoon spring square squash stable stamp star
    station stone storm story street sugar summer sun sunday sunset supper swan sweet table tail
    tea teacher tent tiger time toast today tomato tooth torch tower town toy train
    tree tulip turkey turtle uncle valley vase velvet village violin visit voice wagon walnut
    water wave weather wheel whisper white wild wind window wing winter wolf wonder wood wool
    yellow yes young zebra
    """.split()  # noqa: SIM905 - five hundred words read better so
)
COLOUR_WORDS = frozenset(
    (
        "copper", "coral", "gold", "green", "lime", "olive", "orange", "peach", "plum", "rose",
        "ruby", "silver", "white", "yellow",
    )
)  # fmt: skip
HELD_OUT_SHARE = 0.25


def word_held_out(word: str) -> bool:
    """Whether no training picture shows the word."""
    return is_held_out(f"word {word.lower()}", HELD_OUT_SHARE)


def number_held_out(number: int) -> bool:
    """Whether no training picture shows the number; single digits all are shown."""
    return number > 9 and is_held_out(f"number {number}", 0.1)


TRAIN_WORDS = tuple(word for word in WORDS if not word_held_out(word))
HELD_OUT_WORDS = tuple(word for word in WORDS if word_held_out(word))
