"""The derivation for cells with one matrix and a direct path beside it: residual, leaky, clockwork."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from explorer.activations import ACTIVATIONS
from explorer.cells.clockwork import Clockwork
from explorer.lessons.equation_step import EquationStep
from explorer.lessons.live import Live, log10_mean
from explorer.lessons.magnitudes import aligned, grad_latex, log10_norm, norm_is, number_latex, size_latex
from explorer.lessons.recursion import arrival, factor_latex, fresh_latex, product, zero_sentence


@dataclass(frozen=True)
class Form:
    """How one cell writes h_t = kept · h_{t-1} + something of a_t; formulas in LaTeX.

    Attributes:
        step: the right-hand side of h_t, with ``{phi}`` for φ(a_t).
        pushed: ∂h_t/∂a_t; kept: what multiplies ∂L/∂h_t on the direct path, with the sign for it; "" for 1.
        matrix: the name of the recurrent matrix; inner: what φ is taken of.
        settings: the numbers of this run, one sentence about them.
    """

    step: str
    pushed: str
    kept: str
    jacobian: str
    settings: Callable[[Live], tuple[str, str]]
    matrix: str = "U"
    inner: str = "a_t"


def _setting(live: Live, name: str) -> float:
    return float(getattr(live.trace.experiment.cell, name))


def _residual(live: Live) -> tuple[str, str]:
    step_size = _setting(live, "step_size")
    return (
        rf"\varepsilon = {number_latex(step_size)}",
        "The old state is handed on whole, and the matrix only adds to it.",
    )


def _antisymmetric(live: Live) -> tuple[str, str]:
    numbers = (
        rf"\varepsilon = {number_latex(_setting(live, 'step_size'))}, \quad "
        rf"\gamma = {number_latex(_setting(live, 'diffusion'))}"
    )
    if not live.trace.weights["weight_hh"].any():
        return numbers, "A is exactly 0 here, because a symmetric matrix minus its transpose leaves nothing."
    return (
        numbers,
        "A h is perpendicular to h whatever h is, so a small step turns a state and hardly lengthens it.",
    )


def _echo(live: Live) -> tuple[str, str]:
    leak_rate = _setting(live, "leak_rate")
    return (
        rf"\alpha = {number_latex(leak_rate)}",
        "In an echo-state network this gradient is never used, because U stays as it was drawn.",
    )


def _clockwork(live: Live) -> tuple[str, str]:
    cell = live.trace.experiment.cell
    assert isinstance(cell, Clockwork)
    due = live.gate("active")
    modules = cell.modules(len(due))
    periods = [str(p) for p, part in modules.items() if part.start < part.stop and due[part].any()]
    which = "module of period {} is" if len(periods) == 1 else "modules of period {} are"
    said = (
        f"At step {live.t} the {which.format(', '.join(periods))} updated and all other units stay."
        if periods
        else f"At step {live.t} no module is due, so that every state and its gradient stay as they are."
    )
    return rf"\overline{{m_{{{live.t}}}}} = {number_latex(float(due.mean()))}", said


FORMS: dict[str, Form] = {
    "residual": Form(
        r"h_{t-1} + \varepsilon\, {phi}",
        r"\varepsilon\, \varphi'(a_t)",
        "",
        r"I + \varepsilon \operatorname{diag}(\varphi'(a_k))\, U",
        _residual,
    ),
    "antisymmetric": Form(
        r"h_{t-1} + \varepsilon\, {phi}",
        r"\varepsilon\, \varphi'(a_t - \gamma h_{t-1})",
        r"(1 - \gamma \varepsilon \varphi'(a_t - \gamma h_{t-1})) \odot",
        r"I + \varepsilon \operatorname{diag}(\varphi'(a_k - \gamma h_{k-1}))\, (A - \gamma I)",
        _antisymmetric,
        matrix="A",
        inner=r"a_t - \gamma h_{t-1}",
    ),
    "echo": Form(
        r"(1 - \alpha)\, h_{t-1} + \alpha\, {phi}",
        r"\alpha\, \varphi'(a_t)",
        r"(1 - \alpha)\,",
        r"(1 - \alpha)\, I + \alpha \operatorname{diag}(\varphi'(a_k))\, U",
        _echo,
    ),
    "clockwork": Form(
        r"m_t \odot {phi} + (1 - m_t) \odot h_{t-1}",
        r"m_t \odot \varphi'(a_t)",
        r"(1 - m_t) \odot",
        r"\operatorname{diag}(1 - m_k) + \operatorname{diag}(m_k \odot \varphi'(a_k))\, U",
        _clockwork,
    ),
}


def _form(live: Live) -> Form:
    return FORMS[live.trace.experiment.cell.kind]


def forward(live: Live) -> list[EquationStep]:
    """a_t, h_t and what a change of a_t does to h_t."""
    t, form, cell = live.t, _form(live), live.trace.experiment.cell
    function = ACTIVATIONS[getattr(cell, "activation", "tanh")]
    phi = function.latex.format(a=form.inner)
    x = log10_norm(live.trace.inputs[t - 1, live.sample])
    slope = live.partials.slots[0][2][0, 0, :, 0]
    settings, explain = form.settings(live)
    slope_latex = function.slope_latex.format(a="a", y=r"\varphi(a)")
    named = form.pushed.replace("_t", f"_{{{t}}}").replace("_{t-1}", f"_{{{t - 1}}}")
    return [
        EquationStep(
            "Forward step",
            aligned(
                rf"a_t &= W x_t + b_{{ih}} + {form.matrix} h_{{t-1}} + b_{{hh}}"
                + (r", \qquad A = M - M^\top" if form.matrix == "A" else ""),
                f"h_t &= {form.step.replace('{phi}', phi)}",
                rf"\varphi'(a) &= {slope_latex}",
            ),
            aligned(
                norm_is(f"x_{{{t}}}", x, "&=")
                + r", \quad "
                + norm_is(f"h_{{{t - 1}}}", live.state("h", t - 1)),
                norm_is(f"a_{{{t}}}", live.slot("hidden"), "&=")
                + r", \quad "
                + norm_is(f"h_{{{t}}}", live.state("h", t)),
                rf"{named} &: \text{{ mean }} {size_latex(log10_mean(slope))},"
                rf" \text{{ largest }} {size_latex(log10_mean(np.array([slope.max()])))}, \quad {settings}",
            ),
            explain,
        )
    ]


def backward(live: Live) -> list[EquationStep]:
    """The recursion with its two paths, and the product form."""
    t, form, gradient = live.t, _form(live), grad_latex("h", "t")
    here, matrix = live.gradient("h", t), form.matrix
    direct = f"{form.kept} {gradient}"
    here_latex = grad_latex("h", t)
    usual = f"One path goes round the matrix and one goes through it; sample {live.sample} is shown."
    recursion = EquationStep(
        "One step back",
        aligned(
            rf"\delta_t &= {form.pushed} \odot {gradient}",
            rf"{grad_latex('h', 't-1')} &= {direct} + {matrix}^\top \delta_t{fresh_latex(live)}",
        ),
        aligned(
            norm_is(here_latex, here, "&="),
            norm_is(rf"\text{{direct}}_{{{t}}}", live.lane("keep"), "&=")
            + factor_latex(live.lane("keep"), here),
            norm_is(rf"{matrix}^\top \delta_{{{t}}}", live.lane("hidden"), "&=")
            + factor_latex(live.lane("hidden"), here),
            arrival(live, rf"\text{{direct}} + {matrix}^\top \delta", live.lane("keep", "hidden"), here),
        ),
        zero_sentence(live) or usual,
    )
    return [recursion, product(live, form.jacobian)]
