"""Advice that names what is known names it once."""

from __future__ import annotations

from attrition.data.errors import did_you_mean


def test_a_name_known_twice_is_named_once() -> None:
    known = ["priors", "sources", "priors"]
    assert did_you_mean("prior", known) == "did you mean 'priors'?"
    assert did_you_mean("xyz", known) == "known: priors, sources"
