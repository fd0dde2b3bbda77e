"""Prior against posterior: what the data moved."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..companions import withheld
from ..document import Section, attempt
from ..figures.prior import draw
from ..numbers import NONE
from ..printed import left, printed, right, text
from ..view import View
from ..wording import say

order = 70
title = "Prior against posterior"
POINTS = {"low": 0.025, "q25": 0.25, "q50": 0.5, "q75": 0.75, "high": 0.975}
WORDS = {"total_spread": "total spread", "phi": "variance factor φ"}


def build(view: View) -> Section:
    """The rate of the whole and the spreads, before and after the data."""

    def make() -> Any:
        data = pd.DataFrame([*_rates(view), *_spreads(view)])
        if not len(data):
            return None
        data = data.sort_values("panel", key=lambda c: c.map(list(dict.fromkeys(c)).index), kind="stable")

        def figure(value: float) -> str:
            return f"{value:.3g}" if value == value else NONE

        show = {"panel": left("", text), "name": left("Quantity", text)}
        for side in ("prior", "posterior"):
            show |= {f"{side}_q50": right(say("{side} median").format(side=side.capitalize()), figure)}
            show |= {f"{side}_low": right("2.5 %", figure), f"{side}_high": right("97.5 %", figure)}
        return draw(data, printed("prior", "Prior and posterior", data, show))

    return Section("section-prior", title, attempt("the figure of prior and posterior", make))


def _rates(view: View) -> list[dict[str, Any]]:
    implied = view.run.blueprint["prior"].get("implied", {})
    rows = view.rates("offense")
    rows = rows[rows["offense"] == view.axes["offense"].nodes[0].name]
    out = []
    for row in rows.to_dict("records"):
        step = view.step[row["step"]]
        key = "root:end_to_end" if step.whole and len(view.steps) > 1 else f"root:{step.name}"
        prior = implied.get(key) or implied.get(f"root:{step.name}")
        if prior is None or step.kind != "probability":
            continue
        line: dict[str, Any] = {"panel": "Rate of the whole", "scale": "percent", "name": step.title}
        line |= {"prior_low": prior["q025"], "prior_q50": prior["q50"], "prior_high": prior["q975"]}
        line |= {"prior_q25": np.nan, "prior_q75": np.nan}
        draws = view.draws_of([row["quantity_id"]])[:, 0]
        if withheld(row) or np.isnan(draws).any():
            draws = np.full(1, np.nan)
        line |= {f"posterior_{name}": float(np.quantile(draws, q)) for name, q in POINTS.items()}
        out.append(line)
    return out


def _spreads(view: View) -> list[dict[str, Any]]:
    groups = {side: view.run.draws[side].to_dataset() for side in ("prior", "posterior")}
    names = [
        str(name)
        for name in groups["posterior"].data_vars
        if str(name) in ("total_spread", "phi") or str(name).startswith("sd_")
    ]
    out = []
    for name in sorted(names, key=lambda n: (n != "total_spread", n == "phi", n)):
        if name not in groups["prior"].data_vars:
            continue
        after = groups["posterior"][name]
        dims = [str(d) for d in after.dims if d not in ("chain", "draw")]
        if len(dims) > 1:
            continue
        sides = {s: _flat(g[name].transpose(*dims, "chain", "draw").values) for s, g in groups.items()}
        where = after[dims[0]].values if dims else [""]
        for i, step in enumerate(where):
            label = WORDS.get(name, name.removeprefix("sd_").replace("_", " × "))
            panel = (
                say("Spread: {title}").format(title=view.step[str(step)].title)
                if str(step) in view.step
                else "Spread"
            )
            line: dict[str, Any] = {"panel": panel, "scale": "each", "name": label}
            for side, values in sides.items():
                one = values[i] if dims else values
                line |= {f"{side}_{point}": float(np.quantile(one, q)) for point, q in POINTS.items()}
            out.append(line)
    return out


def _flat(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values.reshape(*values.shape[:-2], -1)
