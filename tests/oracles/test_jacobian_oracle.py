"""Jacobian products against arithmetic with hundreds of digits and against autograd."""

from typing import Any

import mpmath
import numpy as np
import pytest
import torch
from scipy.linalg import lapack

from explorer import Experiment, run
from explorer.engine.graded_svd import Graded, condense, log2_singular_values
from explorer.measures.jacobian import jacobian_products, jacobian_singular_values, largest_singular_values
from explorer.trace import Trace

mp = mpmath.mp


def matrix(array: np.ndarray) -> Any:
    return mpmath.matrix(array.tolist())


def diagonal(values: list[Any]) -> Any:
    return mpmath.diag(values)


def sigma(a: Any) -> Any:
    return 1 / (1 + mpmath.exp(-a))


def sigma_slope(a: Any) -> Any:
    return sigma(a) * sigma(-a)


def tanh_slope(a: Any) -> Any:
    return 1 / mpmath.cosh(a) ** 2


def block(trace: Trace, k: int) -> Any:
    size = trace.experiment.hidden_size
    return matrix(trace.weights["weight_hh"][k * size : (k + 1) * size])


def slot(trace: Trace, name: str, t: int) -> list[Any]:
    return [mpmath.mpf(float(a)) for a in trace.slots[name][t, 0]]


def state(trace: Trace, name: str, t: int) -> list[Any]:
    return [mpmath.mpf(float(a)) for a in trace.states[name][t, 0]]


def each(function: Any, *lists: list[Any]) -> Any:
    return diagonal([function(*values) for values in zip(*lists, strict=True)])


def local_jacobian(trace: Trace, t: int) -> Any:
    """∂s_{t+1}/∂s_t, h first, from the stored pre-activations and states."""
    cell, size = trace.experiment.cell, trace.experiment.hidden_size
    h = state(trace, "h", t)
    if cell.kind == "rnn":
        return each(tanh_slope, slot(trace, "hidden", t)) * block(trace, 0)
    if cell.kind == "lstm":
        i, f, g, o = (slot(trace, name, t) for name in ("input", "forget", "cell", "output"))
        old, new = state(trace, "c", t), state(trace, "c", t + 1)
        c_h = (
            each(lambda i, g: sigma_slope(i) * mpmath.tanh(g), i, g) * block(trace, 0)
            + each(lambda f, c: sigma_slope(f) * c, f, old) * block(trace, 1)
            + each(lambda i, g: sigma(i) * tanh_slope(g), i, g) * block(trace, 2)
        )
        c_c = each(sigma, f)
        h_c = each(lambda o, c: sigma(o) * tanh_slope(c), o, new)
        h_o = each(lambda o, c: sigma_slope(o) * mpmath.tanh(c), o, new) * block(trace, 3)
        whole = mpmath.zeros(2 * size)
        for rows, columns, part in (
            (0, 0, h_o + h_c * c_h),
            (0, size, h_c * c_c),
            (size, 0, c_h),
            (size, size, c_c),
        ):
            for a in range(size):
                for b in range(size):
                    whole[rows + a, columns + b] = part[a, b]
        return whole
    r, z, x, u = (slot(trace, name, t) for name in ("reset", "update", "new_input", "new_hidden"))
    if cell.reset == "after":
        inner = [a + sigma(b) * c for a, b, c in zip(x, r, u, strict=True)]
        n_h = each(sigma, r) * block(trace, 2) + each(lambda r, u: sigma_slope(r) * u, r, u) * block(trace, 0)
    else:
        inner = [a + b for a, b in zip(x, u, strict=True)]
        message = each(sigma, r) + each(lambda r, h: sigma_slope(r) * h, r, h) * block(trace, 0)
        n_h = block(trace, 2) * message
    n_h = each(tanh_slope, inner) * n_h
    sign = 1 if cell.update == "keeps" else -1
    return (
        each(lambda z: sigma(-sign * z), z) * n_h
        + each(lambda z: sigma(sign * z), z)
        + each(lambda h, n, z: sign * (h - mpmath.tanh(n)) * sigma_slope(z), h, inner, z) * block(trace, 1)
    )


