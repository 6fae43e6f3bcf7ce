"""The gradient of all weights from the adjoints of the states: what a training step needs of a run."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from explorer import pool
from explorer.cells.cell import BIAS_HH, BIAS_IH, HIDDEN, INPUT, MESSAGE, Cell, Conditions, Partials
from explorer.cells.conditions import Reading
from explorer.engine.backward import Backward
from explorer.engine.forward import Forward, System
from explorer.weights import Weights

Blocks = Sequence[tuple[int, Partials]]  # (first step, derivatives of the steps from there on)


def weight_gradients(system: System, record: Forward, adjoints: Backward, blocks: Blocks) -> Weights:
    r"""∂L/∂W for all weights of the cell, by their torch names and in their shapes.

    .. math::
        \frac{\partial L}{\partial U} = \sum_{t,b} \delta_{t,b}\, h_{t-1,b}^\top, \qquad
        \frac{\partial L}{\partial W} = \sum_{t,b} \delta_{t,b}\, x_{t,b}^\top, \qquad
        \frac{\partial L}{\partial b} = \sum_{t,b} \delta_{t,b}

    with δ = ∂L/∂slot, one matrix product each for all steps and samples. Slots that read a message have it in
    place of h. Parts of the gradient that are beyond the range of floats become infinite, those far below its
    lower end 0.

    Args:
        system: matrices and drive [x; 1] of the run.
        record: its forward pass.
        adjoints: total ∂L/∂s_t.
        blocks: the derivatives of all steps, as ``partial_blocks`` gives them.
    """
    cell, size = system.cell, system.hidden_size
    num_steps, slots, _, batch = record.slots.shape
    delta = _slot_adjoints(system, record, adjoints, blocks)
    states = pool.empty((size + system.drive.shape[1], num_steps, batch), record.slots.dtype)
    np.copyto(states[:size], np.moveaxis(_hidden(record), 1, 0))
    np.copyto(states[size:], np.moveaxis(system.drive, 1, 0))
    flat = delta.reshape(slots * size, -1)
    products = _product(flat, states.reshape(len(states), -1).T).reshape(slots, size, -1)
    sums: Weights = {
        "weight_ih": np.zeros((cell.blocks * size, system.drive.shape[1] - 1), flat.dtype),
        "weight_hh": np.zeros((cell.blocks * size, size), flat.dtype),
        "bias_ih": np.zeros(cell.blocks * size, flat.dtype),
        "bias_hh": np.zeros(cell.blocks * size, flat.dtype),
    }
    for k, slot in enumerate(cell.wiring()):
        rows = slice(slot.block * size, (slot.block + 1) * size)
        if HIDDEN in slot.reads:
            sums["weight_hh"][rows] += products[k, :, :size]
        if INPUT in slot.reads:
            sums["weight_ih"][rows] += products[k, :, size:-1]
        for bias in slot.reads & {BIAS_IH, BIAS_HH}:
            sums[bias][rows] += products[k, :, -1]
        if MESSAGE in slot.reads:
            told = np.moveaxis(_messages(cell, record), 1, 0).reshape(size, -1)
            sums["weight_hh"][rows] += _product(delta[k].reshape(size, -1), told.T)
    previous = {name: array[:-1] for name, array in record.states.items()}
    readings = cell.vector_readings(previous, {name: array[1:] for name, array in record.states.items()})
    if readings is None:
        return sums | _vector_gradients(system, record, adjoints)
    places = {slot.name: k for k, slot in enumerate(cell.wiring())}
    return sums | {
        name: np.einsum("htb,thb->h", delta[places[slot]], seen) for name, (slot, seen) in readings.items()
    }


def _product(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """left @ right by torch's BLAS, which takes two thirds of NumPy's time for these long sums."""
    return torch.mm(torch.from_numpy(left), torch.from_numpy(right)).numpy()


def _hidden(record: Forward) -> np.ndarray:
    """h_0 … h_{T-1} as plain numbers, [T, H, B]."""
    h, exponents = record.states["h"][:-1], record.exponents
    return h if exponents is None else np.ldexp(h, exponents[:-1, None])


def _slot_adjoints(system: System, record: Forward, adjoints: Backward, blocks: Blocks) -> np.ndarray:
    """∂L/∂slot as plain numbers, [K, H, T, B]: summed over steps and samples by one matrix product."""
    num_steps, slots, size, batch = record.slots.shape
    delta = pool.empty((slots, size, num_steps, batch), record.slots.dtype)
    exponents, by_step = adjoints.exponents[1:], np.moveaxis(delta, 2, 0)  # [T, K, H, B]
    for start, partials in blocks:
        rows = slice(start, start + len(partials.slots[0][2]))
        after = {name: array[1:][rows] for name, array in adjoints.totals.items()}
        written: set[int] = set()
        for state, where, slope in partials.slots:
            if written.isdisjoint(range(where.start, where.stop)):
                np.multiply(slope, after[state][:, None], out=by_step[rows, where])
            else:
                by_step[rows, where] += slope * after[state][:, None]
            written.update(range(where.start, where.stop))
        for k in set(range(slots)) - written:
            by_step[rows, k] = 0
        if system.message_matrix is not None:
            _through_message(system, partials, by_step[rows])
        if partials.exponent is not None:
            exponents = exponents.copy()
            exponents[rows] += partials.exponent[:, 0]
    if exponents.any():
        delta *= _powers(exponents, delta.dtype)
    return delta


def _through_message(system: System, partials: Partials, delta: np.ndarray) -> None:
    """Add to δ [n, K, H, B] what comes back through the message, m̄ = Uᵀδ of the slots that read it."""
    assert system.message_matrix is not None
    names = [slot.name for slot in system.cell.wiring()]
    direct = len(system.matrix) // system.hidden_size
    steps, _, _, batch = delta.shape
    message = np.matmul(system.message_matrix.T, delta[:, direct:].reshape(steps, -1, batch))
    for slot, slope in partials.message_slots.items():
        delta[:, names.index(slot)] += slope * message


def _powers(exponents: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """2^e; 0 near the lower end of the float range, where products would be slow denormals."""
    limits = np.finfo(dtype)
    values = np.ldexp(dtype.type(1), np.minimum(exponents, limits.maxexp + 1))
    return np.asarray(np.where(exponents < limits.minexp + limits.nmant, dtype.type(0), values))


def _messages(cell: Cell, record: Forward) -> np.ndarray:
    """What the slots that read a message multiply by their matrix, [T, H, B]."""
    wiring = enumerate(cell.wiring())
    slots = {slot.name: record.slots[:, k] for k, slot in wiring if MESSAGE not in slot.reads}
    previous = {name: array[:-1] for name, array in record.states.items()}
    return np.asarray(cell.message(slots, previous, Reading(record.conditions)))


def _vector_gradients(system: System, record: Forward, adjoints: Backward) -> Weights:
    """∂L/∂p [H] for the cell's vectors: one autograd call through the core of all steps at once."""
    cell, conditions, tensor = system.cell, record.conditions, torch.from_numpy
    if not cell.vectors:
        return {}
    vectors = {name: tensor(array) for name, array in conditions.vectors.items()}
    leaves = {name: vectors[name].clone().requires_grad_() for name in cell.vectors}
    held = {name: (tensor(where), tensor(value)) for name, (where, value) in conditions.held.items()}
    new = {name: tensor(array[1:]) for name, array in record.states.items()}
    reading = _Given(Conditions(vectors | leaves, held), new)
    slots = {slot.name: tensor(record.slots[:, k]) for k, slot in enumerate(cell.wiring())}
    cell.core(slots, {name: tensor(array[:-1]) for name, array in record.states.items()}, reading)
    reached = {state: value for state, value in reading.values.items() if value.requires_grad}
    powers = _powers(adjoints.exponents[1:, None], record.slots.dtype)
    totals = [tensor(adjoints.totals[state][1:] * powers) for state in reached]
    found = torch.autograd.grad(list(reached.values()), list(leaves.values()), totals, materialize_grads=True)
    return {name: grad.numpy().reshape(-1) for name, grad in zip(leaves, found, strict=True)}


class _Given(Reading):
    """A record that hands out the states of the run, so that derivatives stop at them."""

    def __init__(self, conditions: Conditions, states: dict[str, torch.Tensor]) -> None:
        super().__init__(conditions, torch.where)
        self._states = states
        self.values: dict[str, torch.Tensor] = {}

    def state(self, name: str, value: torch.Tensor) -> torch.Tensor:
        """Keep what the core computed; later formulas see the run's own number."""
        self.values[name] = value
        return self._states[name]
