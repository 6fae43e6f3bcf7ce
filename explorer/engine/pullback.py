"""One step of the adjoint equations, repeated: from the adjoints after a step to those before it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import repeat

import numpy as np

from explorer.cells.cell import Partials
from explorer.engine.forward import System
from explorer.engine.products import product

Adjoint = dict[str, np.ndarray]  # state → [H, C]
Views = dict[str, list[np.ndarray]]  # state → one such array a step


class Pullback:
    """Steps of the adjoint equations for a system; owns the scratch memory.

    A step is a straight list of array operations, ``function(left, right, out)``. At these sizes a look into
    a dictionary costs as much as a product of two states, so the list is made once for many steps.
    """

    def __init__(self, system: System, columns: int) -> None:
        size, dtype = system.hidden_size, system.matrix.dtype
        self._gain = system.gain
        self._send = product(np.ascontiguousarray(system.matrix[:, :size].T))
        self._send_message = None
        if system.message_matrix is not None:
            self._send_message = product(np.ascontiguousarray(system.message_matrix.T))
        self._slots = {slot.name: k for k, slot in enumerate(system.cell.wiring())}
        self._delta = np.zeros((system.num_slots, size, columns), dtype)
        rows = self._delta.reshape(-1, columns)
        self._direct, self._indirect = rows[: len(system.matrix)], rows[len(system.matrix) :]
        self._scratch = np.empty((system.num_slots, size, columns), dtype)
        self._message = np.empty((size, columns), dtype)
        self._states = system.cell.states

    def pull(
        self,
        partials: Partials,
        rows: slice,
        after: Views,
        before: Views,
        entering: list[np.ndarray] | None = None,
    ) -> None:
        """From direct adjoints after some steps of a block to direct ones before them, last step first.

        Args:
            partials: derivatives of the block.
            rows: which of its steps.
            after: state → the adjoints [H, C] after each step; they become total.
            before: state → those before each step, the ones after the step that comes next here.
            entering: what is added to ∂L/∂h before each step.
        """
        list_of = _Operations(rows)
        for (state, source), slope in reversed(partials.within.items()):
            list_of.add_product(slope, after[state], after[source], self._scratch[0])
        written = self._into_slots(list_of, partials, after)
        h, carried = before["h"], {"h"}
        if self._send_message is not None:
            message = self._message
            list_of.append(self._send_message, self._indirect, message)
            if self._gain is not None:
                list_of.append(np.multiply, message, self._gain, message)
            for slot, slope in partials.message_slots.items():
                k = self._slots[slot]
                list_of.put_product(slope, message, self._delta[k], self._scratch[0], k not in written)
        list_of.append(self._send, self._direct, h)
        if self._gain is not None:
            list_of.append(np.multiply, h, self._gain, h)
        for name, slope in partials.message_carry.items():
            list_of.put_product(slope, self._message, before[name], self._scratch[0], name not in carried)
            carried.add(name)
        for (state, name), slope in partials.carry.items():
            list_of.put_product(slope, after[state], before[name], self._scratch[0], name not in carried)
            carried.add(name)
        if entering is not None:
            list_of.append(np.add, h, entering, h)
        for name in self._states:
            if name not in carried:
                for array in before[name]:
                    array[...] = 0
        list_of.run()

    def slots(self, partials: Partials, i: int, after: Adjoint) -> np.ndarray:
        """δ [K, H, C], adjoints of the slots of step i from total adjoints of the states; scratch memory."""
        list_of = _Operations(slice(i, i + 1))
        self._into_slots(list_of, partials, {name: [array] for name, array in after.items()})
        list_of.run()
        return self._delta

    def _into_slots(self, list_of: _Operations, partials: Partials, after: Views) -> set[int]:
        """δ_k = Σ_s ∂s/∂slot_k · ∂L/∂s; returns which k any state depends on, the others are 0."""
        written: set[int] = set()
        for state, where, slope in partials.slots:
            fresh = written.isdisjoint(range(where.start, where.stop))
            delta, scratch = self._delta[where], self._scratch[: where.stop - where.start]
            if len(delta) == 1:  # a product of matrices takes half the time of one of single blocks
                delta, scratch, slope = delta[0], scratch[0], slope[:, 0]
            list_of.put_product(slope, after[state], delta, scratch, fresh)
            written.update(range(where.start, where.stop))
        for k in set(range(len(self._delta))) - written:
            self._delta[k] = 0
        return written


Operand = np.ndarray | list[np.ndarray]  # the same for every step, or one for each


class _Operations:
    """Array operations that are repeated step after step, the last step first."""

    def __init__(self, rows: slice) -> None:
        self._rows, self._count = rows, rows.stop - rows.start
        self._operations: list[tuple[Callable[..., object], list[list[np.ndarray]]]] = []

    def append(self, function: Callable[..., object], *operands: Operand) -> None:
        """``function(*operands)``; the last operand takes the result."""
        each = [item if isinstance(item, list) else [item] * self._count for item in operands]
        self._operations.append((function, each))

    def put_product(
        self, slope: np.ndarray, right: Operand, out: Operand, scratch: np.ndarray, fresh: bool
    ) -> None:
        """out = slope · right, or out += slope · right unless ``fresh``; ``slope`` is that of the block."""
        if fresh:
            self.append(np.multiply, list(slope[self._rows]), right, out)
        else:
            self.add_product(slope, right, out, scratch)

    def add_product(self, slope: np.ndarray, right: Operand, out: Operand, scratch: np.ndarray) -> None:
        """out += slope · right."""
        self.append(np.multiply, list(slope[self._rows]), right, scratch)
        self.append(np.add, out, scratch, out)

    def run(self) -> None:
        """All operations of the last step, then those of the one before it, and so on."""
        calls = [
            zip(repeat(function), zip(*map(reversed, each), strict=True), strict=False)
            for function, each in self._operations
        ]
        for step in zip(*calls, strict=True):
            for function, operands in step:
                function(*operands)
