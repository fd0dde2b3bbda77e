"""Rows, weighted rates, contractions, labels and shares of information, by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from attrition.data.funnel import Funnel
from attrition.data.names import LABELS
from attrition.estimation.contraction import contraction
from attrition.estimation.information import information
from attrition.estimation.labels import label
from attrition.estimation.predicted import Part
from attrition.estimation.predictive import moments, reports
from attrition.estimation.rows import CellDraws, evaluate, link, make_rows, published_steps, quantity_id
from attrition.models.field import FieldDraws

from ..panels import bind, make_panel

FUNNEL = Funnel(("referral", "investigation", "arrest"))
PLACES = {"US": "all", "NE": "US", "NY": "US", "UK": "all"}


@pytest.fixture(scope="module")
def blueprint():
    """Two offenses in three places; (b, UK) has no statement at all."""
    facts = []
    for node, n, y in (("a/NE", 10, 4), ("b/NE", 20, 5), ("a/NY", 30, 6), ("b/NY", 40, 9), ("a/UK", 50, 7)):
        facts += [("referral", node, "exact", n), ("investigation", node, "exact", y)]
    return bind(make_panel(facts, "ab", PLACES), ["intercept"])


class TestRows:
    def test_every_node_with_an_active_cell(self, blueprint):
        rows = make_rows(blueprint.panel, blueprint.layout)
        found = {tuple(names) for names in rows.names}
        nodes = {(o, j, "all") for o in ("all", "a", "b") for j in ("all", "US", "NE", "NY", "UK")}
        assert found == nodes - {("b", "UK", "all")}

    def test_membership_holds_no_explicit_zeros(self, blueprint):
        rows = make_rows(blueprint.panel, blueprint.layout)
        assert (rows.member.data == 1).all()
        size = rows.member.getnnz(axis=1)
        for name, cells in ((("all", "all"), 5), (("b", "all"), 2), (("all", "US"), 4), (("all", "UK"), 1)):
            assert size[rows.find(*name, "all")] == cells

    def test_members_are_the_cells_below(self, blueprint):
        rows = make_rows(blueprint.panel, blueprint.layout)
        for number, (offense, jurisdiction, period) in enumerate(rows.names):
            cells = blueprint.panel.axes.cells(offense, jurisdiction, period)
            expected = np.isin(blueprint.layout.cells, cells)
            np.testing.assert_array_equal(rows.member[number].toarray().ravel() == 1, expected)

    def test_whole_and_leaf(self, blueprint):
        rows = make_rows(blueprint.panel, blueprint.layout)
        root, state = rows.find("all", "all", "all"), rows.find("a", "NE", "all")
        assert rows.whole[root].all()
        assert rows.whole[state].tolist() == [False, False, True]
        assert (rows.leaf[root], rows.leaf[state], rows.leaf[rows.find("a", "US", "all")]) == (
            False,
            True,
            False,
        )
        assert rows.find("a", "nowhere", "all") is None

    def test_end_to_end_only_where_there_are_several_steps(self):
        assert [name for name, _ in published_steps(FUNNEL)] == ["rate", "rate", "end_to_end"]
        assert [name for name, _ in published_steps(Funnel(("referral", "arrest")))] == ["rate"]

    def test_ids_are_readable(self):
        assert quantity_id("rate", "referral-arrest", ["a", "all", "2024"], "finite") == (
            "rate|referral-arrest|a|all|2024|finite"
        )


class TestEvaluate:
    MEMBER = sp.csr_matrix(np.array([[1, 1, 0], [1, 1, 1], [0, 0, 1.0]]))
    RATES = np.array([[[0.5, 0.2, 0.9], [0.4, 0.1, 0.3]]])
    COUNTS = np.array([[[10, 30, 0], [6, 3, 0], [1, 2, 0.0]]])

    def values(self, counts, step):
        return evaluate(self.MEMBER, CellDraws(self.RATES, counts).step(step))

    def test_rates_are_weighted_by_the_denominator(self):
        values = self.values(self.COUNTS, FUNNEL.steps[0])
        np.testing.assert_allclose(values.superpopulation[:, 0], [(5 + 6) / 40, 11 / 40, 0.9])
        np.testing.assert_allclose(values.finite[:2, 0], [9 / 40, 9 / 40])
        assert np.isnan(values.finite[2, 0])
        np.testing.assert_array_equal(values.denominator[:, 0], [40, 40, 0])

    def test_a_later_step_has_the_stage_before_as_weight(self):
        values = self.values(self.COUNTS, FUNNEL.steps[1])
        np.testing.assert_allclose(values.superpopulation[0, 0], (6 * 0.4 + 3 * 0.1) / 9)
        np.testing.assert_allclose(values.finite[0, 0], 3 / 9)

    def test_end_to_end_multiplies_the_cells_rates_first(self):
        values = self.values(self.COUNTS, FUNNEL.end_to_end)
        np.testing.assert_allclose(values.superpopulation[0, 0], (10 * 0.2 + 30 * 0.02) / 40)
        np.testing.assert_allclose(values.finite[0, 0], 3 / 40)

    def test_a_row_without_units_is_the_plain_mean(self):
        counts = self.COUNTS.copy()
        counts[0, 0] = 0
        values = self.values(counts, FUNNEL.steps[0])
        np.testing.assert_allclose(values.superpopulation[:, 0], [0.35, (0.5 + 0.2 + 0.9) / 3, 0.9])
        assert np.isnan(values.finite).all()

    def test_an_unknown_cell_does_not_count(self):
        counts = self.COUNTS.copy()
        counts[0, :, 1] = np.nan
        values = self.values(counts, FUNNEL.steps[0])
        np.testing.assert_allclose((values.superpopulation[0, 0], values.finite[0, 0]), (0.5, 0.6))

    def test_links(self):
        np.testing.assert_allclose(link(np.array([0.5, 0.2]), False), [0, np.log(0.25)])
        np.testing.assert_allclose(link(np.array([2.0]), True), np.log(2))
        assert np.isfinite(link(np.array([0.0, 1.0]), False)).all()


class TestContractionAndLabels:
    def test_contraction_is_one_less_the_ratio_of_variances(self):
        found = contraction(np.array([1.0, 1.0, 3.0, 1.0, 1.0]), np.array([4.0, 1.0, 2.0, 0.0, np.nan]))
        np.testing.assert_array_equal(found, [0.75, 0.0, 0.0, 0.0, np.nan])

    def test_labels_take_the_smaller(self):
        against = np.array([0.9, 0.9, 0.9, 0.9, 0.2, 0.04, 0.7, 0.3, 0.05])
        own = np.array([0.8, 0.5, 0.2, 0.0, 0.9, np.nan, np.nan, np.nan, np.nan])
        data, assisted, prior, none = LABELS[:4]
        assert (data, none) == ("data-driven", "not published")
        found = label(against, own, *[np.zeros(9, dtype=bool)] * 3)
        assert found.tolist() == [data, assisted, prior, none, prior, none, data, assisted, prior]

    def test_margins_alone_never_rise_above_model_assisted(self):
        none = np.zeros(2, dtype=bool)
        found = label(np.array([0.95, 0.4]), np.array([0.95, 0.1]), ~none, none, none)
        assert found.tolist() == ["model-assisted", "prior-driven"]

    def test_margins_over_stated_shares_never_rise_above_prior_driven(self):
        held, margins, mixed = np.full(3, 0.95), np.array([True, True, False]), np.array([True, False, True])
        few = np.zeros(3, dtype=bool)
        found = label(held, held, margins, mixed, few)
        assert found.tolist() == ["prior-driven", "model-assisted", "data-driven"]

    def test_where_few_report_never_more_than_model_assisted(self):
        no = np.zeros(3, dtype=bool)
        found = label(np.array([0.95, 0.4, 0.1]), np.full(3, np.nan), no, no, ~no)
        assert found.tolist() == ["model-assisted", "model-assisted", "prior-driven"]

    def test_no_contraction_is_not_published(self):
        one, no = np.array([np.nan]), np.array([False])
        assert label(one, one, no, no, no).tolist() == ["not published"]


class TestInformation:
    """One rate common to three sources with large n: on the logit the posterior is Gaussian, and precisions add."""

    N = np.array([40_000, 20_000, 4_000])
    PRIOR_VARIANCE = 1e-4

    @pytest.fixture(scope="class")
    @classmethod
    def toy(cls):
        facts = []
        for o, n in zip("abc", cls.N, strict=True):
            facts += [("referral", o, "exact", n), ("investigation", o, "exact", int(0.3 * n))]
        panel = make_panel(facts, "abc", stages=("referral", "investigation"))
        sourced = tuple(replace(s, source_id=f"office {s.offense}") for s in panel.statements)
        return bind(replace(panel, statements=sourced), ["intercept"])

    def told(self, toy, eta, psi, held, shown=None):
        draws = FieldDraws(eta[:, :, 0], {}, {}, np.ones((len(eta), 1)))
        found = moments(np.random.default_rng(1), toy, eta, draws)
        table = information(
            shown or reports(toy),
            [Part.whole(shown or reports(toy), found)],
            ["q"],
            lambda _: psi[:, None],
            np.array([held]),
        )
        sums = table.groupby("by")["share"].sum()
        np.testing.assert_allclose(sums, 1, atol=1e-3)
        return table

    def test_shares_are_the_split_of_precision(self, toy):
        data = self.N * 0.3 * 0.7
        precision = data.sum() + 1 / self.PRIOR_VARIANCE
        center = np.log(0.3 / 0.7)
        psi = center + np.random.default_rng(2).normal(0, precision**-0.5, 8000)
        held = 1 - 1 / precision / self.PRIOR_VARIANCE
        table = self.told(toy, np.repeat(psi[:, None, None], 3, axis=2), psi, held)
        share = table[table["by"] == "source_id"].set_index("name")["share"]
        for office, part in zip(("office a", "office b", "office c"), data / precision, strict=True):
            assert share[office] == pytest.approx(part, rel=0.02)
        assert share["prior"] == pytest.approx(1 / self.PRIOR_VARIANCE / precision, rel=0.02)
        kind = table[table["by"] == "kind"].set_index("name")["share"]
        assert kind["exact"] == pytest.approx(data.sum() / precision, rel=0.02)

    def test_a_number_of_its_own_comes_from_its_own_source(self, toy):
        """Cells that share nothing: independent draws, and all of the information from the one report."""
        sd = (self.N * 0.21) ** -0.5
        eta = np.log(0.3 / 0.7) + np.random.default_rng(3).normal(size=(8000, 1, 3)) * sd
        table = self.told(toy, eta, eta[:, 0, 1], 1.0)
        share = table[table["by"] == "source_id"].set_index("name")["share"]
        assert share["office b"] > 0.995

    def test_a_range_tells_less_than_a_count(self, toy):
        psi = np.log(0.3 / 0.7) + np.random.default_rng(4).normal(0, (self.N.sum() * 0.21) ** -0.5, 8000)
        eta = np.repeat(psi[:, None, None], 3, axis=2)
        exact = reports(toy)
        # A total of sd 65 within 10 of where it stands, within 65, and anywhere.
        shares = []
        for width in (0, 10, 65, 1e9):
            low, high = max(exact[1].low - width, 0.0), exact[1].high + width
            shown = (exact[0], replace(exact[1], low=low, high=high), exact[2])
            table = self.told(toy, eta, psi, 0.8, shown)
            share = table[table["by"] == "source_id"].set_index("name")["share"]
            shares.append(share.get("office b", 0.0) / share["office a"])
        assert shares[0] == pytest.approx(0.5, rel=0.02)
        # The variance of a standard normal cut at ±z is 1 - 2zφ(z)/(2Φ(z) - 1).
        assert shares[1] == pytest.approx(0.5 * (1 - 0.0087), rel=0.02)
        assert shares[2] == pytest.approx(0.5 * (1 - 0.2911), rel=0.03)
        assert shares[3] == 0.0
