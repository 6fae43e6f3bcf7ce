"""The live numbers of both directions are those of the figures."""

from __future__ import annotations

import re

import numpy as np
import pytest

from explorer import Experiment, run
from explorer.cells import CELLS
from explorer.lessons.equations_directions import directions
from explorer.lessons.magnitudes import size_latex
from explorer.measures import gradient_norms
from explorer.measures.input_gradient import input_gradient_norms

GATED = [kind for kind, (_, cell) in CELLS.items() if cell.gates]


@pytest.mark.parametrize("loss", ["last", "every"])
@pytest.mark.parametrize("kind", [*GATED, "rnn"])
def test_totals_are_those_of_the_measures(kind: str, loss: str) -> None:
    base = {"hidden_size": 4, "num_steps": 12, "batch_size": 3}
    trace = run(Experiment.model_validate(base | {"cell": {"kind": kind}, "loss": {"kind": loss}}))
    along, below = gradient_norms(trace), input_gradient_norms(trace)
    for t in (1, 7, 12):
        up, down = directions(trace, t, sample=2)
        assert up.numbers_latex.endswith(f"= {size_latex(along[t - 1, 2])}\\end{{aligned}}")
        assert down.numbers_latex.endswith(f"= {size_latex(below[t - 1, 2])}\\end{{aligned}}")
        assert ("w_{t-1}" in up.latex) == (loss == "every")


def test_terms_of_the_lstm_are_each_gates_part() -> None:
    trace = run(Experiment(cell={"kind": "lstm"}, hidden_size=4, num_steps=12, batch_size=1))
    up, down = directions(trace, 5)
    assert len(re.findall(r"U_\{[ifgo]\}\^\\top", up.numbers_latex)) == 4
    assert len(re.findall(r"W_\{[ifgo]\}\^\\top", down.numbers_latex)) == 4


def test_exact_zeros_are_named() -> None:
    experiment = Experiment(
        cell={"kind": "lstm"}, hidden_size=4, num_steps=12, batch_size=1, loss={"kind": "step", "step": 4}
    )
    up, down = directions(run(experiment), 8)
    assert "exactly 0" in up.explain and "exactly 0" in down.explain
    assert np.isneginf(input_gradient_norms(run(experiment))[7, 0])


def test_steps_outside_the_run_are_refused() -> None:
    trace = run(Experiment(cell={"kind": "gru"}, hidden_size=4, num_steps=3, batch_size=1))
    with pytest.raises(ValueError, match="allowed are 1 … 3"):
        directions(trace, 4)
