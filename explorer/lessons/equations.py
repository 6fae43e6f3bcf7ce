"""Backpropagation through time for the chosen cell, term by term, with the numbers of one step."""

from __future__ import annotations

import math
from collections.abc import Callable

from explorer.lessons import (
    equations_direct,
    equations_generic,
    equations_gru,
    equations_lstm,
    equations_mgu,
    equations_rnn,
)
from explorer.lessons.equation_step import EquationStep
from explorer.lessons.live import Live
from explorer.lessons.magnitudes import aligned, grad_latex, log10_norm, norm_is, number_latex
from explorer.trace import Trace

Part = Callable[[Live], list[EquationStep]]

# cell kind → (forward equations, recursion and products)
CELL_EQUATIONS: dict[str, tuple[Part, Part]] = {
    "rnn": (equations_rnn.forward, equations_rnn.backward),
    "lstm": (equations_lstm.forward, equations_lstm.backward),
    "gru": (equations_gru.forward, equations_gru.backward),
    "peephole": (equations_lstm.forward, equations_lstm.backward),
    "coupled": (equations_lstm.forward, equations_lstm.backward),
    "ablated": (equations_lstm.forward, equations_lstm.backward),
    "mgu": (equations_mgu.forward, equations_mgu.backward),
    "residual": (equations_direct.forward, equations_direct.backward),
    "antisymmetric": (equations_direct.forward, equations_direct.backward),
    "clockwork": (equations_direct.forward, equations_direct.backward),
    "echo": (equations_direct.forward, equations_direct.backward),
}
_GENERIC: tuple[Part, Part] = (equations_generic.forward, equations_generic.backward)  # all other cells


def derivation(trace: Trace, t: int, sample: int = 0) -> list[EquationStep]:
    """The derivation of ∂L/∂h_{t-1} from ∂L/∂h_t in the order in which one writes it on a board.

    Args:
        trace: a run.
        t: the step, 1 … T; it leads from h_{t-1} to h_t.
        sample: which sequence of the batch; norms are over its hidden units.

    Raises:
        ValueError: t or sample lies outside the run; the message says what is allowed.
    """
    live = Live(trace, t, sample)
    forward, backward = CELL_EQUATIONS.get(trace.experiment.cell.kind, _GENERIC)
    return [*forward(live), _loss(live), _loss_gradient(live), *backward(live), _weights(live)]


def _weight(live: Live, t: int) -> str:
    """w_t as a factor in front: nothing for 1."""
    weight = float(live.trace.loss_weights[t])
    return "" if weight == 1 else number_latex(weight) + r"\,"


def _loss(live: Live) -> EquationStep:
    trace, last = live.trace, live.last
    read = [int(k) for k in trace.loss_weights.nonzero()[0]]
    record = trace.forward
    values = record.states["h"][read, :, live.sample] @ trace.readout * trace.loss_weights[read]
    exponent = 0
    if record.exponents is not None:
        powers = record.exponents[read, live.sample]
        exponent = int(powers.max())
        values = values * 2.0 ** (powers - exponent)
    value = number_latex(float(values.sum()), exponent)
    length = norm_is("v", log10_norm(trace.readout))
    if len(read) == 1:
        name = "T" if last == trace.num_steps else str(last)
        return EquationStep(
            "Loss",
            rf"L = {_weight(live, last)}v^\top h_{{{name}}}",
            rf"L = {value}, \qquad {length}",
            f"The loss reads the state of step {last} only, through one fixed direction v.",
        )
    return EquationStep(
        "Loss",
        r"L = \sum_{t=1}^{T} w_t\, v^\top h_t",
        rf"L = {value}, \qquad {length}, \qquad {len(read)}\text{{ steps are read}}",
        "The loss reads every step, so a fresh gradient v enters at each and hides what has vanished.",
    )


def _loss_gradient(live: Live) -> EquationStep:
    last, steps = live.last, live.trace.num_steps
    name = "T" if last == steps else str(last)
    after = r", \qquad \frac{\partial L}{\partial h_t} = 0 \text{ for } t > " + str(last)
    return EquationStep(
        f"Start of the way back: ∂L/∂h at step {last}",
        rf"{grad_latex('h', name)} = {_weight(live, last)}v" + (after if last < steps else ""),
        norm_is(grad_latex("h", last), live.gradient("h", last)),
        "The readout has length 1, so all growth or decay before this step is the recurrent network's doing.",
    )


def _weights(live: Live) -> EquationStep:
    t, last, cell = live.t, live.last, live.trace.experiment.cell
    term = live.weight_term()
    nearest = term if t == last else Live(live.trace, last, live.sample).weight_term()
    tail = {
        "after": r", \quad \delta_t = (\delta^r_t,\, \delta^z_t,\, r_t \odot \delta^n_t)",
        "before": r" \quad (\text{for } U_n: \; r_t \odot h_{t-1} \text{ in place of } h_{t-1})",
        "mgu": r" \quad (\text{for } U_n: \; f_t \odot h_{t-1} \text{ in place of } h_{t-1})",
        "antisymmetric": r", \quad \frac{\partial L}{\partial M} \propto \frac{\partial L}{\partial U}"
        r" - \Bigl(\frac{\partial L}{\partial U}\Bigr)^{\!\top}",
    }.get(getattr(cell, "reset", cell.kind), "")
    lines = [
        rf"\text{{step }} {k}:\; " + norm_is(rf"\delta_{{{k}}}\, h_{{{k - 1}}}^\top", size, "&=")
        for k, size in {t: term, last: nearest}.items()
    ]
    if term > nearest:
        explain = (
            "Here an early term is larger than the last one, as it is when gradients grow on the way back."
        )
    elif term > -math.inf:
        explain = "The sum over time hides vanishing, because its terms close to the loss stay healthy."
    elif live.state("h", t - 1) == -math.inf:
        explain = f"The term of this step is exactly 0, because the state h at step {t - 1} is 0."
    else:
        explain = "The term of this step is exactly 0, because no gradient reaches its pre-activations."
    return EquationStep(
        "Gradient of the recurrent weights, ∂L/∂W_hh",
        r"\frac{\partial L}{\partial U} = \sum_{t=1}^{T} \delta_t\, h_{t-1}^\top, \qquad U = W_{hh}" + tail,
        aligned(*lines),
        explain,
    )
