"""Architectures side by side: cells and networks through one window, their sizes and what they lose."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Protocol

import numpy as np

from explorer.experiment import Experiment
from explorer.layouts import Layers
from explorer.measures.along_time import along_time_norms
from explorer.measures.decay import half_life_of_norms
from explorer.measures.input_gradient import input_gradient_norms
from explorer.measures.norms import gradient_norms
from explorer.measures.verdict import SURVIVES_SLOWER, SURVIVES_WITHIN, Tone
from explorer.trace import Trace

_SIZES = range(2, 513)  # hidden sizes that an experiment may have
_REPEATS, _PATIENCE = 3, 0.15  # runs that are timed, and the seconds after which no further one is begun


class ArchitectureRun(Protocol):
    """What a comparison reads off a run; layer 0 is the lowest, direction 1 reads from the last step back."""

    @property
    def num_layers(self) -> int:
        """How many layers there are."""

    @property
    def directions(self) -> int:
        """1, or 2 for a bidirectional network."""

    @property
    def loss_weights(self) -> np.ndarray:
        """How strongly the loss reads each step, [T+1]."""

    @property
    def notes(self) -> list[str]:
        """One sentence for everything that was cut, repeated or found out of range."""

    def norms(self, layer: int, direction: int) -> np.ndarray:
        """log10 ‖∂L/∂h_t‖, [T+1, B]; direction 1 has no state at t = 0 and NaN there."""

    def states(self, layer: int, direction: int) -> np.ndarray:
        """h, [T+1, B, H]; NaN at t = 0 for direction 1."""

    def along(self, layer: int, direction: int) -> np.ndarray:
        """log10 of the part of ∂L/∂h_t that comes along time, [T+1, B]; see ``along_time_norms``."""

    def below(self, layer: int, direction: int) -> np.ndarray:
        """log10 of the gradient that a layer sends to the layer below or to the input, [T, B]."""

    def past(self, layer: int) -> np.ndarray | None:
        """log10 of the gradient that goes past a layer to the one below, [T, B]; None where nothing does."""


@dataclass(frozen=True)
class SingleRun:
    """One cell alone."""

    trace: Trace
    num_layers: int = 1
    directions: int = 1

    @property
    def loss_weights(self) -> np.ndarray:
        """[T+1]."""
        return self.trace.loss_weights

    @property
    def notes(self) -> list[str]:
        """Those of the trace."""
        return self.trace.notes

    def norms(self, layer: int, direction: int) -> np.ndarray:
        """log10 ‖∂L/∂h_t‖, [T+1, B]."""
        return gradient_norms(self.trace)

    def states(self, layer: int, direction: int) -> np.ndarray:
        """h, [T+1, B, H]."""
        return self.trace.states["h"]

    def along(self, layer: int, direction: int) -> np.ndarray:
        """What reaches h_t from step t+1, [T+1, B]."""
        return along_time_norms(self.trace)

    def below(self, layer: int, direction: int) -> np.ndarray:
        """log10 ‖∂L/∂x_t‖, [T, B]."""
        return input_gradient_norms(self.trace)

    def past(self, layer: int) -> None:
        """Nothing goes past a cell alone."""


def median_seconds(once: Callable[[], object]) -> tuple[float, int]:
    """(median wall-clock seconds of calling ``once``; how many calls that is): at most 3."""
    seconds: list[float] = []
    while len(seconds) < _REPEATS and sum(seconds) < _PATIENCE:
        start = perf_counter()
        once()
        seconds.append(perf_counter() - start)
    return float(np.median(seconds)), len(seconds)


# ---- gradients ----


def joint_norms(found: ArchitectureRun) -> np.ndarray:
    r""":math:`\log_{10}\lVert\partial L/\partial h_t\rVert` of all layers' and directions' h_t as one vector.

    [T+1, B] in decades; of a single cell simply ‖∂L/∂h_t‖. −inf only where all parts are exactly 0. At t = 0
    there are the initial states of direction 0 alone.
    """
    if found.num_layers * found.directions == 1:
        return found.norms(0, 0)
    stack = np.stack([[found.norms(k, d) for d in range(found.directions)] for k in range(found.num_layers)])
    stack[:, 1:, 0] = -np.inf
    stack = stack.reshape(-1, *stack.shape[2:])
    largest = stack.max(axis=0)
    with np.errstate(invalid="ignore"):
        shifted = np.where(largest == -np.inf, -np.inf, stack - largest)
    squares = np.power(10.0, 2 * shifted).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(largest == -np.inf, -np.inf, largest + 0.5 * np.log10(squares)))


@dataclass(frozen=True)
class Fate:
    """What becomes of a gradient curve between the last loss step and t = 0.

    Attributes:
        lost: decades, median over samples of d_s − d_0; negative when it grows, inf when d_0 is an exact 0.
        half_life: steps after which the median halves; inf when it does not shrink, NaN when it is no number.
        steps: s, the last step that the loss reads.
        tone: ``survives`` under the same rule as ``Verdict``.
    """

    lost: float
    half_life: float
    steps: int
    tone: Tone


def fate(norms: np.ndarray, loss_weights: np.ndarray) -> Fate:
    """Judge log10 norms [T+1, B] of a run whose loss reads the steps with a weight [T+1] that is not 0."""
    steps = int(np.flatnonzero(loss_weights)[-1])
    way = norms[: steps + 1]
    if (np.isnan(way) | (way == np.inf)).any():
        return Fate(np.nan, np.nan, steps, "not_a_number")
    lost = float(np.mean(_middle(way[-1] - way[0])))
    life = half_life_of_norms(way)
    if lost == np.inf:
        return Fate(lost, life, steps, "dead")
    slow = abs(lost) <= SURVIVES_SLOWER * steps or abs(lost) < np.log10(2)
    if slow and abs(lost) <= SURVIVES_WITHIN:
        return Fate(lost, life, steps, "survives")
    return Fate(lost, life, steps, "vanishes" if lost > 0 else "explodes")


def _middle(values: np.ndarray) -> np.ndarray:
    """The one or two values in the middle."""
    ordered = np.sort(values)
    return ordered[(len(ordered) - 1) // 2 : len(ordered) // 2 + 1]


# ---- sizes ----


def parameter_count(experiment: Experiment) -> int:
    """Weights, biases and vectors of the network, those of a frozen reservoir included.

    Each cell has K·(n + H·(I + 2)) + V·H with K blocks that are read, V vectors and n the free numbers of a
    block of W_hh: H² for most, fewer where the cell holds entries at 0 or ties them up to their sign. A
    convolution of width k in front has C·(I·k + 1).
    """
    cell, size, width = experiment.cell, experiment.hidden_size, experiment.signal.input_size
    layout = experiment.network if isinstance(experiment.network, Layers) else Layers(num_layers=1)
    probe = np.abs(cell.constrain(np.random.default_rng(0).standard_normal((size, size))))
    blocks = len({slot.block for slot in cell.wiring()})
    own = blocks * (len(np.unique(probe[probe > 0])) + 2 * size) + len(cell.vectors) * size
    cells = sum(own + blocks * size * read for read in layout.widths(width, size))
    front = 0 if layout.front == "none" else layout.channels * (width * layout.kernel + 1)
    return layout.directions * cells + front


def matched_size(experiment: Experiment, parameters: int) -> int:
    """The hidden size, from 2 to 512, with which an architecture has about this many parameters."""

    def count(size: int) -> int:
        return parameter_count(experiment.model_copy(update={"hidden_size": size}))

    place = bisect_left(_SIZES, parameters, key=count)
    near = _SIZES[max(place - 1, 0) : place + 1]
    return min(near, key=lambda size: abs(count(size) - parameters))
