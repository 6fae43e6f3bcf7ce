"""Gradient norms against mpmath, autograd and scale invariance; finite wherever the truth is not 0."""

import mpmath as mp
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer import Experiment, run
from explorer.measures import gradient_norms, state_norms
from explorer.measures.norms import log10_norms


@given(power=st.integers(-1030, 1000), exponent=st.integers(-(10**7), 10**7), seed=st.integers(0, 99))
def test_log10_norms_equal_mpmath_at_any_magnitude(power: int, exponent: int, seed: int) -> None:
    mantissas = np.ldexp(np.random.default_rng(seed).standard_normal((1, 5, 1)), power)
    found = log10_norms(mantissas, np.array([[exponent]]))[0, 0]
    with mp.workdps(40):
        norm = mp.sqrt(mp.fsum(mp.mpf(float(a)) ** 2 for a in mantissas.ravel()))
        truth = mp.log10(norm) + exponent * mp.log10(2)
    assert abs(found - float(truth)) <= 1e-9 * max(1, abs(float(truth)) * 1e-6)


def test_log10_norms_of_zeros_and_of_what_is_no_number() -> None:
    columns = np.array([[[0.0, 1.0, np.nan, 5e-324, 1e308], [0.0, 1.0, 1.0, 0.0, 1e308]]])
    found = log10_norms(columns, np.zeros((1, 5), int))[0]
    assert found[0] == -np.inf
    assert np.isnan(found[2])
    assert found[[1, 3, 4]] == pytest.approx([np.log10(2) / 2, np.log10(5e-324), 308 + np.log10(2) / 2])


def test_plain_rnn_equals_mpmath_far_below_float_range() -> None:
    experiment = Experiment(cell={"kind": "rnn", "bias": 6}, hidden_size=3, num_steps=200, batch_size=1)
    trace = run(experiment)
    found = gradient_norms(trace)[:, 0]
    assert found[0] < -800
    with mp.workdps(30):
        matrix = mp.matrix(trace.weights["weight_hh"].tolist())
        adjoint = mp.matrix(trace.readout.tolist())
        for t in range(200, 0, -1):
            slopes = [1 / mp.cosh(mp.mpf(float(a))) ** 2 for a in trace.slots["hidden"][t - 1, 0]]
            adjoint = matrix.T * mp.matrix([s * g for s, g in zip(slopes, adjoint, strict=True)])
            assert abs(found[t - 1] - float(mp.log10(mp.norm(adjoint)))) < 1e-11


@pytest.mark.parametrize("loss", [{"kind": "last"}, {"kind": "every"}, {"kind": "step", "step": 4}])
def test_lstm_paths_equal_autograd(loss: dict[str, object]) -> None:
    """Total ∂L/∂c_t is what retain_grad gives, direct what is left when h_t is held fixed."""
    trace = run(Experiment(cell={"kind": "lstm"}, hidden_size=4, num_steps=8, batch_size=2, loss=loss))
    w = {name: torch.from_numpy(array) for name, array in trace.weights.items()}
    h = torch.zeros(2, 4, dtype=torch.float64, requires_grad=True)
    c = torch.zeros(2, 4, dtype=torch.float64, requires_grad=True)
    hs, cs, kept = [h], [c], []
    for x in torch.from_numpy(trace.inputs):
        a = x @ w["weight_ih"].T + w["bias_ih"] + h @ w["weight_hh"].T + w["bias_hh"]
        i, f, g, o = a.chunk(4, dim=1)
        stored = c.clone()  # the copy that only the next cell reads
        kept.append(stored)
        c = f.sigmoid() * stored + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        hs.append(h)
        cs.append(c)
    total = sum(
        (wt * hs[t] @ torch.from_numpy(trace.readout)).sum() for t, wt in enumerate(trace.loss_weights)
    )

    def norms(tensors: list[torch.Tensor]) -> np.ndarray:
        found = torch.autograd.grad(total, tensors, retain_graph=True, allow_unused=True)
        rows = [torch.zeros(2, dtype=torch.float64) if g is None else g.norm(dim=1) for g in found]
        with np.errstate(divide="ignore"):
            return np.log10(torch.stack(rows).numpy())

    direct = norms(kept)
    np.testing.assert_allclose(gradient_norms(trace, "h"), norms(hs), atol=1e-13)
    np.testing.assert_allclose(gradient_norms(trace, "c"), norms(cs), atol=1e-13)
    np.testing.assert_allclose(gradient_norms(trace, "c", path="direct")[:-1], direct, atol=1e-13)
    assert np.isneginf(gradient_norms(trace, "c", path="direct")[-1]).all()
    both = np.hypot(10 ** norms(hs)[:-1], 10**direct)
    np.testing.assert_allclose(10 ** state_norms(trace)[:-1], both, rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@settings(max_examples=5)
@given(factor=st.floats(1e-3, 1e3))
def test_norms_move_with_the_readout(cell: str, dtype: str, factor: float) -> None:
    """L is linear in v: ‖∂L/∂h‖ for factor·v is factor times as large at every step."""
    experiment = Experiment(cell={"kind": cell}, hidden_size=4, num_steps=6, batch_size=2, dtype=dtype)
    readout = np.array([0.5, -0.5, 0.25, 1])
    plain = gradient_norms(run(experiment, readout=readout))
    scaled = gradient_norms(run(experiment, readout=factor * readout))
    np.testing.assert_allclose(scaled - plain, np.log10(factor), atol=1e-12 if dtype == "float64" else 2e-6)


def test_unknown_state_and_path_are_named() -> None:
    trace = run(Experiment(hidden_size=2, num_steps=2, batch_size=1))
    with pytest.raises(ValueError, match="state 'c' is unknown; this cell has h"):
        gradient_norms(trace, "c")
    with pytest.raises(ValueError, match="total, direct"):
        gradient_norms(trace, "h", path="indirect")  # type: ignore[arg-type]


def test_exact_zero_only_after_the_loss() -> None:
    trace = run(Experiment(hidden_size=8, num_steps=40, batch_size=3, loss={"kind": "step", "step": 10}))
    norms = gradient_norms(trace)
    assert np.isneginf(norms[11:]).all()
    assert np.isfinite(norms[:11]).all()
    assert norms[10] == pytest.approx(0, abs=1e-15)
