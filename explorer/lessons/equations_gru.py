"""The derivation for the GRU in both conventions of z and of the reset gate."""

from __future__ import annotations

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
    functions = _cell(live).functions
    inner = r"r_t \odot (U_n h_{t-1} + b_{hn})" if after else r"U_n (r_t \odot h_{t-1}) + b_{hn}"
    mean = {
        letter: rf"\overline{{{letter}_{{{t}}}}} = {number_latex(float(live.gate(gate).mean()))}"
        for gate, letter in (("reset", "r"), ("update", "z"), ("new", "n"))
    }
    return [
        EquationStep(
            "Gates",
            rf"r_t = {functions['reset'].latex.format(a='a^r_t')}, \quad "
            rf"z_t = {functions['update'].latex.format(a='a^z_t')}, \qquad"
            r" a^k_t = W_k x_t + b_{ih,k} + U_k h_{t-1} + b_{hh,k}",
            rf"{mean['r']}, \quad {mean['z']}",
            "A bar is the mean over the hidden units.",
        ),
        EquationStep(
            "Candidate",
            "n_t = "
            + functions["new"].latex.format(a="a^n_t")
            + rf", \qquad a^n_t = W_n x_t + b_{{in}} + {inner}",
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


def _slope(live: Live, gate: str, index: str) -> str:
    """The slope of a gate or of the candidate with the ⊙ before it; "" for the identity."""
    letter, function = {"reset": "r", "update": "z", "new": "n"}[gate], _cell(live).functions[gate]
    latex = function.slope_latex.format(a=f"a^{letter}_{index}", y=f"{letter}_{index}")
    return "" if function.name == "linear" else rf" \odot {latex}"


def _jacobian(live: Live) -> str:
    """J_k in symbols."""
    if _cell(live).update == "keeps":
        keep, fresh, difference = "z_k", "(1 - z_k)", "(h_{k-1} - n_k)"
    else:
        keep, fresh, difference = "1 - z_k", "z_k", "(n_k - h_{k-1})"
    slope_r, slope_z, slope_n = (_slope(live, gate, "k") for gate in ("reset", "update", "new"))
    if _cell(live).reset == "after":
        inner = rf"D_{{r_k}} U_n + D_{{(U_n h_{{k-1}} + b_{{hn}}){slope_r}}} U_r"
    else:
        inner = rf"U_n D_{{r_k}} + U_n D_{{h_{{k-1}}{slope_r}}} U_r"
    return (
        rf"D_{{{keep}}} + D_{{{difference}{slope_z}}} U_z"
        rf" + D_{{{fresh}{slope_n}}} \bigl({inner}\bigr), \quad D_x = \operatorname{{diag}}(x)"
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
            rf"\delta^n_t &= {fresh}{_slope(live, 'new', 't')} \odot {gradient}",
            rf"\delta^z_t &= {difference}{_slope(live, 'update', 't')} \odot {gradient}",
            rf"\delta^r_t &= {reset}{_slope(live, 'reset', 't')}",
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
        factors = live.kept("h", t, last)
        with np.errstate(divide="ignore"):
            kept = np.log10(np.abs(factors.astype(np.float64))).sum(axis=0)
        chain = rf"\prod_{{k={t + 1}}}^{{{last}}} {keep}"
        chain = rf"\Bigl|{chain}\Bigr|" if (factors < 0).any() else chain
        numbers = aligned(
            rf"{chain} &:\; {size_latex(float(np.median(kept)))}"
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
