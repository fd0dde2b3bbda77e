"""The names that the texts of a column stand for: spellings that are one name, and words for the total."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from ..data.names import ROOT
from ..data.spelling import oddity, twins

# "All other" is a part, so that what follows "all" has to be a word for everything.
_WHOLE_THING: Final = re.compile(
    r"(grand |sub)?totals?|statewide|national|nationwide|all( (the )?(offen[cs]es?|crimes?|types?|categor(y|ies)|"
    r"charges|violations|incidents|cases|reports|states|jurisdictions|counties|districts|regions|places|areas|"
    r"agencies|offices|cities|departments|task ?forces|combined|together|total))*",
    re.IGNORECASE,
)


def one_spelling(texts: Sequence[str]) -> dict[str, str]:
    """Each text that is not its own name to the name it gets: the commonest spelling, or ``all`` for the total."""
    tidy = {text: re.sub(r"\s+", " ", text).strip() for text in set(texts)}
    often = Counter(tidy[text] for text in texts)
    best = {
        name: max(group, key=lambda one: (often[one], one))
        for group in twins(sorted(often))
        for name in group
    }
    found: dict[str, str] = {}
    for text, name in sorted(tidy.items()):
        name = best.get(name, name)
        if _WHOLE_THING.fullmatch(name):
            name = ROOT
        if name and name != text and not oddity(name):
            found[text] = name
    return found
