"""What the derivations of all cells share: the end of a recursion, and the product over many steps."""

from __future__ import annotations

import math

import numpy as np

from explorer.lessons.equation_step import EquationStep
from explorer.lessons.live import Live
from explorer.lessons.magnitudes import grad_latex, norm_is, norm_latex, number_latex, size_latex


def zero_sentence(live: Live) -> str:
    """Says that a gradient of this step is exactly 0 and why; empty when none is."""
    t = live.t
    if live.gradient("h", t - 1) == -math.inf:
        return f"The gradient at step {t - 1} is exactly 0 and not merely small: {live.zero_reason(t - 1)}."
    if live.gradient("h", t) == -math.inf:
        return f"The gradient at step {t} is exactly 0 and not merely small: {live.zero_reason(t)}."
    return ""


def factor_latex(after: float, before: float) -> str:
    """By which factor a size changed, in brackets; empty where there is none."""
    if not (math.isfinite(after) and math.isfinite(before)):
        return ""
    return rf"\quad (\times\, {size_latex(after - before)})"


def fresh_latex(live: Live) -> str:
    """The gradient that the loss adds at step t − 1, in symbols; empty when it reads no earlier step."""
    return r" + w_{t-1}\, v" if live.trace.loss_weights[: live.trace.num_steps].any() else ""


def arrival(live: Live, lanes: str, size: float, before: float) -> str:
    """The line that ends a recursion: what came through the lanes, and what the loss adds at step t − 1.

    Args:
        live: the step.
        lanes: the sum of all lanes in symbols.
        size: its size.
        before: the size that it is compared with.
    """
    name, weight = norm_latex(grad_latex("h", live.t - 1)), float(live.trace.loss_weights[live.t - 1])
    factor = factor_latex(size, before)
    if weight == 0:
        return f"{name} = {norm_is(lanes, size, '&=')}{factor}"
    fresh = norm_latex(rf"{lanes} + {number_latex(weight)}\, v")
    total = size_latex(live.gradient("h", live.t - 1))
    return norm_is(lanes, size, "&=") + factor + rf" \\ {name} = {fresh} &= {total}"


def product(live: Live, factor: str, ends: tuple[str, str] | None = None) -> EquationStep:
    """∂h_s/∂h_t as a product of the Jacobians J_k between, s being the last step that the loss reads.

    Args:
        live: the step.
        factor: J_k in symbols.
        ends: what stands before and after the product when J_k is larger than ∂h_k/∂h_{k-1}.
    """
    t, last = live.t, live.last
    name = "T" if last == live.trace.num_steps else "s"
    chain = rf"J_{{{name}}}\, J_{{{name}-1}} \cdots J_{{t+1}}"
    if ends:
        chain = rf"{ends[0]}\, {chain}\, {ends[1]}"
    latex = rf"\frac{{\partial h_{{{name}}}}}{{\partial h_t}} = {chain}, \qquad J_k = {factor}"
    if name == "s":
        latex += rf", \qquad s = {last}"
    end = live.gradient("h", t)
    applied = norm_latex(rf"\left(\tfrac{{\partial h_{{{last}}}}}{{\partial h_{{{t}}}}}\right)^{{\!\top}} v")
    if t > last:
        numbers, explain = r"0", f"The product is not needed here, because {live.zero_reason(t)}."
    elif t == last:
        numbers = r"\text{no factor yet: } I"
        explain = "At the step where the loss reads the state the product is empty and equals the identity."
    elif (count := int(np.count_nonzero(live.trace.loss_weights[t:]))) > 1:
        terms = rf"\textstyle\sum_{{k={t}}}^{{{last}}} \left(\partial h_k / \partial h_{{{t}}}\right)^\top v"
        numbers = f"{norm_latex(grad_latex('h', t))} = " + norm_is(terms, end)
        explain = (
            f"The gradient at step {t} is a sum of {count} such products, one for each loss from there on."
        )
    elif end == -math.inf:
        numbers = rf"{applied} = 0"
        explain = f"The product is exactly 0 and not merely small: {live.zero_reason(t)}."
    else:
        steps = last - t
        start = live.gradient("h", last)
        unit = "" if abs(start) < 1e-9 else norm_latex("v")
        mean = size_latex((end - start) / steps)
        numbers = rf"{applied} = {size_latex(end)} \approx {unit}\left({mean}\right)^{{{steps}}}"
        explain = (
            f"The same kind of factor acts {steps} times, so a mean factor other than 1 acts exponentially."
        )
    return EquationStep("All steps back: a product of Jacobians", latex, numbers, explain)
