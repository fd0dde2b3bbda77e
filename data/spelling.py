"""Names that look right and are not: outer blanks, hidden or lookalike letters, two spellings of one."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import lru_cache

# Cyrillic and Greek letters drawn like Latin ones (Unicode TR39 confusables, the single-letter part).
_LOOKALIKES = str.maketrans(
    "АВЕЅІЈКМНОРСТХУаеѕіјорсхуѵԁһԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧονρι",
    "ABESIJKMHOPCTXYaesijopcxyvdhqwABEZHIKMNOPTYXovpi",
)


@lru_cache(maxsize=65_536)
def oddity(name: str) -> str:
    """What is odd about a name, in a few words; empty when nothing is."""
    if name != name.strip():
        return "blanks before or after the name"
    hidden = sorted({c for c in name if unicodedata.category(c) in ("Cc", "Cf", "Co", "Cn", "Cs")})
    if hidden:
        return "a hidden character, " + ", ".join(f"U+{ord(c):04X}" for c in hidden)
    if "  " in name or any(c.isspace() and c != " " for c in name):
        return "a double or unusual blank inside the name"
    if unicodedata.normalize("NFKC", name) != name:
        return f"letters in a compatibility or decomposed form of {unicodedata.normalize('NFKC', name)!r}"
    for word in name.split():
        scripts = {_script(c) for c in word if c.isalpha()} & {"LATIN", "CYRILLIC", "GREEK"}
        if len(scripts) > 1:
            return f"letters of {' and '.join(sorted(s.title() for s in scripts))} in the one word {word!r}"
    return ""


def _script(letter: str) -> str:
    return unicodedata.name(letter, "").split(" ")[0]


def skeleton(name: str) -> str:
    """What remains of a name when case, the kind of blank or hyphen, and lookalike letters do not count."""
    folded = unicodedata.normalize("NFKC", name).translate(_LOOKALIKES).casefold()
    return " ".join("".join(" " if c in "-_\u2010\u2011\u2013" else c for c in folded).split())


def twins(names: Iterable[str]) -> list[tuple[str, ...]]:
    """Groups of distinct names that share a skeleton: probably one category spelt in several ways."""
    groups: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        groups.setdefault(skeleton(name), []).append(name)
    return [tuple(group) for group in groups.values() if len(group) > 1]
