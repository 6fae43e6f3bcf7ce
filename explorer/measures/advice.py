"""One sentence on what would save a gradient, and the setting that it names."""

from __future__ import annotations

import numpy as np

from explorer.cells import GRU, RNN
from explorer.cells.long_memory import LongMemory
from explorer.cells.mgu import MGU
from explorer.measures.decay import Account
from explorer.measures.direct_advice import for_direct_path
from explorer.measures.gate_advice import (
    KEEP,
    Advice,
    against_unbounded_gate,
    cell_runs_away,
    for_gates,
    number,
)
from explorer.measures.saturation import saturated_share
from explorer.theory import largest_singular_value
from explorer.trace import Trace


def advise(trace: Trace, tone: str, blame: str, sums: Account) -> Advice:
    """What to change, with the numbers that the sentence quotes computed from the trace."""
    cell = trace.experiment.cell
    grows = tone in ("explodes", "not_a_number") or cell_runs_away(trace)
    unbounded = against_unbounded_gate(trace) if grows else None
    if unbounded:
        return (unbounded[0], {}) if tone == "survives" else unbounded
    if tone == "survives":
        return _for_survivor(sums)
    if tone == "not_a_number":
        return "Lower the weight scale or the input scale until all states are finite.", {"weight_scale": 1.0}
    if trace.experiment.weight_scale == 0 and blame == "matrix":
        return "Raise the weight scale above 0: without a matrix no path leads back.", {"weight_scale": 1.0}
    if tone == "explodes":
        return _against_explosion(trace, blame, sums)
    if isinstance(cell, RNN):
        return _for_rnn(trace, cell, tone, blame, sums)
    if isinstance(cell, (LongMemory, GRU, MGU)):
        return for_gates(trace, sums)
    own = for_direct_path(trace, sums)
    if own:
        return own
    target = _cancelling_scale(trace, sums) or 1.0
    return f"Draw the matrix orthogonal at weight scale {number(target)}.", {
        "initializer": "orthogonal",
        "weight_scale": target,
    }


def _for_survivor(sums: Account) -> Advice:
    """A sum over many losses may look healthy although none of them reaches far."""
    if np.isnan(sums.loss) or sums.loss < -KEEP:
        return (
            "Losses nearby keep it alive: let the loss read the last step to see what arrives from there.",
            {},
        )
    return "Nothing has to be saved here.", {}


def _against_explosion(trace: Trace, blame: str, sums: Account) -> Advice:
    experiment = trace.experiment
    scale = experiment.weight_scale
    if blame == "loss":
        if abs(sums.matrix + sums.slope) < abs(sums.lost):
            return "Let the loss read the last step only: the gradients of all steps add up.", {
                "loss": "last"
            }
        return "Take the mean of the losses instead of their sum: their gradients add up.", {}
    if isinstance(experiment.cell, RNN) and experiment.cell.activation == "tanh":
        safe = float(np.floor(100 * scale / largest_singular_value(trace.weights)) / 100)
        size = experiment.hidden_size
        length = float(np.linalg.norm(trace.weights["weight_hh"])) / np.sqrt(size)
        edge = float(np.floor(100 * scale / length) / 100)
        if safe < edge < scale:
            return (
                f"Clip the gradient, or lower the weight scale from {number(scale)} to {number(edge)}, where "
                "the matrix keeps the mean square length; "
                f"below {number(safe)} no gradient can grow on its way back.",
                {"weight_scale": edge},
            )
        return (
            f"Clip the gradient, or lower the weight scale: below {number(safe)} the largest singular value "
            "is under 1 and no gradient can grow on its way back.",
            {"weight_scale": safe},
        )
    target = _cancelling_scale(trace, sums)
    if isinstance(experiment.cell, RNN) and target is not None:
        return (
            f"Clip the gradient, or lower the weight scale from {number(scale)} to about {number(target)}, "
            "where growth and decay balance.",
            {"weight_scale": target},
        )
    lower = round(scale / 2, 2)
    return f"Clip the gradient, or lower the weight scale from {number(scale)} to {number(lower)}.", {
        "weight_scale": lower
    }


