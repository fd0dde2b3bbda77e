"""Names that other people rely on: axes, columns, words. Changing one is a CHANGELOG entry."""

from __future__ import annotations

from typing import Final, Literal

ROOT: Final = "all"
AXES: Final = ("offense", "jurisdiction", "period")
MADE: Final = (":rest", ":unsplit")  # ends of names of nodes that the model adds; never published

Relation = str  # one of RELATIONS or "share_of_<stage>"
CLOSED: Final = "closed"  # how many units were closed without the outcome
RELATIONS: Final = ("exact", "approx", "at_least", "at_most", "range", "suppressed", "rounded", CLOSED)
SHARE_OF: Final = "share_of_"
CLOSED_WITHOUT: Final = "closed_without_"  # a column of the wide form, before the name of a stage

Origin = Literal["referred_only", "all_sources", "unknown"]
ORIGINS: Final = ("referred_only", "all_sources", "unknown")
Clock = Literal["cohort", "period", "unknown"]
CLOCKS: Final = ("cohort", "period", "unknown")
Role = Literal["use", "context", "doubtful"]
ROLES: Final = ("use", "context", "doubtful")
UnitClass = Literal["report", "case", "person", "charge", "other"]
UNIT_CLASSES: Final = ("report", "case", "person", "charge", "other")
UNIT_WORDS: Final = (*UNIT_CLASSES, "rate", "share")  # of a table of units: the last two are no counts

WIDE_KEYS: Final = ("offense", "jurisdiction", "period")
WIDE_OPTIONAL: Final = ("source_id", "origin", "clock", "as_of", "note")
LONG_COLUMNS: Final = (
    "jurisdiction", "period_start", "period_end", "offense", "stage", "relation", "count", "count_low",
    "count_high", "unit", "origin", "clock", "as_of", "source_id",
)  # fmt: skip
LONG_OPTIONAL: Final = ("funnel_role", "part_of", "note")

ESTIMATE_COLUMNS: Final = (
    "quantity_id", "quantity", "step", "offense", "jurisdiction", "period", "basis", "clock", "as_of", "median",
    "mean", "sd", "q05", "q25", "q75", "q95", "bound_low", "bound_high", "bound_basis", "contraction",
    "contraction_own", "label", "denominator_median", "statements",
)  # fmt: skip
SENSITIVITY_COLUMNS: Final = (
    "scenario", "quantity_id", "quantity", "step", "offense", "jurisdiction", "period", "basis", "value", "base",
    "base_sd", "shift", "label", "base_label",
)  # fmt: skip
ShiftUnit = Literal["sd", "logit", "rate"]  # of what is assumed of silent places
SHIFT_UNITS: Final[tuple[ShiftUnit, ...]] = ("sd", "logit", "rate")
SHIFT: Final = "shift_"  # what a kind adds to rates, before its name, among the draws
TIPPING_COLUMNS: Final = ("key", "unit", "shift", "probability")
SILENT_COLUMNS: Final = (
    "quantity_id", "quantity", "step", "offense", "period", "unit", "shift", "median", "q05", "q95",
)  # fmt: skip
SCENARIO_KEYS: Final = (
    "name", "reason", "set", "identity", "status", "seconds", "route", "why", "khat", "ess", "claims_changed",
)  # fmt: skip
ROUTES: Final = ("reweighted", "refitted", "re-evaluated")
REWEIGHTED, REFITTED, REEVALUATED = ROUTES
REVISION_PARTS: Final = ("corrected", "matured", "arrived", "model")
REVISION_COLUMNS: Final = (
    "quantity_id", "quantity", "step", "offense", "jurisdiction", "period", "basis", "old", "new", "revision",
    *REVISION_PARTS, "outside", "old_label", "new_label",
)  # fmt: skip
HISTORY_COLUMNS: Final = (
    "quantity_id", "quantity", "step", "offense", "jurisdiction", "period", "basis", "vintages", "first_as_of", "first",
    "first_q05", "first_q95", "first_label", "latest_as_of", "latest", "latest_label", "revision", "outside",
)  # fmt: skip
REVISION_STATISTICS: Final = (
    "quantity", "step", "basis", "numbers", "bias", "mean_absolute", "root_mean_square", "share_outside", "counted",
    "counted_outside",
)  # fmt: skip
CLAIM_KEYS: Final = (
    "key", "kind", "subject", "said", "text", "query", "quantity_ids", "probability", "threshold", "effect", "holds",
)  # fmt: skip
CHANGE: Final = "→"  # between the two periods of a change
QUANTITIES: Final = ("rate", "end_to_end", "change", "contrast", "so_far", "ever")
BASES: Final = ("superpopulation", "finite")
CONFIDENTIAL: Final = "confidential"
LABELS: Final = (
    "data-driven", "model-assisted", "prior-driven", "not published", "counted", CONFIDENTIAL,
)  # fmt: skip

GROUPS: Final = (
    "posterior", "prior", "posterior_predictive", "prior_predictive", "log_likelihood", "log_prior",
    "sample_stats", "observed_data", "quantities",
)  # fmt: skip
