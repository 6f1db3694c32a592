"""Three-sentence stories: what a person wishes for, the story, and whether a story keeps to it.

What a wish leaves open is decided by the hero, so that each hero has a story of its own and a model
that always takes the likeliest word still tells different ones.
"""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from training.world.facts import (
    ANIMALS,
    HELD_OUT_HEROES,
    MORE_HEROES,
    STORY_COLOURS,
    STORY_HEROES,
    STORY_PLACES,
    STORY_SIZES,
    STORY_THINGS,
)
from training.world.manners import Manner
from training.world.names import is_held_out, made_up_word, person_name
from training.world.unknown import OBJECTS, OTHER_ANIMALS, plural_of, with_article

CHILD = "child"  # the hero of a story about a bare name
_PLURALS = {animal.name: animal.plural for animal in ANIMALS}
_HOMES = {animal.name: animal.home for animal in ANIMALS}
_NEXT = {a.name: b.name for a, b in zip(ANIMALS, ANIMALS[7:] + ANIMALS[:7], strict=True)}
FIRST_HERO = "fox"
_HERO_ENDS = ("", "", "", "", "er", "y", "ling", "man", "f", "fish")


@dataclass(frozen=True)
class Wish:
    """What a story must hold; what is None is left to the teller."""

    hero: str
    colour: str | None = None
    place: str | None = None
    thing: str | None = None
    name: str | None = None

    @property
    def held_out(self) -> bool:
        """Whether this combination is kept from training; a known bare hero never is."""
        parts = (self.colour, self.place, self.thing)
        key = f"wish {self.hero} {self.colour} {self.place} {self.thing}"
        return self.hero in HELD_OUT_HEROES or (any(parts) and is_held_out(key, 0.15))

    def shouted(self) -> Wish:
        """The same wish in capital letters."""
        parts = (self.colour, self.place, self.thing, self.name)
        return Wish(self.hero.upper(), *(part and part.upper() for part in parts))


def sample_wish(
    rng: random.Random,
    held_out: bool,
    typed: Callable[[str], str] = str,
    plain_words: bool = False,
) -> Wish:
    """A wish from the asked side; `plain_words` keeps to words that the tables hold."""
    while True:
        hero = _hero(rng, held_out, plain_words)
        named = rng.random() < 0.18 and not plain_words
        child = named and rng.random() < 0.3
        wish = Wish(
            CHILD if child else hero,
            _looks(rng) if rng.random() < 0.4 and not child else None,
            rng.choice(STORY_PLACES) if rng.random() < 0.3 else None,
            _thing(rng, plain_words) if rng.random() < 0.3 else None,
            typed(person_name(rng, held_out).split(" ")[0]) if named else None,
        )
        if wish.held_out == held_out:
            return wish


def _hero(rng: random.Random, held_out: bool, plain_words: bool) -> str:
    """Mostly a known animal; often enough a word that can only be copied."""
    if held_out and not plain_words and rng.random() < 0.3:
        return rng.choice(HELD_OUT_HEROES)
    draw = rng.random()
    if draw < 0.38 or plain_words:
        return rng.choice(ANIMALS).name if draw < 0.5 else rng.choice(STORY_HEROES)
    if draw < 0.55:
        return rng.choice(STORY_HEROES)
    if draw < 0.7:
        return rng.choice(MORE_HEROES)
    if draw < 0.82:
        return rng.choice(OTHER_ANIMALS if draw < 0.78 else OBJECTS)
    start = rng.choice("aeiou") if rng.random() < 0.3 else ""  # `an elf`, not `a nelf`
    return start + made_up_word(rng, False) + rng.choice(_HERO_ENDS)


def _looks(rng: random.Random) -> str:
    return rng.choice(STORY_COLOURS if rng.random() < 0.6 else STORY_SIZES)


