"""Hand-derived derivatives of cells that read vectors or a schedule, against autograd of their core."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from explorer import Experiment, run
from explorer.cells.cell import Partials
from explorer.cells.conditions import Conditions
from explorer.engine.partials import partials_between, partials_by_autograd

CELLS: list[dict[str, Any]] = [
    {"kind": "peephole", "peephole_strength": 3.0},
    {"kind": "peephole", "forget_activation": "hard_sigmoid", "cell_activation": "softsign"},
    {"kind": "peephole", "input_activation": "tanh", "output_activation": "relu"},
    {"kind": "clockwork"},
    {"kind": "clockwork", "activation": "relu", "periods": "1, 3"},
]


def parts(found: Partials) -> dict[Any, np.ndarray]:
    """Every derivative under a name of its own; derivatives of one slot are added."""
    slots: dict[Any, np.ndarray] = {}
    for state, where, slope in found.slots:
        for offset, k in enumerate(range(where.start, where.stop)):
            slots[state, k] = slots.get((state, k), 0) + slope[:, offset]
    carry = {("carry", *key): slope for key, slope in found.carry.items()}
    return slots | carry | {("within", *key): slope for key, slope in found.within.items()}


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: "-".join(map(str, cell.values())))
@pytest.mark.parametrize("scale", [0.5, 4.0])
def test_they_are_autograds(cell: dict[str, Any], scale: float) -> None:
    trace = run(
        Experiment(cell=cell, hidden_size=6, num_steps=12, batch_size=3, initial_scale=1, weight_scale=scale)
    )
    record, kind = trace.forward, trace.experiment.cell
    conditions = record.conditions.rows(2, 9)
    assert conditions.vectors and kind.partials_with(conditions.vectors, *arrays(record, 2, 9)) is not None
    found = parts(partials_between(kind, record, 2, 9))
    previous = {name: array[2:9] for name, array in record.states.items()}
    expected = parts(partials_by_autograd(kind, record.slots[2:9], previous, conditions))
    assert set(found) == set(expected)
    for key, slope in expected.items():
        np.testing.assert_allclose(found[key], slope, rtol=1e-11, atol=1e-13, err_msg=str(key))


def arrays(record: Any, start: int, stop: int) -> tuple[Any, ...]:
    """Slots, gates, previous and new states of some steps."""
    states = record.states.items()
    return (
        record.slots[start:stop],
        record.gates[start:stop],
        {name: array[start:stop] for name, array in states},
        {name: array[start + 1 : stop + 1] for name, array in states},
    )


def test_a_held_gate_leaves_them_to_autograd() -> None:
    """A held gate is a constant, which the formulas do not know."""
    held = run(
        Experiment(cell={"kind": "peephole"}, hidden_size=4, num_steps=6, batch_size=1, hold="forget=1")
    )
    found = parts(partials_between(held.experiment.cell, held.forward, 0, 6))
    assert not found.get(("c", 2), np.zeros(1)).any()
    assert np.allclose(found["carry", "c", "c"] - 1, found["c", 1] * _peephole(held.forward.conditions))


def _peephole(conditions: Conditions) -> np.ndarray:
    return conditions.vectors["peephole_input"]