def exact(trace: Trace, steps: list[int], output: str) -> np.ndarray:
    """log10 σ_i(∂s_T/∂h_t) at the steps, [len(steps), H]."""
    size, num_steps = trace.experiment.hidden_size, trace.num_steps
    parts = len(trace.states)
    product = mpmath.eye(parts * size)
    found = {}
    for t in range(num_steps, -1, -1):
        if t < num_steps:
            product = product * local_jacobian(trace, t)
        if t in steps:
            rows = parts * size if output == "state" else size
            part = product[:rows, :size]
            squares = mpmath.eigsy(part.T * part, eigvals_only=True)
            found[t] = sorted((float(mpmath.log10(s) / 2) for s in squares), reverse=True)
    return np.array([found[t] for t in steps])


STEPS = [0, 13, 41, 55, 63, 64]
CASES = [
    ("tanh", dict(cell=dict(kind="rnn"), hidden_size=6), "state"),
    ("saturated", dict(cell=dict(kind="rnn", bias=4.0), hidden_size=6, bias_scale=10), "state"),
    ("lstm", dict(cell=dict(kind="lstm"), hidden_size=4), "state"),
    ("lstm", dict(cell=dict(kind="lstm"), hidden_size=4), "h"),
    ("lstm", dict(cell=dict(kind="lstm", forget_bias=-10), hidden_size=4), "state"),
    ("lstm", dict(cell=dict(kind="lstm", forget_bias=3), hidden_size=4), "h"),
    ("gru", dict(cell=dict(kind="gru"), hidden_size=5), "h"),
    ("gru", dict(cell=dict(kind="gru", reset="before", update="renews"), hidden_size=5), "state"),
]


@pytest.mark.parametrize(("name", "settings", "output"), CASES)
def test_every_singular_value_to_1e_9_decades(name: str, settings: dict[str, Any], output: Any) -> None:
    trace = run(Experiment(**settings, num_steps=64, batch_size=2, seed=3))
    with mp.workdps(900 if name == "saturated" else 250):
        expected = exact(trace, STEPS, output)
    found = jacobian_singular_values(trace, steps=STEPS, output=output)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)
    np.testing.assert_allclose(
        largest_singular_values(trace, output=output)[STEPS], expected[:, 0], rtol=0, atol=1e-10
    )


def test_saturated_product_far_below_the_float_range() -> None:
    cell = dict(kind="rnn", bias=9.0)
    trace = run(Experiment(cell=cell, hidden_size=4, num_steps=120, batch_size=1, bias_scale=6, seed=1))
    with mp.workdps(1800):
        expected = exact(trace, [0], "h")
    assert expected[0, 0] < -400 and expected[0, 0] - expected[0, -1] > 300
    found = jacobian_singular_values(trace, steps=[0])
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)
    assert (jacobian_products(trace)[0] == 0).all()


