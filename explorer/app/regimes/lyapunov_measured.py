"""What the section Lyapunov spectrum measures; all of it is kept, for many orbits take their time."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from explorer.app import cache
from explorer.app.lyapunov_choices import LyapunovChoices
from explorer.experiment import Experiment
from explorer.link import bounds_of
from explorer.measures.lyapunov import LyapunovSpectrum, lyapunov_exponents
from explorer.measures.lyapunov_fan import lyapunov_fan, undriven
from explorer.memory import memory_needed
from explorer.theory import chi_grid

GAINS = np.linspace(0, (bounds_of(Experiment.model_fields["weight_scale"]) or (0, 1))[1], 25)[1:]
"""Weight scales of the fan."""
SETTLE = 100
"""Steps before growth counts."""
_SEEDS = 1 + int((bounds_of(Experiment.model_fields["seed"]) or (0, 0))[1])
_WITHOUT_EFFECT = ("num_steps", "loss", "dtype")  # an orbit has a length, a loss and a precision of its own
_WHOLE = {1: 200, 2: 128}  # states of the cell → numbers in them up to which all exponents are computed …
_LARGEST = 32  # … and how many of larger networks
_LARGE, _SHORT = 2e7, 400  # bytes of an orbit beyond which those of the fan have no more than so many steps


@dataclass(frozen=True)
class Fan:
    """λ₁ over the gain, of the networks that are known by now.

    Attributes:
        exponents: [G, S], in nats per step.
        alone: the same without input, for networks that have one.
        whole: whether all networks are there that were asked for.
    """

    exponents: np.ndarray
    alone: np.ndarray | None
    whole: bool

    @property
    def count(self) -> int:
        """How many networks there are."""
        return int(self.exponents.shape[1])


@dataclass(frozen=True)
class Orbits:
    """Orbits of a network and of others that differ from it in their seed alone.

    Attributes:
        network: the one with the present seed and gain; what has no effect on its orbit is as usual.
        steps: over how many growth is averaged.
        count: how many networks.
    """

    network: Experiment
    steps: int
    count: int

    @classmethod
    def of(cls, experiment: Experiment, chosen: LyapunovChoices) -> Orbits:
        """Those of an experiment that a person chose."""
        usual = {name: Experiment.model_fields[name].default for name in _WITHOUT_EFFECT}
        network = experiment.model_copy(update=usual)
        network = network if chosen.lyapunov_driven else undriven(network)
        return cls(network, chosen.lyapunov_steps, chosen.lyapunov_seeds)

    @property
    def at_any_gain(self) -> Experiment:
        """Equal for networks that differ in the gain alone and so have the same fan."""
        return self.network.model_copy(update={"weight_scale": 1.0})

    @property
    def driven(self) -> bool:
        """Whether there is an input that could be left out."""
        return self.network.signal.kind != "zeros"

    @property
    def large(self) -> bool:
        """Whether the orbits of a fan take more than a moment."""
        orbit = self.network.model_copy(update={"num_steps": SETTLE + self.steps})
        return memory_needed(orbit, columns=1) > _LARGE

    @property
    def fan_steps(self) -> int:
        """Steps of the orbits of the fan: fewer for large networks."""
        return min(self.steps, _SHORT) if self.large else self.steps

    @property
    def dimension(self) -> int:
        """How many exponents there are."""
        return len(self.network.cell.states) * self.network.hidden_size

    @property
    def shown(self) -> int:
        """How many of them are computed: all, or the largest of a large network."""
        return self.dimension if self.dimension <= _WHOLE[len(self.network.cell.states)] else _LARGEST

    def fan(self, least: int, seconds: float) -> Fan:
        """The fan of so many networks at least, and of as many more as this time allows."""
        start, steps = time.perf_counter(), self.fan_steps
        kinds = [self.at_any_gain, undriven(self.at_any_gain)] if self.driven else [self.at_any_gain]
        columns: list[list[np.ndarray]] = []
        for seed in seeds_of(self.network, self.count):
            if len(columns) >= least and time.perf_counter() - start > seconds:
                break
            networks = [kind.model_copy(update={"seed": seed}) for kind in kinds]
            columns.append([cache.kept(network, fan_of_seed, steps) for network in networks])
        exponents, *alone = (np.stack(fan, axis=1) for fan in zip(*columns, strict=True))
        return Fan(exponents, alone[0] if alone else None, len(columns) == self.count)

    def row(self, count: int) -> np.ndarray:
        """λ₁ of the first networks at the present gain, [S], over the steps of the fan."""
        return cache.kept(self.network, row_of_seeds, count, self.fan_steps)

    def row_alone(self, count: int) -> np.ndarray | None:
        """The same without input; None where there is none."""
        if not self.driven:
            return None
        return cache.kept(undriven(self.network), row_of_seeds, count, self.fan_steps)

    def spectrum(self) -> LyapunovSpectrum:
        """The exponents of the network with the present seed."""
        return cache.kept(self.network, spectrum_of, self.shown, self.steps)

    def theory(self) -> np.ndarray | None:
        """λ₁ of networks without end at the gains of the fan, [G]; None where mean field does not apply."""
        return cache.kept(self.at_any_gain, theory_of, tuple(GAINS.tolist()))


def seeds_of(experiment: Experiment, count: int) -> list[int]:
    """As many seeds, from that of the experiment on; 0 follows the last one that there is."""
    return [(experiment.seed + k) % _SEEDS for k in range(count)]


def fan_of_seed(experiment: Experiment, steps: int) -> np.ndarray:
    """λ₁ of this very network at all gains, [G]."""
    return lyapunov_fan(experiment, GAINS, [experiment.seed], steps=steps, settle=SETTLE)[:, 0]


def row_of_seeds(experiment: Experiment, count: int, steps: int) -> np.ndarray:
    """λ₁ of several networks at one gain, [S]."""
    gain, seeds = [experiment.weight_scale], seeds_of(experiment, count)
    found: np.ndarray = lyapunov_fan(experiment, gain, seeds, steps=steps, settle=SETTLE)[0]
    return found


def spectrum_of(experiment: Experiment, count: int, steps: int) -> LyapunovSpectrum:
    """The largest exponents, as many as ``count``."""
    return lyapunov_exponents(experiment, count=count, steps=steps, settle=SETTLE)


def theory_of(experiment: Experiment, gains: tuple[float, ...]) -> np.ndarray | None:
    """½ ln χ₁ at each gain, [G]; None where mean field does not apply."""
    chi = chi_grid(experiment, {"weight_scale": gains})
    with np.errstate(divide="ignore"):
        return None if chi is None else 0.5 * np.log(chi)
