"""The two directions of the backward pass at one step, term by term, with live numbers."""

from __future__ import annotations

import numpy as np

from explorer.cells.cell import INPUT
from explorer.lessons.equation_step import EquationStep
from explorer.lessons.live import Live
from explorer.lessons.magnitudes import aligned, grad_latex, log10_norm, norm_is
from explorer.lessons.recursion import fresh_latex, zero_sentence
from explorer.trace import Trace

_LETTERS = {
    "input": "i",
    "forget": "f",
    "cell": "g",
    "output": "o",
    "reset": "r",
    "update": "z",
    "new_input": "n",
    "new_hidden": "n",
    "hidden": "h",
}
_A_ROW = 2  # terms on one line


def directions(trace: Trace, t: int, sample: int = 0) -> list[EquationStep]:
    """What leaves step t on the way back: to h one step earlier, and to the input x of this step.

    Args:
        trace: a run.
        t: the step, 1 … T.
        sample: which sequence of the batch; norms are over its units or inputs.

    Raises:
        ValueError: t or sample lies outside the run; the message says what is allowed.
    """
    live = Live(trace, t, sample)
    return [_along(live), _below(live)]


def _along(live: Live) -> EquationStep:
    """∂L/∂h_{t-1}, the sum of all lanes."""
    t = live.t
    named = {
        "keep": rf"d_{{{t}}} \odot {grad_latex('h', t)}",
        "message": r"\text{through the message}",
    }
    terms = [norm_is(named.get(lane) or _term("U", lane, t), live.lane(lane)) for lane in live.lanes]
    direct = r" + d_t \odot " + grad_latex("h", "t") if "keep" in live.lanes else ""
    return EquationStep(
        "Along time, to the state one step earlier",
        rf"{grad_latex('h', 't-1')} = \sum_k U_k^\top \delta^k_t" + direct + fresh_latex(live),
        _lines(terms, grad_latex("h", t - 1), live.gradient("h", t - 1)),
        zero_sentence(live)
        or "Repeated over many steps this direction multiplies by the same matrices again and again.",
    )


def _below(live: Live) -> EquationStep:
    """∂L/∂x_t, the sum over the slots that read the input."""
    system, t = live.trace.system, live.t
    size, width = system.hidden_size, live.trace.inputs.shape[2]
    parts = {}
    for k, slot in enumerate(live.trace.experiment.cell.wiring()):
        if INPUT in slot.reads:
            rows = system.matrix[k * size : (k + 1) * size, size : size + width]
            parts[slot.name] = rows.T @ live.delta[k]
    terms = [norm_is(_term("W", name, t), log10_norm(part, live.exponent)) for name, part in parts.items()]
    total = log10_norm(np.sum(list(parts.values()), axis=0), live.exponent)
    explain = "This direction is taken once for each layer, so it vanishes with depth and not with time."
    if total == -np.inf:
        explain = (
            f"The gradient of the input at step {t} is exactly 0: no open path leads from it to the loss."
        )
    return EquationStep(
        "Down, to the layer below",
        rf"{grad_latex('x', 't')} = \sum_k W_k^\top \delta^k_t",
        _lines(terms, grad_latex("x", t), total),
        explain,
    )


def _term(matrix: str, slot: str, t: int) -> str:
    letter = _LETTERS.get(slot, rf"\text{{{slot.replace('_', ' ')}}}")
    return rf"{matrix}_{{{letter}}}^\top \delta^{{{letter}}}_{{{t}}}"


def _lines(terms: list[str], total: str, size: float) -> str:
    """A few terms side by side on each line, and under them what they add up to."""
    rows = [r", \quad ".join(terms[k : k + _A_ROW]) for k in range(0, len(terms), _A_ROW)]
    return aligned(*(f"& {row}" for row in rows), f"& {norm_is(total, size)}")
