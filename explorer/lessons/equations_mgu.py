"""The derivation for the minimal gated unit."""

from __future__ import annotations

from explorer.lessons.equation_step import EquationStep
from explorer.lessons.live import Live
from explorer.lessons.magnitudes import aligned, grad_latex, log10_norm, norm_is, number_latex
from explorer.lessons.recursion import arrival, factor_latex, fresh_latex, product, zero_sentence

_JACOBIAN = (
    r"D_{1 - f_k} + D_{(n_k - h_{k-1}) \odot f_k \odot (1 - f_k)} U_f"
    r" + D_{f_k \odot (1 - n_k^2)}\, U_n \bigl(D_{f_k} + D_{h_{k-1} \odot f_k \odot (1 - f_k)} U_f\bigr),"
    r" \quad D_x = \operatorname{diag}(x)"
)


def forward(live: Live) -> list[EquationStep]:
    """Gate, candidate, state."""
    t = live.t
    return [
        EquationStep(
            "Gate",
            r"f_t = \sigma(a^f_t), \qquad a^f_t = W_f x_t + b_{if} + U_f h_{t-1} + b_{hf}",
            rf"\overline{{f_{{{t}}}}} = {number_latex(float(live.gate('forget').mean()))}",
            "A bar is the mean over the hidden units.",
        ),
        EquationStep(
            "Candidate",
            r"n_t = \tanh(W_n x_t + b_{in} + U_n (f_t \odot h_{t-1}) + b_{hn})",
            norm_is(f"n_{{{t}}}", log10_norm(live.gate("new"))),
            "The same gate decides how much of the past the candidate sees.",
        ),
        EquationStep(
            "State",
            r"h_t = (1 - f_t) \odot h_{t-1} + f_t \odot n_t",
            norm_is(f"h_{{{t - 1}}}", live.state("h", t - 1))
            + r", \quad "
            + norm_is(f"h_{{{t}}}", live.state("h", t)),
            "In this paper f renews: where it is 0 the old state stays, unlike in an LSTM.",
        ),
    ]


def backward(live: Live) -> list[EquationStep]:
    """Adjoints of gate and candidate, the recursion with its three paths, the product."""
    t, gradient = live.t, grad_latex("h", "t")
    gates = EquationStep(
        "Through the gate",
        aligned(
            rf"\delta^n_t &= f_t \odot (1 - n_t^2) \odot {gradient}",
            rf"\delta^f_t &= \bigl((n_t - h_{{t-1}}) \odot {gradient} + h_{{t-1}} \odot U_n^\top"
            r" \delta^n_t\bigr) \odot f_t \odot (1 - f_t)",
        ),
        norm_is(rf"\delta^n_{{{t}}}", live.delta_size("new_input"))
        + r", \quad "
        + norm_is(rf"\delta^f_{{{t}}}", live.delta_size("forget")),
        "The gate gets gradient twice, from what it mixes and from what it shows the candidate.",
    )
    here = live.gradient("h", t)
    lanes = [
        (rf"(1 - f_t) \odot {gradient}", live.lane("keep")),
        (r"f_t \odot (U_n^\top \delta^n_t)", live.lane("message")),
        (r"U_f^\top \delta^f_t", live.lane("forget")),
    ]
    numbers = [
        norm_is(symbol.replace("_t", f"_{{{t}}}").replace("_{t}", f"_{{{t}}}"), size, "&=")
        + (factor_latex(size, here) if k == 0 else "")
        for k, (symbol, size) in enumerate(lanes)
    ]
    recursion = EquationStep(
        "One step back",
        rf"{grad_latex('h', 't-1')} = " + " + ".join(symbol for symbol, _ in lanes) + fresh_latex(live),
        aligned(
            norm_is(grad_latex("h", t), here, "&="),
            *numbers,
            arrival(live, r"\text{sum}", live.lane(*live.lanes), here),
        ),
        zero_sentence(live)
        or f"The first path has no matrix on it and is open where f is small; sample {live.sample} is shown.",
    )
    return [gates, recursion, product(live, _JACOBIAN)]
