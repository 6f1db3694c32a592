"""Long lists of ordinary words for what nobody can guess: names of functions, parameters, things.

Each list is split by the words themselves, so that a word is learnt or held out everywhere.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from training.world.names import TRAIN_NAMES, is_held_out, made_up_word
from training.world.phrasings import Phrasings
from training.world.text import words

HELD_OUT_SHARE = 0.15


def _split(text: str) -> Phrasings:
    both = words(text)
    train = tuple(word for word in both if not is_held_out(f"word {word}", HELD_OUT_SHARE))
    return Phrasings(train, tuple(word for word in both if word not in train))


NOUNS = _split(
    "acorn address advert album anchor angle apron arch armour arrow atlas attic award axis "
    "bakery balcony bamboo banner barrel basket battery beach beacon beard belt bench bell berry "
    "billing blade blossom board bonfire border bowl bracelet branch brass bread breeze brush "
    "bubble budget bulb bundle bunker cabbage cabinet cable cactus cage calendar canal canoe "
    "canvas carbon cargo carrot castle cave ceiling cellar cement chain chalk channel chapter "
    "charge chart chest chimney choir cigar circle circus client cliff cloak cloth clover coal "
    "coast cocoa collar column comet compass contract copper coral cord corn corner cottage "
    "cotton couch course cover cradle crane crater cream credit crew crop crystal cube culture "
    "cushion dairy dashboard deadline debt deck degree delay desert dessert device diamond diary "
    "dinner dock domain donation draft drain drawer dress drill dust dwelling eclipse elbow "
    "elevator engine entry envelope error estate event exam exhibit expense fabric factory "
    "feather fence fever field film filter finger flag flame flavour flood floor flour folder "
    "forest fork fortress fossil fountain freight fridge frost fuel fund furnace galaxy gallery "
    "garage garden garlic gate gear ginger glacier glove glue grain grape gravel guest guide "
    "habitat hammer hammock handle harbour harvest hazard headline hedge heel herb highway hinge "
    "honey hood hook horizon hose hospital icon image inbox incident income ingredient invoice "
    "iron island ivory jersey jewel journal journey juice jungle junction kayak kernel kettle "
    "kingdom kitchen label lace lagoon laundry lawn layer leaf leather lecture lemonade lens "
    "licence limb linen liquid loan lobby lounge lunch machine magnet mango manual maple marble "
    "margin market marsh mask mast meadow meal medal melody melon menu metal meteor mill mineral "
    "mint mission mortgage moss motor mountain museum mushroom muscle nail napkin necklace needle "
    "nest network noodle notebook novel nursery nutmeg oasis oats ocean olive onion orbit orchard "
    "order organ oven owner oxygen package paddle palace palm pancake panel paper parade park "
    "passport pasta path patient pavement payment peach pebble pedal pension pepper permit petal "
    "picnic pillar pine pipe pirate plank planet plate platform plaza plug pocket poem pole "
    "policy pond porch port portrait potato powder prize profile project proposal pulley pulse "
    "pump pumpkin puppet puzzle pyramid quarry quilt quiz raft railway ramp ranch ration razor "
    "receipt recipe record reef refund region report request reserve rhythm ribbon rice ridge "
    "river road robot rocket roof rope route rubber ruler sack saddle salad salt sample sand "
    "satchel satellite sauce scarf schedule school screen screw sculpture season section seed "
    "server session shadow sheet shell shelter ship shop shore shovel sign signal silk silver "
    "sketch slipper soap sock soil spark speaker spice spider spring square stable stadium staff "
    "stage stair statue steam steel sticker stocking stone storage stove straw stream street "
    "string studio subject suburb sugar suit summary summit sunshine surface survey swamp switch "
    "symbol syrup tailor tank tape target task temple tennis theatre thread throne thunder ticket "
    "tile timber title toast tobacco tomato tool tooth torch towel tower trail trailer treasure "
    "treaty tribe trophy truck trumpet tunnel turbine tyre uniform union vacation valley valve "
    "vase vehicle velvet vendor vessel village vine vinegar virus visa visitor vitamin voucher "
    "voyage wagon wallet warehouse waste waterfall wealth weapon wedding whistle widget willow "
    "window wing winter wire workshop yacht yarn yoghurt zebra zone "
    "surname username filename hostname pathname"
)
VERBS = _split(
    "accept activate adapt admire advance align allow alter amend analyse announce apply approve "
    "archive arrest assemble assign attach attack audit bake bless block boil borrow bounce brew "
    "broadcast brush build bundle calibrate cancel capture carry carve cast celebrate charge "
    "chase chop claim classify climb close compile compress confirm connect construct consult "
    "cook copy create crop crush damage dance debug decide decline decode decorate delay delete "
    "deny deploy deposit design destroy detect develop digest disable discover dispatch display "
    "donate download drain drive duplicate earn edit eject empty enable enlarge enrich erase "
    "estimate examine exchange execute expand explore export extend extract fasten feed file fill "
    "filter finish flip float fold follow force forecast forge format forward freeze gather "
    "generate grab grade grant grind group grow guard hang harvest heal hide hire hunt ignite "
    "improve inflate inform inject insert inspect install invert invest iron judge jump kick knit "
    "label launch lead lease lift limit link load lock maintain mark measure melt migrate "
    "minimise mirror modify monitor mount navigate observe obtain offer omit operate organise "
    "park parse paste patch pause peel perform phone plot poll polish pour praise predict prepare "
    "preview process produce promote protect prove publish pull punch purge push quote raise rank "
    "rate reach rebuild recover reduce refresh register reject release reload rename repair "
    "report request rescue reset resize resolve restart restore resume review revise rinse rotate "
    "save scan score scrape scrub search seal select separate serve shake sharpen shift ship "
    "shrink shut sign simplify sketch slice smooth spray spread squash stack stamp steer stir "
    "stop store strike study submit subscribe suggest summon supply suspend sweep swap sync tame "
    "taste teach tear test tick tighten toast toggle trace track trade transfer trap trigger tune "
    "twist uninstall unlock unpack update upgrade upload validate verify vote wash watch water "
    "weave weigh whisper whip wipe"
)
PARAMETERS = _split(
    "account address age alias area author batch body budget category channel choice client code "
    "colour company contact context country customer data date day deadline degree depth "
    "destination device direction distance district domain duration email entry event field file "
    "filter flag floor folder format goal grade group guest head height host hour id image index "
    "info key kind label length limit line link list location lookup mail main manager mark mode "
    "model month note object option order origin owner page param part path period phone pin "
    "point port position post price priority product profile query range rank rate reader reason "
    "record ref region reply request result role room route row rule scale scope score search "
    "section seed series session shape side sign site size slot sort source speed stage start "
    "state status step stop store street style subject symbol tag task team template term theme "
    "ticket time title token tone topic total track tray type unit url value variant version view "
    "volume week weight width window writer year zone"
)


# What the other lists of tools hold out, without an ending that is added to a word, and an unknown
# word could be; a test knows them.
HELD_OUT_ELSEWHERE = words(
    "arrange balance basil boiler bonus brick candle carpet cleo collect combine contrast diet "
    "edith esme farid ferry hostel jacket lemon litre mentor move parcel phrase pillow pisa poster "
    "rhyme scramble storm supplier tamara tobias tokens villa yard zoom"
)
# Of the unknown words to learn from, the share that consists of parts of real ones: a held-out word
# has such letters, and so such tokens, too.
BLENDED_SHARE = 0.5


def unknown_word(rng: random.Random, held_out: bool) -> str:
    """A word that nobody can guess, in lower case."""
    if held_out:
        return made_up_word(rng, True)
    while True:
        blended = rng.random() < BLENDED_SHARE
        word = blended_word(rng, LEARNT) if blended else made_up_word(rng, False)
        if is_new(word):
            return word


def blended_word(rng: random.Random, of: Sequence[str]) -> str:
    """The head of a word and the tail of another, 4 to 11 letters."""
    while True:
        head, tail = rng.choice(of), rng.choice(of)
        word = head[: rng.randint(2, len(head) - 1)] + tail[rng.randint(1, len(tail) - 2) :]
        if 4 <= len(word) <= 11:
            return word


def is_new(word: str) -> bool:
    """Whether it is neither in `LEARNT` nor held out, by a list of tools or as a made-up word."""
    held_out = is_held_out(word) or is_held_out(f"word {word}", HELD_OUT_SHARE)
    return not held_out and word not in HELD_OUT_ELSEWHERE and word not in LEARNT


_REAL = (*NOUNS.train, *VERBS.train, *PARAMETERS.train, *TRAIN_NAMES)
LEARNT = sorted({word.lower() for word in _REAL if len(word) > 3 and word.isalpha()})


def long_made_up_word(rng: random.Random, held_out: bool) -> str:
    """A word nobody can guess that is unlikely to stand inside another."""
    while True:
        word = unknown_word(rng, held_out)
        if len(word) > 3:
            return word


def any_noun(rng: random.Random, held_out: bool) -> str:
    """A noun from the list or a made-up one."""
    if rng.random() < 0.5:
        return rng.choice(NOUNS.side(held_out))
    return long_made_up_word(rng, held_out)


def any_verb(rng: random.Random, held_out: bool) -> str:
    """A verb from the list or a made-up one."""
    if rng.random() < 0.55:
        return rng.choice(VERBS.side(held_out))
    return long_made_up_word(rng, held_out)
