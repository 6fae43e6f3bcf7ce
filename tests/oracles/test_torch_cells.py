"""The engine against PyTorch's modules, an independent autograd version, finite differences and mpmath."""

from itertools import pairwise

import mpmath as mp
import numpy as np
import pytest
import torch

from explorer import Experiment, Trace, run

TORCH = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}
CELLS = {
    "tanh": {"kind": "rnn"},
    "relu": {"kind": "rnn", "activation": "relu", "bias": 0.5},
    "linear": {"kind": "rnn", "activation": "linear"},
    "lstm": {"kind": "lstm", "forget_bias": 1},
    "gru": {"kind": "gru"},
    "gru-renews": {"kind": "gru", "update": "renews"},
    "gru-before": {"kind": "gru", "reset": "before"},
    "gru-before-renews": {"kind": "gru", "reset": "before", "update": "renews"},
}
LOSSES = {"last": {"kind": "last"}, "every": {"kind": "every"}, "step": {"kind": "step", "step": 13}}
EVERY_CELL = pytest.mark.parametrize("cell", CELLS)


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


def log_norms(trace: Trace, state: str = "h") -> np.ndarray:
    """log10 of the gradient norm, [T+1, B]."""
    with np.errstate(divide="ignore"):
        mantissa = np.log10(np.linalg.norm(trace.backward.totals[state], axis=1))
    return mantissa + trace.backward.exponents * np.log10(2)


def gradients(trace: Trace, state: str) -> np.ndarray:
    """∂L/∂s, [T+1, B, H]."""
    return np.moveaxis(np.ldexp(trace.backward.totals[state], trace.backward.exponents[:, None]), 1, 2)


# ---- PyTorch's own modules ----


@pytest.mark.parametrize(
    ("cell", "kind"), [("tanh", "rnn"), ("relu", "rnn"), ("lstm", "lstm"), ("gru", "gru")]
)
def test_states_equal_torch_modules(cell, kind):
    torch.manual_seed(0)
    module = TORCH[kind](2, 6, **({"nonlinearity": cell} if kind == "rnn" else {})).double()
    experiment = small(cell)
    trace = run(experiment, weights=module.state_dict())
    first = {name: torch.tensor(array[0].copy())[None] for name, array in trace.states.items()}
    with torch.no_grad():
        output, _ = module(
            torch.tensor(trace.inputs), (first["h"], first["c"]) if kind == "lstm" else first["h"]
        )
    assert trace.states["h"][1:] == pytest.approx(output.numpy(), abs=1e-12)


# ---- the equations as a textbook writes them, in torch ----


def textbook(trace: Trace) -> dict[str, torch.Tensor]:
    """All states [T+1, B, H] with autograd's total gradients in ``.grad`` of each step's tensor."""
    experiment, cell = trace.experiment, trace.experiment.cell
    w = {name: torch.tensor(array) for name, array in trace.weights.items()}
    x = torch.tensor(trace.inputs)
    size = experiment.hidden_size
    h = torch.tensor(trace.states["h"][0].copy(), requires_grad=True)
    c = torch.tensor(trace.states["c"][0].copy(), requires_grad=True) if cell.kind == "lstm" else None
    record = {"h": [h]} | ({"c": [c]} if c is not None else {})

    def part(name: str, block: int) -> torch.Tensor:
        return w[name][block * size : (block + 1) * size]

    def affine(block: int, step: int) -> torch.Tensor:
        from_x = x[step] @ part("weight_ih", block).T + part("bias_ih", block)
        return from_x + h @ part("weight_hh", block).T + part("bias_hh", block)

    for t in range(experiment.num_steps):
        if cell.kind == "rnn":
            a = affine(0, t)
            h = {"tanh": torch.tanh, "relu": torch.relu, "linear": lambda v: 1 * v}[cell.activation](a)
        elif cell.kind == "lstm":
            i, f, o = (torch.sigmoid(affine(block, t)) for block in (0, 1, 3))
            c = f * c + i * torch.tanh(affine(2, t))
            c.retain_grad()
            record["c"].append(c)
            h = o * torch.tanh(c)
        else:
            r, z = torch.sigmoid(affine(0, t)), torch.sigmoid(affine(1, t))
            from_x = x[t] @ part("weight_ih", 2).T + part("bias_ih", 2)
            if cell.reset == "after":
                n = torch.tanh(from_x + r * (h @ part("weight_hh", 2).T + part("bias_hh", 2)))
            else:
                n = torch.tanh(from_x + (r * h) @ part("weight_hh", 2).T + part("bias_hh", 2))
            h = (1 - z) * n + z * h if cell.update == "keeps" else (1 - z) * h + z * n
        h.retain_grad()
        record["h"].append(h)
    v = torch.tensor(trace.readout)
    weighted = [
        weight * (state @ v).sum() for weight, state in zip(trace.loss_weights, record["h"], strict=True)
    ]
    torch.stack(weighted).sum().backward()
    return record


