"""The derivation for the vanilla cell: one slope and one matrix per step."""

from __future__ import annotations

import numpy as np

from explorer.cells.rnn import RNN
from explorer.lessons.equation_step import EquationStep
from explorer.lessons.live import Live, log10_mean
from explorer.lessons.magnitudes import aligned, grad_latex, log10_norm, norm_is, size_latex
from explorer.lessons.recursion import arrival, factor_latex, fresh_latex, product, zero_sentence

_FUNCTION = {"tanh": r"\tanh(a_t)", "relu": r"\max(0,\, a_t)", "linear": "a_t"}
_SLOPE = {
    "tanh": r"\varphi'(a) = 1 - \tanh^2(a)",
    "relu": r"\varphi'(a) = 1 \text{ for } a > 0, \text{ else } 0",
    "linear": r"\varphi'(a) = 1",
}


def _kind(live: Live) -> str:
    cell = live.trace.experiment.cell
    assert isinstance(cell, RNN)
    return cell.activation


def forward(live: Live) -> list[EquationStep]:
    """a_t, h_t and the slopes."""
    t, kind = live.t, _kind(live)
    x = log10_norm(live.trace.inputs[t - 1, live.sample])
    slope = live.partials.slots[0][2][0, 0, :, 0]
    power = 0 if live.partials.exponent is None else int(live.partials.exponent[0, 0, 0])
    largest = log10_mean(np.array([slope.max()]), power)
    numbers = aligned(
        norm_is(f"x_{{{t}}}", x, "&=") + r", \quad " + norm_is(f"h_{{{t - 1}}}", live.state("h", t - 1)),
        norm_is(f"a_{{{t}}}", live.slot("hidden"), "&=")
        + r", \quad "
        + norm_is(f"h_{{{t}}}", live.state("h", t)),
        rf"\text{{slope }} \varphi'(a_{{{t}}}) &: \text{{ mean }} {size_latex(log10_mean(slope, power))},"
        rf" \text{{ largest }} {size_latex(largest)}",
    )
    explain = {
        "tanh": "The slope is 1 only at a = 0 and falls towards 0 as a unit saturates.",
        "relu": f"The slope is 1 for the {int((slope > 0).sum())} of {len(slope)} units that are on "
        "and 0 for those that are off.",
        "linear": "Every slope is 1, so the matrix alone decides what happens to the gradient.",
    }[kind]
    return [
        EquationStep(
            "Forward step",
            aligned(
                r"a_t &= W x_t + b_{ih} + U h_{t-1} + b_{hh}",
                rf"h_t &= \varphi(a_t) = {_FUNCTION[kind]}, \qquad {_SLOPE[kind]}",
            ),
            numbers,
            explain,
        )
    ]


def backward(live: Live) -> list[EquationStep]:
    """The recursion and the product form."""
    return [_recursion(live), product(live, r"\operatorname{diag}(\varphi'(a_k))\, U")]


def _recursion(live: Live) -> EquationStep:
    t = live.t
    here, delta, pulled = live.gradient("h", t), live.delta_size(), live.lane("hidden")
    usual = (
        f"Each step back multiplies by the slopes and then by U transposed; sample {live.sample} is shown."
    )
    symbol = rf"U^\top \delta_{{{t}}}"
    return EquationStep(
        "One step back",
        aligned(
            rf"\delta_t &= \frac{{\partial L}}{{\partial a_t}} = \operatorname{{diag}}(\varphi'(a_t))\, "
            rf"{grad_latex('h', 't')}",
            rf"{grad_latex('h', 't-1')} &= U^\top \delta_t{fresh_latex(live)} = "
            rf"U^\top \operatorname{{diag}}(\varphi'(a_t))\, {grad_latex('h', 't')}{fresh_latex(live)}",
        ),
        aligned(
            norm_is(grad_latex("h", t), here, "&="),
            norm_is(rf"\delta_{{{t}}}", delta, "&=") + factor_latex(delta, here),
            arrival(live, symbol, pulled, delta),
        ),
        zero_sentence(live) or usual,
    )
