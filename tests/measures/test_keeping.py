"""Half-lives of the direct path against the closed form, and the slot that sets them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from explorer import Experiment, run
from explorer.measures.keeping import Keeping, added_bias, keeping, keeping_slot
from explorer.theory import half_life_of_forget_gate

STILL = {"weight_scale": 0.0, "input_scale": 0.0, "bias_scale": 0.0}
SMALL = {"hidden_size": 4, "num_steps": 20, "batch_size": 2}


def traced(cell: dict[str, Any], **changes: Any) -> Any:
    return run(Experiment.model_validate(SMALL | {"cell": cell} | changes))


def kept(cell: dict[str, Any], **changes: Any) -> Keeping:
    found = keeping(traced(cell, **changes))
    assert found is not None
    return found


@pytest.mark.parametrize("bias", [-3.0, 0.0, 1.0, 2.0, 5.0])
@pytest.mark.parametrize("kind, field", [("lstm", "forget_bias"), ("gru", "update_bias")])
def test_a_gate_that_sees_its_bias_only_has_the_closed_half_life(kind: str, field: str, bias: float) -> None:
    found = kept({"kind": kind, field: bias}, **STILL)
    assert found.half_life == pytest.approx(half_life_of_forget_gate(bias), rel=1e-9)
    assert found.mean == pytest.approx(1 / (1 + np.exp(-bias)))
    assert not found.cuts.size


def test_in_the_other_convention_the_update_bias_drops() -> None:
    found = kept({"kind": "gru", "update": "renews", "update_bias": 2.0}, **STILL)
    assert found.half_life == pytest.approx(half_life_of_forget_gate(-2.0), rel=1e-9)


@pytest.mark.parametrize(
    "hold, life, cuts",
    [("forget=0.5", 1.0, []), ("forget=1", np.inf, []), ("forget=0.5; forget=0@3-4", 1.0, [3, 4])],
)
def test_held_gates(hold: str, life: float, cuts: list[int]) -> None:
    found = kept({"kind": "lstm"}, hold=hold)
    assert found.half_life == pytest.approx(life)
    assert found.cuts.tolist() == cuts
    assert found.state == "c"


def test_a_path_that_is_always_shut_has_no_half_life() -> None:
    assert np.isnan(kept({"kind": "lstm"}, hold="forget=0").half_life)


@pytest.mark.parametrize(
    "cell, slot, sign",
    [
        ({"kind": "lstm"}, "forget", 1),
        ({"kind": "gru"}, "update", 1),
        ({"kind": "gru", "update": "renews"}, "update", -1),
    ],
)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_slot_that_keeps_is_found(cell: dict[str, Any], slot: str, sign: int, dtype: str) -> None:
    found = keeping_slot(traced(cell, dtype=dtype))
    assert found is not None
    assert (found[0].name, found[1]) == (slot, sign)


def test_no_slot_where_there_is_none() -> None:
    assert keeping_slot(traced({"kind": "rnn"})) is None
    assert keeping(traced({"kind": "rnn"})) is None
    assert keeping_slot(traced({"kind": "lstm"}, hold="forget=0.5")) is None


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_what_is_added_to_a_bias_is_what_the_weights_got(kind: str) -> None:
    trace = traced({"kind": kind, "chrono": 50, "candidate_bias": 0.5}, **STILL)
    found = keeping_slot(trace)
    assert found is not None
    slot, sign = found
    rows = slice(slot.block * 4, slot.block * 4 + 4)
    added = added_bias(trace.experiment, slot)
    assert added == pytest.approx(trace.weights["bias_ih"][rows].mean())
    assert sign * added > 1


def test_factors_that_overflowed_have_no_mean() -> None:
    """Without a bound the forget gates of two units run to +inf and -inf."""
    cell = {"kind": "lstm", "cell_activation": "relu", "forget_activation": "linear", "forget_bias": 5}
    cell |= {"input_activation": "linear", "chrono": 10}
    signal = {"kind": "pulse", "step": 7}
    settings = {"hidden_size": 5, "batch_size": 5, "num_steps": 130, "seed": 465, "hold": "output=-0.3"}
    found = keeping(
        traced(cell, signal=signal, input_scale=0.0, weight_scale=0.5, bias_scale=1.0, **settings)
    )
    assert found is not None and np.isnan(found.mean)