@EVERY_CELL
@pytest.mark.parametrize("loss", LOSSES)
def test_states_and_total_gradients_equal_autograd(cell, loss):
    trace = run(small(cell, loss=LOSSES[loss]))
    for name, tensors in textbook(trace).items():
        states = np.array([tensor.detach().numpy() for tensor in tensors])
        exact = np.array(
            [np.zeros((3, 6)) if tensor.grad is None else tensor.grad.numpy() for tensor in tensors]
        )
        assert trace.states[name] == pytest.approx(states, abs=1e-12)
        error = np.linalg.norm(gradients(trace, name) - exact, axis=2)
        assert (error <= 1e-10 * np.linalg.norm(exact, axis=2)).all(), name
        assert exact[0].any()


@EVERY_CELL
@pytest.mark.parametrize("scale", [0.3, 1.0, 2.0])
def test_autograd_of_other_scales(cell, scale):
    trace = run(
        small(cell, weight_scale=scale, initializer={"kind": "orthogonal"}, num_steps=60, batch_size=2)
    )
    exact = np.array([tensor.grad.numpy() for tensor in textbook(trace)["h"]])
    error = np.linalg.norm(gradients(trace, "h") - exact, axis=2)
    assert (error <= 1e-9 * np.linalg.norm(exact, axis=2)).all()


@EVERY_CELL
@pytest.mark.parametrize("loss", LOSSES)
def test_float32_gives_the_same_curves(cell, loss):
    experiment = small(cell, loss=LOSSES[loss], num_steps=60, hidden_size=16)
    double, single = run(experiment), run(experiment.changed("dtype", "float32"))
    assert single.backward.totals["h"].dtype == np.float32
    for state in experiment.cell.states:
        a, b = log_norms(single, state), log_norms(double, state)
        assert np.array_equal(np.isfinite(a), np.isfinite(b))
        assert a[np.isfinite(a)] == pytest.approx(b[np.isfinite(b)], abs=1e-5)


@EVERY_CELL
def test_gradients_of_the_initial_state_equal_finite_differences(cell):
    experiment = small(cell, hidden_size=3, num_steps=8, batch_size=1, loss={"kind": "every"})
    trace = run(experiment)

    def loss(initial: dict[str, np.ndarray]) -> float:
        states = run(experiment, initial_state=initial).states["h"]
        return float(trace.loss_weights @ (states[:, 0] @ trace.readout))

    start = {name: array[0].copy() for name, array in trace.states.items()}
    for name in start:
        for unit in range(3):
            up, down = ({n: a.copy() for n, a in start.items()} for _ in range(2))
            up[name][0, unit] += 1e-5
            down[name][0, unit] -= 1e-5
            slope = (loss(up) - loss(down)) / 2e-5
            assert gradients(trace, name)[0, 0, unit] == pytest.approx(slope, abs=1e-8)


# ---- far beyond the range of a double: mpmath ----


def exact_log_norms(trace: Trace, sample: int = 0) -> dict[str, np.ndarray]:
    """log10 gradient norms [T+1] of each state from the equations and their derivatives with 40 digits."""
    with mp.workdps(40):
        return _exact_log_norms(trace, sample)


