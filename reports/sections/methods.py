"""Methods in words and equations, and how to cite the run."""

from __future__ import annotations

from typing import Any

from ..document import Block, Paragraph, Section
from ..numbers import count, plural
from ..steps import unit_of, words
from ..view import View
from ..wording import say

order = 110
title = "Methods"
short = True


def build(view: View) -> Section:
    """Rendered from the blueprint, which holds the sentences written when the model was built."""
    blueprint, manifest = view.run.blueprint, view.run.manifest
    shape = [plural(len(view.shown(a, leaves=True)), a) for a in ("offense", "jurisdiction", "period")]
    funnel = blueprint["funnel"]
    stages = " → ".join(
        words(s) + (f" ({unit_of(funnel, s)})" if s in (funnel.get("units") or {}) else "")
        for s in view.stages
    )
    blocks: list[Block] = [
        Paragraph(
            say(
                "The funnel is {stages}, over {list}. The rate of each step is modeled jointly from {used}:"
            ).format(
                stages=stages,
                list=", ".join(shape),
                used=plural(view.run.intake["counts"]["used"], "statement"),
            )
        ),
        Paragraph(blueprint["equation"], tone="code"),
    ]
    blocks += [Paragraph(" ".join(_told(blueprint["effects"])))]
    kinds = [
        f"{kind['kind']} ({count(kind['statements'])}): {kind['sentence'].rstrip('.')}"
        for kind in blueprint["kinds"]
        if kind["statements"]
    ]
    if kinds:
        blocks.append(Paragraph(say("How the statements were read. {kinds}.").format(kinds=". ".join(kinds))))
    blocks += [
        Paragraph(
            "Each number is a posterior median; its 50 % and 90 % intervals are central. The "
            "superpopulation rate is that of the process; the finite rate that of the cases recorded "
            "here. Bounds use the counts alone. The contraction is one less the posterior over the prior "
            "spread of the rate's log-odds; its label uses the smaller of the two contractions."
        ),
        Paragraph(
            say("Fitted with {engine} ({arguments}), seed {seed}, attrition {package_version}.").format(
                engine=manifest["engine"],
                arguments=_arguments(manifest.get("engine_args", {})),
                seed=manifest["seed"],
                package_version=manifest["package_version"],
            )
        ),
        Paragraph(
            say(
                "Cite as: {name}. Run {identity}, {created}. Estimated with attrition {package_version}."
            ).format(
                name=view.run.name,
                identity=view.run.identity,
                created=view.run.created[:10],
                package_version=manifest["package_version"],
            ),
            tone="note",
        ),
    ]
    return Section("section-methods", title, tuple(blocks))


def _told(effects: list[dict[str, Any]]) -> list[str]:
    """Sentences of the effects in the model, and why where the data decided; runs of old say nothing of either."""
    return [
        sentence
        for effect in effects
        if effect.get("used", True)
        for sentence in (effect["sentence"], effect.get("because", ""))
        if sentence
    ]


def _arguments(arguments: dict[str, object]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in arguments.items()) or "defaults"
