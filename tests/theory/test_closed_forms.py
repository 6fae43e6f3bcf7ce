"""Closed forms against mpmath, against known powers and against the engine, far beyond float range."""

import mpmath as mp
import numpy as np
import pytest

from explorer import Experiment, run
from explorer.measures import gradient_norms, slopes_all_one
from explorer.theory import ClosedForm, cell_path_reference, closed_form, half_life_of_forget_gate
from explorer.theory.recursions import diagonal_norms, repeated_norms
from explorer.trace import Trace

LINEAR = {"kind": "rnn", "activation": "linear"}
LOSSES = [{"kind": "last"}, {"kind": "every"}, {"kind": "step", "step": 20}]


def form_of(trace: Trace, **extra: object) -> ClosedForm:
    found = closed_form(trace.experiment, trace.weights, trace.readout, trace.loss_weights, **extra)  # type: ignore[arg-type]
    assert found is not None
    return found


@pytest.mark.parametrize("loss", LOSSES, ids=str)
@pytest.mark.parametrize("kind", ["orthogonal", "identity", "symmetric", "uniform", "triangular"])
@pytest.mark.parametrize("scale", [0.3, 1.0, 3.0])
def test_linear_networks_equal_the_engine(kind: str, scale: float, loss: dict[str, object]) -> None:
    experiment = Experiment(
        cell=LINEAR, initializer={"kind": kind}, weight_scale=scale, hidden_size=6, num_steps=60, loss=loss
    )
    trace = run(experiment)
    np.testing.assert_allclose(form_of(trace).log10, gradient_norms(trace)[:, 0], atol=1e-11)


@pytest.mark.parametrize(("scale", "truth"), [(0.9, 0.00515378), (1.1, 117.3909)])
def test_fifty_steps_of_an_orthogonal_matrix(scale: float, truth: float) -> None:
    experiment = Experiment(cell=LINEAR, initializer={"kind": "orthogonal"}, weight_scale=scale, num_steps=50)
    form = form_of(run(experiment))
    assert 10 ** form.log10[0] == pytest.approx(truth, rel=1e-6)
    assert "orthogonal" in form.label


def test_thousand_decades_down_equal_mpmath() -> None:
    """Symmetric by eigenvalues, general by powers: both exact at 1e-1000 and below."""
    for kind in ("symmetric", "gaussian", "orthogonal"):
        experiment = Experiment(
            cell=LINEAR, initializer={"kind": kind}, weight_scale=0.04, hidden_size=3, num_steps=800
        )
        trace = run(experiment, weights=None)
        form = form_of(trace)
        assert form.log10[0] < -1000
        with mp.workdps(60):
            matrix, v = mp.matrix(trace.weights["weight_hh"].T.tolist()), mp.matrix(trace.readout.tolist())
            truth = mp.log10(mp.norm(matrix**800 * v))
        assert abs(form.log10[0] - float(truth)) < 1e-10


def test_losses_at_every_step_equal_mpmath_when_powers_overflow() -> None:
    matrix, v = np.array([[3.0, 1.0], [0.0, -2.0]]), np.array([0.6, -0.8])
    found = repeated_norms(matrix.T, np.outer(np.r_[0.0, np.ones(900)], v))
    with mp.workdps(50):
        a, m = mp.matrix([0, 0]), mp.matrix(matrix.T.tolist())
        for _ in range(900):
            a = m * a + mp.matrix(v.tolist())
        assert found[1] == pytest.approx(float(mp.log10(mp.norm(a))), abs=1e-11)
        assert found[0] == pytest.approx(float(mp.log10(mp.norm(m * a))), abs=1e-11)


def test_diagonal_sums_keep_signs_and_zeros() -> None:
    """λ = −½, 0 and 2 with injections at two steps, against sums written out."""
    factors = np.array([-0.5, 0.0, 2.0])
    injections = np.zeros((5, 3))
    injections[4], injections[2] = [1, 1, 1], [-0.25, 3, 0]
    with np.errstate(divide="ignore"):
        found = diagonal_norms(np.log(np.abs(factors)), np.sign(factors), injections)
    states = [injections[4]]
    for t in (3, 2, 1, 0):
        states.insert(0, factors * states[0] + injections[t])
    np.testing.assert_allclose(found, np.log10(np.linalg.norm(states, axis=1)), atol=1e-14)


