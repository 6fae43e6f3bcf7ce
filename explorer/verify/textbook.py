"""The cells' textbook equations a second time, for torch, on the weights under their torch names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.cells import GRU, LSTM, RNN, Cell
from explorer.cells.cell import BIAS_HH, BIAS_IH, HIDDEN, INPUT, MESSAGE
from explorer.trace import Trace

if TYPE_CHECKING:
    import torch

MILD = 2.0  # |a| up to which torch's own rules for tanh and σ lose no digits worth naming (5e-15)


def _tanh(a: torch.Tensor) -> torch.Tensor:
    """±(1 − q)/(1 + q), q = e^(−2|a|): torch differentiates its own tanh as 1 − y², 0 for |a| > 19."""
    import torch

    positive = a >= 0
    q = torch.exp(-2 * torch.where(positive, a, -a))
    y = (1 - q) / (1 + q)
    return torch.where(positive, y, -y)


def _sigmoid(a: torch.Tensor) -> torch.Tensor:
    """1/(1 + e^(−a)): torch's own sigmoid is differentiated as y(1 − y), which is 0 for a > 37."""
    return 1 / (1 + (-a).exp())


class Textbook:
    """One step of torch.nn.RNNCell, LSTMCell or GRUCell and of the GRU's other conventions, batch-first."""

    def __init__(self, trace: Trace) -> None:
        import torch

        cell = trace.experiment.cell
        if not isinstance(cell, (RNN, LSTM, GRU)) and cell.states != ("h",):
            raise ValueError(f"cell {cell.kind!r} cannot be verified: it has other states than h")
        self.cell = cell
        record = trace.forward
        arrays = [record.slots] + [array for name, array in record.states.items() if name != "h"]
        mild = all(array.max() < MILD and array.min() > -MILD for array in arrays)
        self.tanh = torch.tanh if mild else _tanh
        self.sigmoid = torch.sigmoid if mild else _sigmoid
        dtype = np.dtype(trace.experiment.dtype)
        stored = {name: array.astype(dtype).astype(np.float64) for name, array in trace.weights.items()}
        self.w_ih, self.w_hh, self.b_ih, self.b_hh = (
            torch.from_numpy(stored[name]) for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )

    def from_input(self, x: torch.Tensor, scale: Any = 1.0) -> torch.Tensor:
        """W x + b_ih; ``scale`` multiplies x and the bias (rescaled states of homogeneous cells)."""
        given: torch.Tensor = (x @ self.w_ih.T + self.b_ih) * scale
        return given

    def step(
        self,
        given: torch.Tensor,
        h: torch.Tensor,
        c: torch.Tensor | None,
        scale: Any = 1.0,
        cut: bool = False,
    ) -> tuple[torch.Tensor, torch.Tensor | None, torch.Tensor]:
        """(h', c', pre-activation or, with ``cut``, the c' that h' was computed from, as a leaf)."""
        import torch

        cell = self.cell
        if isinstance(cell, GRU):
            return self._gru(cell, given, h)
        if not isinstance(cell, (RNN, LSTM)):
            return self._core(cell, given, h, scale)
        a = given + h @ self.w_hh.T + self.b_hh * scale
        if isinstance(cell, RNN):
            return {"tanh": self.tanh, "relu": torch.relu, "linear": torch.clone}[cell.activation](a), None, a
        assert c is not None
        a_i, a_f, a_g, a_o = a.chunk(4, dim=1)
        new = self.sigmoid(a_f) * c + self.sigmoid(a_i) * self.tanh(a_g)
        shown = new.detach().requires_grad_() if cut else new
        return self.sigmoid(a_o) * self.tanh(shown), new, shown

    def _gru(
        self, cell: GRU, given: torch.Tensor, h: torch.Tensor
    ) -> tuple[torch.Tensor, None, torch.Tensor]:
        size = h.shape[1]
        w_rz, w_n = self.w_hh[: 2 * size], self.w_hh[2 * size :]
        a = given[:, : 2 * size] + h @ w_rz.T + self.b_hh[: 2 * size]
        r, z, other = self.sigmoid(a[:, :size]), self.sigmoid(a[:, size:]), self.sigmoid(-a[:, size:])
        x_n, b_n = given[:, 2 * size :], self.b_hh[2 * size :]
        inner = r * (h @ w_n.T + b_n) if cell.reset == "after" else (r * h) @ w_n.T + b_n
        n = self.tanh(x_n + inner)
        kept, fresh = (z, other) if cell.update == "keeps" else (other, z)
        return fresh * n + kept * h, None, a

    def _core(
        self, cell: Cell, given: torch.Tensor, h: torch.Tensor, scale: Any
    ) -> tuple[torch.Tensor, None, torch.Tensor]:
        """Other cells by their own ``core``: checks engine and partials, but not the core itself."""
        import torch

        slots: dict[str, torch.Tensor] = {}
        for slot in cell.wiring():
            rows = slice(slot.block * h.shape[1], (slot.block + 1) * h.shape[1])
            a = given[:, rows] if slot.reads & {INPUT, BIAS_IH} else torch.zeros_like(h)
            if slot.reads & {HIDDEN, MESSAGE}:
                a = a + (cell.message(slots, {"h": h}) if MESSAGE in slot.reads else h) @ self.w_hh[rows].T
            slots[slot.name] = a + self.b_hh[rows] * scale if BIAS_HH in slot.reads else a
        record = _Kept()
        cell.core(slots, {"h": h}, record)
        return record.new, None, torch.cat(list(slots.values()), dim=1)


class _Kept:
    """A record that keeps the new h."""

    new: torch.Tensor

    def state(self, name: str, value: torch.Tensor) -> torch.Tensor:
        self.new = value
        return value

    def gate(self, name: str, value: torch.Tensor) -> torch.Tensor:
        return value
