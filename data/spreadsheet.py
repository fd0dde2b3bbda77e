"""Text that no spreadsheet takes for a formula."""

from __future__ import annotations

from typing import Final

import pandas as pd

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")
BLANK: Final = " \u00a0\u200b\ufeff"


def harmless(text: str) -> str:
    """The text, with an apostrophe in front where a spreadsheet would take it for a formula.

    Numbers are never given to it: a minus sign in front of a number is a minus sign.
    """
    bare = text.lstrip(BLANK)
    return f"'{text}" if bare.startswith(FORMULA) else text


def harmless_table(table: pd.DataFrame) -> pd.DataFrame:
    """A copy whose text columns hold harmless text; columns of numbers are as they were."""
    out = table.copy()
    for name in out.columns:
        if pd.api.types.is_numeric_dtype(out[name].dtype):
            continue
        if isinstance(out[name].dtype, pd.StringDtype):
            # Of a column of text hardly anything looks like a formula, and the whole column is searched at once.
            hit = out[name].str.lstrip(BLANK).str.startswith(FORMULA).fillna(False).to_numpy(dtype=bool)
            out.loc[hit, name] = out.loc[hit, name].map(harmless)
        else:
            out[name] = [harmless(v) if isinstance(v, str) else v for v in out[name]]
    return out
