"""The fused loops give what the general ones give, and say where they cannot."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.engine.backward import Source, backward
from explorer.engine.forward import System, forward
from explorer.engine.fused import fused_pass
from explorer.experiment import Experiment
from explorer.measures.norms import log10_norms
from explorer.trace import run

POINTS = 7


def batched(kind: str, **changes: Any) -> tuple[System, Source]:
    """Columns with gains of their own, and the experiment's loss."""
    given = {"hidden_size": 5, "num_steps": 40, "batch_size": POINTS, "initial_scale": 0.5} | changes
    trace = run(Experiment(**{"cell": {"kind": kind}} | given))
    columns = trace.system.drive.shape[2]
    gain = np.linspace(0.1, 2.5, columns).astype(trace.system.matrix.dtype)
    readout = np.repeat(trace.readout[:, None], columns, axis=1).astype(gain.dtype)
    return replace(trace.system, gain=gain), Source.of_loss(trace.loss_weights, readout)


def general(system: System, source: Source) -> dict[str, np.ndarray]:
    """log10‖∂L/∂s_0‖ by the general loops."""
    adjoints = backward(system, forward(system), source)
    return {name: log10_norms(a[:1], adjoints.exponents[:1])[0] for name, a in adjoints.totals.items()}


def by_fused(system: System, source: Source) -> dict[str, np.ndarray] | None:
    """The same by the fused loops, or None."""
    made = fused_pass(system)
    assert made is not None
    found = made.start(source)
    return found and {name: log10_norms(a[None], found[1][None])[0] for name, a in found[0].items()}


def assert_equal(system: System, source: Source, decades: float) -> None:
    found, wanted = by_fused(system, source), general(system, source)
    assert found is not None and list(found) == list(wanted)
    for name, norms in wanted.items():
        np.testing.assert_allclose(found[name], norms, rtol=0, atol=decades, err_msg=name)


@pytest.mark.parametrize("kind", ["rnn", "lstm"])
@pytest.mark.parametrize("loss", [{"kind": "last"}, {"kind": "every"}, {"kind": "step", "step": 7}])
def test_as_the_general_loops(kind: str, loss: dict[str, Any]) -> None:
    assert_equal(*batched(kind, loss=loss), decades=1e-10)
    assert_equal(*batched(kind, loss=loss, dtype="float32"), decades=1e-3)


@pytest.mark.parametrize("kind", ["rnn", "lstm"])
def test_far_below_the_float_range(kind: str) -> None:
    cell = {"kind": kind} | ({"forget_bias": -1.0} if kind == "lstm" else {})
    system, source = batched(kind, num_steps=900, bias_scale=0.0, cell=cell)
    system.gain = np.full(POINTS, 0.2)
    norms = by_fused(system, source)
    assert norms is not None and norms["h"].max() < -330  # decades: float64 ends at −308
    assert_equal(system, source, decades=1e-9)


def test_a_gain_of_zero_sends_back_exactly_nothing() -> None:
    system, source = batched("rnn")
    system.gain = np.where(np.arange(POINTS) < 3, 0.0, 1.0)
    norms = by_fused(system, source)
    assert norms is not None
    assert (norms["h"][:3] == -np.inf).all() and np.isfinite(norms["h"][3:]).all()


def test_a_loss_before_the_end_of_the_pass() -> None:
    system, _ = batched("lstm")
    made = fused_pass(system)
    assert made is not None
    for steps in (40, 3, 17):
        weights = np.eye(steps + 1)[-1]
        source = Source.of_loss(weights, np.ones((5, POINTS)))
        found = made.start(source)
        short = replace(system, drive=system.drive[:steps])
        assert found is not None
        wanted = general(short, source)
        for name, array in found[0].items():
            norms = log10_norms(array[None], found[1][None])[0]
            np.testing.assert_allclose(norms, wanted[name], rtol=0, atol=1e-11)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_saturation_is_noticed(dtype: str) -> None:
    # Pre-activations of 40: 1 − tanh² is exactly 0 in floating point, the slope is 1e-34.
    trace = run(Experiment(hidden_size=4, num_steps=10, batch_size=2, dtype=dtype))
    system = trace.system
    system.matrix[:, -1] = 40.0
    source = Source.of_loss(trace.loss_weights, np.ones((4, 2), dtype))
    assert by_fused(system, source) is None
    assert (general(system, source)["h"] > -400).all()


def test_units_that_take_turns_at_being_saturated_are_noticed() -> None:
    # At every step one of two unconnected units is open, yet each path meets the saturated one.
    trace = run(
        Experiment(
            hidden_size=2,
            num_steps=8,
            batch_size=1,
            initializer={"kind": "identity"},
            signal={"kind": "zeros"},
            bias_scale=0.0,
        )
    )
    system = trace.system
    system.matrix[:, -2] = [1.0, -1.0]
    system.matrix[:, -1] = 19.0
    system.drive[:, 0, 0] = 19.0 * (-1.0) ** np.arange(8)
    source = Source.of_loss(trace.loss_weights, np.ones((2, 1)))
    opened = np.abs(forward(system).states["h"][1:]).min(axis=1)
    assert (opened < 0.9).all()
    assert by_fused(system, source) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"hold": "forget=1"},
        {"cell": {"kind": "gru"}},
        {"cell": {"kind": "lstm", "forget_activation": "relu"}},
    ],
)
def test_other_cells_and_held_gates_are_left_to_the_general_loops(changes: dict[str, Any]) -> None:
    trace = run(Experiment(**{"cell": {"kind": "lstm"}, "hidden_size": 3, "num_steps": 4} | changes))
    assert fused_pass(trace.system) is None


@given(
    kind=st.sampled_from(["rnn", "lstm"]),
    weight_scale=st.floats(0, 4),
    bias_scale=st.floats(0, 10),
    input_scale=st.floats(0, 10),
    seed=st.integers(0, 50),
)
@settings(max_examples=30)
def test_exact_wherever_there_is_an_answer(
    kind: str, weight_scale: float, bias_scale: float, input_scale: float, seed: int
) -> None:
    system, source = batched(
        kind,
        num_steps=12,
        weight_scale=weight_scale,
        bias_scale=bias_scale,
        input_scale=input_scale,
        seed=seed,
    )
    if by_fused(system, source) is not None:
        assert_equal(system, source, decades=1e-8)
