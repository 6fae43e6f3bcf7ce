"""The truth meter agrees with a right engine, finds a wrong one, and says what it could not compare."""

import re
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from explorer import Experiment, run
from explorer.activations import softsign, softsign_slope, tanh_slope
from explorer.cells import CELLS as REGISTERED
from explorer.cells.integrator import Integrator
from explorer.signals import Zeros
from explorer.verify import verify
from explorer.verify.moment import exact_softsign, exact_tanh
from explorer.verify.textbook import TEXTBOOKS
from tests.strategies import alone

RELU = {"kind": "rnn", "activation": "relu"}
CELLS = [
    {"kind": "rnn"},
    RELU,
    {"kind": "rnn", "activation": "linear"},
    {"kind": "lstm"},
    {"kind": "gru"},
    {"kind": "gru", "reset": "before", "update": "renews"},
    *({"kind": kind} for kind in REGISTERED if kind not in ("rnn", "lstm", "gru")),
    {"kind": "residual", "activation": "relu"},
    {"kind": "clockwork", "activation": "linear", "periods": "1, 3, 50"},
    {"kind": "antisymmetric", "step_size": 1.0, "diffusion": 0.5},
]
STATES = [(cell, state) for cell in CELLS for state in REGISTERED[cell["kind"]][1].states]
HOLDS = {
    "lstm": "forget=0.5@3-9; input=0@2#1; cell=2@1-4",
    "gru": "reset=0.3@4-9; update=1@5; update=0@7",
    "peephole": "forget=1@3-9; output=0.5#2",
    "coupled": "input=0.5@3-9; forget=2@8",
    "ablated": "forget=0.5@3-9; cell=0.1@4",
    "mgu": "forget=0.4@3-8; new=0.2@10#2",
    "clockwork": "active=1@3-9#11; active=0.5@12",
}


@pytest.mark.parametrize("loss", ["last", "every"])
@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_a_right_engine_passes(cell: dict[str, str], loss: str) -> None:
    found = verify(
        run(Experiment(cell=cell, hidden_size=12, num_steps=30, batch_size=3, loss={"kind": loss}))
    )
    assert found.passed
    assert found.autograd_step is not None and found.autograd_step < 1e-14
    assert found.autograd_full is not None and found.autograd_full < 1e-12
    assert found.finite_differences is not None and found.finite_differences < 1e-8
    assert found.compared == 90
    assert re.match(
        r"The engine agrees with PyTorch autograd: largest relative error (0|\d·10⁻¹[⁰-⁹]) over 90",
        found.text,
    )


@pytest.mark.parametrize(("cell", "state"), STATES, ids=str)
def test_a_wrong_engine_is_found(cell: dict[str, str], state: str) -> None:
    """One entry of one adjoint wrong by a millionth shows, with its place."""
    trace = run(Experiment(cell=cell, hidden_size=12, num_steps=30, batch_size=3))
    entry = np.argmax(np.abs(trace.backward.totals[state][20, :, 1]))
    trace.backward.totals[state][20, entry, 1] *= 1 + 1e-6
    found = verify(trace)
    assert not found.passed
    assert 1e-9 < found.autograd_step < 1e-4
    assert found.worst_at[0] in (19, 20) and found.worst_at[1] == 1


@pytest.mark.parametrize("kind", HOLDS)
def test_held_gates_are_compared(kind: str) -> None:
    trace = run(Experiment(cell={"kind": kind}, hold=HOLDS[kind], hidden_size=12, num_steps=30, batch_size=3))
    found = verify(trace)
    assert found.passed and found.left_out == 0
    assert found.autograd_step is not None and found.autograd_step < 1e-13
    assert found.autograd_full is not None and found.autograd_full < 1e-12


@pytest.mark.parametrize("kind", HOLDS)
def test_a_hold_that_the_engine_took_for_another_is_found(kind: str) -> None:
    settings = {"cell": {"kind": kind}, "hidden_size": 12, "num_steps": 30, "batch_size": 3}
    trace = run(Experiment(**settings, hold=HOLDS[kind]))
    later = re.sub(r"@3-", "@4-", re.sub(r"@4-", "@5-", HOLDS[kind]))
    trace.experiment = Experiment(**settings, hold=later)
    assert trace.experiment.hold != HOLDS[kind]
    assert verify(trace).verdict == "differs"


