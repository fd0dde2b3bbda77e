"""Prior distributions a plan may name, each with a PyMC variable and a NumPy sampler."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

import numpy as np
import pytensor.tensor as pt
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag
from pytensor.tensor.variable import TensorVariable

from .later import pm
from .score import score

Floats = NDArray[np.float64]
# Draws of a vague scale prior are cut here: the logistic function is 0 or 1 in double precision beyond it.
_LARGEST_SCALE = 1e3
_SMALLEST_SCALE = 1e-12


_TOLD_BY = {
    "scale": "half_normal",
    "mean": "exponential",
    "shape": "precision_gamma",
    "rate": "precision_gamma",
}


def _by_dist(default: str) -> Discriminator:
    """Which prior a table means: its ``dist``; where it names none what its keys tell, else the usual one."""

    def tag(value: Any) -> str:
        if not isinstance(value, dict):
            return str(getattr(value, "dist", default))
        told = (_TOLD_BY[key] for key in value if key in _TOLD_BY) if default == "half_normal" else iter(())
        return str(value.get("dist") or next(told, default))

    return Discriminator(tag)


class _Prior(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class HalfNormal(_Prior):
    """Half-normal scale."""

    dist: Literal["half_normal"] = "half_normal"
    scale: float = Field(1.0, gt=0)

    def variable(self, name: str, dims: tuple[str, ...]) -> TensorVariable:
        """The PyMC variable."""
        return pm.HalfNormal(name, self.scale, dims=dims, default_transform=score())

    def sample(self, rng: np.random.Generator, size: tuple[int, ...]) -> Floats:
        """Independent draws."""
        return np.abs(rng.normal(0.0, self.scale, size))

    def log_density(self, log_sd: float) -> tuple[float, float]:
        """Log density of the scale's logarithm, but for a constant, and its slope."""
        square = math.exp(2 * log_sd) / self.scale**2
        return log_sd - 0.5 * square, 1 - square

    def logpdf(self, values: Floats) -> Floats:
        """Log density of scales."""
        return -0.5 * (values / self.scale) ** 2 - math.log(self.scale * math.sqrt(math.pi / 2))

    def words(self) -> str:
        """In the notation of the report."""
        return f"half-normal({self.scale:g})"


class Exponential(_Prior):
    """Exponential scale with the given mean."""

    dist: Literal["exponential"] = "exponential"
    mean: float = Field(1.0, gt=0)

    def variable(self, name: str, dims: tuple[str, ...]) -> TensorVariable:
        """The PyMC variable."""
        return pm.Exponential(name, scale=self.mean, dims=dims, default_transform=score())

    def sample(self, rng: np.random.Generator, size: tuple[int, ...]) -> Floats:
        """Independent draws."""
        return rng.exponential(self.mean, size)

    def log_density(self, log_sd: float) -> tuple[float, float]:
        """Log density of the scale's logarithm, but for a constant, and its slope."""
        ratio = math.exp(log_sd) / self.mean
        return log_sd - ratio, 1 - ratio

    def logpdf(self, values: Floats) -> Floats:
        """Log density of scales."""
        return -values / self.mean - math.log(self.mean)

    def words(self) -> str:
        """In the notation of the report."""
        return f"exponential(mean {self.mean:g})"


class Gamma(_Prior):
    """Gamma scale that keeps away from zero: of shape 2 its density starts linearly there (Chung et al. 2013)."""

    dist: Literal["gamma"] = "gamma"
    mean: float = Field(1.0, gt=0)
    shape: float = Field(2.0, gt=0)

    def variable(self, name: str, dims: tuple[str, ...]) -> TensorVariable:
        """The PyMC variable."""
        return pm.Gamma(name, self.shape, self.shape / self.mean, dims=dims)

    def sample(self, rng: np.random.Generator, size: tuple[int, ...]) -> Floats:
        """Independent draws."""
        return rng.gamma(self.shape, self.mean / self.shape, size)

    def log_density(self, log_sd: float) -> tuple[float, float]:
        """Log density of the scale's logarithm, but for a constant, and its slope."""
        ratio = self.shape * math.exp(log_sd) / self.mean
        return self.shape * log_sd - ratio, self.shape - ratio

    def logpdf(self, values: Floats) -> Floats:
        """Log density of scales."""
        rate = self.shape / self.mean
        return (
            self.shape * math.log(rate)
            - math.lgamma(self.shape)
            + (self.shape - 1) * np.log(values)
            - rate * values
        )

    def words(self) -> str:
        """In the notation of the report."""
        return f"gamma(shape {self.shape:g}, mean {self.mean:g})"