def _exact_log_norms(trace: Trace, sample: int) -> dict[str, np.ndarray]:
    cell, size, T = trace.experiment.cell, trace.experiment.hidden_size, trace.experiment.num_steps
    U = [[mp.mpf(float(u)) for u in row] for row in trace.weights["weight_hh"]]
    from_x = (
        trace.inputs[:, sample].astype(object)
        @ np.vectorize(mp.mpf, otypes=[object])(trace.weights["weight_ih"]).T
    )
    b_i, b_h = ([mp.mpf(float(b)) for b in trace.weights[name]] for name in ("bias_ih", "bias_hh"))
    units = range(size)
    sigma = lambda a: 1 / (1 + mp.exp(-a))  # noqa: E731
    sigma_slope = lambda a: 1 / (2 * mp.cosh(a / 2)) ** 2  # noqa: E731
    tanh_slope = lambda a: 1 / mp.cosh(a) ** 2  # noqa: E731

    def times(block: int, vector: list) -> list:
        return [mp.fdot(U[block * size + j], vector) for j in units]

    def back(block: int, delta: list) -> list:
        return [mp.fdot([U[block * size + j][k] for j in units], delta) for k in units]

    def pre(block: int, t: int, h: list) -> list:
        rows = [block * size + j for j in units]
        return [
            from_x[t][row] + b_i[row] + b_h[row] + uh for row, uh in zip(rows, times(block, h), strict=True)
        ]

    h = [mp.mpf(float(v)) for v in trace.states["h"][0, sample]]
    c = [mp.mpf(float(v)) for v in trace.states["c"][0, sample]] if cell.kind == "lstm" else None
    steps = []  # for each step a function: (adjoint of h, direct adjoint of c) after → before, and total of c
    for t in range(T):
        if cell.kind == "rnn":
            a = pre(0, t, h)
            if cell.activation == "tanh":
                h, slope = [mp.tanh(v) for v in a], [tanh_slope(v) for v in a]
            elif cell.activation == "relu":
                h, slope = [max(v, mp.mpf(0)) for v in a], [mp.mpf(v > 0) for v in a]
            else:
                h, slope = a, [mp.mpf(1)] * size
            steps.append(lambda gh, gc, s=slope: (back(0, [s[j] * gh[j] for j in units]), None, None))
        elif cell.kind == "lstm":
            ai, af, ag, ao = (pre(block, t, h) for block in range(4))
            old = c
            c = [sigma(af[j]) * old[j] + sigma(ai[j]) * mp.tanh(ag[j]) for j in units]
            h = [sigma(ao[j]) * mp.tanh(c[j]) for j in units]

            def lstm(gh, gc, ai=ai, af=af, ag=ag, ao=ao, old=old, c=c):
                total = [gc[j] + gh[j] * sigma(ao[j]) * tanh_slope(c[j]) for j in units]
                deltas = [
                    [total[j] * mp.tanh(ag[j]) * sigma_slope(ai[j]) for j in units],
                    [total[j] * old[j] * sigma_slope(af[j]) for j in units],
                    [total[j] * sigma(ai[j]) * tanh_slope(ag[j]) for j in units],
                    [gh[j] * mp.tanh(c[j]) * sigma_slope(ao[j]) for j in units],
                ]
                parts = [back(block, delta) for block, delta in enumerate(deltas)]
                return (
                    [mp.fsum(p) for p in zip(*parts, strict=True)],
                    [total[j] * sigma(af[j]) for j in units],
                    total,
                )

            steps.append(lstm)
        else:
            ar, az, old = pre(0, t, h), pre(1, t, h), h
            r, z = [sigma(v) for v in ar], [sigma(v) for v in az]
            other = [sigma(-v) for v in az]  # 1 - z without loss of digits
            keep, renew = (z, other) if cell.update == "keeps" else (other, z)
            sign = 1 if cell.update == "keeps" else -1
            fx = [from_x[t][2 * size + j] + b_i[2 * size + j] for j in units]
            bn = b_h[2 * size :]
            if cell.reset == "after":
                inner = [u + b for u, b in zip(times(2, h), bn, strict=True)]
                an = [fx[j] + r[j] * inner[j] for j in units]
            else:
                inner = None
                an = [u + fx[j] + bn[j] for j, u in enumerate(times(2, [r[j] * h[j] for j in units]))]
            n = [mp.tanh(v) for v in an]
            h = [renew[j] * n[j] + keep[j] * old[j] for j in units]

            def gru(
                gh, gc, ar=ar, az=az, an=an, r=r, keep=keep, renew=renew, sign=sign, n=n, old=old, inner=inner
            ):
                dn = [gh[j] * renew[j] * tanh_slope(an[j]) for j in units]
                dz = [gh[j] * sign * (old[j] - n[j]) * sigma_slope(az[j]) for j in units]
                if inner is not None:
                    dr = [dn[j] * inner[j] * sigma_slope(ar[j]) for j in units]
                    direct = back(2, [dn[j] * r[j] for j in units])
                else:
                    message = back(2, dn)
                    dr = [message[j] * old[j] * sigma_slope(ar[j]) for j in units]
                    direct = [message[j] * r[j] for j in units]
                parts = [direct, back(0, dr), back(1, dz), [gh[j] * keep[j] for j in units]]
                return [mp.fsum(p) for p in zip(*parts, strict=True)], None, None

            steps.append(gru)
    v = [mp.mpf(float(value)) for value in trace.readout]
    gh, gc = [trace.loss_weights[T] * value for value in v], [mp.mpf(0)] * size
    found = {"h": [gh], "c": []}
    for t in reversed(range(T)):
        gh, gc, total = steps[t](gh, gc)
        gh = [gh[j] + trace.loss_weights[t] * v[j] for j in units]
        found["h"].append(gh)
        if total is not None:
            found["c"].append(total)
    if cell.kind == "lstm":
        found["c"].append(gc)

    def log_norm(vector: list) -> float:
        norm = mp.sqrt(mp.fsum(value**2 for value in vector))
        return float(mp.log10(norm)) if norm else -np.inf

    return {
        name: np.array([log_norm(g) for g in reversed(found[name])]) for name in trace.experiment.cell.states
    }


