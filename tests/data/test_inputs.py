from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from attrition.data.inputs import (
    AxesSpec,
    ExcludeSpec,
    FunnelSpec,
    InputSpec,
    PanelSpec,
    PreferSpec,
    SourcesSpec,
)

STAGES = ("referral", "arrest", "charge")


@pytest.mark.parametrize(
    ("model", "data", "part"),
    [
        (FunnelSpec, {"stages": ["referral"]}, "at least 2"),
        (FunnelSpec, {"stages": ["referral", "referral"]}, "listed twice"),
        (FunnelSpec, {"stages": ["referral", "pre-trial"]}, "cannot name a stage"),
        (FunnelSpec, {"stages": ["referral", "period"]}, "cannot name a stage"),
        (FunnelSpec, {"stages": STAGES, "units": {"arest": "person"}}, "did you mean 'arrest'"),
        (FunnelSpec, {"stages": STAGES, "units": {"arrest": "people"}}, "person"),
        (FunnelSpec, {"stages": STAGES, "assume_one_to_one": {"referral-arest": "x"}}, "did you mean"),
        (FunnelSpec, {"stages": STAGES, "assume_one_to_one": {"referral-arrest": ""}}, "needs a reason"),
        (FunnelSpec, {"stages": STAGES, "max_per_unit": {"referral-arrest": 3}}, "must be a ratio step"),
        (InputSpec, {}, "either file or query"),
        (InputSpec, {"file": "a.csv", "query": "SELECT 1"}, "either file or query"),
        (InputSpec, {"file": "a.csv", "form": "tall"}, "wide"),
        (InputSpec, {"file": "a.csv", "tokens": {"*": "hidden"}}, "no meaning"),
        (InputSpec, {"file": "a.csv", "tokens": {" ": "not reported"}}, "empty field"),
        (InputSpec, {"file": "a.csv", "as_of": "soon"}, "write a date"),
        (InputSpec, {"file": "a.csv", "columns": {"offense": "x", "period": "x"}}, "two standard names"),
        (InputSpec, {"file": "a.csv", "from": "b"}, "Extra inputs"),
        (AxesSpec, {"period": "month"}, "quarter"),
        (ExcludeSpec, {"source_id": "x"}, "reason"),
        (ExcludeSpec, {"source_id": "x", "reason": ""}, "reason"),
        (PreferSpec, {"reason": "x"}, "at least one column"),
        (PreferSpec, {"source_id": [], "reason": "x"}, "a text or a list of texts"),
        (SourcesSpec, {}, "file"),
    ],
)
def test_a_faulty_section_is_refused(model: type[BaseModel], data: dict[str, Any], part: str) -> None:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(data)
    assert part in str(caught.value)


def test_filters_take_columns_as_keys_and_survive_a_round_trip() -> None:
    spec = ExcludeSpec.model_validate({"source_id": "x", "period": [2023, "2024"], "reason": "old"})
    assert spec.where == {"source_id": ("x",), "period": ("2023", "2024")}
    assert ExcludeSpec.model_validate(spec.model_dump()) == spec


def test_a_panel_spec_survives_json() -> None:
    spec = PanelSpec(
        funnel=FunnelSpec(stages=STAGES, units={"arrest": "person", "charge": "charge"}),
        inputs=(InputSpec(file="a.csv", tokens={"<5": "suppressed 1..4"}, as_of="2024-03"),),
        prefers=(PreferSpec.model_validate({"source_id": "y", "reason": "primary"}),),
    )
    assert PanelSpec.model_validate_json(spec.model_dump_json()) == spec
    assert spec.inputs[0].as_of == "2024-03-31"
    funnel = spec.funnel.to_funnel()
    assert [step.kind for step in funnel.steps] == ["ratio", "ratio"]
    assert funnel.stages == STAGES
