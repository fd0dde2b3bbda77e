"""A sweep of scenarios gives the same bytes in one process, in two, and after it was stopped."""

from __future__ import annotations

from pathlib import Path

import pytest

from attrition.estimation import verbs
from attrition.estimation.runners.contract import Where
from attrition.estimation.store.find import list_runs

from ..eight import write_eight

MORE = """[[effect]]
kind = "cell"
[[scenario]]
name = "priors"
reason = "wider and narrower"
set = {"prior.spread" = [1.5, 0.7]}
[[scenario]]
name = "without the last"
reason = "young"
set = {"exclude.+" = {period = "2023", reason = "young"}}
"""


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    return write_eight(tmp_path, MORE, spread=0.2)


def _bytes(root: Path) -> dict[str, bytes]:
    """The tables of every run, and of the comparison."""
    found = {}
    for run in list_runs(root):
        for name in ("estimates.csv", "sensitivity.csv", "claims.json"):
            if (run.folder / name).is_file():
                found[f"{run.identity}/{name}"] = (run.folder / name).read_bytes()
    return found


@pytest.mark.slow
def test_however_it_is_run_a_sweep_gives_the_same_bytes(plan, tmp_path, monkeypatch):
    roots = {name: tmp_path / name for name in ("one", "two", "stopped")}
    for name, workers in (("one", 1), ("two", 2)):
        verbs.vary(plan, runs=roots[name], refit=True, where=Where(workers), progress=False)
    fitted = verbs.estimate
    calls = iter(range(9))

    def stopping(*given, **named):
        if next(calls) == 2:  # the plan's own run and a scenario stand
            raise KeyboardInterrupt
        return fitted(*given, **named)

    monkeypatch.setattr(verbs, "estimate", stopping)
    with pytest.raises(KeyboardInterrupt):
        verbs.vary(plan, runs=roots["stopped"], refit=True, progress=False)
    monkeypatch.setattr(verbs, "estimate", fitted)
    assert len(list_runs(roots["stopped"])) == 2
    verbs.vary(plan, runs=roots["stopped"], refit=True, progress=False)
    one, two, stopped = (_bytes(root) for root in roots.values())
    assert len([name for name in one if name.endswith("estimates.csv")]) == 4
    assert any(name.endswith("sensitivity.csv") for name in one)
    assert one == two
    assert one == stopped