def tiny(name: str, num_steps: int, **settings: object) -> Experiment:
    return small(name, num_steps=num_steps, **{"hidden_size": 3, "batch_size": 2} | settings)


def check_against_mpmath(trace: Trace, tolerance: float = 1e-9) -> np.ndarray:
    """Compare every step of one sample; returns the exact log10 norms of h."""
    exact = exact_log_norms(trace, sample=1)
    for name, curve in exact.items():
        found = log_norms(trace, name)[:, 1]
        assert np.array_equal(np.isfinite(found), np.isfinite(curve)), name
        alive = np.isfinite(curve)
        assert np.abs(found[alive] - curve[alive]).max() <= tolerance, name
    return exact["h"]


VANISHING = {
    "small weights": ("tanh", 1000, {"weight_scale": 0.001}),
    "saturated by its bias": ("tanh", 200, {"cell": {"kind": "rnn", "bias": 10}}),
    "saturated by its input": (
        "tanh",
        300,
        {"input_scale": 10, "signal": {"kind": "noise", "amplitude": 10}},
    ),
    "smallest weights": ("tanh", 30, {"weight_scale": 1e-300}),
    "relu": ("relu", 300, {"weight_scale": 0.01, "cell": {"kind": "rnn", "activation": "relu", "bias": 3}}),
    "linear": ("linear", 300, {"weight_scale": 0.01}),
    "lstm": ("lstm", 300, {"weight_scale": 0.01, "cell": {"kind": "lstm", "forget_bias": -8}}),
    "lstm, closed output": ("lstm", 300, {"cell": {"kind": "lstm", "forget_bias": -10, "output_bias": -10}}),
    "gru": ("gru", 300, {"weight_scale": 0.01, "cell": {"kind": "gru", "update_bias": -10}}),
    "gru, saturated": ("gru", 300, {"cell": {"kind": "gru", "update_bias": -10, "candidate_bias": 10}}),
    "gru renews": ("gru-renews", 200, {"cell": {"kind": "gru", "update": "renews", "update_bias": 10}}),
    "gru before": ("gru-before", 200, {"cell": {"kind": "gru", "reset": "before", "update_bias": -10}}),
}


@pytest.mark.parametrize("case", VANISHING)
@pytest.mark.parametrize("loss", ["last", "every"])
def test_vanishing_beyond_the_range_of_doubles(case, loss):
    cell, num_steps, settings = VANISHING[case]
    if loss == "every":
        num_steps = min(num_steps, 100)
    exact = check_against_mpmath(run(tiny(cell, num_steps, loss={"kind": loss}, **settings)))
    if loss == "last" and "before" not in case and "renews" not in case and case != "gru, saturated":
        assert exact[0] < -320


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("cell", ["relu", "linear"])
def test_exploding_states_and_gradients(cell, loss):
    """Gain 3 over 1000 steps: states beyond 1e308 while every gradient keeps its digits."""
    settings = {"initializer": {"kind": "identity"}, "weight_scale": 3.0, "loss": LOSSES[loss]}
    trace = run(tiny(cell, 1000, **settings))
    exact = check_against_mpmath(trace)
    if loss != "step":
        assert exact[0] == pytest.approx(1000 * np.log10(3), abs=2)
    assert not np.isfinite(trace.states["h"]).all()
    assert any("States exceed the largest float64 from step" in note for note in trace.notes)
    assert all(np.isfinite(array).all() for array in trace.backward.totals.values())


