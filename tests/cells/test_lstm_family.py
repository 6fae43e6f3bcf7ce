"""What the LSTM's siblings and other activations of gates are known for (SCIENCE.md), in every setting."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer import Experiment, Trace, run
from explorer.cells import CELLS
from explorer.measures import gate_sentences, gradient_norms, verdict
from explorer.measures.lanes import keeping_factors, lane_derivatives
from explorer.measures.saturation import leaving_sentence
from tests.strategies import alone, groups

FAMILY = ["lstm", "peephole", "coupled", "ablated"]
SMALL = {"hidden_size": 6, "num_steps": 20, "batch_size": 3, "initial_scale": 0.5}


def small(cell: dict[str, object], **given: object) -> Trace:
    return run(Experiment(**{**SMALL, "cell": cell, **given}))


def same(a: Trace, b: Trace) -> None:
    for state in a.experiment.cell.states:
        np.testing.assert_allclose(a.states[state], b.states[state], rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(gradient_norms(a, state), gradient_norms(b, state), rtol=0, atol=1e-9)


# ---- the plain LSTM is in all of them ----


def test_peepholes_of_strength_0_are_the_lstm() -> None:
    same(small({"kind": "peephole", "peephole_strength": 0.0}), small({"kind": "lstm"}))


def test_coupled_gates_are_an_lstm_with_opposite_weights() -> None:
    """1 − σ(a) = σ(−a): the blocks i, −i, g, o are an LSTM that does the same."""
    trace = small({"kind": "coupled", "input_bias": -1.5})
    given = {}
    for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
        i, g, o = np.split(trace.weights[name], 3)
        given[name] = np.concatenate([i, -i, g, o])
    start = {name: array[0] for name, array in trace.states.items()}
    lstm = run(
        trace.experiment.changed("cell", "lstm"),
        weights=given,
        inputs=trace.inputs,
        readout=trace.readout,
        initial_state=start,
    )
    same_states = [np.allclose(trace.states[s], lstm.states[s], rtol=1e-12, atol=1e-14) for s in ("c", "h")]
    assert all(same_states)
    np.testing.assert_allclose(gradient_norms(trace, "c"), gradient_norms(lstm, "c"), atol=1e-9)


@pytest.mark.parametrize("part", ["forget", "input", "output"])
def test_a_missing_gate_is_a_gate_held_at_1(part: str) -> None:
    """With the LSTM's numbers at the same seed: the four blocks stay where they are."""
    without = small({"kind": "ablated", "without": f"{part}_gate"})
    same(without, small({"kind": "lstm"}, hold=f"{part}=1"))
    assert (without.gates[part] == 1).all()
    assert f"{part} gate: always 1" in gate_sentences(without)


@pytest.mark.parametrize(("part", "field"), [("input", "candidate"), ("output", "cell")])
def test_a_missing_activation_is_the_identity(part: str, field: str) -> None:
    without = small({"kind": "ablated", "without": f"{part}_activation"})
    same(without, small({"kind": "lstm", f"{field}_activation": "linear"}))


def test_the_default_is_torchs() -> None:
    for kind in ("lstm", "gru"):
        cell = CELLS[kind][1]()
        assert cell.is_standard
        for name, field in type(cell).model_fields.items():
            if name.endswith("_activation"):
                other = "relu" if field.default != "relu" else "tanh"
                assert not type(cell)(**{name: other}).is_standard


# ---- gates and the cell path ----


@pytest.mark.parametrize("kind", FAMILY)
def test_the_cell_path_is_the_product_of_the_forget_gates_unless_gates_see_the_cell(kind: str) -> None:
    """h-path cut: ∂c_T/∂c_0 = diag(Π f_t) exactly; with peepholes the direct path is not Π f."""
    cut = small({"kind": kind} | ({"peephole_strength": 3.0} if kind == "peephole" else {}), weight_scale=0)
    found = lane_derivatives(cut)
    product = cut.gates["forget"][:, 0].prod(axis=0)
    gates_alone = 0.5 * np.log10(np.mean(product**2))
    assert found is not None and found.full[0] == pytest.approx(found.direct[0], abs=1e-12)
    assert (found.full[0] == pytest.approx(gates_alone, abs=1e-12)) == (kind != "peephole")
    open_ = lane_derivatives(small({"kind": kind}, weight_scale=2.0))
    assert open_ is not None and abs(open_.full[0] - open_.direct[0]) > 1e-3


def test_peepholes_add_what_their_formula_says() -> None:
    trace = small({"kind": "peephole", "peephole_strength": 4.0})
    gates = {name: values.astype(float) for name, values in trace.gates.items()}
    i, f, g, c = gates["input"], gates["forget"], gates["cell"], trace.states["c"][:-1]
    p = trace.weights
    expected = f + p["peephole_forget"] * f * (1 - f) * c + p["peephole_input"] * i * (1 - i) * g
    found = keeping_factors(trace)
    assert found is not None
    np.testing.assert_allclose(np.moveaxis(found[1], 1, 2), expected, rtol=1e-12)
    assert np.abs(expected - f).max() > 0.05


def test_without_a_forget_gate_the_cell_keeps_everything() -> None:
    """Constant error carousel (1997): f = 1 → 1."""
    trace = small({"kind": "ablated"}, weight_scale=0, num_steps=400)
    found = lane_derivatives(trace)
    assert found is not None
    np.testing.assert_array_equal(found.direct, 0)
    np.testing.assert_allclose(found.full, 0, atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 99), bias=st.floats(-10, 10), scale=st.floats(0, 10))
