"""One step of the tangent equations, repeated: from small changes of a state to those of the next one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from explorer.cells.cell import Partials
from explorer.engine.forward import System
from explorer.engine.products import product


class _Term(NamedTuple):
    """One summand ``slopes[i] · factor`` of a result, for each of the two frames that take turns."""

    slopes: np.ndarray
    factors: tuple[np.ndarray, np.ndarray]


class Pushforward:
    r"""Tangent steps of a system, :math:`v_t = (\partial s_t/\partial s_{t-1})\,v_{t-1}`; owns its memory.

    The counterpart of ``Pullback``. A change of the state is stacked, h first and then the cell's other
    states: [S·H, M]. Either the M columns belong to one orbit (partials with one column) or each to an orbit
    of its own (partials, and perhaps a gain, with M columns).
    """

    def __init__(self, system: System, columns: int) -> None:
        size, dtype = system.hidden_size, system.matrix.dtype
        names = ("h", *(name for name in system.cell.states if name != "h"))
        self._order = system.cell.states
        self._slots = {slot.name: k for k, slot in enumerate(system.cell.wiring())}
        self._gain = system.gain
        self._read = product(np.ascontiguousarray(system.matrix[:, :size]))
        self._read_message = None
        if system.message_matrix is not None:
            self._read_message = product(np.ascontiguousarray(system.message_matrix))
        self._frames = np.empty((2, len(names) * size, columns), dtype)
        parts = self._frames.reshape(2, len(names), size, columns)
        self._parts = [dict(zip(names, part, strict=True)) for part in parts]
        self._delta = np.empty((system.num_slots, size, columns), dtype)
        rows = self._delta.reshape(-1, columns)
        self._direct, self._indirect = rows[: len(system.matrix)], rows[len(system.matrix) :]
        self._scratch, self._message = np.empty((2, size, columns), dtype)

    def open(self, partials: Partials) -> None:
        """Take the derivatives of a block of steps."""
        before, after = self._parts, self._parts[::-1]

        def turns(parts: list[dict[str, np.ndarray]], name: str) -> tuple[np.ndarray, np.ndarray]:
            return parts[0][name], parts[1][name]

        self._message_terms = [
            *(_Term(d, (self._delta[self._slots[slot]],) * 2) for slot, d in partials.message_slots.items()),
            *(_Term(d, turns(before, name)) for name, d in partials.message_carry.items()),
        ]
        self._state_terms = []
        for state in self._order:
            terms = [
                _Term(slopes[:, k - where.start], (self._delta[k],) * 2)
                for name, where, slopes in partials.slots
                if name == state
                for k in range(where.start, where.stop)
            ]
            terms += [_Term(d, turns(before, name)) for (s, name), d in partials.carry.items() if s == state]
            terms += [_Term(d, turns(after, name)) for (s, name), d in partials.within.items() if s == state]
            self._state_terms.append((turns(after, state), terms))

    def push(self, start: int, stop: int, frame: np.ndarray) -> np.ndarray:
        """``frame`` [S·H, M] through the steps ``start`` … ``stop - 1`` of the block; scratch memory."""
        turn = 0
        np.copyto(self._frames[0], frame)
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):  # states that overflowed: inf · 0
            for i in range(start, stop):
                self._step(i, turn)
                turn = 1 - turn
        return np.asarray(self._frames[turn])

    def _step(self, i: int, turn: int) -> None:
        """Step i of the block, from the frame ``turn`` to the other one."""
        h = self._parts[turn]["h"]
        if self._gain is not None:
            h = np.multiply(h, self._gain, out=self._message)
        self._read(h, self._direct)
        if self._read_message is not None:
            self._sum(self._message_terms, i, turn, self._message)
            if self._gain is not None:
                self._message *= self._gain
            self._read_message(self._message, self._indirect)
        for results, terms in self._state_terms:
            self._sum(terms, i, turn, results[turn])

    def _sum(self, terms: list[_Term], i: int, turn: int, out: np.ndarray) -> None:
        """out = Σ slope · factor of step i."""
        if not terms:
            out[...] = 0
            return
        first, *others = terms
        np.multiply(first.slopes[i], first.factors[turn], out)
        for term in others:
            np.multiply(term.slopes[i], term.factors[turn], self._scratch)
            np.add(out, self._scratch, out)