@pytest.mark.parametrize("loss", LOSSES)
def test_exploding_through_a_random_matrix(loss):
    """Mixed signs, so that units switch off: gain 3 of a Gaussian matrix under ReLU."""
    settings = {
        "initializer": {"kind": "gaussian"},
        "weight_scale": 3.0,
        "loss": LOSSES[loss],
        "hidden_size": 8,
    }
    exact = check_against_mpmath(run(tiny("relu", 300, **settings)))
    assert exact.max() > (1 if loss == "step" else 30)


@EVERY_CELL
@pytest.mark.parametrize("scale", [0.05, 3.0])
def test_every_loss_aligns_exponents(cell, scale):
    """A gradient that enters at each step is neither lost under nor drowned by what comes from later."""
    experiment = tiny(
        cell, 80, weight_scale=scale, initializer={"kind": "orthogonal"}, loss={"kind": "every"}
    )
    check_against_mpmath(run(experiment), tolerance=1e-7)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@EVERY_CELL
def test_saturation_leaves_no_false_zero(cell, dtype):
    """As hard as the sliders allow for three units: the gradient is tiny and not zero."""
    settings = {"input_scale": 10, "signal": {"kind": "noise", "amplitude": 10}, "dtype": dtype}
    trace = run(tiny(cell, 60, **settings))
    exact = exact_log_norms(run(trace.experiment.changed("dtype", "float64")), 1)
    for name, curve in exact.items():
        assert np.array_equal(np.isfinite(log_norms(trace, name)[:, 1]), np.isfinite(curve)), name


# ---- where zero is the truth, and closed forms ----


def test_relu_at_rest_has_a_gradient_of_exactly_zero():
    settings = {"signal": {"kind": "zeros"}, "bias_scale": 0, "initial_scale": 0}
    norms = log_norms(run(small("relu", cell={"kind": "rnn", "activation": "relu"}, **settings)))
    assert np.array_equal(norms[:-1], np.full((37, 3), -np.inf))
    assert norms[-1] == pytest.approx(0, abs=1e-15)  # the readout has length 1


def test_a_later_step_than_the_loss_has_no_gradient():
    norms = log_norms(run(small("tanh", loss=LOSSES["step"])))
    assert np.isfinite(norms[:14]).all()
    assert np.array_equal(norms[14:], np.full((24, 3), -np.inf))


@pytest.mark.parametrize("forget_bias", [-10, 0, 3])
def test_lstm_without_its_h_path_keeps_the_product_of_its_forget_gates(forget_bias):
    experiment = small("lstm", weight_scale=0.0, num_steps=1000, bias_scale=0).changed(
        "cell.forget_bias", forget_bias
    )
    trace = run(experiment)
    totals, exponents = trace.backward.totals["c"], trace.backward.exponents
    logs = np.log2(np.abs(totals)) + exponents[:, None]
    a = np.moveaxis(trace.slots["forget"], 2, 1)
    log_f = -np.logaddexp(0, -a) / np.log(2)
    expected = logs[-1] + np.cumsum(log_f[::-1], axis=0)[::-1]
    assert logs[:-1] == pytest.approx(expected, rel=0, abs=1e-8)
    assert np.isfinite(logs).all()


@pytest.mark.parametrize(("gain", "norm"), [(0.9, 0.00515378), (1.1, 117.3909)])
def test_linear_orthogonal_network_is_a_power(gain, norm):
    """SCIENCE: fifty steps of g·Q scale every gradient by g^50."""
    experiment = small(
        "linear", hidden_size=64, num_steps=50, weight_scale=gain, initializer={"kind": "orthogonal"}
    )
    norms = log_norms(run(experiment))
    assert norms == pytest.approx(
        np.log10(gain) * np.arange(50, -1, -1)[:, None] + np.zeros((51, 3)), abs=1e-12
    )
    assert 10 ** norms[0] == pytest.approx(norm, rel=1e-6)
    assert all(abs(b - a) > 0 for a, b in pairwise(norms[:, 0]))
