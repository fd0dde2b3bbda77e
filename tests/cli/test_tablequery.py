"""The SELECT of a plan for a user's own table."""

from __future__ import annotations

import duckdb
import pytest

from attrition.cli.guess import plain
from attrition.cli.tablequery import SEPARATED
from attrition.data.tokens import GROUPED

GROUPED_TEXTS = ["1,204", "12 600", "1'000'000", "1\u00a0204", "12\u202f600"]
OTHERS = ["1,20", "110,5", "1,204+", "0,204", "1.204", "1,204 567", "1204", "12,6000", ""]


@pytest.mark.parametrize("text", [*GROUPED_TEXTS, *OTHERS])
def test_the_query_and_the_guess_know_the_same_separators(text):
    found = duckdb.execute(f"SELECT regexp_full_match(?, '{SEPARATED}')", [text]).fetchall()
    assert found[0][0] == (GROUPED.fullmatch(text) is not None) == (text in GROUPED_TEXTS)


def test_a_decimal_comma_is_no_plain_number():
    assert [plain(text) for text in ("1,204", " 12 ", "12,5", "1,20")] == [1204, 12, None, None]
