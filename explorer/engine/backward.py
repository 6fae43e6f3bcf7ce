"""Backward pass over time, with a power of two carried for every column so that nothing under- or overflows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from explorer.cells.cell import Partials
from explorer.engine.forward import Forward, System
from explorer.engine.partials import partials_between

STRIDE = 8  # steps between two looks at the size of the adjoint
BLOCK = 32  # steps whose partial derivatives are computed at once
_COMFORT = 32  # adjoints within 2^±32 are left as they are


@dataclass
class Backward:
    """Total adjoints of a loss: ∂L/∂s_t = totals[s][t] · 2^exponents[t].

    Attributes:
        totals: state → [T+1, H, C]; for a state that others of the same step depend on (the LSTM's c), the
            derivative through them is included, as autograd's ``retain_grad`` gives it.
        exponents: [T+1, C].
    """

    totals: dict[str, np.ndarray]
    exponents: np.ndarray


class Pullback:
    """One step of the adjoint equations for a system; owns the scratch memory."""

    def __init__(self, system: System, columns: int) -> None:
        size = system.hidden_size
        self.states = system.cell.states
        self._gain = system.gain
        self._direct = len(system.matrix) // size
        self._transposed = np.ascontiguousarray(system.matrix[:, :size].T)
        self._message = (
            None if system.message_matrix is None else np.ascontiguousarray(system.message_matrix.T)
        )
        self._slots = {slot.name: k for k, slot in enumerate(system.cell.wiring())}
        self._delta = np.empty((system.num_slots, size, columns), system.matrix.dtype)

    def totals(self, partials: Partials, i: int, adjoint: dict[str, np.ndarray]) -> None:
        """Turn direct adjoints of the states after step i into total ones, in place."""
        for (state, source), slope in reversed(partials.within.items()):
            adjoint[source] += slope[i] * adjoint[state]

    def slots(self, partials: Partials, i: int, adjoint: dict[str, np.ndarray]) -> np.ndarray:
        """δ [K, H, C], the adjoints of the slots of step i, from total adjoints of the states (scratch memory)."""
        delta, filled = self._delta, 0
        for state, where, slope in partials.slots:
            if where.start >= filled:
                delta[filled : where.start] = 0
                np.multiply(slope[i], adjoint[state], out=delta[where])
            else:
                delta[where] += slope[i] * adjoint[state]
            filled = max(filled, where.stop)
        delta[filled:] = 0
        return delta

    def back(
        self, partials: Partials, i: int, adjoint: dict[str, np.ndarray], previous: dict[str, np.ndarray]
    ) -> None:
        """From total adjoints after step i fill the direct adjoints of the states before it."""
        delta, h = self.slots(partials, i, adjoint), previous["h"]
        columns = delta.shape[-1]
        message = None
        if self._message is not None:
            message = self._message @ delta[self._direct :].reshape(-1, columns)
            if self._gain is not None:
                message *= self._gain
            for slot, slope in partials.message_slots.items():
                delta[self._slots[slot]] += slope[i] * message
        np.matmul(self._transposed, delta[: self._direct].reshape(-1, columns), out=h)
        if self._gain is not None:
            h *= self._gain
        for name, array in previous.items():
            if name != "h":
                array[...] = 0
        if message is not None:
            for name, slope in partials.message_carry.items():
                previous[name] += slope[i] * message
        for (state, name), slope in partials.carry.items():
            previous[name] += slope[i] * adjoint[state]


def backward(
    system: System,
    record: Forward,
    loss_weights: np.ndarray,
    readout: np.ndarray,
    *,
    shared: bool = False,
    block_partials: Iterator[tuple[int, Partials]] | None = None,
) -> Backward:
    """Total adjoints of L = Σ_t w_t Σ v·h_t for every state and step.

    Args:
        system: the system that ``record`` came from.
        record: forward pass; with one column, ``readout`` may have any number of columns.
        loss_weights: w_t, [T+1].
        readout: v, [H, C].
        shared: carry one exponent for all columns (Jacobian products) instead of one for each.
        block_partials: (first step, partials) in backward order, when they are at hand already.
    """
    num_steps, columns = len(record.slots), readout.shape[1]
    dtype = system.matrix.dtype
    pullback = Pullback(system, columns)
    totals = {
        name: np.zeros((num_steps + 1, system.hidden_size, columns), dtype) for name in system.cell.states
    }
    run = _Run(pullback, totals, np.zeros((num_steps + 1, columns), np.int64), loss_weights, readout, shared)
    run.inject(num_steps)
    for start, partials in block_partials or partial_blocks(system, record):
        stop = min(start + BLOCK, num_steps)
        for top in range(stop, start, -STRIDE):
            run.stretch(partials, start, top, max(start, top - STRIDE))
    return Backward(totals, run.exponents)


def partial_blocks(system: System, record: Forward) -> Iterator[tuple[int, Partials]]:
    """(first step, partials) of blocks of ``BLOCK`` steps, last block first."""
    num_steps = len(record.slots)
    for start in reversed(range(0, num_steps, BLOCK)):
        yield start, partials_between(system.cell, record, start, min(start + BLOCK, num_steps))


def _largest(arrays: list[np.ndarray]) -> np.ndarray:
    """Largest |entry| of each column over all arrays [H, C]."""
    return np.max([np.abs(array).max(axis=0) for array in arrays], axis=0)


@dataclass
class _Run:
    """The adjoint on its way back; ``totals[t]`` holds direct adjoints until step t has been pulled through."""

    pullback: Pullback
    totals: dict[str, np.ndarray]
    exponents: np.ndarray
    loss_weights: np.ndarray
    readout: np.ndarray
    shared: bool

    def stretch(self, partials: Partials, start: int, top: int, bottom: int) -> None:
        """Pull the adjoint from state ``top`` back to state ``bottom``; carefully if a first try leaves the range."""
        kept = {name: array[top].copy() for name, array in self.totals.items()}
        exponents = self.exponents[top].copy()
        with np.errstate(over="ignore", invalid="ignore"):
            self._steps(partials, start, top, bottom, careful=False)
        power = self._power(bottom)
        limits = np.finfo(self.readout.dtype)
        lost = (self._largest(bottom) == 0) & (_largest(list(kept.values())) > 0)
        if ((power > limits.maxexp // 2) | (power < limits.minexp // 2) | lost).any():
            for name, array in self.totals.items():
                array[top] = kept[name]
            self.exponents[top] = exponents
            self._steps(partials, start, top, bottom, careful=True)
            power = self._power(bottom)
        if (np.abs(power) > _COMFORT).any():
            self._rescale(bottom, power)

    def _steps(self, partials: Partials, start: int, top: int, bottom: int, *, careful: bool) -> None:
        for t in range(top, bottom, -1):
            i = t - 1 - start
            after = {name: array[t] for name, array in self.totals.items()}
            self.pullback.totals(partials, i, after)
            self.pullback.back(
                partials, i, after, {name: array[t - 1] for name, array in self.totals.items()}
            )
            self.exponents[t - 1] = self.exponents[t]
            if partials.exponent is not None:
                self.exponents[t - 1] += partials.exponent[i, 0]
            if careful:
                self._rescale(t - 1, self._power(t - 1))
            self.inject(t - 1)

    def inject(self, t: int) -> None:
        """Add w_t v to ∂L/∂h_t, aligning exponents first so that neither part is lost."""
        weight = self.loss_weights[t]
        if weight == 0:
            return
        if self.exponents[t].any():
            self._rescale(t, np.maximum(self._power(t), -self.exponents[t]))
            self.totals["h"][t] += np.ldexp(weight * self.readout, -self.exponents[t])
        else:
            self.totals["h"][t] += weight * self.readout

    def _largest(self, t: int) -> np.ndarray:
        """Largest |entry| of each column over all states."""
        largest = _largest([array[t] for array in self.totals.values()])
        return np.broadcast_to(largest.max(), largest.shape) if self.shared else largest

    def _power(self, t: int) -> np.ndarray:
        """Power of two just above the largest |entry| of each column; 0 for columns of zeros."""
        largest = self._largest(t)
        power = np.frexp(largest)[1].astype(np.int64)
        return np.where(np.isfinite(largest), power, np.iinfo(np.int32).max)

    def _rescale(self, t: int, power: np.ndarray) -> None:
        for array in self.totals.values():
            array[t] = np.ldexp(array[t], -power)
        self.exponents[t] += power
