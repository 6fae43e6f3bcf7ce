"""One step of one recurrent architecture per file, and the registry that lists them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from explorer.cells.cell import Cell as Cell
from explorer.cells.gru import GRU
from explorer.cells.lstm import LSTM
from explorer.cells.rnn import RNN

AnyCell = Annotated[RNN | LSTM | GRU, Field(discriminator="kind")]

CELLS: dict[str, tuple[str, type[Cell]]] = {
    "rnn": ("vanilla RNN", RNN),
    "lstm": ("LSTM", LSTM),
    "gru": ("GRU", GRU),
}
