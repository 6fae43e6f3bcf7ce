"""The derivation for the GRU in both conventions of z and of the reset gate."""

from __future__ import annotations

import math

import numpy as np

from explorer.cells.gru import GRU
from explorer.lessons.equation_step import EquationStep
from explorer.lessons.live import Live
from explorer.lessons.magnitudes import aligned, grad_latex, log10_norm, norm_is, number_latex, size_latex
from explorer.lessons.recursion import arrival, factor_latex, fresh_latex, product, zero_sentence


def _cell(live: Live) -> GRU:
    cell = live.trace.experiment.cell
    assert isinstance(cell, GRU)
    return cell


def _keep(live: Live) -> tuple[str, str]:
    """The factors of the old state and of the candidate."""
    return ("z_t", "(1 - z_t)") if _cell(live).update == "keeps" else ("(1 - z_t)", "z_t")


def forward(live: Live) -> list[EquationStep]:
    """Gates, candidate, state."""
    t, after = live.t, _cell(live).reset == "after"
    keep, fresh = _keep(live)
    inner = r"r_t \odot (U_n h_{t-1} + b_{hn})" if after else r"U_n (r_t \odot h_{t-1}) + b_{hn}"
    mean = {
        letter: rf"\overline{{{letter}_{{{t}}}}} = {number_latex(float(live.gate(gate).mean()))}"
        for gate, letter in (("reset", "r"), ("update", "z"), ("new", "n"))
    }
    return [
        EquationStep(
            "Gates",
            r"r_t = \sigma(a^r_t), \quad z_t = \sigma(a^z_t), \qquad"
            r" a^k_t = W_k x_t + b_{ih,k} + U_k h_{t-1} + b_{hh,k}",
            rf"{mean['r']}, \quad {mean['z']}",
            "A bar is the mean over the hidden units.",
        ),
        EquationStep(
            "Candidate",
            rf"n_t = \tanh(W_n x_t + b_{{in}} + {inner})",
            rf"{mean['n']}, \quad " + norm_is(f"n_{{{t}}}", log10_norm(live.gate("new"))),
            "Drawn here is r after the matrix (PyTorch); the original paper has it before the matrix."
            if after
            else "Drawn here is r before the matrix (original paper); PyTorch applies it after the matrix.",
        ),
        EquationStep(
            "State",
            rf"h_t = {fresh} \odot n_t + {keep} \odot h_{{t-1}}",
            norm_is(f"h_{{{t - 1}}}", live.state("h", t - 1))
            + r", \quad "
            + norm_is(f"h_{{{t}}}", live.state("h", t)),
            "Drawn here is z keeping the old state (PyTorch); in many texts 1 − z keeps it."
            if keep == "z_t"
            else "Drawn here is 1 − z keeping the old state (many texts); in PyTorch z keeps it.",
        ),
    ]


def backward(live: Live) -> list[EquationStep]:
    """Adjoints of the gates, the recursion with its four lanes, the two products."""
    after = _cell(live).reset == "after"
    return [_gates(live, after), _recursion(live, after), product(live, _jacobian(live)), _keep_product(live)]


def _jacobian(live: Live) -> str:
    """J_k in symbols."""
    if _cell(live).update == "keeps":
        keep, fresh, difference = "z_k", "(1 - z_k)", "(h_{k-1} - n_k)"
    else:
        keep, fresh, difference = "1 - z_k", "z_k", "(n_k - h_{k-1})"
    if _cell(live).reset == "after":
        inner = r"D_{r_k} U_n + D_{(U_n h_{k-1} + b_{hn}) \odot r_k \odot (1 - r_k)} U_r"
    else:
        inner = r"U_n D_{r_k} + U_n D_{h_{k-1} \odot r_k \odot (1 - r_k)} U_r"
    return (
        rf"D_{{{keep}}} + D_{{{difference} \odot z_k \odot (1 - z_k)}} U_z"
        rf" + D_{{{fresh} \odot (1 - n_k^2)}} \bigl({inner}\bigr), \quad D_x = \operatorname{{diag}}(x)"
    )