def test_every_cell_has_a_textbook() -> None:
    assert set(TEXTBOOKS) == set(REGISTERED)


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_a_cell_without_a_textbook_is_run_by_its_core_and_the_text_says_so(
    cell: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    trace = run(
        Experiment(cell=cell, hold=HOLDS.get(cell["kind"], ""), hidden_size=12, num_steps=30, batch_size=3)
    )
    assert verify(trace).textbook and "not compared with a textbook" not in verify(trace).text
    monkeypatch.delitem(TEXTBOOKS, cell["kind"])
    found = verify(trace)
    assert found.passed and found.autograd_full is not None
    assert not found.textbook and "not compared with a textbook" in found.text
    for state, array in trace.backward.totals.items():
        kept = array.copy()
        array[20, :, 1] *= 1 + 1e-4
        assert not verify(trace).passed, state
        array[...] = kept


def test_a_core_that_is_no_textbooks_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A leak that leaks a little less, alike in the core, in the fast step and in the partials."""
    experiment = Experiment(cell={"kind": "echo", "leak_rate": 0.5}, hidden_size=8, num_steps=12)
    assert verify(run(experiment)).passed
    kept = type(experiment.cell).rates.fget
    monkeypatch.setattr(type(experiment.cell), "rates", property(lambda cell: (*kept(cell)[:1], 0.501, 0.0)))
    assert isinstance(experiment.cell, Integrator)
    assert verify(run(experiment)).verdict == "differs"


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
def test_a_wrong_engine_is_told_in_the_text(kind: str) -> None:
    trace = run(Experiment(cell={"kind": kind}, hidden_size=8, num_steps=20, batch_size=3))
    assert verify(trace).verdict == "agrees"
    trace.backward.totals["h"][12, :, 1] *= 1.001
    found = verify(trace)
    assert found.verdict == "differs" and not found.passed
    assert found.text.startswith("The engine does NOT agree with PyTorch autograd")
    assert re.search(r"\(worst at t = 1[12], sample 1\)\.", found.text)


@pytest.mark.parametrize("cell", [{"kind": "rnn", "activation": "linear"}, {"kind": "lstm"}], ids=str)
def test_a_wrong_start_of_the_way_back_is_found(cell: dict[str, str]) -> None:
    """All adjoints of a linear step scaled alike agree from step to step, but not where the loss enters."""
    trace = run(Experiment(cell=cell, hidden_size=4, num_steps=8))
    for array in trace.backward.totals.values():
        array *= 1.001
    found = verify(trace)
    assert found.autograd_step == pytest.approx(1e-3, rel=0.05)
    assert found.worst_at[0] == 8
    assert found.verdict == "differs" and "does NOT agree" in found.text


def test_nothing_to_compare_is_said() -> None:
    trace = run(Experiment(hidden_size=4, num_steps=5, batch_size=2))
    for array in (*trace.forward.states.values(), trace.forward.slots):
        array[:] = np.nan
    found = verify(trace)
    assert (found.verdict, found.passed, found.compared) == ("nothing", False, 0)
    assert found.text.startswith("Nothing can be compared")


def test_a_wrong_direction_is_found_by_finite_differences() -> None:
    trace = run(Experiment(hidden_size=12, num_steps=5, batch_size=1))
    trace.backward.totals["h"][2] *= 1.01
    found = verify(trace)
    assert found.finite_differences == pytest.approx(0.01, rel=0.05)


@settings(max_examples=40, deadline=None)
@given(
    experiment=alone(
        hidden_size=st.integers(2, 6), num_steps=st.integers(2, 30), batch_size=st.integers(1, 3)
    )
)
def test_every_experiment_can_be_verified(experiment: Experiment) -> None:
    """Saturated, dead, exploding, float32: the step comparison holds wherever autograd itself has numbers."""
    trace = run(experiment)
    assume(all(((w == 0) | (np.abs(w) > 1e-30)).all() for w in trace.weights.values()))  # no denormals
    found = verify(trace)
    assert not re.search(r"\b(nan|inf)\b", found.text)
    assert found.verdict == ("agrees" if found.passed else "differs" if found.compared else "nothing")
    if found.autograd_step is not None:
        assert found.autograd_step < (1e-2 if experiment.dtype == "float32" else 1e-8)
    assert found.compared + found.left_out == experiment.num_steps * experiment.batch_size


def test_deep_saturation_is_compared_and_not_left_out() -> None:
    """Slopes of e^-20 and less a step: torch's own tanh would give 0 here."""
    found = verify(run(Experiment(cell={"kind": "rnn", "bias": 10}, hidden_size=8, num_steps=60)))
    assert found.passed
    assert found.left_out == 0


def test_states_beyond_float_range() -> None:
    found = verify(run(Experiment(cell={**RELU, "bias": 1}, weight_scale=4, hidden_size=32, num_steps=1000)))
    assert found.autograd_step is not None and found.autograd_step < 1e-14
    assert found.autograd_full is None and found.full_reason


def test_chaos_is_named_and_compared_step_by_step() -> None:
    chaotic = Experiment(initializer={"kind": "gaussian"}, weight_scale=3, hidden_size=64, num_steps=100)
    found = verify(run(chaotic))
    assert found.autograd_full is None
    assert "chaotic" in found.full_reason and found.full_reason in found.text
    assert found.passed


def test_dead_units_leave_nothing_for_finite_differences() -> None:
    found = verify(run(Experiment(cell={**RELU, "bias": -1}, hidden_size=4, num_steps=5, batch_size=2)))
    assert found.passed
    assert found.finite_differences is None
    assert found.left_out_differences == 10


@pytest.mark.parametrize(
    ("function", "value", "slope"),
    [(exact_tanh, np.tanh, tanh_slope), (exact_softsign, softsign, softsign_slope)],
)
def test_references_keep_their_digits_at_any_size(function: Any, value: Any, slope: Any) -> None:
    sizes = np.array([1e-300, 1e-20, 1e-3, 1.0, 1.99, 2.01, 20.0, 300.0, 1e6, 1e12])
    a = torch.tensor(np.concatenate([sizes, -sizes]), requires_grad=True)
    y = function(a)
    y.sum().backward()
    np.testing.assert_allclose(y.detach().numpy(), value(a.detach().numpy()), rtol=1e-14)
    np.testing.assert_allclose(a.grad.numpy(), slope(a.detach().numpy()), rtol=1e-13)


def test_states_that_decay_to_nothing_agree() -> None:
    """The gradient is as small as the states, 1e-39: nothing of it is left where tanh(1e-39) counts as 0."""
    cell = {"kind": "lstm", "cell_activation": "softsign", "input_activation": "tanh", "output_bias": 5}
    experiment = Experiment(
        cell=cell, bias_scale=0, initial_scale=10, signal={"kind": "zeros"}, num_steps=130
    )
    found = verify(run(experiment.model_copy(update={"hidden_size": 2, "batch_size": 1, "seed": 402})))
    assert found.passed
    assert found.autograd_full is not None and found.autograd_full < 1e-12


def test_a_kink_in_the_slope_is_no_disagreement() -> None:
    """Softsign's slope has a kink at 0: a central difference across it is wrong in its fifth digit."""
    cell = {"kind": "coupled", "candidate_activation": "sigmoid", "cell_activation": "softsign"}
    cell |= {"input_activation": "hard_sigmoid_keras", "input_bias": -10, "output_bias": 5}
    experiment = Experiment(
        cell=cell, hidden_size=16, num_steps=2, batch_size=5, bias_scale=0, initial_scale=10
    )
    settings = {"weight_scale": 4.0, "signal": Zeros(), "seed": 238}
    found = verify(run(experiment.model_copy(update=settings)))
    assert found.passed and found.left_out_differences > 0


def test_what_rounding_alone_would_do_is_no_disagreement() -> None:
    """A float32 rounding of c ~ 50 moves its slope e^-2c, and with it the gradient, by 10 %."""
    cell = {"kind": "coupled", "candidate_bias": 10, "input_activation": "softsign", "input_bias": 1}
    cell |= {"output_bias": 5}
    signal = {"kind": "text"}
    settings = {"bias_scale": 0, "input_scale": 0, "weight_scale": 4, "seed": 557, "dtype": "float32"}
    trace = run(Experiment(cell=cell, hidden_size=3, num_steps=64, batch_size=5, signal=signal, **settings))
    found = verify(trace)
    assert found.passed
    assert found.autograd_full is None and "rounding" in found.full_reason
    trace.backward.totals["h"][10] *= 2
    trace.backward.totals["c"][10] *= 2
    assert not verify(trace).passed


def test_a_state_far_below_another_is_not_held_against_float32() -> None:
    """f = 1 keeps ∂L/∂c at 1 while ∂L/∂h is 1e-46 of it, below the smallest float32."""
    cell = {"kind": "ablated", "without": "forget_gate", "candidate_bias": -10}
    experiment = Experiment(cell=cell, hold="input=1e-30; cell=0", hidden_size=5, num_steps=40, batch_size=5)
    settings = {"dtype": "float32", "weight_scale": 0.001, "bias_scale": 0.0, "seed": 543}
    found = verify(run(experiment.model_copy(update=settings | {"initial_scale": 10.0, "signal": Zeros()})))
    assert found.passed


def test_float32_states_its_tolerance() -> None:
    found = verify(run(Experiment(dtype="float32", hidden_size=16, num_steps=20)))
    assert found.passed
    assert 1e-9 < found.autograd_step < 1e-5
    assert found.tolerance == 1e-3 and "float32" in found.text


def test_less_work_compares_fewer_samples() -> None:
    trace = run(Experiment(hidden_size=16, num_steps=20, batch_size=8))
    found = verify(trace, max_work=3 * 20 * 256 * 2)
    assert found.compared == 40
    assert "too expensive" in found.full_reason


def test_a_gradient_that_is_no_number_does_not_pass() -> None:
    trace = run(Experiment(hidden_size=4, num_steps=6, batch_size=2))
    trace.backward.totals["h"][3, 0, 1] = np.nan
    found = verify(trace)
    assert not found.passed
    assert not re.search(r"\b(nan|inf)\b", found.text)
