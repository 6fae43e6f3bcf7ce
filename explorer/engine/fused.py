"""The tanh RNN and the LSTM for very many columns: ∂L/∂s_0 alone, in as few passes over memory as there are.

The general loops keep every slot, gate and derivative, because a trace shows them. A sweep over thousands of
networks wants one number of each, and with 256 columns an array that is written and read again costs more
than what is computed with it. Here activations take the place of their pre-activations, and slopes are never
stored: torch makes g · φ′ of g and φ in one pass.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch

from explorer import pool
from explorer.cells import LSTM, RNN, Cell
from explorer.cells.cell import Partials
from explorer.engine.backward import AdjointRun, Path, Source
from explorer.engine.forward import System
from explorer.engine.pullback import Pullback, Views

_FLOAT32, _FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)
# How far the slopes of one step may shrink an adjoint: further, and they are not right to 1e-4 and 1e-10.
_SHRINK = {_FLOAT32: 2.0**-12, _FLOAT64: 2.0**-20}
# Steps that share one exponent; they are done again in halves where it does not suffice.
_BLOCK = {_FLOAT32: 8, _FLOAT64: 32}

_tensor = torch.from_numpy
_times_tanh_slope = torch.ops.aten.tanh_backward.grad_input  # (g, y, grad_input=out): g · (1 − y²)
_times_sigmoid_slope = torch.ops.aten.sigmoid_backward.grad_input  # (g, y, grad_input=out): g · y · (1 − y)

# ∂L/∂s_0 of every state, [H, C], to be multiplied by 2^exponents, [C]
Start = tuple[dict[str, np.ndarray], np.ndarray]


def fused_pass(system: System) -> FusedPass | None:
    """The forward pass of a system; None for other cells and for held gates."""
    kind = next((kind for kind in (_TanhPass, _LSTMPass) if kind.suits(system.cell)), None)
    if kind is None or system.conditions:
        return None
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        return kind(system)


class _Ring(Path):
    """A path that keeps one block of steps; what is older is overwritten."""

    def __init__(self, system: System, num_steps: int, columns: int, block: int) -> None:
        shape = block + 1, system.hidden_size, columns
        self._scratch = np.empty(shape, system.matrix.dtype)
        self.arrays = {name: np.zeros(shape, system.matrix.dtype) for name in system.cell.states}
        self.views: Views = {
            name: [array[t % (block + 1)] for t in range(num_steps + 1)]
            for name, array in self.arrays.items()
        }

    def sizes(self, start: int, stop: int) -> np.ndarray:
        """Largest |entry| over all states at the steps of one block, ``start`` … ``stop``, [n, C]."""
        each = [np.abs(array, out=self._scratch).max(axis=1) for array in self.arrays.values()]
        return np.asarray(np.maximum.reduce(each)[np.arange(start, stop + 1) % len(self._scratch)])


class FusedPass(Pullback):
    """A forward pass that can be pulled back from any loss to the first state.

    Subclasses say which cell they suit, make the pass when they are made, and know the slopes of a step.
    """

    partials: ClassVar[Partials]  # without arrays; it says which adjoints ``pull`` completes in place

    def __init__(self, system: System) -> None:
        columns, dtype = system.drive.shape[2], system.matrix.dtype
        super().__init__(system, columns)
        self._system, size = system, system.hidden_size
        self._factor = np.ones(columns, dtype) if system.gain is None else system.gain
        column = np.empty((system.matrix.shape[1], columns), dtype)
        self._old, self._driven = column[:size], column[size:]
        self._matrix, self._column = _tensor(system.matrix), _tensor(column)
        self._returning = _tensor(np.ascontiguousarray(system.matrix[:, :size].T))
        typical = np.linalg.norm(system.matrix[:, :size]) / np.sqrt(size)  # by how much the matrix stretches
        passed = len(system.cell.states) - 1  # beside the matrix
        self._least = _SHRINK[dtype] * (typical * np.abs(self._factor) + passed)
        self._deltas = _tensor(self._delta)
        self._rows = self._deltas.view(-1, columns)

    def start(self, source: Source) -> Start | None:
        """∂L/∂s_0, or None where only the general loops are exact; the source may end before the pass does.

        A slope 1 − y² is wrong by one unit in the last place of 1, however small it is. That is small against
        the norm of an adjoint unless a step shrinks it by nearly as much, because all units are saturated
        through which it comes.
        """
        num_steps, columns = len(source.exponents) - 1, source.exponents.shape[1]
        block = _BLOCK[self._system.matrix.dtype]
        path = _Ring(self._system, num_steps, columns, block)
        run = AdjointRun(self, path, source, shared=False)
        run.begin()
        for stop in range(num_steps, 0, -block):
            start = max(0, stop - block)
            run.stretch(self.partials, 0, start, stop)
            sizes = path.sizes(start, stop)
            with np.errstate(over="ignore", invalid="ignore"):  # shrunk by more than floats hold: refused
                before = np.ldexp(sizes[1:], run.exponents[start + 1 : stop + 1] - run.exponents[start:stop])
                if not (sizes[:-1] >= self._least * before).all():
                    return None
        return {name: views[0] for name, views in path.views.items()}, run.exponents[0]

    def pull(
        self,
        partials: Partials,
        rows: slice,
        after: Views,
        before: Views,
        entering: list[np.ndarray] | None = None,
    ) -> None:
        """As ``Pullback.pull``; ``rows`` count from the first step."""
        for k in reversed(range(rows.stop - rows.start)):
            self._into_deltas(rows.start + k, k, after, before)
            h = before["h"][k]
            torch.mm(self._returning, self._rows, out=_tensor(h))
            np.multiply(h, self._factor, h)
            if entering is not None:
                np.add(h, entering[k], h)

    def _into_deltas(self, t: int, k: int, after: Views, before: Views) -> None:
        """Adjoints of the slots of step t from entry k of ``after``; fills ``before`` of states beside h."""
        raise NotImplementedError

    def _fill_slots(self, h: np.ndarray, drive: np.ndarray, slots: torch.Tensor) -> None:
        """Pre-activations of one step, [K·H, C]."""
        np.multiply(h, self._factor, self._old)
        np.copyto(self._driven, drive)
        torch.mm(self._matrix, self._column, out=slots)


class _TanhPass(FusedPass):
    """h_t = tanh(a_t) and δ_t = ∂L/∂h_t · (1 − h_t²)."""

    partials = Partials(slots=[])

    @staticmethod
    def suits(cell: Cell) -> bool:
        """Whether this is the cell."""
        return type(cell) is RNN and cell.activation == "tanh"

    def __init__(self, system: System) -> None:
        super().__init__(system)
        num_steps, _, columns = system.drive.shape
        self._h = pool.empty((num_steps + 1, system.hidden_size, columns), system.matrix.dtype)
        self._h[0] = system.initial["h"]
        self._values = _tensor(self._h[1:]).unbind()
        slots = self._delta[0]
        for h, new, drive in zip(self._h[:-1], self._h[1:], system.drive, strict=True):
            self._fill_slots(h, drive, self._rows)
            np.tanh(slots, new)

    def _into_deltas(self, t: int, k: int, after: Views, before: Views) -> None:
        _times_tanh_slope(_tensor(after["h"][k]), self._values[t], grad_input=self._rows)


class _LSTMPass(FusedPass):
    """Gates i, f, o = σ(a), g = tanh(a), c_t = f ⊙ c_{t-1} + i ⊙ g and h_t = o ⊙ tanh(c_t)."""

    partials = Partials(slots=[], within={("h", "c"): np.empty(0)})

    @staticmethod
    def suits(cell: Cell) -> bool:
        """Whether this is the cell, with the functions of ``torch.nn.LSTM``."""
        return type(cell) is LSTM and cell.is_standard

    def __init__(self, system: System) -> None:
        super().__init__(system)
        num_steps, _, columns = system.drive.shape
        shape, dtype = (system.hidden_size, columns), system.matrix.dtype
        self._gates = pool.empty((num_steps, 4, *shape), dtype)
        self._c, self._shown = (pool.empty((n, *shape), dtype) for n in (num_steps + 1, num_steps))
        self._c[0] = system.initial["c"]
        # A view costs as much as adding two states, so all of them are made at once.
        gates = _tensor(self._gates)
        slots, logistic = gates.view(num_steps, -1, columns).unbind(), gates[:, 1:].unbind()
        g, i = gates[:, 0].unbind(), gates[:, 1].unbind()
        shown, new_c = _tensor(self._shown).unbind(), _tensor(self._c[1:]).unbind()
        self._g, self._logistic, self._squashed = g, logistic, shown
        self._numbers = list(zip(*np.moveaxis(self._gates, 1, 0), self._c, self._shown, strict=False))
        self._spare, self._spare_tensor = self._scratch[0], _tensor(self._scratch[0])
        self._into, self._into_g, self._into_logistic = list(self._delta), self._deltas[0], self._deltas[1:]
        h = system.initial["h"].copy()
        for t, (candidate, _, f, o, c, squashed) in enumerate(self._numbers):
            self._fill_slots(h, system.drive[t], slots[t])
            np.tanh(candidate, candidate)
            torch.sigmoid(logistic[t], out=logistic[t])
            new = self._c[t + 1]
            np.multiply(f, c, new)
            torch.addcmul(new_c[t], i[t], g[t], out=new_c[t])
            np.tanh(new, squashed)
            np.multiply(o, squashed, h)

    def _into_deltas(self, t: int, k: int, after: Views, before: Views) -> None:
        dh, dc, spare, multiply = after["h"][k], after["c"][k], self._spare, np.multiply
        g, i, f, o, c, shown = self._numbers[t]
        into_g, into_i, into_f, into_o = self._into
        multiply(dh, shown, into_o)
        multiply(dh, o, spare)
        _times_tanh_slope(self._spare_tensor, self._squashed[t], grad_input=self._spare_tensor)
        np.add(dc, spare, dc)
        multiply(dc, i, into_g)
        multiply(dc, g, into_i)
        multiply(dc, c, into_f)
        multiply(dc, f, before["c"][k])
        _times_tanh_slope(self._into_g, self._g[t], grad_input=self._into_g)
        _times_sigmoid_slope(self._into_logistic, self._logistic[t], grad_input=self._into_logistic)