def test_a_coupled_cell_stays_within_1(seed: int, bias: float, scale: float) -> None:
    cell = {"kind": "coupled", "input_bias": bias, "candidate_bias": bias}
    trace = small(cell, seed=seed, input_scale=scale, initial_scale=0)
    assert np.abs(trace.states["c"]).max() <= 1


# ---- can the sigmoid be replaced? ----


def test_relu_gates_let_the_cell_run_away() -> None:
    """SCIENCE.md: f > 1 in half the gates, |c| runs to thousands within 60 steps."""
    cell = {"kind": "lstm", "forget_activation": "relu", "forget_bias": 1.0}
    trace = run(Experiment(cell=cell, num_steps=60))
    assert 0.35 < (trace.gates["forget"] > 1).mean() < 0.65
    assert np.abs(trace.states["c"]).max() > 1000
    assert all(np.isfinite(array).all() for array in trace.states.values())
    assert trace.notes == []
    text = verdict(trace).text
    largest = trace.gates["forget"].max()
    assert f"The forget gate leaves [0, 1]: up to {largest:.3g}; |c| reaches" in text
    sigmoid = run(Experiment(cell={"kind": "lstm", "forget_bias": 1.0}, num_steps=60))
    assert np.abs(sigmoid.states["c"]).max() < 10
    assert leaving_sentence(sigmoid) == ""


def test_tanh_gates_forget_with_a_minus_sign() -> None:
    trace = run(Experiment(cell={"kind": "lstm", "forget_activation": "tanh"}, num_steps=60))
    f = trace.gates["forget"]
    assert (f < 0).mean() > 0.4
    lowest = f"{f.min():.3g}".replace("-", "−")
    assert leaving_sentence(trace) == f"The forget gate leaves [0, 1]: down to {lowest}."
    assert f"forget gate leaves [0, 1]: down to {lowest}" in gate_sentences(trace)


@pytest.mark.parametrize("kind", [*FAMILY, "gru"])
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_every_run_is_finite_or_says_what_is_not(kind: str, data: st.DataObject) -> None:
    sizes = {
        "hidden_size": st.integers(2, 5),
        "num_steps": st.integers(2, 40),
        "batch_size": st.integers(1, 2),
    }
    trace = run(data.draw(alone(cell=groups(CELLS[kind][1]), **sizes)))
    finite = all(
        np.isfinite(array).all() for array in [*trace.states.values(), *trace.backward.totals.values()]
    )
    assert finite or any("not a finite number" in note for note in trace.notes)
    assert verdict(trace).text.endswith(".")


# ---- holds, files, tails ----


@pytest.mark.parametrize("kind", FAMILY)
def test_a_held_gate_is_a_constant(kind: str) -> None:
    """f = 1 keeps ∂c exactly, f = 0 stops it; the input gate of coupled gates moves f along with it."""
    kept = small({"kind": kind}, hold="forget=1", weight_scale=0)
    if kind != "peephole":
        np.testing.assert_array_equal(keeping_factors(kept)[1], 1)
    stopped = small({"kind": kind}, hold="forget=0@5; input=0@5", weight_scale=0)
    norms = gradient_norms(stopped, "c")
    assert (norms[:5] == -np.inf).all()
    assert np.isfinite(norms[5:]).all()
    moved = small({"kind": kind}, hold="input=0.3")
    assert (moved.gates["input"] == 0.3).all()
    assert (moved.gates["forget"] == 0.7).all() == (kind == "coupled")


@pytest.mark.parametrize("kind", FAMILY)
def test_saved_and_loaded_runs_are_the_same(kind: str, tmp_path) -> None:
    trace = small({"kind": kind}, hold="output=0.5@3-4")
    trace.save(tmp_path / "run.npz")
    same(Trace.load(tmp_path / "run.npz"), trace)


def test_own_peepholes_are_taken_and_missing_ones_are_0() -> None:
    trace = small({"kind": "peephole"})
    assert set(trace.weights) >= {"peephole_input", "peephole_forget", "peephole_output"}
    given = {name: array for name, array in trace.weights.items() if not name.startswith("peephole")}
    lstm = small({"kind": "lstm"})
    np.testing.assert_allclose(
        run(trace.experiment, weights=given).states["c"][1:], lstm.states["c"][1:], rtol=1e-12
    )
    with pytest.raises(ValueError, match="peephole_input"):
        run(trace.experiment, weights=given | {"peephole_input": np.zeros(5)})


@pytest.mark.parametrize("bias", [-30.0, 25.0, 60.0])
def test_saturated_peephole_gates_have_no_false_zeros(bias: float) -> None:
    """At a = 60 a gate's y (1 − y) would be 0."""
    trace = small({"kind": "peephole"})
    size = trace.experiment.hidden_size
    given = {name: array.copy() for name, array in trace.weights.items()}
    given["bias_ih"][size : 2 * size] += bias
    given["weight_hh"][:] = 0
    shifted = run(trace.experiment, weights=given)
    start, partials = next(shifted.partial_blocks())
    names = [slot.name for slot in shifted.experiment.cell.wiring()]
    slopes = next(slope for state, _, slope in partials.slots if state == "c")
    slope = slopes[:, [names.index("forget")]]
    with mp.workdps(80):
        for unit in range(size):
            c = mp.mpf(float(shifted.states["c"][start, 0, unit]))
            a = mp.mpf(float(shifted.slots["forget"][start, 0, unit]))
            a += mp.mpf(float(given["peephole_forget"][unit])) * c
            exact = c / (2 * mp.cosh(a / 2)) ** 2
            assert abs(mp.mpf(float(slope[0, 0, unit, 0])) - exact) <= 1e-12 * abs(exact)
