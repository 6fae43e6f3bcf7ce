"""Backward pass over time; every column carries a power of two, so that nothing under- or overflows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from explorer.cells.cell import Partials
from explorer.engine import pool
from explorer.engine.forward import Forward, System
from explorer.engine.partials import partials_between

BLOCK = (
    16  # steps whose partial derivatives are computed at once, and between two looks at the adjoint's size
)
_COMFORT = 32  # adjoints within 2^±32 are left as they are


Adjoint = dict[str, np.ndarray]  # state → [H, C]


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
    """One step of the adjoint equations for a system; owns the scratch memory.

    Methods take ``partials`` of a block, the step's index ``i`` in that block and adjoints by state name,
    arrays [H, C].
    """

    def __init__(self, system: System, columns: int) -> None:
        size, dtype = system.hidden_size, system.matrix.dtype
        self._gain = system.gain
        self._direct = len(system.matrix) // size
        self._transposed = np.ascontiguousarray(system.matrix[:, :size].T)
        self._message = (
            None if system.message_matrix is None else np.ascontiguousarray(system.message_matrix.T)
        )
        self._slots = {slot.name: k for k, slot in enumerate(system.cell.wiring())}
        self._delta = np.zeros((system.num_slots, size, columns), dtype)
        self._delta_rows = self._delta.reshape(-1, columns)
        self._scratch = np.empty((system.num_slots, size, columns), dtype)
        self._others = [name for name in system.cell.states if name != "h"]
        self._simple = self._message is None and self._gain is None
        self._loaded: Partials | None = None

    def _load(self, partials: Partials) -> None:
        """Cut a block's arrays into one view for each step, once: indexing costs more than multiplying."""
        self._loaded = partials
        self._delta[...] = 0
        written: set[int] = set()
        self._into_slots: list[tuple[str, list[np.ndarray], np.ndarray, bool]] = []
        for state, where, slope in partials.slots:
            rows = range(where.start, where.stop)
            self._into_slots.append((state, list(slope), self._delta[where], written.isdisjoint(rows)))
            written.update(rows)
        self._within = [
            (state, source, list(slope)) for (state, source), slope in reversed(partials.within.items())
        ]
        seen = set() if self._message is None else set(partials.message_carry)
        self._carry = []
        for (state, name), slope in partials.carry.items():
            self._carry.append((state, name, list(slope), name != "h" and name not in seen))
            seen.add(name)
        self._empty = [name for name in self._others if name not in seen or name in partials.message_carry]

    def steps(self, partials: Partials, adjoints: list[Adjoint]) -> Iterator[int]:
        """All steps of a block, last first; yields i once adjoints[i] is there, from adjoints[i + 1]."""
        self._load(partials)
        if len(self._into_slots) == 1 and not (self._within or self._carry or self._others) and self._simple:
            # A vanilla cell: at these sizes the calls below cost as much as the arithmetic.
            multiply, matmul, transposed, rows = np.multiply, np.matmul, self._transposed, self._delta_rows
            ((_, slopes, delta, _),) = self._into_slots
            for i in range(len(slopes) - 1, -1, -1):
                multiply(slopes[i], adjoints[i + 1]["h"], out=delta)
                matmul(transposed, rows, out=adjoints[i]["h"])
                yield i
            return
        for i in range(len(adjoints) - 2, -1, -1):
            self.totals(partials, i, adjoints[i + 1])
            self.back(partials, i, adjoints[i + 1], adjoints[i])
            yield i

    def totals(self, partials: Partials, i: int, adjoint: Adjoint) -> None:
        """Turn direct adjoints of the states after step i into total ones, in place."""
        if partials is not self._loaded:
            self._load(partials)
        for state, source, slope in self._within:
            adjoint[source] += np.multiply(slope[i], adjoint[state], out=self._scratch[0])

    def slots(self, partials: Partials, i: int, adjoint: Adjoint) -> np.ndarray:
        """δ [K, H, C], adjoints of the slots of step i from total adjoints of the states; scratch memory."""
        if partials is not self._loaded:
            self._load(partials)
        for state, slope, delta, fresh in self._into_slots:
            if fresh:
                np.multiply(slope[i], adjoint[state], out=delta)
            else:
                delta += np.multiply(slope[i], adjoint[state], out=self._scratch[: len(delta)])
        return self._delta

    def back(self, partials: Partials, i: int, adjoint: Adjoint, previous: Adjoint) -> None:
        """From total adjoints after step i fill the direct adjoints of the states before it."""
        delta, h, scratch = self.slots(partials, i, adjoint), previous["h"], self._scratch[0]
        for name in self._empty:
            previous[name][...] = 0
        if self._message is None:
            np.matmul(self._transposed, self._delta_rows, out=h)
        else:
            rows = self._direct * len(h)
            message = self._message @ self._delta_rows[rows:]
            if self._gain is not None:
                message *= self._gain
            for slot, slope in partials.message_slots.items():
                delta[self._slots[slot]] += slope[i] * message
            np.matmul(self._transposed, self._delta_rows[:rows], out=h)
        if self._gain is not None:
            h *= self._gain
        if self._message is not None:
            for name, slope in partials.message_carry.items():
                previous[name] += slope[i] * message
        for state, name, factor, fresh in self._carry:
            if fresh:
                np.multiply(factor[i], adjoint[state], out=previous[name])
            else:
                previous[name] += np.multiply(factor[i], adjoint[state], out=scratch)


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
    totals = {
        name: pool.empty((num_steps + 1, system.hidden_size, columns), dtype) for name in system.cell.states
    }
    for array in totals.values():
        array[-1] = 0
    run = _Run(Pullback(system, columns), totals, loss_weights, readout, shared)
    run.begin()
    for start, partials in block_partials or partial_blocks(system, record):
        run.stretch(partials, start, min(start + BLOCK, num_steps))
    return Backward(totals, run.exponents)


