"""The funnel of the synthetic run."""

from __future__ import annotations

STAGES = ("referral", "investigation", "arrest")
STEPS = ("referral-investigation", "investigation-arrest", "referral-arrest")
