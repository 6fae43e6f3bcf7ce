"""Derivatives of a cell's pointwise core: its own hand-derived ones, or a few batched autograd calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from explorer.cells import Cell
from explorer.cells.cell import MESSAGE, Partials
from explorer.engine.forward import Forward

if TYPE_CHECKING:
    import torch


def partials_between(cell: Cell, record: Forward, start: int, stop: int) -> Partials:
    """Partials of the steps start … stop-1, where step t leads from state t to state t+1."""
    slots, gates = record.slots[start:stop], record.gates[start:stop]
    previous = {name: array[start:stop] for name, array in record.states.items()}
    new = {name: array[start + 1 : stop + 1] for name, array in record.states.items()}
    with np.errstate(over="ignore", under="ignore"):
        largest = np.inf if record.largest is None else float(record.largest[start:stop].max())
        return cell.partials(slots, gates, previous, new, largest) or partials_by_autograd(
            cell, slots, previous
        )


class _Leaves:
    """A record that turns every new state into a leaf, so that derivatives stop there."""

    def __init__(self) -> None:
        self.values: dict[str, torch.Tensor] = {}
        self.leaves: dict[str, torch.Tensor] = {}

    def state(self, name: str, value: torch.Tensor) -> torch.Tensor:
        self.values[name] = value
        self.leaves[name] = value.detach().requires_grad_()
        return self.leaves[name]

    def gate(self, name: str, value: torch.Tensor) -> torch.Tensor:
        return value


def partials_by_autograd(cell: Cell, slots: np.ndarray, previous: Mapping[str, np.ndarray]) -> Partials:
    """As ``Cell.partials``; one backward call for each state, because the core acts element by element."""
    import torch

    wiring = cell.wiring()
    slot_leaves = {slot.name: torch.tensor(slots[:, k]).requires_grad_() for k, slot in enumerate(wiring)}
    previous_leaves = {name: torch.tensor(array).requires_grad_() for name, array in previous.items()}
    record = _Leaves()
    cell.core(slot_leaves, previous_leaves, record)

    def derivatives(value: torch.Tensor, leaves: Mapping[str, torch.Tensor]) -> dict[str, np.ndarray]:
        if not value.requires_grad or not leaves:
            return {}
        found = torch.autograd.grad(value.sum(), list(leaves.values()), retain_graph=True, allow_unused=True)
        return {name: g.numpy() for name, g in zip(leaves, found, strict=True) if g is not None}  # type: ignore[redundant-expr]

    partials = Partials(slots=[])
    earlier: dict[str, torch.Tensor] = {}
    for state, value in record.values.items():
        by_slot = derivatives(value, slot_leaves)
        for k, slot in enumerate(wiring):
            if slot.name in by_slot:
                partials.slots.append((state, slice(k, k + 1), by_slot[slot.name][:, None]))
        partials.carry |= {(state, name): d for name, d in derivatives(value, previous_leaves).items()}
        partials.within |= {(state, name): d for name, d in derivatives(value, earlier).items()}
        earlier[state] = record.leaves[state]
    if any(MESSAGE in slot.reads for slot in wiring):
        message = cell.message(slot_leaves, previous_leaves)
        partials.message_slots = derivatives(message, slot_leaves)
        partials.message_carry = derivatives(message, previous_leaves)
    return partials