def test_relu_network_is_linear_while_all_units_are_positive() -> None:
    """IRNN: a·I gives a^k while units are positive (Le et al. 2015)."""
    experiment = Experiment(
        cell={"kind": "rnn", "activation": "relu", "bias": 5},
        initializer={"kind": "identity"},
        weight_scale=0.9,
        hidden_size=5,
        batch_size=2,
    )
    trace = run(experiment)
    mask = slopes_all_one(trace)
    assert mask.all()
    form = form_of(trace, slope_one=mask)
    np.testing.assert_allclose(form.log10, np.arange(100, -1, -1) * np.log10(0.9), atol=1e-12)
    np.testing.assert_allclose(form.log10, gradient_norms(trace)[:, 0], atol=1e-12)
    broken = mask.copy()
    broken[40] = False  # step 41
    partly = form_of(trace, slope_one=broken).log10
    assert np.isnan(partly[:41]).all()
    np.testing.assert_array_equal(partly[41:], form.log10[41:])
    assert closed_form(experiment, trace.weights, trace.readout, trace.loss_weights) is None


@pytest.mark.parametrize("loss", LOSSES, ids=str)
@pytest.mark.parametrize("update", ["keeps", "renews"])
@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_constant_gates_equal_the_engine(kind: str, update: str, loss: dict[str, object]) -> None:
    cell = {"kind": kind, "forget_bias": 1} if kind == "lstm" else {"kind": kind, "update": update}
    experiment = Experiment(
        cell=cell, weight_scale=0, input_scale=0, hidden_size=5, num_steps=40, loss=loss, initial_scale=2
    )
    trace = run(experiment)
    for state in experiment.cell.states:
        start = trace.states["c"][0, 0] if state == "c" else None
        form = form_of(trace, state=state, initial_cell=start)
        np.testing.assert_allclose(form.log10, gradient_norms(trace, state)[:, 0], atol=1e-12)


@pytest.mark.parametrize("kind", ["rnn", "lstm"])
def test_without_a_matrix_only_the_loss_itself_is_felt(kind: str) -> None:
    trace = run(
        Experiment(cell={"kind": kind}, weight_scale=0, hidden_size=4, loss={"kind": "step", "step": 7})
    )
    form = form_of(trace)
    np.testing.assert_allclose(form.log10, gradient_norms(trace)[:, 0], atol=1e-15)
    assert np.isfinite(form.log10).sum() == 1


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
def test_no_closed_form_for_the_general_case(kind: str) -> None:
    trace = run(Experiment(cell={"kind": kind}, hidden_size=4, num_steps=4))
    assert closed_form(trace.experiment, trace.weights, trace.readout, trace.loss_weights) is None
    with pytest.raises(ValueError, match="state 'q' is unknown"):
        closed_form(trace.experiment, trace.weights, trace.readout, trace.loss_weights, state="q")


@pytest.mark.parametrize(("bias", "steps"), [(0, 1), (1, 2.213), (2, 5.461), (3, 14.27), (5, 103.2)])
def test_half_lives_of_the_table(bias: float, steps: float) -> None:
    assert half_life_of_forget_gate(bias) == pytest.approx(steps, rel=3e-4)


@pytest.mark.parametrize("bias", [-40.0, -10.0, 0.3, 10.0, 40.0, 300.0])
def test_half_lives_equal_mpmath(bias: float) -> None:
    with mp.workdps(200):
        truth = mp.log(2) / mp.log1p(mp.exp(-mp.mpf(bias)))
    assert half_life_of_forget_gate(bias) == pytest.approx(float(truth), rel=1e-14)


def test_reference_line_of_the_forget_gate() -> None:
    """b = 1 alone leaves 2.5e-14 after 100 steps (SCIENCE.md)."""
    reference = cell_path_reference(Experiment(cell={"kind": "lstm", "forget_bias": 1}))
    assert reference is not None and reference.label == "forget bias alone"
    line = reference.log10
    assert line.shape == (101,)
    assert line[-1] == 0
    assert 10 ** line[0] == pytest.approx(2.5e-14, rel=0.02)
    assert cell_path_reference(Experiment()) is None


