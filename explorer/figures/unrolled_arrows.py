"""The geometry of the unrolled network: which steps are drawn, where nodes stand, which arrows join them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from explorer.figures.decades import quantiles
from explorer.figures.flow_arrows import Arrow

if TYPE_CHECKING:
    from explorer.measures.architecture_table import ArchitectureRun

COLUMNS = 11
_GAP = 0.3  # between a node's centre and an arrow's end, in rows
_ASIDE = 0.3  # how far a backward half stands beside the forward one, in columns
_BEND = 0.3  # how far an arrow past a layer goes aside, in columns


@dataclass(frozen=True)
class Strand:
    """The states of one layer in one direction: a row of the drawing.

    Attributes:
        label: what stands at the row, e.g. "h" or "layer 2 ←".
        norms: log10 ‖∂L/∂h_t‖, [T+1] or [T+1, B].
        along: log10 of the part of it that comes along time, from the step read after t.
        below: log10 of what it sends to the layer below or to the input at steps 1 … T, [T] or [T, B].
        layer: 0 for the lowest.
        backwards: it reads from the last step to the first, so its gradient runs towards larger t; entry 0 of
            its arrays counts for nothing, because it has no state there.
        past: log10 of what goes past the layer to the one below at steps 1 … T, [T] or [T, B]; None where
            nothing does.
    """

    label: str
    norms: np.ndarray
    along: np.ndarray
    below: np.ndarray
    layer: int = 0
    backwards: bool = False
    past: np.ndarray | None = None

    @property
    def reached(self) -> np.ndarray:
        """The median of ``norms``, [T+1]."""
        return self._median(self.norms)

    @property
    def arrived(self) -> np.ndarray:
        """The median of ``along``, [T+1]."""
        return self._median(self.along)

    def _median(self, decades: np.ndarray) -> np.ndarray:
        median = quantiles(decades, (0.5,))[0]
        return np.append(-np.inf, median[1:]) if self.backwards else median

    @property
    def sent(self) -> np.ndarray:
        """The median of ``below``, [T]."""
        return quantiles(self.below, (0.5,))[0]

    @property
    def skipped(self) -> np.ndarray | None:
        """The median of ``past``, [T]."""
        return None if self.past is None else quantiles(self.past, (0.5,))[0]


def strands_of(found: ArchitectureRun) -> list[Strand]:
    """The rows of a run's drawing, from the bottom up."""
    strands = []
    for k in range(found.num_layers):
        for d in range(found.directions):
            label = f"layer {k + 1}" if found.num_layers > 1 else "h"
            label += (" →", " ←")[d] if found.directions > 1 else ""
            arrays = found.norms(k, d), found.along(k, d), found.below(k, d)
            past = found.past(k) if d == 0 else None
            strands.append(Strand(label, *arrays, layer=k, backwards=d == 1, past=past))
    return strands


def columns_of(num_steps: int, cursor: int, loss_steps: Sequence[int] | np.ndarray = ()) -> np.ndarray:
    """The steps that are drawn: some ``COLUMNS`` evenly spread over 0 … T, with the cursor and a single loss.

    A wanted step takes the place of its nearest neighbour, so columns never crowd; the cursor comes last, so
    it is always there.
    """
    spread = np.unique(np.linspace(0, num_steps, min(COLUMNS, num_steps + 1)).round().astype(int))
    single = [int(loss_steps[0])] if len(loss_steps) == 1 else []
    for wanted in [*single, cursor]:
        spread[np.abs(spread - wanted).argmin()] = wanted
    return np.unique(spread)


