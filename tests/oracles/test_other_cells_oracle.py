"""Residual, antisymmetric, clockwork, echo-state and minimal gated cells against autograd and theory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from explorer import Experiment, Trace, run

CELLS: dict[str, dict[str, Any]] = {
    "mgu": {"kind": "mgu", "forget_bias": 0.5},
    "residual": {"kind": "residual", "step_size": 0.3},
    "residual-relu": {"kind": "residual", "activation": "relu", "bias": 0.4},
    "residual-linear": {"kind": "residual", "activation": "linear", "step_size": 1.0},
    "antisymmetric": {"kind": "antisymmetric", "step_size": 0.4, "diffusion": 0.2},
    "clockwork": {"kind": "clockwork", "periods": "1, 2, 5"},
    "clockwork-relu": {"kind": "clockwork", "periods": "2, 3", "activation": "relu", "bias": 0.5},
    "echo": {"kind": "echo", "leak_rate": 0.4},
}
LOSSES = {"last": {"kind": "last"}, "every": {"kind": "every"}, "step": {"kind": "step", "step": 13}}
PHI = {"tanh": torch.tanh, "relu": torch.relu, "linear": lambda a: a}


def small(name: str, **settings: object) -> Experiment:
    base = {
        "cell": CELLS[name],
        "signal": {"kind": "noise", "channels": 2},
        "hidden_size": 6,
        "num_steps": 37,
        "batch_size": 3,
        "initial_scale": 1,
        "seed": 3,
    }
    return Experiment(**base | settings)


def textbook(trace: Trace) -> list[torch.Tensor]:
    """h [T+1] × [B, H] with autograd's total gradient in ``.grad``, from the equations of the papers."""
    cell, size = trace.experiment.cell, trace.experiment.hidden_size
    w_ih, w_hh = (torch.tensor(trace.weights[name]).split(size) for name in ("weight_ih", "weight_hh"))
    b_ih, b_hh = (torch.tensor(trace.weights[name]).split(size) for name in ("bias_ih", "bias_hh"))
    h = torch.tensor(trace.states["h"][0].copy(), requires_grad=True)
    path = [h]
    for t, x in enumerate(torch.tensor(trace.inputs), start=1):

        def affine(k: int, vector: torch.Tensor, x: torch.Tensor = x) -> torch.Tensor:
            return x @ w_ih[k].T + b_ih[k] + vector @ w_hh[k].T + b_hh[k]

        if cell.kind == "mgu":
            f = torch.sigmoid(affine(0, h))
            h = (1 - f) * h + f * torch.tanh(affine(1, f * h))
        elif cell.kind == "residual":
            h = h + cell.step_size * PHI[cell.activation](affine(0, h))
        elif cell.kind == "antisymmetric":
            h = h + cell.step_size * torch.tanh(affine(0, h) - cell.diffusion * h)
        elif cell.kind == "echo":
            h = (1 - cell.leak_rate) * h + cell.leak_rate * torch.tanh(affine(0, h))
        else:
            fresh, parts, first = PHI[cell.activation](affine(0, h)), [], 0
            periods = [int(part) for part in cell.periods.split(",")]
            for k, period in enumerate(periods):  # the first modules take what does not divide
                last = first + size // len(periods) + (k < size % len(periods))
                parts.append((fresh if t % period == 0 else h)[:, first:last])
                first = last
            h = torch.cat(parts, dim=1)
        h.retain_grad()
        path.append(h)
    v = torch.tensor(trace.readout)
    loss = sum(w * (h @ v).sum() for w, h in zip(trace.loss_weights, path, strict=True) if w)
    loss.backward()
    return path


def gradients(trace: Trace) -> np.ndarray:
    """∂L/∂h, [T+1, B, H]."""
    back = trace.backward
    return np.moveaxis(np.ldexp(back.totals["h"], back.exponents[:, None]), 1, 2)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("cell", CELLS)
def test_states_and_total_gradients_equal_autograd(cell: str, loss: str) -> None:
    trace = run(small(cell, loss=LOSSES[loss]))
    path = textbook(trace)
    assert trace.states["h"] == pytest.approx(
        np.array([h.detach().numpy() for h in path]), rel=1e-12, abs=1e-12
    )
    exact = np.array([np.zeros((3, 6)) if h.grad is None else h.grad.numpy() for h in path])
    error = np.linalg.norm(gradients(trace) - exact, axis=2)
    assert (error <= 1e-10 * np.linalg.norm(exact, axis=2)).all()
    assert exact[0].any()


