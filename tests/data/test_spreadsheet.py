"""Text that a spreadsheet would run; numbers that only look like it."""

from __future__ import annotations

import pandas as pd
import pytest

from attrition.data.spreadsheet import harmless, harmless_table


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "\0=1",
        "＝1",
        "－1",
        "  =1",
        "\u00a0=1",
        "\u200b=1",
    ],
)
def test_formulas_become_text(text):
    assert harmless(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "Idaho", "a=b", "1-2", "'=1", "2024Q1", "→"])
def test_other_text_stays(text):
    assert harmless(text) == text


def test_the_type_of_the_column_decides():
    table = pd.DataFrame(
        {"name": ["-5", "=x", None], "number": [-5.0, 1.0, float("nan")], "whole": [-1, 2, 3]}
    )
    safe = harmless_table(table)
    assert safe["name"].tolist()[:2] == ["'-5", "'=x"]
    pd.testing.assert_frame_equal(safe[["number", "whole"]], table[["number", "whole"]])
    assert table["name"][0] == "-5"
