"""The derivation: valid LaTeX everywhere, and numbers that autograd confirms to the digits shown."""

import importlib.util
import itertools
import math
import re
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from explorer import Experiment, Trace, run
from explorer.lessons.equation_step import EquationStep
from explorer.lessons.equations import CELL_EQUATIONS, derivation
from explorer.lessons.magnitudes import number_latex, size_latex
from explorer.lessons.sentences import one_sentence

_spec = importlib.util.spec_from_file_location("lessons_oracle", Path(__file__).parent / "oracle.py")
assert _spec and _spec.loader
oracle = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(oracle)

NUMBER = r"(-?[\d.]+(?:\\times 10\^\{-?\d+\})?)"
CELLS = [
    *({"kind": "rnn", "activation": name} for name in ("tanh", "relu", "linear")),
    {"kind": "lstm", "forget_bias": 1.0},
    *(
        {"kind": "gru", "reset": reset, "update": update}
        for reset, update in itertools.product(("after", "before"), ("keeps", "renews"))
    ),
]
LOSSES = [{"kind": "last"}, {"kind": "every"}, {"kind": "step", "step": 8}]


def small(cell: dict, **settings) -> Trace:
    base = {"hidden_size": 8, "num_steps": 12, "batch_size": 3, "initial_scale": 0.5}
    return run(Experiment.model_validate(base | {"cell": cell} | settings))


def shown(steps: list[EquationStep]) -> dict[str, str]:
    """Symbol inside a norm → the number behind it."""
    text = "  ".join(step.numbers_latex for step in steps)
    pattern = r"\\left\\lVert ((?:(?!\\left\\lVert).)*?) \\right\\rVert &?= " + NUMBER
    return dict(re.findall(pattern, text))


def size(vector: torch.Tensor) -> str:
    norm = float(vector.norm())
    return size_latex(math.log10(norm) if norm else -math.inf)


def grad(state: str, t: int) -> str:
    return rf"\frac{{\partial L}}{{\partial {state}_{{{t}}}}}"


