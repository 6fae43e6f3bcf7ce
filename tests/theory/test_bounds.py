"""Bounds hold for every cell, loss and input, and are attained where they should be."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from explorer import Experiment, run
from explorer.measures import gradient_norms
from explorer.theory import gradient_bound, largest_singular_value
from tests.strategies import alone, groups

from explorer.cells import GRU, LSTM, RNN  # isort: skip

STANDARD = (groups(LSTM) | groups(GRU)).map(
    lambda cell: type(cell)(**{k: v for k, v in cell if not k.endswith("_activation")})
)
SMALL = {
    "hidden_size": st.integers(2, 6),
    "num_steps": st.integers(2, 30),
    "batch_size": st.integers(1, 3),
    "dtype": st.just("float64"),
}


def assert_bounded(experiment: Experiment, known: bool) -> None:
    experiment = experiment.changed("hold", "")
    trace = run(experiment)
    assume(all(((w == 0) | (np.abs(w) > 1e-100)).all() for w in trace.weights.values()))  # no denormals
    extra = {"inputs": trace.inputs, "initial": trace.system.initial} if known else {}
    bound = gradient_bound(experiment, trace.weights, trace.loss_weights, **extra)
    assert bound is not None
    assert not np.isnan(bound).any()
    norms = gradient_norms(trace)
    assert (norms <= bound[:, None] + 1e-9).all()
    assert np.isneginf(norms[np.isneginf(bound)]).all()


@settings(max_examples=60, deadline=None)
@given(experiment=alone(cell=groups(RNN), **SMALL))
def test_no_rnn_exceeds_its_bound(experiment: Experiment) -> None:
    assert_bounded(experiment, known=False)


@settings(max_examples=60, deadline=None)
@given(experiment=alone(cell=STANDARD, **SMALL))
def test_no_gated_cell_exceeds_its_bound(experiment: Experiment) -> None:
    assert_bounded(experiment, known=True)


@settings(max_examples=30, deadline=None)
@given(experiment=alone(cell=STANDARD, initial_scale=st.just(0.0), **SMALL))
def test_no_input_can_exceed_the_bound_for_any_input(experiment: Experiment) -> None:
    assert_bounded(experiment, known=False)


def test_orthogonal_linear_network_attains_the_bound() -> None:
    experiment = Experiment(
        cell={"kind": "rnn", "activation": "linear"}, initializer={"kind": "orthogonal"}, weight_scale=1.1
    )
    trace = run(experiment)
    bound = gradient_bound(experiment, trace.weights, trace.loss_weights)
    assert bound is not None
    np.testing.assert_allclose(gradient_norms(trace)[:, 0], bound, atol=1e-12)
    assert 10 ** bound[50] == pytest.approx(117.3909, rel=1e-6)  # SCIENCE.md


def test_known_inputs_tighten_the_bound_of_a_gated_cell() -> None:
    experiment = Experiment(cell={"kind": "lstm", "forget_bias": -3}, weight_scale=0.1, hidden_size=8)
    trace = run(experiment)
    loose = gradient_bound(experiment, trace.weights, trace.loss_weights)
    tight = gradient_bound(experiment, trace.weights, trace.loss_weights, inputs=trace.inputs)
    assert loose is not None and tight is not None
    assert tight[0] < loose[0] - 10
    assert tight[0] < 0


@pytest.mark.parametrize(
    ("cell", "hold"),
    [
        ({"kind": "lstm"}, "forget=2"),
        ({"kind": "lstm", "forget_activation": "relu"}, ""),
        ({"kind": "gru", "candidate_activation": "linear"}, ""),
        ({"kind": "coupled"}, ""),
    ],
    ids=str,
)
def test_no_bound_is_claimed_for_what_it_was_not_proven_for(cell: dict[str, str], hold: str) -> None:
    trace = run(Experiment(cell=cell, hold=hold, hidden_size=4, num_steps=5))
    assert gradient_bound(trace.experiment, trace.weights, trace.loss_weights) is None


def test_random_initial_states_of_gated_cells_have_to_be_given() -> None:
    experiment = Experiment(cell={"kind": "lstm"}, initial_scale=1, hidden_size=4)
    trace = run(experiment)
    assert gradient_bound(experiment, trace.weights, trace.loss_weights) is None


def test_bound_after_the_loss_and_without_a_matrix_is_an_exact_zero() -> None:
    experiment = Experiment(loss={"kind": "step", "step": 3}, num_steps=5, weight_scale=0, hidden_size=3)
    trace = run(experiment)
    bound = gradient_bound(experiment, trace.weights, trace.loss_weights)
    np.testing.assert_array_equal(bound, [-np.inf, -np.inf, -np.inf, 0, -np.inf, -np.inf])


def test_largest_singular_value() -> None:
    assert largest_singular_value(np.array([[0.0, 2.0], [0.0, 0.0]])) == 2
    assert largest_singular_value({"weight_hh": np.diag([3.0, -4.0])}) == 4
    power = np.linalg.matrix_power(np.array([[0.9, 5], [0, 0.9]]), 9)
    assert largest_singular_value(power) == pytest.approx(19.379, abs=5e-4)  # SCIENCE.md
