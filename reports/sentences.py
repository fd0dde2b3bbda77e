"""Sentences with numbers: a template, a query on the stored run, and the threshold that lets it speak."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from .document import Block, Missing, Paragraph, reason
from .view import View
from .wording import say

Query = Callable[[View, float], Iterable[Mapping[str, str]]]


@dataclass(frozen=True)
class Sentence:
    """A sentence that is printed only when the run supports it.

    Parameters
    ----------
    name : str
        For the reader of an error.
    template : str
        With a ``{word}`` for every value; ``{link}`` is not printed but becomes the target of the link.
    query : callable of (View, threshold)
        Yields the values of each printed sentence; nothing when the threshold is not reached.
    threshold : float
        What the query compares with; its meaning is the query's.
    otherwise : str
        Printed when the query yields nothing; empty for silence.
    link_text : str
    tone : {"said", "warning"}
    """

    name: str
    template: str
    query: Query
    threshold: float = 0.0
    otherwise: str = ""
    link_text: str = "see the table"
    tone: Literal["said", "warning"] = "said"


def said(view: View, sentences: Iterable[Sentence]) -> tuple[Block, ...]:
    """Every sentence the run supports, in order; one that fails says so in its place."""
    out: list[Block] = []
    for sentence in sentences:
        try:
            found = [dict(values) for values in sentence.query(view, sentence.threshold)]
        except Exception as error:
            out.append(Missing(say("the sentence “{name}”").format(name=sentence.name), reason(error)))
            continue
        for values in found:
            link = values.pop("link", "")
            text = say(sentence.template).format(**values)
            out.append(Paragraph(text[:1].upper() + text[1:], link, sentence.link_text, sentence.tone))
        if not found and sentence.otherwise:
            out.append(Paragraph(sentence.otherwise, tone="said"))
    return tuple(out)