@pytest.mark.parametrize(
    ("cell", "hold", "label", "kept"),
    [
        ({"kind": "peephole", "forget_bias": 2}, "", "forget bias alone", 1 / (1 + np.exp(-2.0))),
        ({"kind": "coupled", "input_bias": -2}, "", "input bias alone", 1 / (1 + np.exp(-2.0))),
        ({"kind": "coupled", "input_activation": "hard_sigmoid"}, "", "input bias alone", 0.5),
        ({"kind": "lstm", "forget_activation": "hard_sigmoid_keras", "forget_bias": 1}, "", "", 0.7),
        ({"kind": "lstm", "forget_activation": "hard_sigmoid", "forget_bias": -4}, "", "", 0.0),
        ({"kind": "ablated"}, "", "f = 1 alone", 1.0),
        ({"kind": "ablated", "without": "input_gate", "forget_bias": 0}, "", "forget bias alone", 0.5),
        ({"kind": "lstm"}, "input=0", "forget bias alone", 0.5),
        ({"kind": "lstm"}, "forget=1@3-7", None, 0),
        ({"kind": "coupled"}, "input=1", None, 0),
        ({"kind": "lstm", "forget_activation": "relu"}, "", None, 0),
        ({"kind": "lstm", "forget_activation": "tanh"}, "", None, 0),
        ({"kind": "gru"}, "", None, 0),
    ],
    ids=str,
)
def test_reference_line_is_the_chosen_activation_or_silent(cell, hold, label, kept) -> None:
    reference = cell_path_reference(Experiment(cell=cell, hold=hold, num_steps=10))
    if label is None:
        assert reference is None
        return
    assert reference is not None and reference.label.startswith(label)
    assert 10 ** reference.log10[4] == pytest.approx(kept**6, rel=1e-12)


CONSTANT = [
    {"kind": "coupled", "input_bias": -1},
    *({"kind": "ablated", "without": f"{gate}_gate"} for gate in ("forget", "input", "output")),
    *({"kind": "ablated", "without": f"{part}_activation"} for part in ("input", "output")),
    {"kind": "lstm", "forget_activation": "tanh", "cell_activation": "softsign"},
    {"kind": "lstm", "forget_activation": "relu", "forget_bias": 1.02, "cell_activation": "linear"},
    {"kind": "lstm", "forget_activation": "hard_sigmoid", "forget_bias": 3.1},
    {"kind": "coupled", "input_activation": "tanh"},
    {"kind": "gru", "update_activation": "tanh", "update": "renews"},
    {"kind": "gru", "update_activation": "hard_sigmoid"},
]


@pytest.mark.parametrize("loss", LOSSES, ids=str)
@pytest.mark.parametrize("cell", CONSTANT, ids=str)
def test_constant_gates_of_siblings_and_other_activations(cell, loss: dict[str, object]) -> None:
    experiment = Experiment(
        cell=cell,
        weight_scale=0,
        input_scale=0,
        hidden_size=5,
        num_steps=40,
        batch_size=1,
        loss=loss,
        initial_scale=0.5,
    )
    trace = run(experiment)
    for state in experiment.cell.states:
        form = form_of(trace, state=state, initial_cell=trace.states[state][0, 0])
        np.testing.assert_allclose(form.log10, gradient_norms(trace, state)[:, 0], atol=1e-11)


def test_held_gates_and_peepholes_have_no_constant_form() -> None:
    still = {"weight_scale": 0, "input_scale": 0, "hidden_size": 3, "num_steps": 5}
    for cell, hold in (("lstm", "forget=1"), ("peephole", ""), ("gru", "update=0.5@2-3")):
        trace = run(Experiment(cell={"kind": cell}, hold=hold, **still))
        state = trace.experiment.cell.states[0]
        args = trace.experiment, trace.weights, trace.readout, trace.loss_weights
        assert closed_form(*args, state=state) is None
