"""The range of a knob is nothing but many runs at once."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from explorer.cells import CELLS
from explorer.experiment import Experiment
from explorer.losses import LOSSES
from explorer.measures import gradient_norms
from explorer.sweep import knob_range, knobs
from explorer.sweep.knob_range import knob_range_chunks
from explorer.trace import TooLarge, run
from tests.strategies import alone
from tests.sweep.variants import VARIANTS

module = import_module("explorer.sweep.knob_range")  # the package has a function of this name

SCALES = {"weight_scale": (0.0, 4.0), "input_scale": (0.0, 10.0), "bias_scale": (0.0, 10.0)}
BIASES = {
    "rnn": ["bias"],
    "lstm": ["forget_bias", "input_bias", "candidate_bias", "output_bias"],
    "gru": ["update_bias", "reset_bias", "candidate_bias"],
    "peephole": ["forget_bias", "input_bias", "candidate_bias", "output_bias"],
    "coupled": ["input_bias", "candidate_bias", "output_bias"],
    "ablated": ["input_bias", "candidate_bias", "output_bias"],  # its forget gate is missing
    "mgu": ["forget_bias", "candidate_bias"],
    "residual": ["bias"],
    "antisymmetric": ["bias"],
    "clockwork": ["bias"],
    "echo": ["bias"],
}
SMALL: dict[str, Any] = {"hidden_size": 5, "num_steps": 12, "batch_size": 3}


def small(variant: str, **changes: Any) -> Experiment:
    return Experiment(cell=VARIANTS[variant], **{**SMALL, "initial_scale": 0.5, "seed": 3, **changes})


def assert_equals_runs(experiment: Experiment, knob: str, values: Any, decades: float = 1e-9) -> np.ndarray:
    """Compare with one run for every value; returns the norms of h."""
    found = knob_range(experiment, knob, values)
    assert found.knob == knob
    np.testing.assert_array_equal(found.values, values)
    assert set(found.norms) == set(experiment.cell.states)
    shape = (len(values), experiment.num_steps + 1, experiment.batch_size)
    for k, value in enumerate(values):
        trace = run(experiment.changed(knob, float(value)))
        for state, norms in found.norms.items():
            assert norms.shape == shape
            wanted = gradient_norms(trace, state)
            # Infinities must agree in place and sign, so zeros stay zeros.
            np.testing.assert_allclose(
                norms[k], wanted, rtol=0, atol=decades, err_msg=f"{knob}={value}, {state}"
            )
    return found.norms["h"]


@pytest.mark.parametrize("kind", CELLS)
def test_knobs_of_every_cell(kind: str) -> None:
    assert knobs(Experiment(cell={"kind": kind})) == SCALES | {
        f"cell.{name}": (-10.0, 10.0) for name in BIASES[kind]
    }


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_knob_gives_the_numbers_of_single_runs(variant: str) -> None:
    experiment = small(variant)
    for knob, (low, high) in knobs(experiment).items():
        norms = assert_equals_runs(experiment, knob, np.linspace(low, high, 5))
        # The gradient of a linear network depends on the recurrent matrix alone.
        moves = knob == "weight_scale" or variant != "linear"
        assert (np.ptp(np.nan_to_num(norms, neginf=-1e3), axis=0).max() > 1e-6) == moves, knob


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss(loss: str) -> None:
    given = {"kind": loss} | ({"step": 7} if "step" in LOSSES[loss][1].model_fields else {})
    assert_equals_runs(small("lstm", loss=given), "cell.forget_bias", np.array([-4.0, 0.0, 5.5]))


def test_a_matrix_of_zeros_sends_back_exactly_nothing() -> None:
    norms = assert_equals_runs(small("tanh"), "weight_scale", np.array([0.0, 1e-3, 1.0]))
    assert (norms[0, :-1] == -np.inf).all()
    assert np.isfinite(norms[1:]).all()


def test_dead_relu_frames() -> None:
    norms = assert_equals_runs(small("relu"), "cell.bias", np.array([-10.0, 0.0, 10.0]))
    assert (norms[0, :-1] == -np.inf).all()
    assert np.isfinite(norms[-1]).all()


@pytest.mark.parametrize("activation", ["relu", "linear"])
def test_states_beyond_the_float_range(activation: str) -> None:
    experiment = small(
        activation, num_steps=600, initializer={"kind": "identity"}, bias_scale=0.0, initial_scale=1.0
    ).changed("cell.bias", 0.1)
    norms = assert_equals_runs(experiment, "weight_scale", np.array([0.1, 1.0, 2.5, 4.0]))
    assert norms[-1].max() > 330  # decades: float64 ends at 308
    assert norms[0].min() < -330
    assert_equals_runs(experiment.changed("weight_scale", 4.0), "cell.bias", np.array([0.1, 1.0, 10.0]))


def test_float32_runs_in_float32() -> None:
    experiment = small("gru", dtype="float32")
    assert_equals_runs(experiment, "weight_scale", np.array([0.0, 0.5, 1.5]), decades=1e-4)
    double = knob_range(experiment.changed("dtype", "float64"), "weight_scale", np.array([1.5])).norms["h"]
    assert np.abs(knob_range(experiment, "weight_scale", np.array([1.5])).norms["h"] - double).max() > 1e-9


def test_the_present_value_of_the_knob_does_not_matter() -> None:
    values = np.linspace(0, 4, 6)
    one, two = (knob_range(small("lstm", weight_scale=scale), "weight_scale", values) for scale in (0.0, 3.7))
    np.testing.assert_array_equal(one.norms["c"], two.norms["c"])


@pytest.mark.parametrize("columns", [1, 7, 12])
def test_chunks_give_the_same_numbers(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    trace, values = run(small("gru, reset before", batch_size=3)), np.linspace(-10, 10, 10)
    (whole,) = knob_range_chunks(trace, "cell.update_bias", values)
    monkeypatch.setattr(module, "_COLUMNS", columns)
    parts = list(knob_range_chunks(trace, "cell.update_bias", values))
    assert len(parts) == -(-10 // max(1, columns // 3))
    np.testing.assert_array_equal(np.concatenate([part.values for part in parts]), values)
    np.testing.assert_allclose(
        np.concatenate([part.norms["h"] for part in parts]), whole.norms["h"], rtol=0, atol=1e-11
    )


def test_chunks_stay_within_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    trace = run(small("tanh"))
    monkeypatch.setattr(module, "_MEMORY", 1.0)
    assert [len(part.values) for part in knob_range_chunks(trace, "weight_scale", np.ones(4))] == [1] * 4


@pytest.mark.parametrize("knob", ["cell.forget_bias", "hidden_size", "initial_scale", "nonsense", ""])
def test_other_knobs_are_refused_by_name(knob: str) -> None:
    with pytest.raises(ValueError, match=r"cannot be swept; allowed here are .*weight_scale") as caught:
        knob_range(small("tanh"), knob, np.array([1.0]))
    assert repr(knob) in str(caught.value)


def test_too_large_a_run_is_refused() -> None:
    with pytest.raises(TooLarge, match="lower"):
        knob_range(
            Experiment(hidden_size=512, num_steps=1000, batch_size=64), "weight_scale", np.array([1.0])
        )


@given(
    alone(
        hidden_size=st.integers(2, 5),
        num_steps=st.integers(2, 6),
        batch_size=st.integers(1, 3),
        weight_scale=st.floats(0, 2),
        dtype=st.just("float64"),
    ),
    st.data(),
)
@settings(max_examples=40, deadline=None)
def test_any_experiment_any_knob(experiment: Experiment, data: st.DataObject) -> None:
    # A strongly non-normal matrix makes rounding errors of the two ways grow by its gain at each step.
    assume(getattr(experiment.initializer, "strength", 0) <= 5)
    knob = data.draw(st.sampled_from(sorted(knobs(experiment))))
    low, high = knobs(experiment)[knob]
    values = data.draw(st.lists(st.floats(low, min(high, 4)), min_size=1, max_size=3))
    assert_equals_runs(experiment, knob, np.array(values), decades=1e-9)