class PrecisionGamma(_Prior):
    """Gamma(shape, rate) on the precision 1/sd², the classic choice of the BUGS examples."""

    dist: Literal["precision_gamma"] = "precision_gamma"
    shape: float = Field(0.001, gt=0)
    rate: float = Field(0.001, gt=0)

    def variable(self, name: str, dims: tuple[str, ...]) -> TensorVariable:
        """The PyMC variable: the standard deviation, from the precision."""
        precision = pm.Gamma(f"{name}_precision", self.shape, self.rate, dims=dims)
        return pm.Deterministic(name, 1 / pt.sqrt(precision), dims=dims)

    def sample(self, rng: np.random.Generator, size: tuple[int, ...]) -> Floats:
        """Independent draws, cut at a scale of 1,000."""
        precision = np.maximum(rng.gamma(self.shape, 1 / self.rate, size), _LARGEST_SCALE**-2)
        return 1 / np.sqrt(precision)

    def log_density(self, log_sd: float) -> tuple[float, float]:
        """Log density of the scale's logarithm, but for a constant, and its slope."""
        precision = math.exp(-2 * log_sd)
        return -2 * self.shape * log_sd - self.rate * precision, 2 * (self.rate * precision - self.shape)

    def logpdf(self, values: Floats) -> Floats:
        """Log density of scales."""
        ends = math.log(2) + self.shape * math.log(self.rate) - math.lgamma(self.shape)
        return ends - (2 * self.shape + 1) * np.log(values) - self.rate / values**2

    def words(self) -> str:
        """In the notation of the report."""
        return f"1/sqrt of gamma({self.shape:g}, {self.rate:g})"


class Fixed(_Prior):
    """A scale that is given, one number a step, and never estimated; 0 where there is nothing to scale."""

    dist: Literal["fixed"] = "fixed"
    scale: tuple[float, ...]

    def variable(self, name: str, dims: tuple[str, ...]) -> TensorVariable:
        """A constant."""
        return pt.constant(self.repeated((len(self.scale),)), name=name)

    def sample(self, rng: np.random.Generator, size: tuple[int, ...]) -> Floats:
        """The same numbers every time."""
        return self.repeated(size)

    def repeated(self, size: tuple[int, ...]) -> Floats:
        """The numbers, the last axis over the steps; kept from zero for their logarithms."""
        return np.broadcast_to(np.maximum(self.scale, _SMALLEST_SCALE), size).copy()

    def logpdf(self, values: Floats) -> Floats:
        """Zero: what is given has no density."""
        return np.zeros_like(values)

    def words(self) -> str:
        """In the notation of the report."""
        return f"{max(self.scale):g}, given"


ScalePrior = Annotated[
    Annotated[HalfNormal, Tag("half_normal")]
    | Annotated[Exponential, Tag("exponential")]
    | Annotated[Gamma, Tag("gamma")]
    | Annotated[PrecisionGamma, Tag("precision_gamma")],
    _by_dist("half_normal"),
]


class Normal(_Prior):
    """Normal on the link scale, told by the median rate and an sd."""

    dist: Literal["normal"] = "normal"
    median: float = Field(0.1, gt=0)
    sd: float = Field(1.2, gt=0)

    def location(self, ratio: bool) -> float:
        """The mean on the link scale: log for a ratio, logit for a probability."""
        return float(np.log(self.median) if ratio else np.log(self.median) - np.log1p(-self.median))

    def sample(self, rng: np.random.Generator, size: tuple[int, ...], ratio: bool) -> Floats:
        """Independent draws on the link scale."""
        return rng.normal(self.location(ratio), self.sd, size)

    def variable(self, name: str, ratio: bool) -> TensorVariable:
        """The PyMC variable, on the link scale."""
        return pm.Normal(name, self.location(ratio), self.sd)

    def logpdf(self, values: Floats, ratio: bool) -> Floats:
        """Log density of locations on the link scale."""
        scaled = (values - self.location(ratio)) / self.sd
        return -0.5 * scaled**2 - math.log(self.sd * math.sqrt(2 * math.pi))

    def words(self) -> str:
        """In the notation of the report."""
        return f"median {self.median:g}, sd {self.sd:g} on the link scale"


