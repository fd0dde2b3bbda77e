"""A plan of two counted cells, the smallest that every command takes."""

from __future__ import annotations

PLAN = """format = 1
name = "known"
[funnel]
stages = ["referral", "arrest"]
[[input]]
file = "data.csv"
as_of = "2025-01-31"
"""
DATA = "offense,jurisdiction,period,referral,arrest\ntheft,North,2023,100,40\ntheft,South,2023,50,10\n"