def _gates(live: Live, after: bool) -> EquationStep:
    t, gradient = live.t, grad_latex("h", "t")
    _, fresh = _keep(live)
    difference = "(h_{t-1} - n_t)" if fresh != "z_t" else "(n_t - h_{t-1})"
    reset = r"\delta^n_t \odot (U_n h_{t-1} + b_{hn})" if after else r"(U_n^\top \delta^n_t) \odot h_{t-1}"
    sizes = [
        norm_is(rf"\delta^{letter}_{{{t}}}", live.delta_size(slot))
        for slot, letter in (("new_input", "n"), ("update", "z"), ("reset", "r"))
    ]
    return EquationStep(
        "Through the gates",
        aligned(
            rf"\delta^n_t &= {fresh} \odot (1 - n_t^2) \odot {gradient}",
            rf"\delta^z_t &= {difference} \odot z_t \odot (1 - z_t) \odot {gradient}",
            rf"\delta^r_t &= {reset} \odot r_t \odot (1 - r_t)",
        ),
        aligned("&" + r", \quad ".join(sizes[:2]), "&" + r", \quad ".join(sizes[2:])),
        "Where the old state is kept the candidate gets little gradient, because the two shares add up to 1.",
    )


def _recursion(live: Live, after: bool) -> EquationStep:
    t, here = live.t, live.gradient("h", live.t)
    keep, _ = _keep(live)
    candidate = r"U_n^\top (r_t \odot \delta^n_t)" if after else r"r_t \odot (U_n^\top \delta^n_t)"
    lanes = [
        (rf"{keep} \odot {grad_latex('h', 't')}", live.lane("keep")),
        (candidate, live.lane("new_hidden" if after else "message")),
        (r"U_z^\top \delta^z_t", live.lane("update")),
        (r"U_r^\top \delta^r_t", live.lane("reset")),
    ]
    numbers = [
        norm_is(symbol.replace("_t", f"_{{{t}}}").replace("_{t}", f"_{{{t}}}"), size, "&=")
        + (factor_latex(size, here) if k == 0 else "")
        for k, (symbol, size) in enumerate(lanes)
    ]
    total = live.lane(*live.lanes)
    return EquationStep(
        "One step back",
        rf"{grad_latex('h', 't-1')} = " + " + ".join(symbol for symbol, _ in lanes) + fresh_latex(live),
        aligned(
            norm_is(grad_latex("h", t), here, "&="),
            *numbers,
            arrival(live, r"\text{sum}", total, here),
        ),
        zero_sentence(live)
        or f"The first path has no matrix on it and is the GRU's shortcut; sample {live.sample} is shown.",
    )


def _keep_product(live: Live) -> EquationStep:
    t, last = live.t, live.last
    keep = _keep(live)[0].replace("_t", "_k")
    if t >= last:
        numbers = r"\text{no factor yet: } 1"
    else:
        slots = live.slot_values("update", t, last)
        signed = slots if keep == "z_k" else -slots
        kept = -np.logaddexp(0, -signed).sum(axis=0) / math.log(10)
        numbers = aligned(
            rf"\prod_{{k={t + 1}}}^{{{last}}} {keep} &:\; {size_latex(float(np.median(kept)))}"
            rf"\text{{ (middle unit)}}, \; {size_latex(float(kept.max()))}\text{{ (best unit)}}",
            rf"\text{{mean factor}} &= {size_latex(float(kept.mean()) / (last - t))}",
        )
    name = "T" if last == live.trace.num_steps else str(last)
    return EquationStep(
        "All steps back along the kept state",
        rf"\frac{{\partial h_{{{name}}}}}{{\partial h_t}}\Big|_{{\text{{kept}}}} ="
        rf" \operatorname{{diag}}\Bigl(\prod_{{k=t+1}}^{{{name}}} {keep}\Bigr)",
        numbers,
        "This is the kept state alone, without what flows through the gates and the candidate.",
    )