@dataclass(frozen=True)
class Plan:
    """Where everything stands: row 0 is the input, row k strand k − 1, the last one the loss."""

    strands: Sequence[Strand]
    columns: np.ndarray

    @property
    def pitch(self) -> float:
        """The usual distance of two columns, in steps."""
        return float(np.median(np.diff(self.columns))) if len(self.columns) > 1 else 1.0

    @property
    def top(self) -> int:
        """The row of the loss."""
        return len(self.strands) + 1

    def x(self, row: int, step: int) -> float:
        """Where a step's node stands in a row; the input stands between the two halves."""
        aside = _ASIDE * self.pitch
        if 0 < row < self.top:
            return step + aside * self.strands[row - 1].backwards
        return step + aside / 2 * any(strand.backwards for strand in self.strands)

    def drawn(self, row: int) -> np.ndarray:
        """The columns in which a row has a node: neither the input nor a backward half has one at t = 0."""
        late = row == 0 or (row < self.top and self.strands[row - 1].backwards)
        return self.columns[self.columns > 0] if late else self.columns

    def arrows(self, loss: np.ndarray) -> list[Arrow]:
        """All arrows for a loss that reads the steps with these weights [T+1]."""
        found: list[Arrow] = []
        for row in range(1, self.top):
            found += [*self._along(row), *self._down(row), *self._past(row)]
            if self.strands[row - 1].layer == self.strands[-1].layer:
                found += self._from_loss(row, loss)
        return found

    def _along(self, row: int) -> Iterator[Arrow]:
        """From each column to the one before it, or after it in a backward half."""
        strand = self.strands[row - 1]
        arrived, columns = strand.arrived, self.drawn(row)
        order = columns if strand.backwards else columns[::-1]
        for source, target in pairwise(order.tolist()):
            room = np.sign(target - source) * min(0.22 * self.pitch, 0.3 * abs(target - source))
            ends = (self.x(row, source) + room, row), (self.x(row, target) - room, row)
            yield Arrow(*ends, float(arrived[target]), f"along time into {strand.label} at t = {target}")

    def _down(self, row: int) -> Iterator[Arrow]:
        """From every state to the layer below or to the input; the initial state reads nothing."""
        strand = self.strands[row - 1]
        sent = strand.sent
        under = [k for k, other in enumerate(self.strands, 1) if other.layer == strand.layer - 1]
        same = [k for k in under if self.strands[k - 1].backwards == strand.backwards]
        target = max(same or under, default=0)
        goal = self.strands[target - 1].label if target else "the input"
        for step in self.drawn(0).tolist():
            ends = (self.x(row, step), row - _GAP), (self.x(target, step), target + _GAP)
            yield Arrow(*ends, float(sent[step - 1]), f"from {strand.label} to {goal} at t = {step}")

    def _past(self, row: int) -> Iterator[Arrow]:
        """From above a layer to above the one below, where it joins what the layer sends down."""
        strand = self.strands[row - 1]
        if strand.skipped is None:
            return
        high, low = (
            max(k for k, other in enumerate(self.strands, 1) if other.layer == layer)
            for layer in (strand.layer, strand.layer - 1)
        )
        for step in self.drawn(0).tolist():
            x, what = self.x(row, step), f"past layer {strand.layer + 1} at t = {step}"
            ends = (x, high + 1.6 * _GAP), (x, low + 1.6 * _GAP)
            yield Arrow(*ends, float(strand.skipped[step - 1]), what, -_BEND * self.pitch)

    def _from_loss(self, row: int, loss: np.ndarray) -> Iterator[Arrow]:
        """Where the last loss (for a backward half the first) is read, it is all that there is of ∂L/∂h."""
        strand, entered = self.strands[row - 1], np.flatnonzero(loss)
        alone = entered[0 if strand.backwards else -1]
        readout = float(strand.reached[alone] - np.log10(abs(loss[alone])))
        for step in self.columns[loss[self.columns] != 0].tolist():
            ends = (self.x(self.top, step), self.top - _GAP), (self.x(row, step), row + _GAP)
            size = readout + float(np.log10(abs(loss[step])))
            yield Arrow(*ends, size, f"from the loss into {strand.label} at t = {step}")
