"""What the demo bookshop sells: the same books for the same seed. No HTML and no HTTP belong here."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

_OPENINGS = (
    "The Salt",
    "A Quiet",
    "The Last",
    "Notes on a",
    "The Paper",
    "An Ordinary",
    "The Winter",
    "Letters from the",
    "The Glass",
    "Nine Days in the",
    "A Short History of the",
    "The Borrowed",
)
_THINGS = (
    "Harbour",
    "Orchard",
    "Lighthouse",
    "Café",
    "Garden",
    "Map",
    "Staircase",
    "Observatory",
    "Ferry",
    "Archive",
    "Clockmaker",
    "Kitchen",
    "Fjord",
    "Library",
    "Night Train",
    "Beekeeper’s House",
)
_ENDINGS = ("", "", "", " Revisited", " & Other Stories", ": A Novel", " in Winter", ", Volume II")
_FORENAMES = ("Zoë", "Marta", "Idris", "Ana", "Søren", "Li", "Agnès", "Tom", "Nadia", "Piotr", "Grace", "Jun")
_SURNAMES = (
    "Månsson",
    "Okafor",
    "Whitlock",
    "de la Cruz",
    "Holm",
    "Tanaka",
    "Byrne",
    "Żak",
    "Mbeki",
    "Ferrante",
)
_SUBJECTS = ("Fiction", "Travel", "History", "Science", "Cookery", "Poetry")
_SENTENCES = (
    "It begins with a door that nobody remembers closing.",
    "Three sisters inherit a house and disagree about the roof.",
    "The maps are wrong, and everyone in the village knows it.",
    "A book about patience, written in a hurry.",
    "Every chapter can be read on the way to work.",
    "The recipes are real; the family is not.",
)


@dataclass(frozen=True, slots=True)
class Price:
    """One line of a book's price table. `pence` is what a visitor pays, `member_pence` what a member pays."""

    format: str
    pence: int
    member_pence: int
    stock: int


@dataclass(frozen=True, slots=True)
class Book:
    """One book, as the shop's pages and its JSON endpoint show it."""

    slug: str
    title: str
    author: str
    year: int
    pages: int
    isbn: str
    subject: str
    blurb: str
    prices: tuple[Price, ...]

    @property
    def path(self) -> str:
        """Where the shop shows it, from the root of the site."""
        return f"/books/{self.slug}"


def stock(count: int = 300, seed: int = 8763) -> tuple[Book, ...]:
    """The shop's books in the order of its listing: the same for the same `count` and `seed`, on every machine."""
    chance = random.Random(seed)
    titles = _titles(chance)
    return tuple(_book(chance, next(titles)) for _ in range(count))


def _titles(chance: random.Random) -> Iterator[tuple[str, str]]:
    """Titles with their slugs, no slug twice: a title that comes again is called a later edition."""
    seen: dict[str, int] = {}
    while True:
        title = f"{chance.choice(_OPENINGS)} {chance.choice(_THINGS)}{chance.choice(_ENDINGS)}"
        edition = seen[title] = seen.get(title, 0) + 1
        if edition > 1:
            title = f"{title} (edition {edition})"
        yield title, slug(title)


def slug(title: str) -> str:
    """The title in lower-case ASCII letters, digits and single hyphens."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    words = "".join(letter if letter.isalnum() else " " for letter in plain).split()
    return "-".join(words)


def _book(chance: random.Random, title_and_slug: tuple[str, str]) -> Book:
    title, name = title_and_slug
    return Book(
        slug=name,
        title=title,
        author=f"{chance.choice(_FORENAMES)} {chance.choice(_SURNAMES)}",
        year=chance.randint(1950, 2024),
        pages=chance.randint(90, 720),
        isbn=_isbn(chance),
        subject=chance.choice(_SUBJECTS),
        blurb=" ".join(chance.sample(_SENTENCES, 3)),
        prices=tuple(_price(chance, edition) for edition in ("Hardback", "Paperback", "E-book")),
    )


def _price(chance: random.Random, edition: str) -> Price:
    pence = {"Hardback": 1899, "Paperback": 899, "E-book": 499}[edition] + chance.randrange(0, 600, 50)
    in_stock = 999 if edition == "E-book" else chance.randrange(0, 12)
    return Price(edition, pence, pence * 9 // 10, in_stock)


def _isbn(chance: random.Random) -> str:
    """An ISBN-13 with its right check digit (ISO 2108, weights 1 and 3)."""
    digits = "978" + "".join(str(chance.randrange(10)) for _ in range(9))
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return digits + str(-total % 10)