@pytest.mark.parametrize("range_bits", [60, 800, 5000])
def test_graded_matrices_wider_than_the_float_range(range_bits: int) -> None:
    rng = np.random.default_rng(range_bits)
    basis = rng.standard_normal((12, 12))
    exponents = rng.integers(-range_bits, 1, 12)
    with mp.workdps(4 * range_bits // 5 + 60):
        exact_matrix = matrix(basis) * mpmath.diag([mpmath.mpf(2) ** int(e) for e in exponents])
        squares = mpmath.eigsy(exact_matrix.T * exact_matrix, eigvals_only=True)
        expected = sorted((float(mpmath.log(s, 2) / 2) for s in squares), reverse=True)
    x = condense(Graded(basis, exponents, np.zeros(12)))
    np.testing.assert_allclose(log2_singular_values(x.core, x.exponents), expected, rtol=1e-14, atol=1e-11)


def test_windows_where_the_grading_is_dense() -> None:
    """300 singular values in 900 bits, cut into windows that overlap, against one call over all of them."""
    rng = np.random.default_rng(5)
    x = condense(Graded(rng.standard_normal((300, 300)), -np.arange(300) * 3, np.zeros(300)))
    windows = log2_singular_values(x.core, x.exponents)
    whole = lapack.dgejsv(x.core * np.exp2(x.exponents + 450.0), joba=0, jobu=3, jobv=3, jobr=0, jobp=0)
    expected = np.log2(whole[0] * whole[3][0] / whole[3][1]) - 450
    np.testing.assert_allclose(windows, expected, rtol=0, atol=1e-11)


def test_a_matrix_with_tiny_rows_is_not_taken_for_one_of_lower_rank() -> None:
    """Values that float64 cannot know are NaN; the others are right; none is -inf or noise."""
    base = np.random.default_rng(0).standard_normal((8, 8))
    weights = dict(weight_ih=np.zeros((8, 1)), weight_hh=np.diag(10.0 ** -np.arange(0, 32, 4)) @ base)
    cell = dict(kind="rnn", activation="linear")
    experiment = Experiment(cell=cell, hidden_size=8, num_steps=50, batch_size=1)
    trace = run(experiment, weights=weights, inputs=np.zeros((50, 1, 1)))
    with mp.workdps(3500):
        product = matrix(trace.weights["weight_hh"]) ** 50
        squares = mpmath.eigsy(product.T * product, eigvals_only=True)
        expected = np.array(sorted((float(mpmath.log10(s) / 2) for s in squares), reverse=True))
    found = jacobian_singular_values(trace, steps=[0])[0]
    known = ~np.isnan(found)
    assert known[:3].all()
    np.testing.assert_allclose(found[known], expected[known], rtol=0, atol=1e-3)


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru", "gru before"])
def test_products_against_autograd(cell: str) -> None:
    kind, _, reset = cell.partition(" ")
    fields = dict(kind=kind, **({"reset": reset} if reset else {}))
    trace = run(Experiment(cell=fields, hidden_size=8, num_steps=12, batch_size=3, weight_scale=1.7, seed=2))
    w = {name: torch.tensor(array) for name, array in trace.weights.items()}
    parts, size = len(trace.states), 8
    order = ("h", "c")[:parts]

    def rest(h: torch.Tensor, t: int) -> torch.Tensor:
        """s_T as a function of h_t with the rest of the state as it was."""
        c = torch.tensor(trace.states["c"][t, 1]) if parts == 2 else torch.zeros(size)
        for k in range(t, 12):
            x = torch.tensor(trace.inputs[k, 1]).double()
            if kind == "rnn":
                h = torch.rnn_tanh_cell(x[None], h[None], *w_list)[0]
            elif kind == "lstm":
                h, c = (part[0] for part in torch.lstm_cell(x[None], (h[None], c[None]), *w_list))
            elif not reset:
                h = torch.gru_cell(x[None], h[None], *w_list)[0]
            else:
                a = w["weight_ih"] @ x + w["bias_ih"] + w["bias_hh"]
                u = w["weight_hh"]
                r = torch.sigmoid(a[:size] + u[:size] @ h)
                z = torch.sigmoid(a[size : 2 * size] + u[size : 2 * size] @ h)
                h = (1 - z) * torch.tanh(a[2 * size :] + u[2 * size :] @ (r * h)) + z * h
        return torch.cat([h, c]) if parts == 2 else h

    w_list = [w[name] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
    whole, only_h = jacobian_products(trace, 1, "state"), jacobian_products(trace, 1)
    assert whole.shape == (13, parts * size, size) and only_h.shape == (13, size, size)
    for t in (0, 5, 11, 12):
        h = torch.tensor(trace.states[order[0]][t, 1])
        expected = torch.autograd.functional.jacobian(lambda h, t=t: rest(h, t), h).numpy()
        np.testing.assert_allclose(whole[t], expected, rtol=0, atol=1e-10 * np.abs(expected).max())
        np.testing.assert_allclose(only_h[t], expected[:size], rtol=0, atol=1e-10 * np.abs(expected).max())