class UniformRate(_Prior):
    """Every rate in (0, 1) equally likely: a standard logistic on the logit."""

    dist: Literal["uniform_rate"] = "uniform_rate"

    def sample(self, rng: np.random.Generator, size: tuple[int, ...], ratio: bool) -> Floats:
        """Independent draws on the logit."""
        return rng.logistic(0.0, 1.0, size)

    def variable(self, name: str, ratio: bool) -> TensorVariable:
        """The PyMC variable, on the logit."""
        return pm.Logistic(name, 0.0, 1.0)

    def logpdf(self, values: Floats, ratio: bool) -> Floats:
        """Log density of locations on the logit."""
        return -np.abs(values) - 2 * np.log1p(np.exp(-np.abs(values)))

    def words(self) -> str:
        """In the notation of the report."""
        return "uniform on the rate"


InterceptPrior = Annotated[
    Annotated[Normal, Tag("normal")] | Annotated[UniformRate, Tag("uniform_rate")], _by_dist("normal")
]


class BdaConcentration(_Prior):
    """Density (a+b)^(-5/2) on (a, b) of a beta distribution, on log(a+b) between two limits.

    With the mean a/(a+b) uniform this is the prior of Gelman et al., *Bayesian Data Analysis*, chapter 5. It is
    improper without limits; the upper one is that of the published grid.
    """

    dist: Literal["bda"] = "bda"
    lower: float = -5.0
    upper: float = 10.0

    def variable(self, name: str) -> TensorVariable:
        """The PyMC variable: log(a+b)."""
        log_total = pm.Uniform(name, self.lower, self.upper)
        pm.Potential(f"{name}_prior", -0.5 * log_total)
        return log_total

    def sample(self, rng: np.random.Generator, size: tuple[int, ...]) -> Floats:
        """Independent draws of log(a+b), by inversion."""
        ends = np.exp(-0.5 * np.array([self.lower, self.upper]))
        return -2 * np.log(ends[0] + rng.uniform(size=size) * (ends[1] - ends[0]))

    def logpdf(self, values: Floats) -> Floats:
        """Log density of log(a+b)."""
        ends = np.exp(-0.5 * np.array([self.lower, self.upper]))
        inside = (values >= self.lower) & (values <= self.upper)
        return np.where(inside, -0.5 * values - math.log(2 * (ends[0] - ends[1])), -np.inf)

    def words(self) -> str:
        """In the notation of the report."""
        return "density proportional to (a+b)^(-5/2)"


class NormalConcentration(_Prior):
    """Normal on log(a+b)."""

    dist: Literal["normal"] = "normal"
    mean: float = 4.0
    sd: float = Field(1.5, gt=0)

    def variable(self, name: str) -> TensorVariable:
        """The PyMC variable: log(a+b)."""
        return pm.Normal(name, self.mean, self.sd)

    def sample(self, rng: np.random.Generator, size: tuple[int, ...]) -> Floats:
        """Independent draws of log(a+b)."""
        return rng.normal(self.mean, self.sd, size)

    def logpdf(self, values: Floats) -> Floats:
        """Log density of log(a+b)."""
        scaled = (values - self.mean) / self.sd
        return -0.5 * scaled**2 - math.log(self.sd * math.sqrt(2 * math.pi))

    def words(self) -> str:
        """In the notation of the report."""
        return f"normal({self.mean:g}, {self.sd:g}) on log(a+b)"


ConcentrationPrior = Annotated[
    Annotated[BdaConcentration, Tag("bda")] | Annotated[NormalConcentration, Tag("normal")],
    _by_dist("normal"),
]
