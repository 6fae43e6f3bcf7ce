"""Forward pass over time, feature-major: columns are samples (or sweep points × samples)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.cells import Cell


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
    """

    cell: Cell
    matrix: np.ndarray
    message_matrix: np.ndarray | None
    drive: np.ndarray
    initial: dict[str, np.ndarray]
    gain: np.ndarray | None = None

    @property
    def hidden_size(self) -> int:
        """H."""
        return self.initial["h"].shape[0]

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
    """

    states: dict[str, np.ndarray]
    slots: np.ndarray
    gates: np.ndarray
    exponents: np.ndarray | None = None


def forward(system: System) -> Forward:
    """All states, slots and gates; homogeneous cells are rescaled where plain numbers would overflow or underflow."""
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        record = _plain(system)
        if system.cell.homogeneous and _out_of_range(record.states["h"]):
            return _rescaled(system)
    return record


def _allocate(system: System) -> tuple[np.ndarray, Forward]:
    """The buffer [T, H + D, C] with the drive filled in, and an empty record with its first states."""
    cell, size = system.cell, system.hidden_size
    num_steps, width, columns = system.drive.shape
    dtype = system.matrix.dtype
    buffer = np.empty((num_steps, size + width, columns), dtype)
    buffer[:, size:] = system.drive
    states = {name: np.empty((num_steps + 1, size, columns), dtype) for name in cell.states}
    for name, array in states.items():
        array[0] = system.initial[name]
    slots = np.empty((num_steps, system.num_slots, size, columns), dtype)
    gates = np.empty((num_steps, len(cell.gates), size, columns), dtype)
    return buffer, Forward(states, slots, gates)


def _plain(system: System) -> Forward:
    buffer, record = _allocate(system)
    cell, size, gain = system.cell, system.hidden_size, system.gain
    for t in range(len(buffer)):
        h = record.states["h"][t]
        if gain is None:
            buffer[t, :size] = h
        else:
            np.multiply(h, gain, out=buffer[t, :size])
        _step(system, buffer[t], record, t)
    cell.refine(record.slots, record.gates)
    return record


def _step(system: System, column: np.ndarray, record: Forward, t: int) -> None:
    """Slots, gates and states of one step from [h; drive]."""
    cell, size, slots = system.cell, system.hidden_size, record.slots[t]
    previous = {name: array[t] for name, array in record.states.items()}
    new = {name: array[t + 1] for name, array in record.states.items()}
    if system.message_matrix is None:
        np.matmul(system.matrix, column, out=slots.reshape(-1, slots.shape[-1]))
    else:
        direct = len(system.matrix) // size
        np.matmul(system.matrix, column, out=slots[:direct].reshape(-1, slots.shape[-1]))
        names = [slot.name for slot in cell.wiring()]
        message = cell.message(dict(zip(names[:direct], slots[:direct], strict=True)), previous)
        if system.gain is not None:
            message = message * system.gain
        np.matmul(system.message_matrix, message, out=slots[direct:].reshape(-1, slots.shape[-1]))
    cell.advance(slots, record.gates[t], previous, new)


def _out_of_range(h: np.ndarray) -> bool:
    """Whether states left the comfortable range of the float type, in either direction."""
    largest = np.abs(h).max(axis=1)
    limits = np.finfo(h.dtype)
    alive = np.maximum.accumulate(largest, axis=0) > 0
    too_large = not largest.max() < np.sqrt(limits.max)  # true for NaN as well
    return too_large or bool((alive & (largest < np.sqrt(limits.tiny))).any())


def _power(column: np.ndarray, exponent: np.ndarray | int) -> np.ndarray:
    """Power of two just above the largest |entry| · 2^exponent of each column; ``_ZERO`` for columns of zeros."""
    largest = np.abs(column).max(axis=0)
    return np.where(largest > 0, np.frexp(largest)[1].astype(np.int64) + exponent, _ZERO)


def _rescaled(system: System) -> Forward:
    """As ``_plain`` with a power of two carried for each column; for φ(c·a) = c·φ(a) this loses nothing."""
    buffer, record = _allocate(system)
    size = system.hidden_size
    gain = 1 if system.gain is None else system.gain
    h = record.states["h"]
    exponents = np.zeros((len(h), h.shape[2]), np.int64)
    reaches = np.abs(system.matrix[:, size:]).max(axis=0) > 0
    felt = buffer[:, size:] * reaches[:, None]
    for t in range(len(buffer)):
        target = np.maximum(_power(h[t], exponents[t]), _power(felt[t], 0))
        target[target == _ZERO] = 0
        h[t] = np.ldexp(h[t], exponents[t] - target)
        exponents[t] = target
        buffer[t, :size] = h[t] * gain
        buffer[t, size:] = np.ldexp(buffer[t, size:], -target)
        _step(system, buffer[t], record, t)
        exponents[t + 1] = target
    return Forward(record.states, record.slots, record.gates, exponents)
