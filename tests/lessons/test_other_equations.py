"""The derivations of the cells with a direct path and of the minimal gated unit, against autograd."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
import torch

from explorer import Experiment, Trace, run
from explorer.lessons.equations import derivation
from explorer.lessons.magnitudes import grad_latex, log10_norm, number_latex, size_latex
from explorer.lessons.sentences import one_sentence

CELLS = [
    {"kind": "mgu", "forget_bias": 0.5},
    {"kind": "residual", "step_size": 0.3},
    {"kind": "residual", "activation": "relu"},
    {"kind": "antisymmetric", "step_size": 0.4, "diffusion": 0.3},
    {"kind": "clockwork", "periods": "1, 2, 3"},
    {"kind": "clockwork", "periods": "5", "activation": "linear"},
    {"kind": "echo", "leak_rate": 0.4},
]
CELL = pytest.mark.parametrize("cell", CELLS, ids=lambda cell: "-".join(map(str, cell.values())))


def small(cell: dict, **settings: object) -> Trace:
    base = {"hidden_size": 8, "num_steps": 12, "batch_size": 3, "initial_scale": 1.0, "seed": 2}
    return run(Experiment.model_validate({"cell": cell} | base | settings))


def shown(trace: Trace, t: int, sample: int = 1) -> dict[str, str]:
    """Inside of ‖…‖ → the number behind it, over all steps of the derivation."""
    text = " ".join(step.numbers_latex for step in derivation(trace, t, sample))
    number = r"(-?[\d.]+(?:\\times 10\^\{-?\d+\})?)"
    pattern = r"\\left\\lVert ((?:(?!\\left\\lVert).)*?) \\right\\rVert &?= " + number
    return dict(re.findall(pattern, text))


def size(vector: torch.Tensor) -> str:
    return size_latex(log10_norm(vector.detach().numpy()))


@CELL
@pytest.mark.parametrize("loss", [{"kind": "last"}, {"kind": "every"}, {"kind": "step", "step": 7}], ids=str)
def test_latex_is_balanced_and_finite_at_every_step(cell: dict, loss: dict) -> None:
    trace = small(cell, loss=loss)
    for t in range(1, 13):
        for step in derivation(trace, t, sample=t % 3):
            for latex in (step.latex, step.numbers_latex):
                depth = list(itertools.accumulate((c == "{") - (c == "}") for c in latex))
                assert latex and min(depth) >= 0 and depth[-1] == 0
                assert latex.count(r"\left") == latex.count(r"\right")
                assert not re.search(r"nan|inf|None|\{phi\}", latex, re.IGNORECASE)
            assert one_sentence(step.explain) == step.explain
            assert 0 < len(step.title) <= 60


@CELL
@pytest.mark.parametrize("t", [1, 2, 6, 12])
def test_both_paths_of_one_step_are_autograds(cell: dict, t: int) -> None:
    """The path round the matrix is what is left of ∂L/∂h_{t-1} when the matrix reads a copy."""
    trace = small(cell)
    w_ih, w_hh = (torch.tensor(trace.weights[name]).split(8) for name in ("weight_ih", "weight_hh"))
    bias = torch.tensor(trace.weights["bias_ih"] + trace.weights["bias_hh"]).split(8)
    x = torch.tensor(trace.inputs[t - 1, 1])
    direct, through = (torch.tensor(trace.states["h"][t - 1, 1].copy(), requires_grad=True) for _ in range(2))
    back = trace.backward
    after = torch.tensor(back.totals["h"][t, :, 1] * 2.0 ** back.exponents[t, 1])

    def slot(k: int, vector: torch.Tensor) -> torch.Tensor:
        return w_ih[k] @ x + bias[k] + w_hh[k] @ vector

    settings = trace.experiment.cell
    phi = {"tanh": torch.tanh, "relu": torch.relu, "linear": lambda a: a}[
        getattr(settings, "activation", "tanh")
    ]
    if settings.kind == "mgu":
        f = slot(0, through).sigmoid()
        h = (1 - f) * direct + f * slot(1, f * through).tanh()
    elif settings.kind == "residual":
        h = direct + settings.step_size * phi(slot(0, through))
    elif settings.kind == "antisymmetric":
        h = direct + settings.step_size * (slot(0, through) - settings.diffusion * direct).tanh()
    elif settings.kind == "echo":
        h = (1 - settings.leak_rate) * direct + settings.leak_rate * phi(slot(0, through))
    else:
        due = torch.tensor(settings.schedule(8, 12)["active"][t - 1])
        h = due * phi(slot(0, through)) + (1 - due) * direct
    (h * after).sum().backward()
    found, total = shown(trace, t), direct.grad + through.grad
    if settings.kind == "mgu":
        gradient = grad_latex("h", t)
        assert found[rf"(1 - f_{{{t}}}) \odot {gradient}"] == size(direct.grad)
    else:
        matrix = "A" if settings.kind == "antisymmetric" else "U"
        assert found[rf"\text{{direct}}_{{{t}}}"] == size(direct.grad)
        assert found[rf"{matrix}^\top \delta_{{{t}}}"] == size(through.grad)
    text = " ".join(step.numbers_latex for step in derivation(trace, t, 1))
    assert rf"= {size(total)}" in text
    assert found[grad_latex("h", t)] == size(after)


def test_the_settings_of_the_run_are_in_the_numbers() -> None:
    text = {
        cell["kind"]: " ".join(step.numbers_latex for step in derivation(small(cell), 6)) for cell in CELLS
    }
    assert rf"\varepsilon = {number_latex(0.4)}, \quad \gamma = {number_latex(0.3)}" in text["antisymmetric"]
    assert rf"\alpha = {number_latex(0.4)}" in text["echo"]


@pytest.mark.parametrize(
    ("t", "said"), [(1, "module of period 1 is"), (2, "period 1, 2 are"), (6, "period 1, 2, 3")]
)
def test_the_modules_that_are_due_are_named(t: int, said: str) -> None:
    assert said in derivation(small({"kind": "clockwork", "periods": "1, 2, 3"}), t)[0].explain


def test_a_step_without_an_update_is_said_in_words() -> None:
    trace = small({"kind": "clockwork", "periods": "5"})
    assert "no module is due" in derivation(trace, 4)[0].explain
    assert np.array_equal(trace.states["h"][3], trace.states["h"][4])


def test_an_antisymmetric_network_without_a_matrix_is_said_in_words() -> None:
    trace = small({"kind": "antisymmetric"}, initializer={"kind": "identity"})
    assert "A is exactly 0" in derivation(trace, 4)[0].explain


def test_held_gates_do_not_break_a_derivation() -> None:
    for cell, hold in (({"kind": "mgu"}, "forget=0.3"), ({"kind": "clockwork"}, "active=1")):
        for t in (1, 12):
            assert derivation(small(cell, hold=hold), t)
