"""Verdict and advice for cells with an ungated direct path and for the minimal gated unit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from explorer import Experiment, run
from explorer.measures import decades_lost, verdict
from explorer.measures.ledger import ledger

LOSING: dict[str, dict[str, Any]] = {
    "mgu": {"cell": {"kind": "mgu"}},
    "echo": {"cell": {"kind": "echo"}},
    "echo, long": {"cell": {"kind": "echo", "leak_rate": 0.1}, "num_steps": 600},
    "clockwork": {"cell": {"kind": "clockwork"}},
    "clockwork, one": {"cell": {"kind": "clockwork", "periods": "1"}, "num_steps": 50},
    "antisymmetric": {
        "cell": {"kind": "antisymmetric", "step_size": 1.0, "diffusion": 0.5},
        "weight_scale": 0.1,
    },
}


def followed(experiment: Experiment, change: dict[str, float | str]) -> Experiment:
    for path, value in change.items():
        value = {"kind": value} if path in ("initializer", "loss") else value
        experiment = experiment.changed(path, value)
    return experiment


@pytest.mark.parametrize("name", LOSING)
def test_advice_helps_and_names_a_setting_of_the_cell(name: str) -> None:
    experiment = Experiment(**LOSING[name])
    before = verdict(run(experiment))
    assert before.tone in ("vanishes", "dead")
    assert all(path.startswith("cell.") for path in before.change)
    after = run(followed(experiment, before.change))
    assert abs(decades_lost(after)) < abs(before.decades) / 1.5


def test_a_residual_network_that_shrinks_is_told_to_take_smaller_steps() -> None:
    """U = −I: each step multiplies by 1 − ε."""
    experiment = Experiment(
        cell={"kind": "residual", "step_size": 0.5, "activation": "linear"}, hidden_size=4, num_steps=40
    )
    weights = {"weight_ih": np.zeros((4, 1)), "weight_hh": -np.eye(4)}
    found = verdict(run(experiment, weights=weights))
    assert found.decades == pytest.approx(40 * np.log10(2))
    assert found.blame == "matrix"
    after = run(followed(experiment, found.change), weights=weights)
    assert decades_lost(after) < 2


def test_the_leak_alone_is_blamed_where_nothing_else_acts() -> None:
    experiment = Experiment(cell={"kind": "echo", "leak_rate": 0.5}, weight_scale=0.0, num_steps=50)
    found = verdict(run(experiment))
    assert found.blame == "direct path"
    assert "the direct path costs 15.1 decades" in found.text
    assert found.change == {"cell.leak_rate": 0.08}
    assert decades_lost(run(followed(experiment, found.change))) == pytest.approx(-50 * np.log10(0.92))


@pytest.mark.parametrize("kind", ["residual", "antisymmetric", "clockwork", "echo"])
def test_no_cell_without_gates_is_said_to_have_some(kind: str) -> None:
    for scale in (0.0, 0.3, 1.0, 3.0):
        found = verdict(run(Experiment(cell={"kind": kind}, weight_scale=scale, num_steps=40, batch_size=4)))
        assert "gates" not in found.text + found.advice
        assert found.blame != "gates"


def test_the_ledger_of_a_leaky_network_without_a_matrix_is_its_leak() -> None:
    book = ledger(run(Experiment(cell={"kind": "echo", "leak_rate": 0.5}, weight_scale=0.0, num_steps=20)))
    assert book.slope == pytest.approx(np.full((20, 16), np.log10(0.5)))
    assert book.matrix == pytest.approx(np.zeros((20, 16)), abs=1e-12)


def test_the_minimal_gated_unit_is_told_to_lower_its_bias() -> None:
    found = verdict(run(Experiment(cell={"kind": "mgu"})))
    assert found.advice.startswith("Lower the forget bias from 0 to -")
    assert found.change["cell.forget_bias"] < 0