def check_latex(steps: list[EquationStep]) -> None:
    for step in steps:
        for latex in (step.latex, step.numbers_latex):
            assert latex
            depth = list(itertools.accumulate((c == "{") - (c == "}") for c in latex))
            assert min(depth) >= 0
            assert depth[-1] == 0
            assert latex.count(r"\left") - latex.count(r"\leftarrow") == latex.count(r"\right")
            opened, closed = (re.findall(word + r"\{(\w+)\}", latex) for word in ("begin", "end"))
            assert sorted(opened) == sorted(closed)
            assert not re.search(r"nan|inf|None|\d{4}\.\d", latex, re.IGNORECASE)
        assert one_sentence(step.explain) == step.explain
        assert 0 < len(step.title) <= 60


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss["kind"])
@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: "-".join(map(str, cell.values())))
def test_latex_is_balanced_and_finite_at_every_step(cell: dict, loss: dict) -> None:
    trace = small(cell, loss=loss)
    for t in range(1, 13):
        check_latex(derivation(trace, t, sample=t % 3))


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss["kind"])
@pytest.mark.parametrize("t", [1, 2, 7, 8, 12])
@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: "-".join(map(str, cell.values())))
def test_numbers_equal_autograd(cell: dict, t: int, loss: dict) -> None:
    trace = small(cell, loss=loss)
    steps = derivation(trace, t, sample=1)
    found, true = shown(steps), oracle.autograd(trace, 1)

    def zero(x: torch.Tensor) -> torch.Tensor:
        return torch.zeros(8, dtype=torch.float64) if x.grad is None else x.grad

    assert f"L = {number_latex(true.loss)}" in next(s.numbers_latex for s in steps if s.title == "Loss")
    expected = {grad("h", t): size(zero(true.h[t])), f"h_{{{t}}}": size(true.h[t].detach())}
    if trace.loss_weights[t - 1] == 0 or cell["kind"] == "lstm":
        expected[f"h_{{{t - 1}}}"] = size(true.h[t - 1].detach())
    if cell["kind"] == "rnn":
        delta = zero(true.hidden[t])
        expected |= {rf"\delta_{{{t}}}": size(delta), f"a_{{{t}}}": size(true.hidden[t].detach())}
        expected[rf"U^\top \delta_{{{t}}}"] = size(true.w_hh[0].T @ delta)
        expected[rf"\delta_{{{t}}}\, h_{{{t - 1}}}^\top"] = size(torch.outer(delta, true.h[t - 1].detach()))
    elif cell["kind"] == "lstm":
        total, last = zero(true.c[t]), next(s for s in steps if s.title == "All steps back along the cell")
        expected[grad("c", t) + r"\big|_{\text{total}}"] = size(total)
        expected[rf"f_{{{t}}} \odot {grad('c', t)}"] = size(true.f[t].detach() * total)
        expected[r"\text{direct}"] = size(
            true.f[t + 1].detach() * zero(true.c[t + 1]) if t < 12 else total * 0
        )
        for k, (slot, letter) in enumerate({"input": "i", "forget": "f", "cell": "g", "output": "o"}.items()):
            delta = zero(getattr(true, slot)[t])
            expected[rf"\delta^{letter}_{{{t}}}"] = size(delta)
            expected[rf"U_{letter}^\top \delta^{letter}_{{{t}}}"] = size(true.w_hh[k].T @ delta)
        end = int(trace.loss_weights.nonzero()[0][-1])
        if t < end:
            best = torch.stack([f.detach() for f in true.f[t + 1 : end + 1]]).prod(0).max()
            assert f"{number_latex(float(best))}\\text{{ (best unit)}}" in last.numbers_latex
    else:
        keep = true.z[t].detach() if cell["update"] == "keeps" else 1 - true.z[t].detach()
        symbol = rf"z_{{{t}}}" if cell["update"] == "keeps" else rf"(1 - z_{{{t}}})"
        delta, r = zero(true.new_input[t]), true.r[t].detach()
        after = cell["reset"] == "after"
        lane = true.w_hh[2].T @ (r * delta) if after else r * (true.w_hh[2].T @ delta)
        inner = rf"U_n^\top (r_{{{t}}} \odot \delta^n_{{{t}}})"
        expected |= {
            rf"{symbol} \odot {grad('h', t)}": size(keep * zero(true.h[t])),
            inner if after else rf"r_{{{t}}} \odot (U_n^\top \delta^n_{{{t}}})": size(lane),
            rf"\delta^n_{{{t}}}": size(delta),
            rf"\delta^z_{{{t}}}": size(zero(true.update[t])),
            rf"U_r^\top \delta^r_{{{t}}}": size(true.w_hh[0].T @ zero(true.reset[t])),
        }
    assert {symbol: found.get(symbol) for symbol in expected} == expected


@pytest.mark.parametrize(
    "cell", [*CELLS[:2], *CELLS[3:5]], ids=lambda cell: "-".join(map(str, cell.values()))
)
def test_terms_of_the_weight_gradient_add_up_to_autograds(cell: dict) -> None:
    """One sample, T = 2, h_0 = 0: only step 2 contributes to ∂L/∂W_hh."""
    trace = small(cell, num_steps=2, batch_size=1, initial_scale=0.0)
    weights = {name: torch.tensor(array) for name, array in trace.weights.items()}
    x, v = torch.tensor(trace.inputs), torch.tensor(trace.readout)
    kind = {"rnn": torch.nn.RNNCell, "lstm": torch.nn.LSTMCell, "gru": torch.nn.GRUCell}[cell["kind"]]
    extra = {"nonlinearity": cell["activation"]} if cell["kind"] == "rnn" else {}
    module = kind(1, 8, dtype=torch.float64, **extra)
    module.load_state_dict(weights)
    state = None
    for step in x:
        state = module(step, state)
    ((state[0] if cell["kind"] == "lstm" else state) @ v).sum().backward()
    expected = size(module.weight_hh.grad)
    assert shown(derivation(trace, 2))[r"\delta_{2}\, h_{1}^\top"] == expected
    assert "exactly 0" in derivation(trace, 1)[-1].explain


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: "-".join(map(str, cell.values())))
def test_weight_terms_agree_with_the_measure(cell: dict) -> None:
    from explorer.measures import weight_gradient_by_step

    trace = small(cell, batch_size=1)
    for t, expected in enumerate(weight_gradient_by_step(trace), start=1):
        assert rf"\, h_{{{t - 1}}}^\top \right\rVert &= {size_latex(expected)}" in (
            derivation(trace, t)[-1].numbers_latex
        )


