"""The derivation for the LSTM: a lane through the cell and a path through the gates."""

from __future__ import annotations

import math

import numpy as np

from explorer.lessons.equation_step import EquationStep
from explorer.lessons.live import Live
from explorer.lessons.magnitudes import aligned, grad_latex, norm_is, number_latex, size_latex
from explorer.lessons.recursion import arrival, factor_latex, fresh_latex, product, zero_sentence

_SLOTS = {"input": "i", "forget": "f", "cell": "g", "output": "o"}
_LN10 = math.log(10)


def forward(live: Live) -> list[EquationStep]:
    """Gates and states."""
    t = live.t
    means = [
        rf"\overline{{{letter}_{{{t}}}}} = {number_latex(float(live.gate(gate).mean()))}"
        for gate, letter in _SLOTS.items()
    ]
    return [
        EquationStep(
            "Gates",
            aligned(
                r"i_t &= \sigma(a^i_t), \quad f_t = \sigma(a^f_t), \quad g_t = \tanh(a^g_t), "
                r"\quad o_t = \sigma(a^o_t)",
                r"a^k_t &= W_k x_t + b_{ih,k} + U_k h_{t-1} + b_{hh,k}",
            ),
            r", \quad ".join(means),
            "A bar is the mean over the units: a forget gate near 1 keeps the cell, one near 0 erases it.",
        ),
        EquationStep(
            "States",
            r"c_t = f_t \odot c_{t-1} + i_t \odot g_t, \qquad h_t = o_t \odot \tanh(c_t)",
            aligned(
                *(
                    norm_is(f"{name}_{{{t - 1}}}", live.state(name, t - 1), "&=")
                    + r", \quad "
                    + norm_is(f"{name}_{{{t}}}", live.state(name, t))
                    for name in ("c", "h")
                )
            ),
            "The cell c is changed by adding and only scaled by f, and this is what lets a gradient survive.",
        ),
    ]


def backward(live: Live) -> list[EquationStep]:
    """∂L/∂c total, the gates' adjoints, both lanes and both products."""
    return [
        _cell_gradient(live),
        _gates(live),
        _recursion(live),
        _lane(live),
        product(
            live,
            r"\frac{\partial (c_k, h_k)}{\partial (c_{k-1}, h_{k-1})}",
            (r"\begin{pmatrix} 0 & I \end{pmatrix}", r"\begin{pmatrix} 0 \\ I \end{pmatrix}"),
        ),
        _lane_product(live),
    ]


def _cell_gradient(live: Live) -> EquationStep:
    t, steps = live.t, live.trace.num_steps
    direct = live.times("c", t + 1, live.gate("forget", t + 1)) if t < steps else -math.inf
    through = live.times("h", t, live.partials.within["h", "c"][0, :, 0])
    total = grad_latex("c", t) + r"\big|_{\text{total}}"
    explain = "The figure draws the total gradient, which is what automatic differentiation returns for c."
    if live.gradient("c", t) == -math.inf:
        explain = f"The gradient of c at step {t} is exactly 0 and not merely small: {live.zero_reason(t)}."
    elif t == steps:
        explain = "At the last step nothing lies ahead, so the total, which the figure draws, came through h."
    return EquationStep(
        "Gradient of the cell: total = direct + through h",
        rf"{grad_latex('c', 't')}\Big|_{{\text{{total}}}} = "
        rf"\underbrace{{f_{{t+1}} \odot {grad_latex('c', 't+1')}}}_{{\text{{direct}}}} + "
        rf"\underbrace{{o_t \odot \bigl(1 - \tanh^2 c_t\bigr) \odot {grad_latex('h', 't')}}}_"
        r"{\text{through } h_t}",
        aligned(
            norm_is(r"\text{direct}", direct, "&="),
            norm_is(r"\text{through } h", through, "&="),
            norm_is(total, live.gradient("c", t), "&="),
        ),
        explain,
    )


