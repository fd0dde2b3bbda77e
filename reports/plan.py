"""Which sections a report has, and in what order: those found in the folder."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from importlib import import_module
from typing import Final, Protocol, cast

from . import sections
from .document import Document, Missing, Paragraph, Section, reason
from .numbers import plural
from .view import View
from .wording import say


class SectionModule(Protocol):
    """What a file in ``sections`` defines; with ``short = True`` it also stands in the reports of single places."""

    __name__: str
    order: int
    title: str
    build: Callable[[View], Section | None]


STATUS: Final = {
    "complete": "complete",
    "unfit": "unfit: the sampler did not reach its diagnostics",
}


def section_modules() -> tuple[SectionModule, ...]:
    """Every section, by its ``order``."""
    found = [
        cast("SectionModule", import_module(f"{sections.__name__}.{info.name}"))
        for info in pkgutil.iter_modules(sections.__path__)
    ]
    return tuple(sorted(found, key=lambda module: (module.order, module.__name__)))


def build_document(view: View) -> Document:
    """The whole report of a run; a section that cannot be built says so in its place."""
    modules = [m for m in section_modules() if view.at is None or getattr(m, "short", False)]
    built = [section for module in modules if (section := _build(module, view)) is not None]
    missing = tuple(
        f"{section.title}: {block.what} ({block.reason})"
        for section in built
        for block in section.blocks
        if isinstance(block, Missing)
    )
    run = view.run
    manifest = run.manifest
    facts = (
        ("Run", run.identity),
        ("Made", run.created[:10]),
        ("Engine", say("{engine}, seed {seed}").format(engine=manifest["engine"], seed=manifest["seed"])),
        ("Status", STATUS.get(run.status, run.status)),
        ("Software", say("attrition {package_version}").format(package_version=manifest["package_version"])),
    )
    stages = [stage.replace("_", " ") for stage in view.stages]
    subtitle = say("How often a {stages} leads to {list}").format(
        stages=stages[0], list=", ".join(_article(s) for s in stages[1:-1])
    )
    subtitle += (", and to " if len(stages) > 2 else "") + _article(stages[-1]) + f". {view.place}."
    title = (
        run.name
        if run.scenario is None
        else say("{name}, scenario: {scenario}").format(name=run.name, scenario=run.scenario)
    )
    if view.at is not None:
        title = f"{view.label('jurisdiction', view.at)}: {title}"
    return Document(title, subtitle, facts, tuple(built), _warnings(view), missing)


def _article(word: str) -> str:
    return ("an " if word[:1].lower() in "aeiou" else "a ") + word


def _build(module: SectionModule, view: View) -> Section | None:
    try:
        return module.build(view)
    except Exception as error:
        name = module.__name__.rsplit(".", 1)[-1]
        return Section(f"section-{name}", module.title, (Missing("this section", reason(error)),))


def _warnings(view: View) -> tuple[Paragraph, ...]:
    """What a reader must know before any number."""
    out = []
    if view.run.scenario is not None:
        why = (view.run.scenario_reason or "").rstrip(".")
        text = say("Scenario: {scenario} – {why}. Not the plan's own run.").format(
            scenario=view.run.scenario, why=why
        )
        out.append(Paragraph(text, tone="warning"))
    if view.run.draft:
        text = "This run is a draft of few draws, for a first look: no number below is for publication."
        out.append(Paragraph(text, tone="warning"))
    if view.run.unfit:
        out.append(
            Paragraph(
                "This run is unfit: the sampler did not reach its diagnostics. No number below is fit for "
                "use.",
                "#section-diagnostics",
                "the diagnostics",
                "warning",
            )
        )
    failed = len(view.failed_checks)
    if failed:
        named = ", ".join(check["name"] for check in view.failed_checks)
        text = say("{failed} failed ({named}). Read the numbers with what stands beside them.").format(
            failed=plural(failed, "check"), named=named
        )
        out.append(Paragraph(text, "#section-diagnostics", "all checks", "warning"))
    return tuple(out)