def test_a_gradient_far_below_floats_is_still_a_number() -> None:
    orthogonal = {"initializer": {"kind": "orthogonal"}, "weight_scale": 0.01, "num_steps": 300}
    trace = small({"kind": "rnn", "activation": "linear"}, **orthogonal)
    steps = derivation(trace, 3)
    check_latex(steps)
    assert shown(steps)[grad("h", 3)] == r"1.00\times 10^{-594}"
    assert shown(steps)[r"U^\top \delta_{3}"] == r"1.00\times 10^{-596}"
    assert r"\left(0.0100\right)^{297}" in next(s for s in steps if "product" in s.title).numbers_latex


def test_states_and_gradients_far_above_floats() -> None:
    orthogonal = {"initializer": {"kind": "orthogonal"}, "weight_scale": 4.0, "num_steps": 1000}
    trace = small({"kind": "rnn", "activation": "linear"}, **orthogonal)
    for t in (1, 500, 1000):
        check_latex(derivation(trace, t))
    assert shown(derivation(trace, 1))[grad("h", 1)] == size_latex(999 * math.log10(4))


def test_saturation_beyond_floats() -> None:
    trace = small(
        {"kind": "rnn", "bias": 10.0}, weight_scale=4.0, initializer={"kind": "identity"}, num_steps=50
    )
    for t in (1, 25, 50):
        steps = derivation(trace, t)
        check_latex(steps)
        assert shown(steps)[grad("h", t)] != "0"


@pytest.mark.parametrize("t", [1, 6, 12])
def test_dead_relu_is_said_in_words(t: int) -> None:
    trace = small({"kind": "rnn", "activation": "relu", "bias": -10.0})
    steps = derivation(trace, t)
    check_latex(steps)
    assert any("exactly 0 and not merely small: every ReLU unit" in step.explain for step in steps)
    assert any(number == "0" for number in shown(steps).values())


def test_steps_after_the_loss_and_a_cut_recurrence_are_said_in_words() -> None:
    after = derivation(small({"kind": "lstm"}, loss={"kind": "step", "step": 4}), 9)
    check_latex(after)
    assert sum("no loss is read at step" in step.explain for step in after) >= 2
    cut = derivation(small({"kind": "gru", "reset": "before", "update_bias": -10.0}, weight_scale=0.0), 5)
    check_latex(cut)
    rnn = derivation(small({"kind": "rnn"}, weight_scale=0.0), 5)
    assert any("the recurrent matrix is 0" in step.explain for step in rnn)


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: "-".join(map(str, cell.values())))
@pytest.mark.parametrize(
    "settings", [{"num_steps": 2}, {"dtype": "float32"}, {"batch_size": 1, "hidden_size": 2}]
)
def test_smallest_and_single_precision_runs(cell: dict, settings: dict) -> None:
    trace = small(cell, **settings)
    for t in (1, 2):
        check_latex(derivation(trace, t))


def test_conventions_are_named() -> None:
    texts = {
        (reset, update): " ".join(
            s.explain for s in derivation(small({"kind": "gru", "reset": reset, "update": update}), 3)
        )
        for reset, update in itertools.product(("after", "before"), ("keeps", "renews"))
    }
    assert len(set(texts.values())) == 4
    assert all("PyTorch" in text and "Drawn here" in text for text in texts.values())
    assert any("total" in step.explain for step in derivation(small({"kind": "lstm"}), 3))


def test_impossible_steps_are_refused() -> None:
    trace = small({"kind": "rnn"})
    for t, sample, message in ((0, 0, "1 … 12"), (13, 0, "1 … 12"), (1, 3, "0 … 2")):
        with pytest.raises(ValueError, match=message):
            derivation(trace, t, sample)


def test_every_cell_has_a_derivation() -> None:
    from explorer.cells import CELLS as KNOWN

    assert set(CELL_EQUATIONS) == set(KNOWN)


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
def test_a_call_takes_less_than_five_milliseconds(kind: str) -> None:
    trace = run(Experiment.model_validate({"cell": {"kind": kind}}))
    derivation(trace, 50)
    times = []
    for t in np.linspace(1, 99, 20, dtype=int):
        start = time.process_time()
        derivation(trace, int(t))
        times.append(time.process_time() - start)
    assert np.median(times) < 0.005
