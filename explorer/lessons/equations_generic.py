"""The derivation for a cell without formulas of its own: its docstring's, and one step back by lanes."""

from __future__ import annotations

import inspect
import re

from explorer.lessons.equation_step import EquationStep
from explorer.lessons.live import Live
from explorer.lessons.magnitudes import aligned, grad_latex, norm_is
from explorer.lessons.recursion import arrival, fresh_latex, product, zero_sentence


def docstring_latex(documented: type) -> str:
    """The first ``.. math::`` block of a class docstring; empty when there is none."""
    text = inspect.getdoc(documented) or ""
    found = re.search(r"^\.\. math::\n((?:[ \t]+.*\n?|\n)+)", text, re.MULTILINE)
    body = " ".join(line.strip() for line in found[1].splitlines()).strip() if found else ""
    return rf"\begin{{aligned}} {body} \end{{aligned}}" if body else ""


def forward(live: Live) -> list[EquationStep]:
    """The cell's equations with the size of every state before and after the step."""
    t, states = live.t, live.trace.experiment.cell.states
    sizes = [
        norm_is(f"{name}_{{{t - 1}}}", live.state(name, t - 1), "&=")
        + r", \quad "
        + norm_is(f"{name}_{{{t}}}", live.state(name, t))
        for name in states
    ]
    return [
        EquationStep(
            "Forward step",
            docstring_latex(type(live.trace.experiment.cell)) or r"s_t = F(s_{t-1}, x_t)",
            aligned(*sizes),
            "The equations of the cell as its documentation gives them, with the size of every state.",
        )
    ]


def backward(live: Live) -> list[EquationStep]:
    """∂L/∂h_{t-1} as a sum over the slots and the direct path, and the product form."""
    t, lanes = live.t, list(live.lanes)
    sizes = [norm_is(rf"\text{{{name.replace('_', ' ')}}}", live.lane(name), "&=") for name in lanes]
    recursion = EquationStep(
        "One step back",
        rf"{grad_latex('h', 't-1')} = \sum_k U_k^\top \delta_t^k"
        + (r" + \text{direct}" if "keep" in lanes else "")
        + fresh_latex(live),
        aligned(
            norm_is(grad_latex("h", t), live.gradient("h", t), "&="),
            *sizes,
            arrival(live, r"\textstyle\sum", live.lane(*lanes), live.gradient("h", t)),
        ),
        zero_sentence(live)
        or f"Each slot sends its δ through its own matrix; sample {live.sample} is shown.",
    )
    return [recursion, product(live, r"\frac{\partial s_k}{\partial s_{k-1}}")]
