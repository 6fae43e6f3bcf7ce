"""Derivatives of a cell's pointwise core: its own hand-derived ones, or a few batched autograd calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from explorer.cells import Cell
from explorer.cells.cell import MESSAGE, Partials
from explorer.cells.conditions import Conditions, Reading
from explorer.engine.forward import Forward

if TYPE_CHECKING:
    import torch


def partials_between(cell: Cell, record: Forward, start: int, stop: int) -> Partials:
    """Partials of the steps start … stop-1, where step t leads from state t to state t+1."""
    slots, gates = record.slots[start:stop], record.gates[start:stop]
    previous = {name: array[start:stop] for name, array in record.states.items()}
    new = {name: array[start + 1 : stop + 1] for name, array in record.states.items()}
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        largest = np.inf if record.largest is None else float(record.largest[start:stop].max())
        conditions, own = record.conditions.rows(start, stop), None
        if not conditions:
            own = cell.partials(slots, gates, previous, new, largest)
        elif not conditions.held:
            own = cell.partials_with(conditions.vectors, slots, gates, previous, new)
        return own or partials_by_autograd(cell, slots, previous, conditions)


class _Leaves(Reading):
    """A record that turns every new state into a leaf, so that derivatives stop there."""

    def __init__(self, conditions: Conditions) -> None:
        import torch

        tensors = Conditions(
            {name: torch.from_numpy(array) for name, array in conditions.vectors.items()},
            {
                name: (torch.from_numpy(where), torch.from_numpy(value))
                for name, (where, value) in conditions.held.items()
            },
        )
        super().__init__(tensors, torch.where)
        self.values: dict[str, torch.Tensor] = {}
        self.leaves: dict[str, torch.Tensor] = {}

    def state(self, name: str, value: torch.Tensor) -> torch.Tensor:
        self.values[name] = value
        self.leaves[name] = value.detach().requires_grad_()
        return self.leaves[name]


def partials_by_autograd(
    cell: Cell,
    slots: np.ndarray,
    previous: Mapping[str, np.ndarray],
    conditions: Conditions = Conditions(),  # noqa: B008
) -> Partials:
    """As ``Cell.partials``; one backward call for each state, because the core acts element by element."""
    import torch

    wiring = cell.wiring()
    slot_leaves = {slot.name: torch.tensor(slots[:, k]).requires_grad_() for k, slot in enumerate(wiring)}
    previous_leaves = {name: torch.tensor(array).requires_grad_() for name, array in previous.items()}
    record = _Leaves(conditions)
    cell.core(slot_leaves, previous_leaves, record)

    def derivatives(value: torch.Tensor, *groups: Mapping[str, torch.Tensor]) -> list[dict[str, np.ndarray]]:
        """For each group of leaves the derivatives with respect to those that the value depends on."""
        if not value.requires_grad:
            return [{} for _ in groups]
        leaves = [leaf for group in groups for leaf in group.values()]
        found = iter(torch.autograd.grad(value.sum(), leaves, retain_graph=True, allow_unused=True))
        each = [dict(zip(group, found, strict=False)) for group in groups]
        return [{name: d.numpy() for name, d in group.items() if d is not None} for group in each]  # type: ignore[redundant-expr]

    partials = Partials(slots=[])
    earlier: dict[str, torch.Tensor] = {}
    for state, value in record.values.items():
        by_slot, by_previous, by_earlier = derivatives(value, slot_leaves, previous_leaves, earlier)
        for k, slot in enumerate(wiring):
            if slot.name in by_slot:
                partials.slots.append((state, slice(k, k + 1), by_slot[slot.name][:, None]))
        partials.carry |= {(state, name): d for name, d in by_previous.items()}
        partials.within |= {(state, name): d for name, d in by_earlier.items()}
        earlier[state] = record.leaves[state]
    if any(MESSAGE in slot.reads for slot in wiring):
        message = cell.message(slot_leaves, previous_leaves, record)
        partials.message_slots, partials.message_carry = derivatives(message, slot_leaves, previous_leaves)
    return partials
