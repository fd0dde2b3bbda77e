"""The certificate: what a calibration found, and the model, kinds, engine and sources that it holds for.

It holds for a form, not for a data set: the same steps, effects, priors and kinds over other cells have the same one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from ...data.digest import digest
from ...data.errors import InputError
from ...models.blueprint import Blueprint
from ..store.identity import source_digest
from ..store.layout import read_json
from ..store.write import put_json

FORMAT = 1
NAME = "certificate.json"
LASTS = timedelta(weeks=26)
# The packages that decide which draws a blueprint gets, and how they are ranked.
SOURCES = ("data", "models", "estimation.engines", "estimation.calibration")


@dataclass(frozen=True)
class Form:
    """What a certificate holds for.

    Parameters
    ----------
    model : str
        Digest of the steps, effects and priors, without axes and counts.
    kinds : tuple of str
        The combinations of kinds that shape some group, each with a digest of its settings, ascending.
    engine : str
        Of a certificate all that fitted its worlds, with commas.
    sources : str
        Digest of the package's own sources.
    """

    model: str
    kinds: tuple[str, ...]
    engine: str
    sources: str

    def record(self) -> dict[str, Any]:
        """Plain values."""
        return {**vars(self), "kinds": list(self.kinds)}


def form_of(blueprint: Blueprint, engine: str) -> Form:
    """The form of a blueprint under an engine and the sources installed."""
    prior = blueprint.prior
    model = {
        "steps": [
            {"kind": step.kind, "intercept": prior.intercept_of(step.name).model_dump(mode="json")}
            for step in blueprint.panel.funnel.steps
        ],
        "spread": prior.spread,
        "phi": prior.phi.model_dump(mode="json"),
        "effects": [
            {"kind": effect.name, "settings": settings.model_dump(mode="json")}
            for effect, settings in blueprint.effects
        ],
    }
    combined = {(batch.report, *own) for batch in blueprint.batches for own in batch.kinds}
    settings = {
        names: [blueprint.kind_settings[name].model_dump(mode="json") for name in names] for names in combined
    }
    kinds = sorted(f"{'+'.join(names)} {digest(settings[names])[:8]}" for names in combined)
    return Form(digest(model), tuple(kinds), engine, source_digest(SOURCES))


def certificate(
    form: Form, plan: str, verdicts: Sequence[Mapping[str, Any]], account: Mapping[str, Any]
) -> dict[str, Any]:
    """A certificate as plain values.

    Parameters
    ----------
    form : Form
    plan : str
        Name of the plan whose worlds were fitted.
    verdicts : sequence of mapping
        One a test quantity; the certificate passes where none has failed.
    account : mapping
        Worlds fitted and left out, diagnostics, coverage.
    """
    return {
        "format": FORMAT,
        "passed": not any(one["failed"] for one in verdicts),
        "plan": plan,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "package_version": metadata.version("attrition"),
        "form": form.record(),
        **account,
        "quantities": list(verdicts),
    }


def write_certificate(folder: Path, value: Mapping[str, Any]) -> Path:
    """Write ``certificate.json`` in the folder of a plan's runs."""
    folder.mkdir(parents=True, exist_ok=True)
    new = folder / f".{NAME}.new"
    put_json(new, value)
    return new.replace(folder / NAME)


@dataclass(frozen=True)
class Standing:
    """How a form stands with the certificates there are.

    Parameters
    ----------
    state : {"valid", "stale", "missing"}
    reason : str
        Why it is not valid.
    found : mapping or None
        The certificate meant, the newest of those that come closest.
    """

    state: Literal["valid", "stale", "missing"]
    reason: str
    found: Mapping[str, Any] | None


def standing(form: Form, root: Path | None, now: datetime | None = None) -> Standing:
    """Look for a form's certificate among those of all plans.

    Parameters
    ----------
    form : Form
    root : Path or None
        Folder of runs.
    now : datetime, optional
    """
    now = now or datetime.now(UTC)
    found = [] if root is None else [c for path in sorted(root.glob(f"*/{NAME}")) if (c := _read(path))]
    mine = [c for c in found if _same_model(c["form"], form)]
    if not mine:
        return Standing("missing", "no calibration of this model and these kinds is kept here", None)
    judged = [(_stale(one, form, now), one) for one in mine]
    reason, best = max(judged, key=lambda pair: (not pair[0], pair[1]["made"]))
    return Standing("stale" if reason else "valid", reason, best)


def _read(path: Path) -> dict[str, Any] | None:
    """A certificate; None for a file that is none, which certifies nothing."""
    try:
        value = read_json(path)
    except InputError:
        return None
    whole = isinstance(value, dict) and value.get("format") == FORMAT
    return value if whole and {"form", "made", "passed", "fitted", "quantities"} <= set(value) else None


def _same_model(found: Mapping[str, Any], form: Form) -> bool:
    same = found["model"] == form.model and form.engine in found["engine"].split(", ")
    return same and set(form.kinds) <= set(found["kinds"])


def _stale(found: Mapping[str, Any], form: Form, now: datetime) -> str:
    """Why a certificate no longer holds; empty where it does."""
    if found["form"]["sources"] != form.sources:
        return "it was made by other sources of the program"
    if now - datetime.fromisoformat(found["made"]) > LASTS:
        return f"it is older than {LASTS.days // 7} weeks"
    return ""