def _gates(live: Live) -> EquationStep:
    t = live.t
    sizes = [norm_is(rf"\delta^{letter}_{{{t}}}", live.delta_size(slot)) for slot, letter in _SLOTS.items()]
    return EquationStep(
        "Through the gates",
        aligned(
            rf"\delta^i_t &= g_t \odot i_t \odot (1 - i_t) \odot {grad_latex('c', 't')}, \quad"
            rf" \delta^f_t = c_{{t-1}} \odot f_t \odot (1 - f_t) \odot {grad_latex('c', 't')}",
            rf"\delta^g_t &= i_t \odot (1 - g_t^2) \odot {grad_latex('c', 't')}, \quad"
            rf" \delta^o_t = \tanh(c_t) \odot o_t \odot (1 - o_t) \odot {grad_latex('h', 't')}",
        ),
        aligned("&" + r", \quad ".join(sizes[:2]), "&" + r", \quad ".join(sizes[2:])),
        "The slope of a gate, such as f(1 − f), is at most 1/4 and small for a gate that is open or shut.",
    )


def _recursion(live: Live) -> EquationStep:
    t = live.t
    lanes = [
        norm_is(rf"U_{letter}^\top \delta^{letter}_{{{t}}}", live.lane(slot))
        for slot, letter in _SLOTS.items()
    ]
    pulled, here = live.lane(*_SLOTS), live.gradient("h", t)
    return EquationStep(
        "One step back through h",
        rf"{grad_latex('h', 't-1')} = \sum_{{k \in \{{i, f, g, o\}}}} U_k^\top \delta^k_t"
        + fresh_latex(live),
        aligned(
            norm_is(grad_latex("h", t), here, "&="),
            rf"{lanes[0]} &, \quad {lanes[1]}",
            rf"{lanes[2]} &, \quad {lanes[3]}",
            arrival(live, rf"\textstyle\sum_k U_k^\top \delta^k_{{{t}}}", pulled, here),
        ),
        zero_sentence(live)
        or f"Four matrices carry the gradient to the previous h; sample {live.sample} is shown.",
    )


def _lane(live: Live) -> EquationStep:
    t, gate = live.t, live.gate("forget")
    here, kept = live.gradient("c", t), live.times("c", t, gate)
    bounds = (number_latex(float(f)) for f in (gate.min(), gate.mean(), gate.max()))
    return EquationStep(
        "One step back along the cell",
        rf"{grad_latex('c', 't-1')}\Big|_{{\text{{direct}}}} = f_t \odot {grad_latex('c', 't')}",
        aligned(
            norm_is(grad_latex("c", t), here, "&="),
            norm_is(rf"f_{{{t}}} \odot {grad_latex('c', t)}", kept, "&=") + factor_latex(kept, here),
            rf"f_{{{t}}} &:\; " + r" \;/\; ".join(bounds) + r"\quad\text{(least / mean / most)}",
        ),
        "No matrix and no squashing slope stands on this lane: the forget gate is the whole factor.",
    )


def _lane_product(live: Live) -> EquationStep:
    t, last = live.t, live.last
    if t >= last:
        numbers = r"\text{no factor yet: } 1"
    else:
        kept = -np.logaddexp(0, -live.slot_values("forget", t, last)).sum(axis=0) / _LN10
        numbers = aligned(
            rf"\prod_{{k={t + 1}}}^{{{last}}} f_k &:\; {size_latex(float(np.median(kept)))}"
            rf"\text{{ (middle unit)}}, \; {size_latex(float(kept.max()))}\text{{ (best unit)}}",
            rf"\text{{mean factor}} &= {size_latex(float(kept.mean()) / (last - t))}",
        )
    name = "T" if last == live.trace.num_steps else str(last)
    return EquationStep(
        "All steps back along the cell",
        rf"\frac{{\partial c_{{{name}}}}}{{\partial c_t}}\Big|_{{\text{{direct}}}} ="
        rf" \operatorname{{diag}}\Bigl(\prod_{{k=t+1}}^{{{name}}} f_k\Bigr)",
        numbers,
        "This is the whole Jacobian only if the path through h is cut, that is for U = 0.",
    )
