"""Effects sampled as departures from what counts say of them: another way of writing the same density."""

from __future__ import annotations

import numpy as np
import pytensor
import pytest
from pytensor.compile.mode import Mode, get_mode
from scipy.stats import norm

from attrition.estimation.binding import bind_plan
from attrition.estimation.plan import read_plan
from attrition.models import compile as compiling
from attrition.models.anchors import NO_ANCHORS, make_anchors
from attrition.models.sightings import make_sightings

INTERPRETED = Mode("py", get_mode("FAST_COMPILE").provided_optimizer)
HEAD = "jurisdiction,period_start,period_end,offense,stage,relation,count,origin\n"
KNOWN = """North,2023,2023,all,referral,exact,41200,referred_only
North,2023,2023,all,arrest,exact,5100,referred_only
East,2023,2023,all,referral,exact,900,referred_only
East,2023,2023,all,arrest,exact,12,referred_only
"""
# South is known from below alone; of West and Far only the sum is known; of all places sums at two stages, from below
# and of other twelve months, so that the counts of North, East and Far pass cells of theirs.
WORLDS = {
    "bound": """South,2023,2023,all,referral,exact,30000,referred_only
South,2023,2023,all,arrest,at_least,4000,referred_only
""",
    "total": """West,2023,2023,all,referral,exact,50000,referred_only
Far,2023,2023,all,referral,exact,3000,referred_only
all,2023,2023,all,arrest,exact,11612,referred_only
""",
    "stages": """West,2023,2023,all,referral,exact,500000,referred_only
Far,2023,2023,all,referral,exact,3000,referred_only
Far,2023,2023,all,arrest,exact,150,referred_only
all,2022-10-01,2023-09-30,all,investigation,at_least,90000,referred_only
all,2022-10-01,2023-09-30,all,arrest,at_least,20000,referred_only
""",
}
PLAN = """
[funnel]
stages = [STAGES]
units = {referral = "report", investigation = "case", arrest = "person"}
[[input]]
file = "rows.csv"
form = "long"
clock = "cohort"
as_of = "2024-06-30"
"""


@pytest.fixture(scope="module", params=sorted(WORLDS))
def blueprint(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    (folder / "rows.csv").write_text(HEAD + KNOWN + WORLDS[request.param], encoding="utf-8")
    stages = ["referral", *(["investigation"] if request.param == "stages" else []), "arrest"]
    plan = PLAN.replace("STAGES", ", ".join(f'"{stage}"' for stage in stages))
    if request.param != "stages":
        plan = plan.replace('investigation = "case", ', "")
    (folder / "plan.toml").write_text(plan, encoding="utf-8")
    return bind_plan(read_plan(folder / "plan.toml")).blueprint


def test_totals_alone_need_no_single_count(tmp_path):
    rows = "".join(line for line in KNOWN.splitlines(True) if ",arrest," not in line)
    rows += WORLDS["total"].replace("50000", "500000")  # so that one place stands for the total
    (tmp_path / "rows.csv").write_text(HEAD + rows, encoding="utf-8")
    plan = PLAN.replace("STAGES", '"referral", "arrest"').replace('investigation = "case", ', "")
    (tmp_path / "plan.toml").write_text(plan, encoding="utf-8")
    blueprint = bind_plan(read_plan(tmp_path / "plan.toml")).blueprint
    anchors = make_anchors(blueprint)
    sightings = make_sightings(blueprint, anchors)
    assert len(sightings) == len(anchors) == 4
    model = compiling.compile_model(blueprint).model
    assert np.isfinite(program(model, [model.logp()])(model.initial_point()))


def program(model, outputs):
    values = model.replace_rvs_by_values(outputs)
    run = pytensor.function(model.value_vars, values, mode=INTERPRETED, on_unused_input="ignore")
    return lambda point: run(*[point[value.name] for value in model.value_vars])


def test_the_density_is_the_same(blueprint, monkeypatch):
    """Up to the Jacobians of the coordinates."""
    one = compiling.compile_model(blueprint)
    anchors = one.anchors
    rng = np.random.default_rng(3)
    point = {k: v + 0.3 * rng.standard_normal(np.shape(v)) for k, v in one.model.initial_point().items()}
    wanted = [one.model.logp(), one.model["z"], one.model["sd_cell"]]
    if len(anchors):
        wanted.append(one.model["anchored"])
    run = program(one.model, wanted)
    found, z, sd, *effect = run(point)

    monkeypatch.setattr(compiling, "make_sightings", lambda blueprint, anchors: None)
    monkeypatch.setattr(compiling, "make_anchors", lambda blueprint: NO_ANCHORS)
    monkeypatch.setattr(compiling, "weights", lambda blueprint, scales: zero)
    zero = {name: np.zeros_like(w) for name, w in zip(one.blocks, one.weights, strict=True)}
    other = compiling.compile_model(blueprint)
    plain = {name: value for name, value in point.items() if name not in ("w", "anchor")} | {"z": z.copy()}
    moved = 0.0
    if len(anchors):
        # The place in z of an anchored effect is idle there, and holds the effect here.
        start = sum(int(np.prod(w.shape[1:])) for w in one.weights[: one.blocks.index("cell")])
        idle = z[anchors.step, start + anchors.unit]
        plain["z"][anchors.step, start + anchors.unit] = effect[0] / sd[anchors.step]
        moved += norm.logpdf(idle).sum() - np.log(sd[anchors.step]).sum()
    (expected,) = program(other.model, [other.model.logp()])(plain)

    def ends(name, k, by):
        step = np.zeros_like(point[name])
        step[k] = by
        return np.concatenate([x.ravel() for x in run(point | {name: point[name] + step})[1::2]])

    names = [("w", k) for k in np.ndindex(point["w"].shape)] + [("anchor", (k,)) for k in range(len(anchors))]
    jacobian = [(ends(name, k, 1e-6) - ends(name, k, -1e-6)) / 2e-6 for name, k in names]
    moved += np.linalg.slogdet(np.array(jacobian))[1]

    assert found == pytest.approx(expected + moved, rel=1e-6, abs=1e-4)


def test_what_is_sighted(blueprint):
    anchors = make_anchors(blueprint)
    sightings = make_sightings(blueprint, anchors)
    counts = len(sightings) - len(anchors)
    known = [12 / 900, 5100 / 41200, 150 / 3000]
    np.testing.assert_allclose(sorted(np.exp(sightings.target[:counts])), sorted(known[:counts]))
    np.testing.assert_allclose(sightings.target[counts:], -anchors.log_n)
    passed = sightings.inner.sum(axis=0)
    if blueprint.layout.steps == 2:
        # Totals at two stages: what the places hold at the second is told by what they hold at the first, and the
        # three counts pass both.
        assert (counts, anchors.wall.tolist(), anchors.before.tolist()) == (
            3,
            [True] * 2,
            [-1] * 4 + [0, 1, 2, 3],
        )
        assert len(passed) == counts + len(anchors)
        assert (passed[:counts, counts:] != 0).sum(axis=1).tolist() == [2, 2, 2]
        assert (anchors.log_n[4:] == 0).all()
        return
    # South's bound; what West and Far hold of the total
    assert counts == 2
    np.testing.assert_allclose(np.exp(anchors.log_n), [30000] if len(anchors) == 1 else [50000, 3000])
    np.testing.assert_allclose(passed, np.eye(len(anchors)))
    assert anchors.wall.tolist() == [len(anchors) == 1]
