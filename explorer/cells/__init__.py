"""One step of one recurrent architecture per file, and the registry that lists them."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from explorer.cells.ablated import Ablated
from explorer.cells.antisymmetric import Antisymmetric
from explorer.cells.cell import Cell
from explorer.cells.clockwork import Clockwork
from explorer.cells.coupled import Coupled
from explorer.cells.echo import Echo
from explorer.cells.gru import GRU
from explorer.cells.lstm import LSTM
from explorer.cells.mgu import MGU
from explorer.cells.peephole import Peephole
from explorer.cells.residual import Residual
from explorer.cells.rnn import RNN

CELLS: dict[str, tuple[str, type[Cell]]] = {
    "rnn": ("vanilla RNN", RNN),
    "lstm": ("LSTM", LSTM),
    "gru": ("GRU", GRU),
    "peephole": ("LSTM with peepholes", Peephole),
    "coupled": ("LSTM with f = 1 − i", Coupled),
    "ablated": ("LSTM without a part", Ablated),
    "mgu": ("MGU (one gate)", MGU),
    "residual": ("residual RNN", Residual),
    "antisymmetric": ("antisymmetric", Antisymmetric),
    "clockwork": ("clockwork RNN", Clockwork),
    "echo": ("echo state", Echo),
}

# What ``Experiment`` takes: one of the registered cells, told apart by ``kind``.
if TYPE_CHECKING:
    AnyCell = Cell
else:
    AnyCell = Annotated[reduce(or_, (cell for _, cell in CELLS.values())), Field(discriminator="kind")]

__all__ = ["CELLS", "GRU", "LSTM", "RNN", "AnyCell", "Cell"]
