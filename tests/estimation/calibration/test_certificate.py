"""What a certificate holds for, and when it no longer does."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from attrition.estimation.binding import bind_plan
from attrition.estimation.calibration.certificate import (
    LASTS,
    NAME,
    certificate,
    form_of,
    standing,
    write_certificate,
)
from attrition.estimation.checks.contract import Seen
from attrition.estimation.checks.sbc_certificate import Certificate
from attrition.estimation.plan import read_plan

ACCOUNT = {"fitted": 200}
GOOD = {"quantity": "rate of all", "failed": False}
BAD = {"quantity": "log-likelihood", "failed": True}


def said(blueprint, runs):
    (result,) = Certificate().run(Seen(blueprint, None, None, (), (), None, runs))
    return result


@pytest.fixture
def kept(bound, tmp_path):
    """Write a certificate of the tiny plan, changed as asked."""

    def write(verdicts=(GOOD,), plan="tiny", form=None, **changes):
        value = certificate(form or form_of(bound.blueprint, "nuts"), plan, list(verdicts), ACCOUNT)
        write_certificate(tmp_path / plan, {**value, **changes})
        return value

    return write


def test_a_form_is_that_of_other_data_and_other_places(bound, tiny, tmp_path):
    lines = tiny.with_name("data.csv").read_text().replace("North", "West").replace("40,12", "400,31")
    (tmp_path / "data.csv").write_text(lines)
    (tmp_path / "plan.toml").write_text(tiny.read_text())
    other = bind_plan(read_plan(tmp_path / "plan.toml")).blueprint
    assert other.panel.digest() != bound.panel.digest()
    assert form_of(other, "nuts") == form_of(bound.blueprint, "nuts")


@pytest.mark.parametrize(
    ("patch", "part"),
    [
        ({"prior.spread": 0.5}, "model"),
        ({"prior.intercept": {"median": 0.3, "sd": 1.1}}, "model"),
        ({"effect.+": {"kind": "offense"}}, "model"),
        ({"exclude.+": {"offense": "all", "reason": "r"}}, "kinds"),
    ],
)
def test_another_model_or_kind_is_another_form(bound, tiny, patch, part):
    mine, other = (
        form_of(bound.blueprint, "nuts"),
        form_of(bind_plan(read_plan(tiny, patch)).blueprint, "nuts"),
    )
    changed = {name for name in vars(mine) if getattr(mine, name) != getattr(other, name)}
    assert changed == {part}


def test_missing_is_informational(bound, tmp_path):
    for runs in (None, tmp_path):
        result = said(bound.blueprint, runs)
        assert (result.verdict, result.value) == ("informational", None)
        assert "attrition sbc" in result.sentence


def test_valid_passes_or_fails_by_what_it_found(bound, tmp_path, kept):
    assert kept()["passed"]
    result = said(bound.blueprint, tmp_path)
    assert (result.verdict, result.value) == ("passed", 0.0)
    assert "200 simulated panels" in result.sentence
    assert not kept([GOOD, BAD])["passed"]
    result = said(bound.blueprint, tmp_path)
    assert (result.verdict, result.value) == ("failed", 1.0)
    assert result.sentence.endswith("1 of 2 test quantities were not uniform: log-likelihood.")


def test_stale_by_sources_or_by_age(bound, tmp_path, kept):
    form = form_of(bound.blueprint, "nuts")
    kept(form=replace(form, sources="0" * 64))
    assert standing(form, tmp_path).state == "stale"
    assert "other sources" in said(bound.blueprint, tmp_path).sentence
    made = datetime.fromisoformat(kept()["made"])
    assert standing(form, tmp_path, made + LASTS).state == "valid"
    late = standing(form, tmp_path, made + LASTS + timedelta(seconds=1))
    assert (late.state, late.reason) == ("stale", "it is older than 26 weeks")
    kept(made=(datetime.now(UTC) - LASTS - timedelta(days=1)).isoformat())
    assert said(bound.blueprint, tmp_path).verdict == "informational"


def test_more_kinds_cover_fewer_and_not_the_reverse(bound, tmp_path, kept):
    form = form_of(bound.blueprint, "nuts")
    assert len(form.kinds) == 2
    few = replace(form, kinds=form.kinds[:1])
    kept()
    assert standing(few, tmp_path).state == "valid"
    kept(form=few)
    assert standing(form, tmp_path).state == "missing"


def test_the_valid_one_of_several_plans_is_found(bound, tmp_path, kept):
    form = form_of(bound.blueprint, "nuts")
    kept(plan="older", form=replace(form, sources="0" * 64))
    kept(plan="other", form=replace(form, model="0" * 64))
    kept(plan="tiny")
    found = standing(form, tmp_path)
    assert (found.state, found.found["plan"]) == ("valid", "tiny")


def test_a_file_that_is_no_certificate_certifies_nothing(bound, tmp_path):
    for number, text in enumerate(("", "[1]", '{"format": 2}', '{"format": 1}')):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / NAME).write_text(text)
    assert standing(form_of(bound.blueprint, "nuts"), tmp_path).state == "missing"
