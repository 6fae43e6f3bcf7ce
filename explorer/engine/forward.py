"""Forward pass over time, feature-major: columns are samples (or sweep points × samples)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from explorer import pool
from explorer.cells import Cell
from explorer.cells.cell import core_stepper
from explorer.cells.conditions import Conditions, Reading
from explorer.engine.products import product

_CALM = 2  # |slots| below which all cells use the same formulas
_ZERO = np.iinfo(np.int64).min // 2  # stands for the exponent of 0


@dataclass
class System:
    """A cell with its matrices and everything that drives it, ready for the loops.

    Attributes:
        cell: the cell.
        matrix: [K·H, H + D], acts on [h; drive].
        message_matrix: [M·H, H], acts on the cell's message, or None.
        drive: [T, D, C]: inputs, a row of ones and, in sweeps, further rows.
        initial: state name → [H, C].
        gain: [C] factor on h before the matrix (sweeps over the weight scale), or None for 1.
        conditions: vectors of the units and held gates.
    """

    cell: Cell
    matrix: np.ndarray
    message_matrix: np.ndarray | None
    drive: np.ndarray
    initial: dict[str, np.ndarray]
    gain: np.ndarray | None = None
    conditions: Conditions = field(default_factory=Conditions)

    @property
    def hidden_size(self) -> int:
        """H."""
        return len(self.initial["h"])

    @property
    def num_slots(self) -> int:
        """How many pre-activations the cell has."""
        return len(self.cell.wiring())


@dataclass
class Forward:
    """What the forward pass recorded.

    Attributes:
        states: name → [T+1, H, C].
        slots: [T, K, H, C]; gates: [T, G, H, C].
        exponents: [T+1, C] powers of two to multiply the states at t with, or None when all are 0; the slots
            of step t → t+1 carry the exponent of row t.
        largest: [T] bound of |slots| at each step, if it was looked at: it decides which formulas hold.
        conditions: those of the system.
    """

    states: dict[str, np.ndarray]
    slots: np.ndarray
    gates: np.ndarray
    exponents: np.ndarray | None = None
    largest: np.ndarray | None = None
    conditions: Conditions = field(default_factory=Conditions)


def forward(system: System) -> Forward:
    """All states, slots and gates; homogeneous cells are rescaled where plain numbers leave their range."""
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        record = _plain(system)
        if system.cell.homogeneous and _out_of_range(record.states["h"]):
            return _rescaled(system)
    return record


def _allocate(system: System) -> tuple[np.ndarray, Forward]:
    """The columns [T+1, H + D, C] = [h; drive] with drive and first states filled in, and the record.

    Without a gain the record's h is a view of the columns: what a step writes is what the next one reads.
    """
    cell, size = system.cell, system.hidden_size
    num_steps, width, count = system.drive.shape
    dtype = system.matrix.dtype
    columns = pool.empty((num_steps + 1, size + width, count), dtype)
    columns[:-1, size:] = system.drive
    states = {name: pool.empty((num_steps + 1, size, count), dtype) for name in cell.states if name != "h"}
    states["h"] = (
        columns[:, :size] if system.gain is None else pool.empty((num_steps + 1, size, count), dtype)
    )
    for name, array in states.items():
        array[0] = system.initial[name]
    slots = pool.empty((num_steps, system.num_slots, size, count), dtype)
    gates = pool.empty((num_steps, len(cell.gates), size, count), dtype)
    return columns, Forward(states, slots, gates, conditions=system.conditions)


def _plain(system: System) -> Forward:
    columns, record = _allocate(system)
    step = _stepper(system, columns, record)
    if system.gain is None:
        for t in range(len(record.slots)):
            step(t)
    else:
        size = system.hidden_size
        for t, h in enumerate(record.states["h"][:-1]):
            np.multiply(h, system.gain, out=columns[t, :size])
            step(t)
    if not system.cell.homogeneous:
        record.largest = _largest_slots(record.slots)
        if not system.conditions:
            system.cell.refine(record.slots, record.gates, float(record.largest.max()))
    return record


def _largest_slots(slots: np.ndarray) -> np.ndarray:
    """A bound of |slots| for each step: the largest, unless all are so small that no formula changes."""
    top = np.maximum(slots.max(), -slots.min())
    if top < _CALM:
        return np.full(len(slots), top)
    axes = (1, 2, 3)
    return np.asarray(np.maximum(slots.max(axis=axes), -slots.min(axis=axes)))


def _stepper(system: System, columns: np.ndarray, record: Forward) -> Callable[[int], None]:
    """A function that makes step t → t+1: slots from column t by one matrix product, then the cell's core."""
    cell, size = system.cell, system.hidden_size
    conditions = system.conditions
    advance = (
        core_stepper(cell, record.slots, record.gates, record.states, conditions)
        if conditions
        else cell.stepper(record.slots, record.gates, record.states)
    )
    direct = len(system.matrix) // size
    slots, message_matrix = record.slots, system.message_matrix
    num_steps, _, _, count = slots.shape
    multiply = product(system.matrix)
    sources = list(columns)
    targets = list(slots[:, :direct].reshape(num_steps, direct * size, count, copy=False))

    def step(t: int) -> None:
        multiply(sources[t], targets[t])
        advance(t)

    if message_matrix is None:
        return step
    names = [slot.name for slot in cell.wiring()]
    gain = 1 if system.gain is None else system.gain

    def step_with_message(t: int) -> None:
        multiply(sources[t], targets[t])
        previous = {name: array[t] for name, array in record.states.items()}
        known = dict(zip(names[:direct], slots[t], strict=False))
        message = cell.message(known, previous, Reading(conditions.at(t))) * gain
        slots[t, direct:] = (message_matrix @ message).reshape(-1, size, count)
        advance(t)

    return step_with_message


def _out_of_range(h: np.ndarray) -> bool:
    """Whether states left the comfortable range of the float type, in either direction."""
    largest = np.abs(h).max(axis=1)
    limits = np.finfo(h.dtype)
    alive = np.maximum.accumulate(largest, axis=0) > 0
    too_large = not largest.max() < np.sqrt(limits.max)  # true for NaN as well
    return too_large or bool((alive & (largest < np.sqrt(limits.tiny))).any())


def _power(column: np.ndarray, exponent: np.ndarray | int) -> np.ndarray:
    """Power of two just above the largest |entry| · 2^exponent of each column; ``_ZERO`` for zeros."""
    largest = np.abs(column).max(axis=0)
    return np.where(largest > 0, np.frexp(largest)[1].astype(np.int64) + exponent, _ZERO)


def _rescaled(system: System) -> Forward:
    """As ``_plain`` with a power of two carried for each column; for φ(c·a) = c·φ(a) this loses nothing."""
    columns, record = _allocate(system)
    step = _stepper(system, columns, record)
    size = system.hidden_size
    gain = 1 if system.gain is None else system.gain
    h = record.states["h"]
    exponents = np.zeros((len(h), h.shape[2]), np.int64)
    reaches = np.abs(system.matrix[:, size:]).max(axis=0) > 0
    felt = columns[:-1, size:] * reaches[:, None]
    for t in range(len(record.slots)):
        target = np.maximum(_power(h[t], exponents[t]), _power(felt[t], 0))
        target[target == _ZERO] = 0
        h[t] = np.ldexp(h[t], exponents[t] - target)
        exponents[t : t + 2] = target
        columns[t, :size] = h[t] * gain
        columns[t, size:] = np.ldexp(columns[t, size:], -target)
        step(t)
    return Forward(record.states, record.slots, record.gates, exponents, conditions=system.conditions)
