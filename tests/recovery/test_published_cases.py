"""Two tables whose answers others published."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from attrition.estimation.verbs import estimate

# Gelman et al., Bayesian Data Analysis, 3rd ed., table 5.1 (Tarone 1982): rats, and those with a tumour.
RATS = (
    [(20, 0)] * 7 + [(19, 0)] * 4 + [(18, 0)] * 2 + [(17, 0)] + [(20, 1)] * 4 + [(19, 1)] * 2 + [(18, 1)] * 2
    + [(25, 2), (24, 2), (23, 2)] + [(20, 2)] * 6 + [(10, 1), (49, 5), (19, 2), (46, 5), (27, 3), (17, 2)]
    + [(49, 7), (47, 7), (20, 3), (20, 3), (13, 2), (48, 9), (50, 10)] + [(20, 4)] * 7 + [(48, 10)]
    + [(19, 4)] * 3 + [(22, 5), (46, 11), (49, 12), (20, 5), (20, 5), (23, 6), (19, 5), (22, 6)]
    + [(20, 6)] * 3 + [(52, 16), (46, 15), (47, 15), (24, 9), (14, 4)]
)  # fmt: skip

# Spiegelhalter et al., BUGS Examples volume 1, "Surgical: institutional ranking": operations and deaths.
SURGICAL = (
    (47, 0), (148, 18), (119, 8), (810, 46), (211, 8), (196, 13), (148, 9), (215, 31), (207, 14), (97, 8),
    (256, 29), (360, 24),
)  # fmt: skip
SURGICAL_MEANS = (
    0.0528, 0.103, 0.0707, 0.0593, 0.0515, 0.0692, 0.0668, 0.1237, 0.0697, 0.0785, 0.1022, 0.0687,
)  # fmt: skip


def _write(folder: Path, rows: list[tuple[int, int]] | tuple[tuple[int, int], ...], model: str) -> Path:
    lines = ["jurisdiction,period,exposed,event"]
    lines += [f"g{number:02d},2000,{n},{y}" for number, (n, y) in enumerate(rows, start=1)]
    (folder / "data.csv").write_text("\n".join(lines) + "\n")
    (folder / "plan.toml").write_text(
        'format = 1\n[funnel]\nstages = ["exposed", "event"]\n'
        '[[input]]\nfile = "data.csv"\nas_of = 2000-12-31\n' + model
    )
    return folder / "plan.toml"


def test_rat_tumours_beta_binomial(tmp_path: Path) -> None:
    assert len(RATS) == 71
    assert np.sum(RATS, axis=0).tolist() == [1739, 267]
    plan = _write(
        tmp_path,
        RATS,
        '[prior]\nintercept = {dist = "uniform_rate"}\nallow_extreme = "the published analysis"\n'
        '[[effect]]\nkind = "cell"\nform = "beta_binomial"\nprior = "bda"\n[estimate]\ndraws = 1000\n',
    )
    run = estimate(plan, progress=False)
    posterior = run.draws["posterior"]
    mean = 1 / (1 + np.exp(-posterior["intercept"].to_numpy().ravel()))
    total = posterior["log_concentration"].to_numpy().ravel()
    # About 2,000 effective draws: two Monte-Carlo errors of the median are .0006 and .015, of the ends twice that.
    np.testing.assert_allclose(np.median(mean), 0.1437, atol=0.0008)
    np.testing.assert_allclose(np.quantile(mean, [0.05, 0.95]), [0.1230, 0.1672], atol=0.0015)
    np.testing.assert_allclose(np.median(total), 2.744, atol=0.025)
    np.testing.assert_allclose(np.quantile(total, [0.05, 0.95]), [2.210, 3.344], atol=0.06)
    rates = run.draws["cells"].to_dataset()["rate"].to_numpy().reshape(-1, 71).mean(axis=0)
    np.testing.assert_allclose(rates[70], 0.2109, atol=0.008)
    np.testing.assert_allclose(rates[0], 0.0636, atol=0.005)


def test_surgical_logit_normal(tmp_path: Path) -> None:
    plan = _write(
        tmp_path,
        SURGICAL,
        '[prior]\nintercept = {median = 0.5, sd = 1000.0}\nallow_extreme = "the published analysis"\n'
        '[[effect]]\nkind = "jurisdiction"\nconstrained = false\n'
        'sd = {dist = "precision_gamma", shape = 0.001, rate = 0.001}\n[estimate]\ndraws = 1500\n',
    )
    run = estimate(plan, progress=False)
    posterior = run.draws["posterior"]
    mean = 1 / (1 + np.exp(-posterior["intercept"].to_numpy().ravel()))
    sd = posterior["sd_jurisdiction"].to_numpy().ravel()
    np.testing.assert_allclose(mean.mean(), 0.0726, atol=0.003)
    np.testing.assert_allclose(mean.std(), 0.0102, atol=0.003)
    np.testing.assert_allclose(sd.mean(), 0.408, atol=0.05)
    np.testing.assert_allclose(sd.std(), 0.161, atol=0.05)
    # The rates themselves: the table withholds those of which the label says that little is known.
    rates = run.draws["cells"]["rate"].mean(("chain", "draw")).to_series()
    cells = rates.groupby(run.draws["cells"]["jurisdiction"].to_numpy()).mean().sort_index()
    np.testing.assert_allclose(cells, SURGICAL_MEANS, atol=0.004)
