"""One step of one recurrent architecture per file, and the registry that lists them."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from explorer.cells.cell import Cell
from explorer.cells.gru import GRU
from explorer.cells.lstm import LSTM
from explorer.cells.rnn import RNN

CELLS: dict[str, tuple[str, type[Cell]]] = {
    "rnn": ("vanilla RNN", RNN),
    "lstm": ("LSTM", LSTM),
    "gru": ("GRU", GRU),
}

# What ``Experiment`` takes: one of the registered cells, told apart by ``kind``.
if TYPE_CHECKING:
    AnyCell = Cell
else:
    AnyCell = Annotated[reduce(or_, (cell for _, cell in CELLS.values())), Field(discriminator="kind")]

__all__ = ["CELLS", "GRU", "LSTM", "RNN", "AnyCell", "Cell"]
