"""Where statements stand: small panels with the cells that are expected of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attrition.data.errors import InputError
from attrition.models.unsplit import arrange

from ..panels import bind, make_panel, statement

OFFENSES = {"csam": "all", "sale": "csam", "having": "csam", "luring": "all", "fine": "luring"}
PLACES = {"US": "all", "program": "US", "NE": "program", "NY": "program", "UK": "all"}
YEARS = ("2023", "2024")
SPLIT = {"sale": 500.0, "having": 300.0, "luring": 200.0}
PERSONS = {"referral": "report", "investigation": "case", "arrest": "person"}


def panel_of(facts, mix=SPLIT, remainder=True, years=("2024",), units=None, mixed_in=("2024",)):
    """An arranged panel; ``mix`` at each period of ``mixed_in``."""
    panel = make_panel(facts, OFFENSES, PLACES, YEARS, units=units)
    told = [
        replace(statement(0, ("report", f"{name}//{year}", "exact", count)), id=f"mix {name} {year}")
        for year in mixed_in
        for name, count in mix.items()
    ]
    return arrange(replace(panel, mix=tuple(told)), remainder)


def names_of(panel, cells):
    return {"/".join(panel.axes.cell_names(int(cell))[:2]) for cell in np.atleast_1d(cells)}


def cells_of(panel, number):
    return names_of(panel, panel.arrangement.places[f"s{number}"])


def pools_of(panel):
    return {
        "/".join(panel.axes.cell_names(cell)[:2]): {panel.axes.cell_names(int(c))[0] for c in inside}
        for cell, inside in panel.arrangement.pools.items()
    }


def at(offense, place="NE", year="2024"):
    return f"{offense}/{place}/{year}"


LEAVES = {"sale", "having", "luring"}
# Facts, the cells of each, the totals with what is in them.
TABLE = {
    "a total alone": (
        [("referral", at("all"), "exact", 90), ("arrest", at("all"), "exact", 9)],
        [{"all:unsplit/NE"}, {"all:unsplit/NE"}],
        {"all:unsplit/NE": LEAVES},
    ),
    "one offense alone has a cell of its own": (
        [("referral", at("luring"), "exact", 90), ("arrest", at("luring"), "exact", 9)],
        [{"luring/NE"}, {"luring/NE"}],
        {},
    ),
    "an offense counted beside the total is apart from it": (
        [
            ("referral", at("all"), "exact", 90),
            ("referral", at("csam"), "exact", 50),
            ("arrest", at("csam"), "exact", 5),
        ],
        [{"all:unsplit/NE", "csam:unsplit/NE"}, {"csam:unsplit/NE"}, {"csam:unsplit/NE"}],
        {"all:unsplit/NE": {"luring"}, "csam:unsplit/NE": {"sale", "having"}},
    ),
    "an outcome of some offenses is a part of the total": (
        [("referral", at("all"), "exact", 90), ("arrest", at("csam"), "exact", 5)],
        [{"all:unsplit/NE"}, {"sale/NE", "having/NE"}],
        {"all:unsplit/NE": LEAVES},
    ),
    "an outcome of one leaf is a part of the nearest total": (
        [
            ("referral", at("all"), "exact", 90),
            ("referral", at("csam"), "exact", 50),
            ("arrest", at("sale"), "exact", 5),
        ],
        [{"all:unsplit/NE", "csam:unsplit/NE"}, {"csam:unsplit/NE"}, {"sale/NE"}],
        {"all:unsplit/NE": {"luring"}, "csam:unsplit/NE": {"sale", "having"}},
    ),
    "a part of what is left beside an offense with referrals of its own": (
        [
            ("referral", at("all"), "exact", 90),
            ("referral", at("luring"), "exact", 20),
            ("arrest", at("sale"), "exact", 5),
        ],
        [{"all:unsplit/NE", "luring/NE"}, {"luring/NE"}, {"sale/NE"}],
        {"all:unsplit/NE": {"sale", "having"}},
    ),
    "a place holds its known parts and a rest": (
        [
            ("referral", at("all", "program"), "exact", 90),
            ("referral", at("all", "NE"), "exact", 50),
            ("arrest", at("all", "program"), "exact", 5),
            ("arrest", at("luring", "NY"), "exact", 5),
        ],
        [
            {"all:unsplit/program:rest", "all:unsplit/NE"},
            {"all:unsplit/NE"},
            {"all:unsplit/program:rest", "all:unsplit/NE"},
            {"luring/NY"},
        ],
        {"all:unsplit/program:rest": LEAVES, "all:unsplit/NE": LEAVES},
    ),
    "two levels": (
        [
            ("referral", at("all", "US"), "exact", 200),
            ("referral", at("all", "program"), "exact", 90),
            ("referral", at("all", "NY"), "exact", 50),
        ],
        [
            {"all:unsplit/US:rest", "all:unsplit/program:rest", "all:unsplit/NY"},
            {"all:unsplit/program:rest", "all:unsplit/NY"},
            {"all:unsplit/NY"},
        ],
        {"all:unsplit/US:rest": LEAVES, "all:unsplit/program:rest": LEAVES, "all:unsplit/NY": LEAVES},
    ),
    "the level between is not known": (
        [("referral", at("all", "US"), "exact", 200), ("referral", at("all", "NY"), "exact", 50)],
        [{"all:unsplit/US:rest", "all:unsplit/NY"}, {"all:unsplit/NY"}],
        {"all:unsplit/US:rest": LEAVES, "all:unsplit/NY": LEAVES},
    ),
    "parts known in another period only": (
        [("referral", at("all", "program"), "exact", 90), ("referral", at("all", "NE", "2023"), "exact", 50)],
        [{"all:unsplit/program:rest"}, {"all:unsplit/NE"}],
        {"all:unsplit/program:rest": LEAVES, "all:unsplit/NE": LEAVES},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLE)
def test_cells(name):
    facts, cells, pools = TABLE[name]
    panel = panel_of(facts)
    assert panel.arrangement.unplaced == {}
    assert [cells_of(panel, number) for number in range(len(facts))] == cells
    assert pools_of(panel) == pools


UNPLACED = {
    "finer than the mix": ([("arrest", at("fine"), "exact", 5)], "as fine as fine"),
    "several periods": (
        [("referral", at("all"), "exact", 90), ("arrest", "all/NE/all", "exact", 5)],
        "several periods",
    ),
    "several places": ([("arrest", "all/all/2024", "exact", 5)], "no total of their own"),
    "a part of a total over several places": (
        [
            ("referral", at("all", "program"), "exact", 90),
            ("referral", at("all", "NE"), "exact", 50),
            ("arrest", at("csam", "program"), "exact", 5),
        ],
        "several places",
    ),
    "beyond the cells whose denominator is known": (
        [("referral", at("csam"), "exact", 90), ("arrest", at("all"), "exact", 5)],
        "reaches beyond",
    ),
}


@pytest.mark.parametrize("name", UNPLACED)
def test_statements_that_stand_nowhere_say_why(name):
    facts, words = UNPLACED[name]
    facts = [("referral", at("all", "UK"), "exact", 7), *facts]
    panel = panel_of(facts, remainder=name != "several places")
    ((where, reason),) = panel.arrangement.unplaced.items()
    assert where == f"s{len(facts) - 1}"
    assert words in reason
    assert [node.name for node in panel.arrangement.finer] == ["fine"]


class TestShares:
    def test_of_each_period_the_nearest_that_has_them_all(self):
        panel = panel_of([("referral", at("all"), "exact", 90)], mixed_in=("2024",))
        assert panel.arrangement.mixed_from == ("2024", "2024")
        shares = dict(zip(panel.axes.offense.leaves, np.exp(panel.arrangement.shares[0]), strict=True))
        assert {name: shares[name] for name in LEAVES} == pytest.approx(
            {k: v / 1000 for k, v in SPLIT.items()}
        )
        assert sum(shares.values()) == pytest.approx(1)

    def test_an_incomplete_period_is_left_out_with_the_reason(self):
        panel = make_panel([("referral", at("all"), "exact", 9)], OFFENSES, PLACES, YEARS)
        told = [
            replace(statement(0, ("report", f"{name}//{year}", "exact", 5)), id=f"{name} {year}")
            for name, year in (("sale", "2023"), ("having", "2023"), ("luring", "2023"), ("sale", "2024"))
        ]
        found = arrange(replace(panel, mix=tuple(told)), False).arrangement
        assert found.mixed_from == ("2023", "2023")
        assert "lacks" in found.unplaced["sale 2024"]

    def test_nothing_to_arrange(self):
        panel = make_panel([("referral", at("all"), "exact", 9)], OFFENSES, PLACES, YEARS)
        assert arrange(panel, False) is panel


NODES = [
    at(o, p, y)
    for o in ("all", "csam", "sale", "luring", "fine")
    for p in ("US", "program", "NE", "UK")
    for y in YEARS
]
RELATIONS = st.one_of(
    st.tuples(st.sampled_from(["exact", "approx", "at_least", "at_most", "rounded"]), st.integers(0, 400)).map(
        lambda pair: (pair[0], pair[1])
    ),
    st.tuples(st.integers(1, 300), st.integers(0, 120)).map(lambda pair: ("range", pair[0], pair[0] + pair[1])),
    st.just(("share_of_referral", None, 0.05, 0.2)),
)  # fmt: skip
FACTS = st.lists(
    st.tuples(
        st.sampled_from(["referral", "investigation", "arrest"]),
        st.sampled_from(NODES),
        RELATIONS,
        st.sampled_from(["referred_only", "all_sources", "unknown"]),
        st.booleans(),
    ),
    min_size=2,
    max_size=9,
)


@settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.filter_too_much]
)
@given(FACTS, st.booleans(), st.booleans())
def test_nothing_vanishes(found, remainder, ratio):
    """Every statement has one decision, or one reason why no kind reads it."""
    facts = [
        (stage, node, *relation)
        for stage, node, relation, _, _ in found
        if stage != "referral" or relation[0] != "share_of_referral"
    ]
    kept = [one for one in found if one[0] != "referral" or one[2][0] != "share_of_referral"]
    facts += [("referral", "all/NY/2024", "exact", 50), ("arrest", "all/NY/2024", "exact", 5)]
    panel = make_panel(facts, OFFENSES, PLACES, YEARS, units=PERSONS if ratio else None)
    told = [
        s if s.stage == "referral" else replace(s, origin=one[3], shifted=one[4])
        for s, one in zip(panel.statements, kept, strict=False)
    ]
    mix = tuple(
        replace(statement(0, ("report", f"{name}//2024", "exact", count)), id=f"mix {name}")
        for name, count in SPLIT.items()
    )
    panel = replace(panel, statements=(*told, *panel.statements[-2:]), mix=mix)
    panel = arrange(panel, remainder)
    try:
        blueprint = bind(panel, ["intercept"])
    except InputError:
        return  # contradictory statements, all of them named
    decided = [decision.statement for decision in blueprint.analysis.decisions]
    everything = [*decided, *(name for name in blueprint.unclaimed if name in panel.by_id)]
    assert sorted(everything) == sorted(panel.by_id)
    groups = blueprint.analysis.groups
    inside = {name for group in groups for stage in group.statements for name in stage}
    assert inside <= {d.statement for d in blueprint.analysis.decisions if d.action in ("used", "residual")}
    assert all(decision.reason for decision in blueprint.analysis.decisions)
