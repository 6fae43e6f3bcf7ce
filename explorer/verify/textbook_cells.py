"""All cells with the single state h a second time, in torch; not taken from their ``core``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from explorer.cells import Cell
from explorer.verify.moment import Moment

if TYPE_CHECKING:
    import torch


def _one(now: Moment, activation: str) -> torch.Tensor:
    """φ(W x + b_ih + U h + b_hh) of a cell with one block."""
    (a,) = now.slots()
    return now.apply(activation, a)


def rnn(cell: Any, now: Moment) -> None:
    """``torch.nn.RNNCell``, and the linear one."""
    now.state("h", _one(now, cell.activation))


def gru(cell: Any, now: Moment) -> None:
    """``torch.nn.GRUCell`` with its rows r, z, n, and the other conventions."""
    h, a_z = now.old["h"], now.slot(1)
    of_r, of_z, of_n = (
        getattr(cell, f"{name}_activation", default)
        for name, default in (("reset", "sigmoid"), ("update", "sigmoid"), ("candidate", "tanh"))
    )
    r, z = now.gate("reset", now.apply(of_r, now.slot(0))), now.gate("update", now.apply(of_z, a_z))
    if cell.reset == "after":
        inner = r * (now.recurrent(2, h) + now.bias(2))
    else:
        inner = now.recurrent(2, r * h) + now.bias(2)
    n = now.gate("new", now.apply(of_n, now.from_input(2) + inner))
    other = now.complement("update", z, now.one_minus(of_z, a_z))
    kept, fresh = (z, other) if cell.update == "keeps" else (other, z)
    now.state("h", fresh * n + kept * h)


def mgu(cell: Cell, now: Moment) -> None:
    """Zhou et al. (2016): h' = (1 − f) h + f tanh(W x + U (f h) + b)."""
    h, a_f = now.old["h"], now.slot(0)
    f = now.gate("forget", now.sigmoid(a_f))
    n = now.gate("new", now.tanh(now.from_input(1) + now.recurrent(1, f * h) + now.bias(1)))
    now.state("h", now.complement("forget", f, now.sigmoid(-a_f)) * h + f * n)


def residual(cell: Any, now: Moment) -> None:
    """H' = h + ε φ(a)."""
    now.state("h", now.old["h"] + cell.step_size * _one(now, cell.activation))


def antisymmetric(cell: Any, now: Moment) -> None:
    """Chang et al. (2019): h' = h + ε tanh(V x + (A − γ I) h + b)."""
    import torch

    h, weights = now.old["h"], now.weights
    matrix = weights.w_hh - cell.diffusion * torch.eye(weights.size, dtype=h.dtype)
    now.state("h", h + cell.step_size * now.tanh(now.given + h @ matrix.T + weights.b_hh))


def echo(cell: Any, now: Moment) -> None:
    """Jaeger et al. (2007): h' = (1 − α) h + α tanh(a)."""
    now.state("h", (1 - cell.leak_rate) * now.old["h"] + cell.leak_rate * _one(now, "tanh"))


def clockwork(cell: Any, now: Moment) -> None:
    """Koutník et al. (2014): a module is computed anew when its period divides the step, else it stays."""
    import torch

    size, periods = now.weights.size, [int(period) for period in cell.periods.split(",")]
    parts = torch.tensor_split(torch.arange(size), len(periods))
    period = torch.cat([torch.full_like(part, p) for part, p in zip(parts, periods, strict=True)])
    active = now.gate("active", (now.steps % period == 0).to(now.given.dtype))
    now.state("h", active * _one(now, cell.activation) + (1 - active) * now.old["h"])
