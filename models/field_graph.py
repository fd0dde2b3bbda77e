"""The Gaussian field in a PyMC model: its coefficients, its values by block, and the predictor they add up to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytensor.tensor as pt
from numpy.typing import NDArray
from pytensor.tensor.variable import TensorVariable

from .anchors import Anchors
from .blueprint import Blueprint
from .conditioned import conditioned
from .field_op import field_eta, field_prior, make_design
from .later import pm
from .needed import Needed
from .sightings import Sightings, common_blocks
from .terms import Block
from .values import Values

Floats = NDArray[np.float64]


def effect_name(block: str) -> str:
    """Name of a block's stored values; a bare axis name would clash with its own coordinate."""
    return f"effect_{block}"


@dataclass(frozen=True)
class Field:
    """Builds the field's variables inside the model at hand.

    Parameters
    ----------
    blueprint : Blueprint
    log_sd : (S, B)
    centred : mapping of block name to its centring weights, (S, free…)
    anchors : Anchors
    part : Needed
        The cells that are evaluated.
    """

    blueprint: Blueprint
    log_sd: TensorVariable
    centred: Mapping[str, Floats]
    anchors: Anchors
    part: Needed

    @property
    def weight(self) -> Floats:
        """Centring weights of all coefficients, (S, F)."""
        steps, blocks = self.blueprint.layout.steps, self.blueprint.blocks
        return np.concatenate([self.centred[block.name].reshape(steps, -1) for block in blocks], axis=1)

    @property
    def block(self) -> NDArray[np.int64]:
        """Block of each coefficient, (F,)."""
        return make_design(self.blueprint.blocks, self.blueprint.layout).block

    def coefficients(self, name: str) -> TensorVariable:
        """The random variable of the coefficients, (S, F): normal, each in its own centring."""
        weight, block = self.weight, self.block

        def draw(
            log_sd: Floats, weight: Floats, rng: np.random.Generator, size: tuple[int, ...] | None
        ) -> Floats:
            scale = np.exp(weight * log_sd[..., block])
            return rng.normal(0.0, scale, (*(size or ()), *scale.shape[-2:]))

        z = pm.CustomDist(
            name,
            self.log_sd,
            weight,
            logp=lambda value, log_sd, weight: field_prior(value, log_sd, weight, block),
            random=lambda log_sd, weight, rng=None, size=None: draw(log_sd, weight, rng, size),
            signature="(s,b),(s,f)->(s,f)",
        )
        return z

    def store(self, z: TensorVariable) -> None:
        """Keep the blocks' values under their names; what the sampler does not read costs nothing."""
        start = 0
        scaled = z * pt.exp((1 - self.weight) * self.log_sd[:, self.block])
        for block in self.blueprint.blocks:
            shape = self.centred[block.name].shape
            end = start + int(np.prod(shape[1:]))
            value = scaled[:, start:end].reshape(shape)
            for place, basis in enumerate(block.bases):
                value = pt.moveaxis(pt.dot(pt.moveaxis(value, 1 + place, -1), basis.matrix.T), -1, 1 + place)
            dims = None if block.cellwise else ("step", *block.axes)
            pm.Deterministic(effect_name(block.name), value, dims=dims)
            start = end

    def eta(
        self, intercept: TensorVariable | Floats, z: TensorVariable, blocks: Sequence[Block]
    ) -> TensorVariable:
        """Linear predictors (S, N) of the evaluated cells from some of the blocks; anchored effects count nothing."""
        layout, weight, block = self.blueprint.layout, self.weight, self.block
        if not blocks:
            # By index: PyTensor loses the length of a single step where it reads from a broadcast.
            shape = (layout.steps, len(self.part.cells))
            return pt.as_tensor(intercept)[np.repeat(np.arange(shape[0]), shape[1])].reshape(shape)
        if len(self.anchors):
            cell = next(i for i, one in enumerate(self.blueprint.blocks) if one.cellwise)
            held = np.ones(weight.shape)
            held[self.anchors.step, np.flatnonzero(block == cell)[0] + self.anchors.unit] = 0.0
            z = z * held
        numbers = [self.blueprint.blocks.index(one) for one in blocks]
        of = np.flatnonzero(np.isin(block, numbers))
        design = make_design(blocks, layout).at(self.part.cells)
        return field_eta(intercept, z[:, of], self.log_sd[:, numbers], weight[:, of], design)

    def sighted(
        self,
        intercept: TensorVariable,
        sightings: Sightings,
        predictor: Callable[[TensorVariable], Values],
        coordinates: TensorVariable | None,
    ) -> tuple[Values, TensorVariable]:
        """The predictor, its effects sampled as departures from what the sightings say of them; the anchors' gain."""
        blueprint, part = self.blueprint, self.part
        common = common_blocks(blueprint)
        w = self.coefficients("w")
        inner = [block for block in blueprint.blocks if block not in common]
        values = predictor(self.eta(intercept, w, inner))
        z, log_det, gain = conditioned(
            blueprint, sightings, self.anchors, part, values, w, self.log_sd, coordinates
        )
        z = pm.Deterministic("z", z)
        self.store(z)
        # The coordinates' own normal density is taken back: the prior is that of z.
        pm.Potential("conditioned", log_det - 0.5 * (z**2 - w**2).sum())
        eta = self.eta(np.zeros(blueprint.layout.steps), z, common)
        more = [eta.ravel()]
        if part.mixture is not None and len(part.mixture.pool):
            mixture = part.mixture
            ways = zip(mixture.start, mixture.stop, mixture.at[mixture.pool], strict=True)
            more.append(pt.stack([eta[start:stop, cell].sum() for start, stop, cell in ways]))
        return replace(values, flat=values.flat + pt.concatenate(more)), gain
