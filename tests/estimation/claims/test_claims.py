"""What a run says of its rates: each probability by a second count, each sentence only where it may be said."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest

from attrition.data.names import CLAIM_KEYS, ESTIMATE_COLUMNS
from attrition.estimation.claims.catalogue import claims_of, kinds
from attrition.estimation.claims.contract import Claim, Told

from ...loaded import loaded_by

R = 4000
AXES = {"offense": ("theft", "fraud"), "jurisdiction": ("North",), "period": ("2023", "2024")}


def told(
    values: Mapping[tuple[str, str, str], np.ndarray],
    labels: Mapping[str, str] | None = None,
    ratio: bool = False,
    probability: float = 0.9,
    effect: float = 0.1,
) -> Told:
    """Rows named (quantity, offense, period) with their draws; labels by offense."""
    rows = []
    for (quantity, offense, period), draws in values.items():
        label = (labels or {}).get(offense, "data-driven")
        rows.append(
            dict.fromkeys(ESTIMATE_COLUMNS, np.nan)
            | {"quantity_id": f"{quantity}|{offense}|{period}", "quantity": quantity, "step": "referral-arrest",
               "offense": offense, "jurisdiction": "all", "period": period, "basis": "superpopulation",
               "clock": "cohort", "label": label,
               "median": np.nan if label == "not published" else float(np.median(draws))}
        )  # fmt: skip
    axes = {
        axis: [{"name": "all", "label": "all", "parent": None}]
        + [{"name": leaf, "label": leaf.capitalize(), "parent": "all"} for leaf in leaves]
        for axis, leaves in AXES.items()
    }
    description = {
        "steps": [{"name": "referral-arrest", "kind": "ratio" if ratio else "probability"}],
        "funnel": {"stages": ["referral", "arrest"]},
        "axes": axes,
        "answer": {"jurisdiction": "all", "period": "all"},
    }
    table = pd.DataFrame(rows)
    return Told(
        description,
        table,
        list(table["quantity_id"]),
        np.stack(list(values.values()), axis=1),
        probability,
        effect,
    )


def said(found: list[Claim], kind: str) -> list[Claim]:
    return [claim for claim in found if claim.kind == kind]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def test_the_folder_is_the_catalogue():
    assert [kind.name for kind in kinds()] == ["level", "direction", "highest", "apart"]


def test_the_tightest_round_numbers_that_hold(rng):
    draws = rng.uniform(0.03, 0.09, R)
    found = claims_of(told({("rate", "all", "all"): draws}))
    (below,), (above,) = said(found, "below"), said(found, "above")
    assert below.said == "the rate is below 10 %"
    assert below.probability == 1.0
    # A share of one third lies below 5 %, two thirds above it: neither is enough, so 2 % is the next.
    assert above.said == "the rate is above 2 %"
    assert above.holds
    less = claims_of(told({("rate", "all", "all"): draws}, probability=0.6))
    assert said(less, "above")[0].said == "the rate is above 5 %"
    assert said(less, "above")[0].probability == pytest.approx(2 / 3, abs=0.03)


def test_a_level_beyond_the_ladder_does_not_hold(rng):
    found = claims_of(told({("rate", "all", "all"): rng.uniform(0.4, 0.9, R)}))
    (below,) = said(found, "below")
    assert (below.said, below.holds) == ("the rate is below 50 %", False)
    assert below.probability == pytest.approx(0.2, abs=0.03)
    ratio = claims_of(told({("rate", "all", "all"): rng.uniform(3, 4, R)}, ratio=True))
    assert said(ratio, "below")[0].said == "the rate is below 5 per referral"
    assert said(ratio, "above")[0].said == "the rate is above 2 per referral"


@pytest.mark.parametrize(
    ("factor", "words"),
    [(1.5, "rose by 10 % or more"), (0.6, "fell by 10 %"), (1.02, "did not change by 10 %")],
)
def test_direction_needs_a_difference_that_matters(rng, factor, words):
    earlier = rng.uniform(0.2, 0.21, R)
    later = factor * earlier * rng.uniform(0.999, 1.001, R)
    values = {("rate", "all", "2024"): later, ("change", "all", "2023→2024"): later - earlier}
    (claim,) = said(claims_of(told(values)), "direction")
    assert words in claim.said
    assert claim.subject == "referral → arrest, 2023 to 2024"
    assert (claim.probability, claim.holds) == (1.0, True)


def test_direction_counts_joint_draws(rng):
    earlier, later = rng.uniform(0.1, 0.3, R), rng.uniform(0.1, 0.3, R)
    values = {("rate", "all", "2024"): later, ("change", "all", "2023→2024"): later - earlier}
    (claim,) = said(claims_of(told(values)), "direction")
    shares = [(later / earlier >= 1.1).mean(), (earlier / later >= 1.1).mean()]
    shares.append(1 - sum(shares))
    assert claim.probability == pytest.approx(max(shares))
    assert not claim.holds


def test_the_highest_by_as_much_as_matters(rng):
    theft = rng.uniform(0.30, 0.31, R)
    fraud = np.where(np.arange(R) < R // 4, 0.295, 0.1)  # so near in a quarter of the draws
    values = {("rate", "all", "all"): theft, ("rate", "theft", "all"): theft, ("rate", "fraud", "all"): fraud}
    (claim,) = said(claims_of(told(values)), "highest")
    assert "of 2 offenses Theft has the highest rate" in claim.said
    assert claim.probability == pytest.approx(0.75)
    assert claim.quantity_ids == ("rate|theft|all", "rate|fraud|all")
    assert said(claims_of(told(values, effect=0.0)), "highest")[0].probability == 1.0
    # The key is that of the comparison: another winner is the same claim, said otherwise.
    swapped = values | {("rate", "theft", "all"): fraud, ("rate", "fraud", "all"): theft}
    (other,) = said(claims_of(told(swapped)), "highest")
    assert (other.key, "Fraud" in other.said) == (claim.key, True)


def test_apart_from_its_siblings(rng):
    theft, rest = rng.uniform(0.3, 0.4, R), rng.uniform(0.1, 0.2, R)
    values = {("rate", "theft", "all"): theft, ("contrast", "theft", "all"): theft - rest}
    (claim,) = said(claims_of(told(values)), "apart")
    assert claim.text == (
        "referral → arrest, Theft: the rate is higher than that of its siblings together, by 10 % or more"
    )
    (other,) = said(claims_of(told(values | {("contrast", "theft", "all"): rest * 0 + 0.001})), "apart")
    assert "not 10 % or more from that of its siblings" in other.said


@pytest.mark.parametrize("label", ["prior-driven", "not published"])
def test_nothing_is_claimed_of_what_the_data_do_not_decide(rng, label):
    values = {
        ("rate", "theft", "all"): rng.uniform(0.3, 0.4, R), ("rate", "fraud", "all"): rng.uniform(0.1, 0.2, R)
    }  # fmt: skip
    found = claims_of(told(values, {"fraud": label}))
    assert {name for claim in found for name in claim.quantity_ids} == {"rate|theft|all"}
    assert said(found, "highest") == []


def test_a_record_has_the_keys_that_others_read(rng):
    (claim, _) = claims_of(told({("rate", "all", "all"): rng.uniform(0.3, 0.4, R)}))
    record = claim.record()
    assert set(record) == set(CLAIM_KEYS)
    assert record["text"] == f"{record['subject']}: {record['said']}"


def test_claims_load_no_modelling_library() -> None:
    loaded = loaded_by("import attrition.estimation.claims.catalogue")
    assert not loaded & {"pymc", "pytensor", "numba"}
