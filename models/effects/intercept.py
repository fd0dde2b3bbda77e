"""The level of each step."""

from __future__ import annotations

from typing import ClassVar

from ...data.axes import Axes
from .. import terms


class Intercept:
    """One location a step; its prior is the plan's ``[prior] intercept``."""

    name: ClassVar[str] = "intercept"
    order: ClassVar[int] = 0
    example: ClassVar[str] = '[[effect]]\nkind = "intercept"\n'

    class Settings(terms.Settings):
        """No settings."""

    def sentence(self) -> str:
        """What the effect says, in one sentence."""
        return "Each step has its own overall level."

    def equation(self) -> str:
        """Its symbol in the linear predictor."""
        return "μ[s]"

    def terms(self, settings: terms.Settings, axes: Axes) -> tuple[terms.Term, ...]:
        """Its contribution on these axes."""
        return (terms.Intercept(),)
