"""Backward pass over time; every column carries a power of two, so that nothing under- or overflows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from explorer import pool
from explorer.cells.cell import Partials
from explorer.engine.forward import Forward, System
from explorer.engine.partials import partials_between
from explorer.engine.pullback import Adjoint, Pullback, Views

_BLOCK = 2**17  # slots whose derivatives are computed at once, in 16 to 64 steps
_SHORT = 4  # steps from which on every one is looked at instead of halving the stretch again
_COMFORT = 256.0  # adjoints within a factor of it are left alone: float32 can square all that a block adds


class Path:
    """Adjoints of all states and steps: ``arrays`` state → [T+1, H, C], ``views`` state → T+1 views of it."""

    def __init__(self, arrays: dict[str, np.ndarray]) -> None:
        self.arrays = arrays
        self.views: Views = {name: list(array) for name, array in arrays.items()}

    def at(self, t: int) -> Adjoint:
        """The adjoints of step t."""
        return {name: views[t] for name, views in self.views.items()}

    def between(self, start: int, stop: int) -> Views:
        """The adjoints of the steps ``start`` … ``stop - 1``."""
        return {name: views[start:stop] for name, views in self.views.items()}


@dataclass
class Source:
    """What enters ∂L/∂h_t from outside the recurrence: a loss, or the layer above.

    Attributes:
        values: t → [H, C], to multiply with 2^exponents[t]; at all other t nothing enters.
        exponents: [T+1, C].
        incomplete: those t at which nothing enters some of the columns.
    """

    values: dict[int, np.ndarray]
    exponents: np.ndarray
    incomplete: frozenset[int] = frozenset()

    @classmethod
    def of_loss(cls, loss_weights: np.ndarray, readout: np.ndarray) -> Source:
        """L = Σ_t w_t Σ v·h_t for w [T+1] and v [H, C]."""
        read = {t: weight for t, weight in enumerate(loss_weights.tolist()) if weight}
        values = {weight: np.multiply(readout, weight, dtype=readout.dtype) for weight in set(read.values())}
        exponents = np.zeros((len(loss_weights), readout.shape[1]), np.int64)
        return cls({t: values[weight] for t, weight in read.items()}, exponents)

    @classmethod
    def of_array(cls, values: np.ndarray, exponents: np.ndarray) -> Source:
        """Any values [T+1, H, C] with their exponents [T+1, C]."""
        filled = (values != 0).any(axis=1)
        some, every = filled.any(axis=1), filled.all(axis=1)
        incomplete = frozenset(np.flatnonzero(some & ~every).tolist())
        return cls({t: values[t] for t in np.flatnonzero(some).tolist()}, exponents, incomplete)


@dataclass
class Backward:
    """Total adjoints of a loss: ∂L/∂s_t = totals[s][t] · 2^exponents[t].

    Attributes:
        totals: state → [T+1, H, C]; for a state that others of the same step depend on (the LSTM's c), the
            derivative through them is included, as autograd's ``retain_grad`` gives it.
        exponents: [T+1, C]. All states of a column share one: what is 308 decades (float32: 38) below the
            largest entry of its step loses digits and then counts as 0.
    """

    totals: dict[str, np.ndarray]
    exponents: np.ndarray


def backward(
    system: System,
    record: Forward,
    source: Source,
    *,
    shared: bool = False,
    block_partials: Iterator[tuple[int, Partials]] | None = None,
) -> Backward:
    """Total adjoints of a loss for every state and step.

    Args:
        system: the system that ``record`` came from.
        record: forward pass; with one column, ``source`` may have any number of columns.
        source: what enters ∂L/∂h_t from outside the recurrence.
        shared: carry one exponent for all columns (Jacobian products) instead of one for each.
        block_partials: (first step, partials) in backward order, when they are at hand already.
    """
    num_steps, columns = len(record.slots), source.exponents.shape[1]
    dtype = system.matrix.dtype
    totals = {
        name: pool.empty((num_steps + 1, system.hidden_size, columns), dtype) for name in system.cell.states
    }
    for array in totals.values():
        array[-1] = 0
    run = AdjointRun(Pullback(system, columns), Path(totals), source, shared)
    run.begin()
    stop = num_steps
    for start, partials in block_partials or partial_blocks(system, record):
        run.stretch(partials, start, start, stop)
        stop = start
    return Backward(totals, run.exponents)


def partial_blocks(system: System, record: Forward) -> Iterator[tuple[int, Partials]]:
    """(first step, partials) of blocks of 16 to 64 steps, last block first."""
    num_steps = len(record.slots)
    block = int(np.clip(_BLOCK // record.slots[0].size, 16, 64))
    for start in reversed(range(0, num_steps, block)):
        yield start, partials_between(system.cell, record, start, min(start + block, num_steps))


class AdjointRun:
    """The adjoint on its way back; the path holds direct adjoints at t until step t is pulled through."""

    def __init__(self, pullback: Pullback, path: Path, source: Source, shared: bool) -> None:
        self.exponents = np.zeros_like(source.exponents)
        self._pullback, self._path, self._source, self._shared = pullback, path, source, shared
        self._limits = np.finfo(path.arrays["h"].dtype)

    def begin(self) -> None:
        """The loss at the last step."""
        last = len(self.exponents) - 1
        if last in self._source.values:
            self._path.views["h"][last] += self._source.values[last]
            self.exponents[last] = self._source.exponents[last]
        self._size = self._largest(last)

    def stretch(self, partials: Partials, first: int, start: int, stop: int) -> None:
        """Pull the adjoint through some steps of the block that begins at ``first``.

        All of them with one exponent if the numbers allow it, else in two halves, at last step by step.
        """
        after = self._path.at(stop)
        kept = {source: after[source].copy() for _, source in partials.within}
        if self._quick(partials, first, start, stop):
            return
        for source, array in kept.items():
            after[source][...] = array
        if stop - start <= _SHORT:
            self._careful(partials, first, start, stop)
            self._size = self._largest(start)
            return
        middle = (start + stop) // 2
        self.stretch(partials, first, middle, stop)
        self.stretch(partials, first, start, middle)

    def _quick(self, partials: Partials, first: int, start: int, stop: int) -> bool:
        """All steps with one exponent; False when what enters, or what is left of it, is out of its range."""
        source, hidden, limits = self._source, self._path.views["h"], self._limits
        values, shifts, empty = source.values, None, self._size == 0
        entering = sorted((t for t in values if start <= t < stop), reverse=True)
        if entering:
            shifts = source.exponents[start:stop] - self.exponents[stop]
            if not shifts.any():
                shifts = None
            elif shifts.max() > limits.maxexp // 4 or shifts.min() < limits.minexp // 2:
                return False
            if partials.exponent is not None:
                return False
        with np.errstate(over="ignore", invalid="ignore"):  # states that overflowed: inf · 0
            parts = {
                t: values[t] if shifts is None else np.ldexp(values[t], shifts[t - start]) for t in entering
            }
            if len(parts) == stop - start and source.incomplete.isdisjoint(parts):
                self._pull(partials, first, start, stop, parts)
            elif not parts:
                self._pull(partials, first, start, stop)
            else:
                upper = stop
                for t in dict.fromkeys([*entering, start]):
                    self._pull(partials, first, t, upper)
                    if t in parts:
                        # What enters here would hide that the steps since the last entry lost theirs.
                        gap = upper - t > 1 or upper in source.incomplete
                        if gap and not self._in_range(self._largest(t), empty):
                            return False
                        hidden[t] += parts[t]
                        empty = empty & ~parts[t].any(axis=0)
                    upper = t
        self.exponents[start:stop] = self.exponents[stop]
        if partials.exponent is not None:
            own = partials.exponent[start - first : stop - first, 0]
            self.exponents[start:stop] += np.cumsum(own[::-1], axis=0)[::-1]
        size = self._largest(start)
        if size.min() > 1 / _COMFORT and size.max() < _COMFORT:
            self._size = size
            return True
        if not self._in_range(size, empty):
            return False
        self._size = size
        self._rescale(start, np.frexp(size)[1])
        return True

    def _in_range(self, size: np.ndarray, empty: np.ndarray) -> bool:
        """Whether columns of this size lost nothing on their way; 0 only where they were ``empty`` before."""
        power, limits = np.frexp(size)[1], self._limits
        inside = (power > limits.minexp // 2) & (power < limits.maxexp // 2)
        return bool((np.isfinite(size) & inside & ((size > 0) | empty)).all())

    def _careful(self, partials: Partials, first: int, start: int, stop: int) -> None:
        """A look at the size after every step."""
        for t in range(stop - 1, start - 1, -1):
            with np.errstate(over="ignore", invalid="ignore"):
                self._pull(partials, first, t, t + 1)
            self.exponents[t] = self.exponents[t + 1]
            if partials.exponent is not None:
                self.exponents[t] += partials.exponent[t - first, 0]
            self._rescale(t, self._power(t))
            self._inject(t)

    def _pull(
        self,
        partials: Partials,
        first: int,
        start: int,
        stop: int,
        parts: dict[int, np.ndarray] | None = None,
    ) -> None:
        """Through the steps ``start`` … ``stop - 1`` of the block that begins at ``first``.

        ``parts``, if given, enter ∂L/∂h at every one of them.
        """
        after, before = self._path.between(start + 1, stop + 1), self._path.between(start, stop)
        entering = None if parts is None else [parts[t] for t in range(start, stop)]
        self._pullback.pull(partials, slice(start - first, stop - first), after, before, entering)

    def _inject(self, t: int) -> None:
        """Add what enters ∂L/∂h_t, aligning exponents first so that neither part is lost."""
        if t not in self._source.values:
            return
        value, own = self._source.values[t], self._source.exponents[t] - self.exponents[t]
        filled = np.abs(value).max(axis=0) > 0
        power = self._power(t)
        empty = self._largest(t) == 0
        self._rescale(t, np.where(filled, np.where(empty, own, np.maximum(power, own)), power))
        own = self._source.exponents[t] - self.exponents[t]
        self._path.views["h"][t] += np.ldexp(value, np.where(filled, own, 0))

    def _largest(self, t: int) -> np.ndarray:
        """Largest |entry| of each column over all states."""
        first, *others = (np.abs(array).max(axis=0) for array in self._path.at(t).values())
        for other in others:
            np.maximum(first, other, out=first)
        return np.broadcast_to(first.max(), first.shape) if self._shared else first

    def _power(self, t: int) -> np.ndarray:
        """Power of two just above the largest |entry| of each column; 0 for zeros, NaN or infinity."""
        return np.asarray(np.frexp(self._largest(t))[1], np.int64)

    def _rescale(self, t: int, power: np.ndarray) -> None:
        for array in self._path.at(t).values():
            np.ldexp(array, -power, out=array)
        self.exponents[t] += power