def partial_blocks(system: System, record: Forward) -> Iterator[tuple[int, Partials]]:
    """(first step, partials) of blocks of ``BLOCK`` steps, last block first."""
    num_steps = len(record.slots)
    for start in reversed(range(0, num_steps, BLOCK)):
        yield start, partials_between(system.cell, record, start, min(start + BLOCK, num_steps))


def _largest(arrays: list[np.ndarray]) -> np.ndarray:
    """Largest |entry| of each column over all arrays [H, C]."""
    return np.asarray(np.max([np.abs(array).max(axis=0) for array in arrays], axis=0))


class _Run:
    """The adjoint on its way back; ``totals[…][t]`` holds direct adjoints until step t is pulled through."""

    def __init__(
        self,
        pullback: Pullback,
        totals: Adjoint,
        loss_weights: np.ndarray,
        readout: np.ndarray,
        shared: bool,
    ) -> None:
        num_steps = len(loss_weights) - 1
        self.exponents = np.zeros((num_steps + 1, readout.shape[1]), np.int64)
        self._pullback, self._shared = pullback, shared
        self._loss_weights, self._readout = loss_weights, readout
        self._entering = [bool(weight) for weight in loss_weights]
        self._adjoints = [
            dict(zip(totals, views, strict=True)) for views in zip(*totals.values(), strict=True)
        ]
        self._limits = np.finfo(readout.dtype)

    def begin(self) -> None:
        """The loss at the last step."""
        self.inject(len(self._adjoints) - 1)
        self._size = self._largest(len(self._adjoints) - 1)

    def stretch(self, partials: Partials, start: int, stop: int) -> None:
        """Pull the adjoint through a block's steps; carefully if a first try leaves the range."""
        kept = {source: self._adjoints[stop][source].copy() for _, source in partials.within}
        aligned = not (self.exponents[stop].any() or partials.exponent is not None)
        if aligned or not any(self._entering[start:stop]):
            with np.errstate(over="ignore", invalid="ignore"):
                self._quick(partials, start, stop)
            after = self._largest(start)
            power = np.frexp(after)[1]
            low, high = self._limits.minexp // 2, self._limits.maxexp // 2
            fits = np.isfinite(after) & (power > low) & (power < high) & ((after > 0) | (self._size == 0))
            if fits.all():
                self._size = after
                if max(power.max(), -power.min()) > _COMFORT:
                    self._rescale(start, power)
                return
            for source, array in kept.items():
                self._adjoints[stop][source][...] = array
        self._careful(partials, start, stop)
        self._size = self._largest(start)

    def _quick(self, partials: Partials, start: int, stop: int) -> None:
        """All steps with one exponent."""
        adjoints = self._adjoints[start : stop + 1]
        entering = [self._loss_weights[t] if self._entering[t] else None for t in range(start, stop)]
        for i in self._pullback.steps(partials, adjoints):
            if entering[i] is not None:
                adjoints[i]["h"] += entering[i] * self._readout
        self.exponents[start:stop] = self.exponents[stop]
        if partials.exponent is not None:
            self.exponents[start:stop] += np.cumsum(partials.exponent[::-1, 0], axis=0)[::-1]

    def _careful(self, partials: Partials, start: int, stop: int) -> None:
        """A look at the size after every step."""
        for i in range(stop - start - 1, -1, -1):
            t, after = start + i, self._adjoints[start + i + 1]
            self._pullback.totals(partials, i, after)
            self._pullback.back(partials, i, after, self._adjoints[t])
            self.exponents[t] = self.exponents[t + 1]
            if partials.exponent is not None:
                self.exponents[t] += partials.exponent[i, 0]
            self._rescale(t, self._power(t))
            self.inject(t)

    def inject(self, t: int) -> None:
        """Add w_t v to ∂L/∂h_t, aligning exponents first so that neither part is lost."""
        if not self._entering[t]:
            return
        self._rescale(t, np.maximum(self._power(t), -self.exponents[t]))
        self._adjoints[t]["h"] += np.ldexp(self._loss_weights[t] * self._readout, -self.exponents[t])

    def _largest(self, t: int) -> np.ndarray:
        """Largest |entry| of each column over all states."""
        largest = np.max([np.abs(array).max(axis=0) for array in self._adjoints[t].values()], axis=0)
        return np.broadcast_to(largest.max(), largest.shape) if self._shared else largest

    def _power(self, t: int) -> np.ndarray:
        """Power of two just above the largest |entry| of each column; 0 for zeros, NaN or infinity."""
        return np.asarray(np.frexp(self._largest(t))[1], np.int64)

    def _rescale(self, t: int, power: np.ndarray) -> None:
        for array in self._adjoints[t].values():
            np.ldexp(array, -power, out=array)
        self.exponents[t] += power
