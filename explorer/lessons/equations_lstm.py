"""The derivation for the LSTM and its siblings: a lane through the cell and a path through the gates."""

from __future__ import annotations

import math

import numpy as np

from explorer.cells.long_memory import LongMemory
from explorer.lessons.equation_step import EquationStep
from explorer.lessons.live import Live
from explorer.lessons.magnitudes import aligned, grad_latex, norm_is, number_latex, size_latex
from explorer.lessons.memory_symbols import LETTERS, Symbols
from explorer.lessons.recursion import arrival, factor_latex, fresh_latex, product, zero_sentence

_COUNTS = {3: "Three", 4: "Four"}


def _symbols(live: Live) -> Symbols:
    cell = live.trace.experiment.cell
    assert isinstance(cell, LongMemory)
    return Symbols(cell)


def forward(live: Live) -> list[EquationStep]:
    """Gates and states."""
    t, symbols = live.t, _symbols(live)
    means = [
        rf"\overline{{{letter}_{{{t}}}}} = {number_latex(float(live.gate(gate).mean()))}"
        for gate, letter in LETTERS.items()
    ]
    held = live.trace.experiment.hold
    bar = "A bar is the mean over the units: a forget gate near 1 keeps the cell, one near 0 erases it"
    gates = [symbols.gate(name).replace("=", "&=", 1) for name in LETTERS]
    return [
        EquationStep(
            "Gates",
            aligned(
                *(rf"{one}, \quad {other.replace('&', '')}" for one, other in (gates[:2], gates[2:])),
                r"a^k_t &= W_k x_t + b_{ih,k} + U_k h_{t-1} + b_{hh,k}",
            ),
            r", \quad ".join(means),
            f"{bar}; held gates ({held}) are constants and pass no gradient on." if held else f"{bar}.",
        ),
        EquationStep(
            "States",
            rf"c_t = f_t \odot c_{{t-1}} + i_t \odot g_t, \qquad h_t = o_t \odot {symbols.shown()}",
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
    t, steps, symbols = live.t, live.trace.num_steps, _symbols(live)
    direct = live.times("c", t + 1, live.kept("c", t, t + 1)[0]) if t < steps else -math.inf
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
        rf"\underbrace{{{symbols.direct}_{{t+1}} \odot {grad_latex('c', 't+1')}}}_{{\text{{direct}}}} + "
        rf"\underbrace{{{symbols.through_h()} \odot {grad_latex('h', 't')}}}_{{\text{{through }} h_t}}",
        aligned(
            norm_is(r"\text{direct}", direct, "&="),
            norm_is(r"\text{through } h", through, "&="),
            norm_is(total, live.gradient("c", t), "&="),
        ),
        explain,
    )


def _gates(live: Live) -> EquationStep:
    t, symbols = live.t, _symbols(live)
    sizes = [
        norm_is(rf"\delta^{letter}_{{{t}}}", live.delta_size(slot)) for slot, letter in symbols.slots.items()
    ]
    formulas = [
        rf"\delta^{letter}_t &= {symbols.written(name)}{symbols.slope(name)} \odot "
        + grad_latex("h" if name == "output" else "c", "t")
        for name, letter in symbols.slots.items()
    ]
    explain = (
        "The slope of a gate, such as f(1 − f), is at most 1/4 and small for a gate that is open or shut."
    )
    if not symbols.standard_gates:
        explain = f"Each slope is that of the gate's own activation: {symbols.functions_text()}."
    return EquationStep(
        "Through the gates",
        aligned(*formulas),
        aligned("&" + r", \quad ".join(sizes[:2]), "&" + r", \quad ".join(sizes[2:])),
        explain,
    )


def _recursion(live: Live) -> EquationStep:
    t, symbols = live.t, _symbols(live)
    lanes = [
        norm_is(rf"U_{letter}^\top \delta^{letter}_{{{t}}}", live.lane(slot))
        for slot, letter in symbols.slots.items()
    ]
    pulled, here = live.lane(*symbols.slots), live.gradient("h", t)
    letters = ", ".join(symbols.slots.values())
    return EquationStep(
        "One step back through h",
        rf"{grad_latex('h', 't-1')} = \sum_{{k \in \{{{letters}\}}}} U_k^\top \delta^k_t" + fresh_latex(live),
        aligned(
            norm_is(grad_latex("h", t), here, "&="),
            r" &, \quad ".join(lanes[:2]),
            r" &, \quad ".join(lanes[2:]),
            arrival(live, rf"\textstyle\sum_k U_k^\top \delta^k_{{{t}}}", pulled, here),
        ),
        zero_sentence(live)
        or f"{_COUNTS[len(lanes)]} matrices carry the gradient to the previous h; "
        f"sample {live.sample} is shown.",
    )


def _lane(live: Live) -> EquationStep:
    t, symbols = live.t, _symbols(live)
    factor, name = live.kept("c", t - 1, t)[0], symbols.direct
    here, kept = live.gradient("c", t), live.times("c", t, factor)
    bounds = (number_latex(float(f)) for f in (factor.min(), factor.mean(), factor.max()))
    formula = rf"{grad_latex('c', 't-1')}\Big|_{{\text{{direct}}}} = {name}_t \odot {grad_latex('c', 't')}"
    if symbols.peepholes:
        formula = aligned(formula.replace("=", "&=", 1), symbols.direct_equation().replace("=", "&=", 1))
    return EquationStep(
        "One step back along the cell",
        formula,
        aligned(
            norm_is(grad_latex("c", t), here, "&="),
            norm_is(rf"{name}_{{{t}}} \odot {grad_latex('c', t)}", kept, "&=") + factor_latex(kept, here),
            rf"{name}_{{{t}}} &:\; " + r" \;/\; ".join(bounds) + r"\quad\text{(least / mean / most)}",
        ),
        "No matrix stands on this lane, but through the peepholes its factor is more than the forget gate."
        if symbols.peepholes
        else "No matrix and no squashing slope stands on this lane: the forget gate is the whole factor.",
    )


def _lane_product(live: Live) -> EquationStep:
    t, last, letter = live.t, live.last, _symbols(live).direct
    if t >= last:
        numbers = r"\text{no factor yet: } 1"
    else:
        factors = live.kept("c", t, last)
        with np.errstate(divide="ignore"):
            kept = np.log10(np.abs(factors.astype(np.float64))).sum(axis=0)
        chain = rf"\prod_{{k={t + 1}}}^{{{last}}} {letter}_k"
        chain = rf"\Bigl|{chain}\Bigr|" if (factors < 0).any() else chain
        numbers = aligned(
            rf"{chain} &:\; {size_latex(float(np.median(kept)))}"
            rf"\text{{ (middle unit)}}, \; {size_latex(float(kept.max()))}\text{{ (best unit)}}",
            rf"\text{{mean factor}} &= {size_latex(float(kept.mean()) / (last - t))}",
        )
    name = "T" if last == live.trace.num_steps else str(last)
    return EquationStep(
        "All steps back along the cell",
        rf"\frac{{\partial c_{{{name}}}}}{{\partial c_t}}\Big|_{{\text{{direct}}}} ="
        rf" \operatorname{{diag}}\Bigl(\prod_{{k=t+1}}^{{{name}}} {letter}_k\Bigr)",
        numbers,
        "This is the whole Jacobian only if the path through h is cut, that is for U = 0.",
    )