def _cancelling_scale(trace: Trace, sums: Account, matrix_only: bool = False) -> float | None:
    """The weight scale whose factor would make up for what is lost a step; None beyond the slider's end."""
    lost = sums.matrix if matrix_only else sums.matrix + sums.slope
    target = trace.experiment.weight_scale * 10 ** min(lost / max(sums.steps, 1), 300)
    return round(float(target), 2) if 0 < round(target, 2) <= 4 else None


def _for_rnn(trace: Trace, cell: RNN, tone: str, blame: str, sums: Account) -> Advice:
    experiment = trace.experiment
    scale = number(experiment.weight_scale)
    if cell.activation == "relu" and (tone == "dead" or blame in ("slope", "dead units")):
        target = round(min(cell.bias + 1, 10), 1)
        return (
            f"Raise the bias from {number(cell.bias)} to {number(target)}, so that units stay above 0, and "
            "start from the identity matrix at weight scale 1 (IRNN).",
            {"cell.bias": target, "initializer": "identity", "weight_scale": 1.0},
        )
    if blame == "slope":
        return _against_saturation(trace, cell, sums)
    if experiment.initializer.kind == "orthogonal":
        return (
            f"Raise the weight scale from {scale} to 1: an orthogonal matrix then keeps every length.",
            {"weight_scale": 1.0},
        )
    target_scale = _cancelling_scale(trace, sums, matrix_only=cell.activation == "tanh")
    near = target_scale is not None and 1 < target_scale / max(experiment.weight_scale, 1e-9) < 1.3
    if target_scale is None or (cell.activation == "tanh" and not near):
        raised = None if target_scale is None else number(target_scale)
        towards = f", or raise the weight scale from {scale} towards {raised}" if raised else ""
        return (
            f"Draw the matrix orthogonal at weight scale 1, so that it keeps every length{towards}.",
            {"initializer": "orthogonal", "weight_scale": 1.0},
        )
    return (
        f"Raise the weight scale from {scale} to {number(target_scale)}, which makes up for what is "
        "lost, or draw the matrix orthogonal.",
        {"weight_scale": target_scale},
    )


def _against_saturation(trace: Trace, cell: RNN, sums: Account) -> Advice:
    """Lower the matrix if it amplifies into saturation, else what of input and bias drives units from 0."""
    experiment, size = trace.experiment, trace.system.hidden_size
    fraction = saturated_share(trace)
    mean_slope = 10 ** (-sums.slope / max(sums.steps, 1))
    found = (
        f"{100 * fraction:.0f} % of the units are saturated (slope below 0.1)"
        if fraction >= 0.05
        else f"The slopes multiply the gradient by {mean_slope:.2g} at every step"
    )
    bias = np.square(trace.system.matrix[:, -1]).mean()
    inputs = np.square(np.matmul(trace.system.matrix[:, size:-1], trace.system.drive[:, :-1])).mean()
    if cell.bias != 0 and bias >= inputs:
        return f"{found}, mostly because of the bias: bring it from {number(cell.bias)} back to 0.", {
            "cell.bias": 0.0
        }
    target = _cancelling_scale(trace, sums, matrix_only=True)
    scale = experiment.weight_scale
    if fraction >= 0.05 and target is not None and target <= scale - 0.05:
        return (
            f"{found}; the recurrent matrix amplifies the states: lower the weight scale "
            f"from {number(scale)} to {number(target)}.",
            {"weight_scale": target},
        )
    pushes = {
        "input_scale": ("the input scale", inputs, experiment.input_scale),
        "bias_scale": ("the random biases", bias, experiment.bias_scale),
    }
    most = max(inputs, bias)
    chosen = {path: push for path, push in pushes.items() if push[2] > 0 and push[1] >= most / 10}
    change: dict[str, float | str] = {path: round(push[2] / 10, 2) for path, push in chosen.items()}
    if not change:
        return f"{found}: start from a smaller state.", {
            "initial_scale": round(experiment.initial_scale / 10, 2)
        }
    lowered = " and ".join(
        f"{label} from {number(value)} to {number(round(value / 10, 2))}"
        for label, _, value in chosen.values()
    )
    why = {
        2: "input and biases push",
        1: "the input pushes" if "input_scale" in change else "the biases push",
    }
    return f"{found}; {why[len(change)]} the units away from 0: lower {lowered}.", change
