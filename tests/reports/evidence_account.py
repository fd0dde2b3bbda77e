"""What the synthetic run of published evidence read: statements, sources, and what became of each number."""

from __future__ import annotations

from typing import Any

from attrition.data.names import ROOT

WORLD = "XX:worldwide"
MIX = {"csam": 900.0, "enticement": 80.0, "trafficking": 20.0}
REFERRALS = {
    "CZ": {2019: 1000, 2020: 1300, 2021: 1690, 2022: 2000, 2023: 2500},
    "US": {2021: 40_000, 2022: 60_000, 2023: 54_000},
    "US-CA": {2019: 5000, 2020: 8000, 2021: 10_000, 2022: 15_000, 2023: 12_000},
    "NO-Oslo": {2019: 400, 2020: 600},
}

SOURCES = [
    {"source_id": "cz", "title": "Answer of the police", "publisher": "Police", "published": "2024",
     "url": "https://example.org/cz", "confidence": "primary"},
    {"source_id": "us", "title": "Annual <report>", "publisher": "Office", "published": "2024",
     "url": "https://example.org/us?a=1&b=2", "confidence": "primary"},
    {"source_id": "press", "title": "A newspaper", "publisher": "Press", "published": "2023",
     "url": "https://example.org/press", "confidence": "secondary"},
    {"source_id": "digest", "title": "A digest", "publisher": "Blog", "published": "2023",
     "url": "javascript:alert(1)", "confidence": "seed"},
    {"source_id": "ncmec", "title": "Reports by type", "publisher": "NCMEC", "published": "2024",
     "url": "https://example.org/ncmec", "confidence": "primary"},
]  # fmt: skip


def _statement(
    number: int, stage: str, place: str, period: object, count: float, **changed: object
) -> dict[str, Any]:
    line: dict[str, Any] = {
        "id": f"evidence.csv:{number}:{stage}", "stage": stage, "offense": ROOT, "jurisdiction": place,
        "period": str(period), "relation": "exact", "count": float(count), "low": None, "high": None,
        "unit": "reports", "origin": "referred_only", "clock": "period", "as_of": "2024-12-31",
        "source_id": "us" if place.startswith("US") else "cz", "role": "use", "file": "evidence.csv",
        "row": number, "preferred": "", "note": "", "unit_class": "report", "shifted": False, "status": "used",
        "reason": "", "kinds": ["exact"], "others": [],
    }  # fmt: skip
    return line | changed


def statements() -> list[dict[str, Any]]:
    """Used, dropped, unused and excluded numbers."""
    rows: list[tuple[str, str, object, float, dict[str, object]]] = []
    for place, years in REFERRALS.items():
        rows += [("referral", place, year, n, {}) for year, n in years.items()]
    rows += [("investigation", "CZ", y, n * 0.02, {"unit": "cases"}) for y, n in REFERRALS["CZ"].items()]
    rows += [
        ("investigation", "NO-Oslo", 2019, 60, {"clock": "cohort", "shifted": True}),
        ("investigation", "US-CA", 2021, 900, {}),
        ("arrest", "US-CA", 2021, 300, {"origin": "all_sources", "source_id": "press"}),
        ("arrest", "US-CA", 2022, 360, {"origin": "all_sources"}),
        ("arrest", "US-CA", 2022, 120, {"offense": "csam", "origin": "all_sources"}),
        ("arrest", "US-TX", 2022, 90, {"origin": "unknown", "clock": "unknown"}),
    ]
    rows += [
        ("report", WORLD, year, n, {"offense": offense, "source_id": "ncmec", "reason": "the offense mix"})
        for year in (2022, 2023)
        for offense, n in MIX.items()
    ]
    kept = "evidence.csv:2:referral"
    beaten = {"status": "dropped", "source_id": "digest", "others": [kept]}
    rows += [
        ("referral", "CZ", 2019, 1250,
         beaten | {"reason": "contradicts evidence.csv, row 2, which is preferred: the office's own count"}),
        ("referral", "CZ", 2019, 1000, beaten | {"reason": "repeats evidence.csv, row 2"}),
        ("referral", "CZ", 2019, 1100,
         beaten | {"status": "unused", "reason": "FY2019 and 2019 both count as 2019; evidence.csv, row 2 is used"}),
    ]  # fmt: skip
    rows += [
        ("arrest", "US-TX", 2021, n, {"status": "excluded", "reason": "counts of a month, not of a year"})
        for n in (5, 7, 9)
    ]
    rows += [
        ("arrest", "XX:agency", 2021, 4, {"status": "excluded", "reason": "no place: a class of recipients"})
    ]
    rows += [
        ("arrest", "CZ", 2020, 8, {"status": "unused", "role": "context", "reason": "its role is context"})
    ] * 2
    return [
        _statement(i, stage, place, when, n, **more)
        for i, (stage, place, when, n, more) in enumerate(rows, 2)
    ]


def intake() -> dict[str, Any]:
    """The account, in the format of ``intake.json``."""
    lines = statements()
    counts = {"read": len(lines)}
    for status in ("used", "unused", "excluded", "dropped"):
        counts[status] = sum(line["status"] == status for line in lines)
    return {
        "inputs": [{"file": "evidence.csv", "form": "long", "sha256": "0" * 64, "rows": len(lines),
                    "statements": len(lines), "unread": []}],
        "counts": counts, "statements": lines, "sources": SOURCES, "suspects": [], "warnings": [],
        "not_reported": 0,
    }  # fmt: skip