def _thing(rng: random.Random, plain_words: bool) -> str:
    """Something to find; sometimes somebody to meet."""
    if rng.random() < 0.65:
        return rng.choice(STORY_THINGS)
    other = _hero(rng, False, plain_words)
    return with_article(f"{_looks(rng)} {other}" if rng.random() < 0.3 else other)


def wish_text(rng: random.Random, wish: Wish) -> str:
    """The wish in words: `a red fox named Pip in a forest who finds a golden key`."""
    bare = wish.colour is wish.place is wish.thing is wish.name is None
    if bare and rng.random() < 0.2:
        return _plural(rng, wish.hero)
    if bare and rng.random() < 0.2:
        return rng.choice(("", "", "my ", "the ")) + wish.hero
    text = with_article(f"{wish.colour} {wish.hero}" if wish.colour else wish.hero)
    if wish.hero == CHILD and wish.name and not wish.name.islower():
        text = wish.name  # written small it could as well be a hero
    elif wish.name:
        text += rng.choice((" named ", " called ")) + wish.name
    if wish.place:
        text += f" {wish.place}"
    if wish.thing:
        text += rng.choice(
            (" and ", " and ", " who finds ", " who found ", " with ", " that finds ")
        )
        text += wish.thing
    return text


def _plural(rng: random.Random, hero: str) -> str:
    """The plural, sometimes as a child would make it: `wolfs`, `ponys`."""
    if rng.random() < 0.2:
        return f"{hero}s"
    return _PLURALS.get(hero) or plural_of(hero)


def tell(manner: Manner, wish: Wish) -> str:
    """The story of three sentences that keeps to the wish."""
    hero = with_article(f"{wish.colour or _own(wish.hero, 'size', STORY_SIZES)} {wish.hero}")
    if wish.name:
        hero += f" named {wish.name}"
    called = wish.name or f"the {wish.hero}"
    thing = wish.thing or _own(wish.hero, "thing", STORY_THINGS)
    slots = {
        "a_hero": hero,
        "the_hero": called,
        "The_hero": called if wish.name else f"The {wish.hero}",
        "place": wish.place or _HOMES.get(wish.hero) or _own(wish.hero, "place", STORY_PLACES),
        "thing": thing,
    }
    meeting = thing not in STORY_THINGS
    endings = manner.story_friends if meeting else manner.story_ending
    parts = (manner.story_opening, manner.story_middle, endings)
    return manner.story_join.join(
        _own(wish.hero, f"part {i}", part).format(**slots) for i, part in enumerate(parts)
    )


def next_hero(last: str | None) -> str:
    """Whom the next story is about, when the person leaves it open."""
    if last is None:
        return FIRST_HERO
    return _NEXT.get(last) or _own(last, "next", tuple(_NEXT))


def _own(hero: str, what: str, choices: Sequence[str]) -> str:
    """The hero's own choice; heroes outside the animals share theirs by the first letter."""
    key = hero if hero in _NEXT else hero[0]
    return choices[zlib.crc32(f"{key} {what}".encode()) % len(choices)]


def keeps_to(text: str, wish: Wish) -> bool:
    """Whether a text is three whole sentences, or list lines, that hold all that was wished for.

    >>> keeps_to("Once a red fox lived. It ran. It slept.", Wish("fox", colour="red"))
    True
    """
    text = text.strip()
    if text.startswith("- "):
        text = re.sub(r"^- ", "", text, flags=re.MULTILINE)
    sentences = [s for s in re.split(r"(?<=[.!?])\s+", text) if s]
    whole = all(re.fullmatch(r"[A-Z\d].*[a-zA-Z][.!?]", s) or _named(s, wish) for s in sentences)
    wanted = [w for w in (wish.hero, wish.colour, wish.place, wish.thing, wish.name) if w]
    return len(sentences) == 3 and whole and all(w in text for w in wanted)


def _named(sentence: str, wish: Wish) -> bool:
    """A sentence may open with a name that the person typed in small letters."""
    return wish.name is not None and sentence.startswith(wish.name) and sentence[-1] in ".!?"
