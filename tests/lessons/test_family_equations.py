"""The derivation of the LSTM's siblings and of other activations: numbers that autograd confirms."""

from __future__ import annotations

import itertools
import math
import re

import numpy as np
import pytest
import torch

from explorer import Experiment, Trace, run
from explorer.lessons.equation_step import EquationStep
from explorer.lessons.equations import derivation
from explorer.lessons.magnitudes import number_latex, size_latex
from explorer.lessons.memory_symbols import Symbols
from explorer.lessons.sentences import one_sentence
from tests.oracles.lstm_family import autograd

CELLS = [
    {"kind": "peephole", "peephole_strength": 3.0},
    {"kind": "coupled"},
    {"kind": "ablated"},
    {"kind": "ablated", "without": "input_gate"},
    {"kind": "ablated", "without": "output_gate"},
    {"kind": "ablated", "without": "input_activation"},
    {"kind": "ablated", "without": "output_activation"},
    {"kind": "lstm", "forget_activation": "tanh", "cell_activation": "softsign"},
    {"kind": "lstm", "input_activation": "hard_sigmoid", "output_activation": "relu"},
    {"kind": "peephole", "candidate_activation": "linear", "input_activation": "hard_sigmoid_keras"},
]
LOSSES = [{"kind": "last"}, {"kind": "every"}]
NUMBER = r"(-?[\d.]+(?:\\times 10\^\{-?\d+\})?)"
EACH = pytest.mark.parametrize("cell", CELLS, ids=lambda cell: "-".join(map(str, cell.values())))


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


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss["kind"])
@pytest.mark.parametrize("t", [1, 7, 12])
@EACH
def test_numbers_equal_autograd(cell: dict, t: int, loss: dict) -> None:
    trace, sample, width = small(cell, loss=loss), 1, 8
    steps, true = derivation(trace, t, sample), autograd(trace)
    c, total = true["c"][t][sample], true["c"][t].grad[sample]
    direct = torch.zeros(8)
    if t < 12:
        direct = true["direct"][t][sample] * true["c"][t + 1].grad[sample]
    kept = true["direct"][t - 1][sample] * total
    letter = "d" if cell["kind"] == "peephole" else "f"
    expected = {
        grad("h", t): size(true["h"][t].grad[sample]),
        f"c_{{{t}}}": size(c.detach()),
        grad("c", t) + r"\big|_{\text{total}}": size(total),
        r"\text{direct}": size(direct),
        rf"{letter}_{{{t}}} \odot {grad('c', t)}": size(kept),
    }
    deltas = true["a"][t - 1].grad[sample]
    names = {"coupled": "igo"}.get(cell["kind"], "ifgo")
    u = torch.tensor(trace.weights["weight_hh"]).split(width)
    for k, name in enumerate(names):
        gate = {"i": "input", "f": "forget", "o": "output"}.get(name, "")
        if gate and gate == getattr(trace.experiment.cell, "missing", ""):
            continue
        delta = deltas[k * width : (k + 1) * width]
        expected[rf"\delta^{name}_{{{t}}}"] = size(delta)
        expected[rf"U_{name}^\top \delta^{name}_{{{t}}}"] = size(u[k].T @ delta)
    found = shown(steps)
    assert {symbol: found.get(symbol) for symbol in expected} == expected
    if t < 12:
        factors = torch.stack([d[sample] for d in true["direct"][t:12]])
        best = number_latex(float(factors.prod(0).abs().max()))
        last = next(s for s in steps if s.title == "All steps back along the cell")
        assert f"{best}\\text{{ (best unit)}}" in last.numbers_latex


@EACH
@pytest.mark.parametrize("hold", ["", "forget=1@3-6; input=0#2"])
def test_latex_is_balanced_and_finite_at_every_step(cell: dict, hold: str) -> None:
    trace = small(cell, hold=hold)
    for t in range(1, 13):
        for step in derivation(trace, t, sample=t % 3):
            for latex in (step.latex, step.numbers_latex):
                depth = list(itertools.accumulate((c == "{") - (c == "}") for c in latex))
                assert min(depth) >= 0 and depth[-1] == 0
                assert latex.count(r"\left") == latex.count(r"\right")
                assert not re.search(r"nan|inf|None|\d{4}\.\d", latex, re.IGNORECASE)
            assert one_sentence(step.explain) == step.explain
            assert not hold or step.title != "Gates" or hold in step.explain


def test_the_formulas_name_what_is_missing_coupled_or_seen() -> None:
    def gates(cell: dict) -> str:
        return derivation(small(cell), 3)[0].latex

    assert "f_t = 1" in gates({"kind": "ablated"})
    assert "i_t &= 1" in gates({"kind": "ablated", "without": "input_gate"})
    assert "g_t &= a^g_t" in gates({"kind": "ablated", "without": "input_activation"})
    assert "f_t = 1 - i_t" in gates({"kind": "coupled"})
    assert r"o_t = \sigma(a^o_t + p_o \odot c_t)" in gates({"kind": "peephole"})
    relu = derivation(small({"kind": "lstm", "forget_activation": "relu"}), 3)
    assert r"f_t = \max(0,\,a^f_t)" in relu[0].latex
    through = next(step for step in relu if step.title == "Through the gates")
    assert "[a^f_t > 0]" in through.latex and "forget gate ReLU" in through.explain


@pytest.mark.parametrize("activation", ["tanh", "relu", "hard_sigmoid", "linear"])
@pytest.mark.parametrize("reset", ["after", "before"])
def test_a_gru_is_written_with_its_own_activations(activation: str, reset: str) -> None:
    trace = small({"kind": "gru", "update_activation": activation, "reset": reset})
    steps = derivation(trace, 4)
    z = trace.gates["update"][3, 0]
    kept = trace.backward.totals["h"][4, :, 0] * z
    norm = math.log10(np.linalg.norm(kept)) + trace.backward.exponents[4, 0] * math.log10(2)
    assert shown(steps)[rf"z_{{4}} \odot {grad('h', 4)}"] == size_latex(norm)
    assert r"\sigma(a^z_t)" not in steps[0].latex


def test_symbols_need_no_trace() -> None:
    from explorer.cells import CELLS as KNOWN

    symbols = Symbols(KNOWN["peephole"][1]())
    assert symbols.direct_equation().startswith("d_t = f_t + p_f")
    assert Symbols(KNOWN["coupled"][1]()).written("input") == "(g_t - c_{t-1})"
