"""Every cell against the LSTM per floating-point work, and a comparison of eight architectures.

Peer of all rows: one trace of the LSTM with its hand-written gradient, H = 64, T = 100, B = 16, timed in the
same rounds. Floating-point work is that of the products with W_hh, so a cell with one block has a quarter of
the LSTM's. "LSTM, nothing by hand" is the LSTM with its own step and derivatives taken away: the engine runs
its ``core`` and asks autograd, as for any new cell.

    python benchmarks/architectures.py
"""

from __future__ import annotations

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

from collections.abc import Callable
from functools import partial
from statistics import median
from time import perf_counter
from unittest.mock import patch

import torch

import explorer as ex
from explorer.cells import CELLS, LSTM
from explorer.cells.cell import Cell
from explorer.lessons.architectures import ARCHITECTURES, run_architecture
from explorer.measures.architecture_table import joint_norms

torch.set_num_threads(1)

ROUNDS, IN_A_ROW = 15, 3
WITHOUT_A_GRADIENT, EIGHT = 2.2, 10.0  # times the LSTM, at most
SELECTIONS = {
    "eight cells": "tanh,irnn,lstm,lstm-3,gru,peephole,mgu,clockwork",
    "with networks": "tanh,lstm,gru,mgu,clockwork,echo,bidirectional,cnn-lstm",
}


def traced(experiment: ex.Experiment) -> None:
    """What a figure needs: the run and the norms."""
    ex.gradient_norms(ex.run(experiment))


def by_autograd(experiment: ex.Experiment) -> None:
    """As ``traced`` without what the LSTM has by hand."""
    with (
        patch.object(LSTM, "partials", Cell.partials),
        patch.object(LSTM, "stepper", Cell.stepper),
        patch.object(LSTM, "refine", Cell.refine),
    ):
        traced(experiment)


def compared(experiments: list[ex.Experiment]) -> None:
    """What the comparison's main figure needs."""
    for experiment in experiments:
        joint_norms(run_architecture(experiment))


def ratio(function: Callable[[], None], peer: Callable[[], None]) -> tuple[float, float, float]:
    """Medians of both in milliseconds, and their ratio, of interleaved rounds."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for side, measured in zip((function, peer), times, strict=True):
            for _ in range(IN_A_ROW):
                start = perf_counter()
                side()
                measured.append(perf_counter() - start)
    mine, theirs = (1e3 * median(measured) for measured in times)
    return mine, theirs, mine / theirs


def main() -> None:
    """Cells, then selections."""
    base = ex.Experiment(hidden_size=64, num_steps=100, batch_size=16)
    lstm = base.changed("cell", "lstm")

    peer = partial(traced, lstm)
    rows: list[tuple[str, int, Callable[[], None]]] = [
        (label, cell.blocks, partial(traced, base.changed("cell", kind)))
        for kind, (label, cell) in CELLS.items()
    ]
    rows.append(("LSTM, nothing by hand", 4, partial(by_autograd, lstm)))
    for name, blocks, function in rows:
        mine, theirs, found = ratio(function, peer)
        goal = f"goal at most {WITHOUT_A_GRADIENT}" if "nothing" in name else ""
        print(
            f"{name:24s} {mine:6.1f} ms   LSTM {theirs:6.1f} ms   ratio {found:5.2f}   "
            f"per work {found * 4 / blocks:5.2f}  {goal}"
        )
    for name, chosen in SELECTIONS.items():
        experiments = [ARCHITECTURES[key].applied(base) for key in chosen.split(",")]

        mine, theirs, found = ratio(partial(compared, experiments), peer)
        print(
            f"{name:24s} {mine:6.1f} ms   LSTM {theirs:6.1f} ms   ratio {found:5.2f}   goal at most {EIGHT}"
        )


if __name__ == "__main__":
    main()