@pytest.mark.parametrize("cell", CELLS)
def test_float32_gives_the_same_curves(cell: str) -> None:
    experiment = small(cell, num_steps=60, hidden_size=16)
    double, single = run(experiment), run(experiment.changed("dtype", "float32"))
    assert single.backward.totals["h"].dtype == np.float32
    a, b = (np.linalg.norm(gradients(trace), axis=2) for trace in (double, single))
    assert np.log10(a) == pytest.approx(np.log10(b), abs=1e-4)


# ---- what theory says ----


def undriven(cell: dict[str, Any], **settings: object) -> Experiment:
    base = {"signal": {"kind": "zeros"}, "bias_scale": 0.0, "initial_scale": 1.0, "batch_size": 4}
    return Experiment(cell=cell, **base | settings)


@pytest.mark.parametrize(
    ("period", "expected"), [(1, 0.00118), (2, 0.0343), (4, 0.185), (8, 0.430), (16, 0.656), (64, 0.9)]
)
def test_clockwork_decays_by_updates_and_not_by_steps(period: int, expected: float) -> None:
    """SCIENCE: a = 0.9 per update over 64 steps."""
    cell = {"kind": "clockwork", "periods": str(period), "activation": "linear"}
    trace = run(undriven(cell, initializer={"kind": "identity"}, weight_scale=0.9, num_steps=64))
    found = np.linalg.norm(gradients(trace)[0], axis=1)
    assert found == pytest.approx(np.full(4, 0.9 ** (64 // period)), rel=1e-12)
    assert found[0] == pytest.approx(expected, rel=5e-3)


def test_no_gradient_flows_from_a_slow_module_to_a_fast_one() -> None:
    """U[slow, fast] is exactly 0: only the slow module's own past reaches its loss."""
    experiment = small("clockwork", hidden_size=9, num_steps=20, loss={"kind": "last"})
    modules = list(experiment.cell.modules(9).values())
    trace = run(experiment, readout=np.eye(9)[8])
    found = gradients(trace)[0]
    assert [bool(found[:, part].any()) for part in modules] == [False, False, True]
    matrix = trace.weights["weight_hh"]
    for k, slow in enumerate(modules):
        for fast in modules[:k]:
            assert (matrix[slow, fast] == 0).all()
            assert (matrix[fast, slow] != 0).all()


def distance(experiment: Experiment) -> np.ndarray:
    """‖h_t − h'_t‖ of two runs that differ in their start only, [T+1, B]."""
    starts = [np.random.default_rng(seed).standard_normal((4, 100)) for seed in (1, 2)]
    one, two = (run(experiment, initial_state={"h": start}).states["h"] for start in starts)
    return np.linalg.norm(one - two, axis=2)


def test_an_echo_state_network_above_radius_one_forgets_only_when_driven() -> None:
    """SCIENCE: ρ = 1.1 undriven does not forget; driven it does, to about 1e-16."""
    reservoir = {"kind": "reservoir", "spectral_radius": 1.1}
    base = undriven({"kind": "echo", "leak_rate": 1.0}, initializer=reservoir, hidden_size=100, num_steps=600)
    assert distance(base)[-1].min() > 0.1
    driven = base.changed("signal", "noise").changed("input_scale", 10.0)
    assert distance(driven)[-1].max() < 1e-13
    calm = base.changed("initializer.spectral_radius", 0.9)
    assert distance(calm)[-1].max() < 1e-13


def test_residual_steps_multiply_by_one_plus_lambda() -> None:
    """SCIENCE: 1.5^8 against 0.5^8."""
    settings = {"initializer": {"kind": "identity"}, "weight_scale": 0.5, "num_steps": 8}
    linear = {"activation": "linear"}
    added = run(undriven({"kind": "residual", "step_size": 1.0} | linear, **settings))
    plain = run(undriven({"kind": "rnn"} | linear, **settings))
    assert np.linalg.norm(gradients(added)[0], axis=1) == pytest.approx(np.full(4, 1.5**8), rel=1e-12)
    assert np.linalg.norm(gradients(plain)[0], axis=1) == pytest.approx(np.full(4, 0.5**8), rel=1e-12)


@pytest.mark.parametrize("change", [{"weight_scale": 0.0}, {"cell": {"kind": "residual", "step_size": 0.0}}])
def test_a_residual_network_that_adds_nothing_keeps_the_gradient_exactly(change: dict[str, Any]) -> None:
    found = gradients(run(small("residual", **change)))
    assert np.array_equal(found, np.broadcast_to(found[-1], found.shape))


def test_states_of_a_residual_network_beyond_the_float_range() -> None:
    cell = {"kind": "residual", "activation": "relu", "step_size": 1.0}
    trace = run(undriven(cell, initializer={"kind": "identity"}, weight_scale=4.0, num_steps=1000))
    back = trace.backward
    decades = np.log10(np.linalg.norm(back.totals["h"][0], axis=0)) + back.exponents[0] * np.log10(2)
    share = (trace.states["h"][0] > 0) @ np.square(trace.readout)  # units that are on grow by 5 at every step
    assert decades == pytest.approx(1000 * np.log10(5) + np.log10(share) / 2, rel=1e-12)


@pytest.mark.parametrize("initializer", ["uniform", "gaussian", "orthogonal", "triangular", "reservoir"])
def test_antisymmetric_eigenvalues_lie_on_the_imaginary_axis(initializer: str) -> None:
    experiment = small("antisymmetric", initializer={"kind": initializer}, hidden_size=32)
    eigenvalues = np.linalg.eigvals(run(experiment).weights["weight_hh"])
    assert np.abs(eigenvalues.real).max() < 1e-12 * max(1, np.abs(eigenvalues).max())
    assert np.abs(eigenvalues.imag).max() > 0.1


def test_an_antisymmetric_network_neither_vanishes_nor_explodes() -> None:
    """Small ε and γ: every step is close to a rotation, whatever the slopes of tanh are."""
    cell = {"kind": "antisymmetric", "step_size": 0.01, "diffusion": 0.01}
    trace = run(Experiment(cell=cell, initializer={"kind": "orthogonal"}, num_steps=1000, hidden_size=32))
    sizes = np.log10(np.linalg.norm(gradients(trace), axis=2))
    assert np.abs(sizes).max() < 0.5
    plain = run(Experiment(initializer={"kind": "orthogonal"}, num_steps=1000, hidden_size=32))
    assert plain.backward.exponents[0].max() < -100  # powers of two: the tanh RNN is left with 1e-30


def test_undriven_antisymmetric_steps_stretch_by_the_euler_error_alone() -> None:
    """At h = 0 the Jacobian is I + ε(A − γI): its eigenvalues are (1 − εγ) ± iελ."""
    cell = {"kind": "antisymmetric", "step_size": 0.1, "diffusion": 0.05}
    settings = {"initial_scale": 0.0, "num_steps": 50, "hidden_size": 2, "batch_size": 1}
    trace = run(undriven(cell, **settings))
    rotation = np.abs(trace.weights["weight_hh"][0, 1])
    factor = np.hypot(1 - 0.1 * 0.05, 0.1 * rotation)
    assert np.linalg.norm(gradients(trace)[0]) == pytest.approx(factor**50, rel=1e-12)


def test_a_leak_of_one_is_the_tanh_network() -> None:
    echo, plain = (
        run(small("echo", cell={"kind": "echo", "leak_rate": 1.0})),
        run(small("echo", cell={"kind": "rnn"})),
    )
    assert np.allclose(gradients(echo), gradients(plain), rtol=1e-12, atol=0)


def test_the_minimal_gated_unit_keeps_by_one_minus_f() -> None:
    """Without a matrix a constant gate σ(b) keeps 1 − σ(b) = σ(−b) at every step, also close to 1."""
    for bias in (-10.0, -3.0, 0.0, 3.0, 10.0):
        trace = run(undriven({"kind": "mgu", "forget_bias": bias}, weight_scale=0.0, num_steps=20))
        kept = 1 / (1 + np.exp(bias))
        assert np.linalg.norm(gradients(trace)[0], axis=1) == pytest.approx(np.full(4, kept**20), rel=1e-11)
