"""Faults a person can act on, and the exit code each carries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True)
class Problem:
    """One fault: what is wrong, where, what was found, what is allowed, what to do.

    Parameters
    ----------
    what : str
        The fault in a few words, e.g. ``"negative count"``.
    where : str
        File, row and column, or plan key, e.g. ``"data.csv, row 12, column arrest"``. Rows count from 1 with
        the header as row 1, as a spreadsheet shows them.
    found, allowed, do : str
        The offending value, the rule, and the remedy. Each may be empty.
    """

    what: str
    where: str = ""
    found: str = ""
    allowed: str = ""
    do: str = ""

    def line(self) -> str:
        """The fault as one line of text."""
        parts = [f"{self.where}: {self.what}" if self.where else self.what]
        if self.found:
            parts.append(f"found {self.found}")
        if self.allowed:
            parts.append(f"allowed: {self.allowed}")
        if self.do:
            parts.append(self.do)
        return "; ".join(" ".join(part.split()) for part in parts)


class AttritionError(Exception):
    """Base class of every error this package raises on purpose."""

    exit_code = 1


class InputError(AttritionError, ValueError):
    """The plan or the data are at fault; carries every problem found, not only the first.

    Parameters
    ----------
    problems : iterable of Problem
    """

    exit_code = 2

    def __init__(self, problems: Iterable[Problem] | Problem) -> None:
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(problem.line() for problem in self.problems))

    def __reduce__(self) -> tuple[type[InputError], tuple[tuple[Problem, ...]]]:
        """Made again from its problems: an exception's own way is from its message."""
        return type(self), (self.problems,)


class UnfitError(AttritionError, RuntimeError):
    """The sampler did not reach its diagnostics; the run is kept and marked ``unfit``."""

    exit_code = 3


class NotReproducible(AttritionError, RuntimeError):
    """A stored number could not be derived again from its stored draws."""

    exit_code = 5


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Advice naming the closest known words, or listing the first few of them."""
    names = sorted({str(name) for name in known})
    close = get_close_matches(word, names, n=2, cutoff=0.6)
    if close:
        return "did you mean " + " or ".join(repr(name) for name in close) + "?"
    shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    return f"known: {shown}" if names else ""
