"""One sentence on what would save a gradient, and the setting that it names."""

from __future__ import annotations

import numpy as np

from explorer.cells import GRU, LSTM, RNN
from explorer.measures.decay import Account
from explorer.measures.saturation import saturated_share
from explorer.theory import half_life_of_forget_gate, largest_singular_value
from explorer.trace import Trace

Advice = tuple[str, dict[str, float | str]]  # the sentence; Experiment.changed path → value

_KEEP = 2.0  # decades that a gate may cost over the whole sequence


def advise(trace: Trace, tone: str, blame: str, sums: Account) -> Advice:
    """What to change, with the numbers that the sentence quotes computed from the trace."""
    cell = trace.experiment.cell
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
    if isinstance(cell, (LSTM, GRU)):
        return _for_gates(trace, cell, sums)
    target = _cancelling_scale(trace, sums) or 1.0
    return f"Draw the matrix orthogonal at weight scale {number(target)}.", {
        "initializer": "orthogonal",
        "weight_scale": target,
    }


def _for_survivor(sums: Account) -> Advice:
    """A sum over many losses may look healthy although none of them reaches far."""
    if np.isnan(sums.loss) or sums.loss < -_KEEP:
        return (
            "Losses nearby keep it alive: let the loss read the last step to see what arrives from there.",
            {},
        )
    return "Nothing has to be saved here.", {}


def number(value: float) -> str:
    """A setting as the slider shows it: at most two decimals."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


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


def _for_gates(trace: Trace, cell: LSTM | GRU, sums: Account) -> Advice:
    """The smallest whole bias at which the gate alone costs at most two decades on the way."""
    if isinstance(cell, LSTM):
        path, name, sign, present = "cell.forget_bias", "forget", 1, cell.forget_bias
    else:
        sign = 1 if cell.update == "keeps" else -1
        path, name, present = "cell.update_bias", "update", cell.update_bias * sign
    for bias in range(1, 11):
        life = half_life_of_forget_gate(bias)
        cost = sums.steps * np.log10(2) / life
        if bias > present and cost <= _KEEP:
            verb = "Raise" if sign > 0 else "Lower"
            life_text = f"{life:.3g}" if life < 1000 else f"{life:.0f}"
            change: dict[str, float | str] = {path: float(sign * bias)}
            if (
                isinstance(cell, LSTM)
                and cell.input_bias > -bias
                and _cell_would_grow(trace, bias, sums.steps)
            ):
                change["cell.input_bias"] = -float(bias)
            also = (
                f" and the input bias to {-bias}, so that tanh c does not saturate" if len(change) > 1 else ""
            )
            return (
                f"{verb} the {name} bias from {number(sign * present)} to {number(sign * bias)}{also}: "
                f"the {name} gate alone then costs {number(cost)} decades, "
                f"with a half-life of {life_text} steps.",
                change,
            )
    label, setting = (
        ("input", "input_scale") if trace.experiment.input_scale > 0 else ("weight", "weight_scale")
    )
    value = float(getattr(trace.experiment, setting))
    return (
        f"Lower the {label} scale from {number(value)} to {number(value / 10)}: it pushes the {name} gates "
        "away from their bias.",
        {setting: round(value / 10, 2)},
    )


def _cell_would_grow(trace: Trace, bias: float, steps: int) -> bool:
    """Whether what the LSTM writes would add up to |c| > 1 in most units if the gate forgot less."""
    names = trace.experiment.cell.gates
    gates = trace.forward.gates
    written = (gates[:, names.index("cell")] * gates[:, names.index("input")]).mean(axis=0)
    memory = min(steps, 1 + np.exp(bias))
    return bool(np.median(np.abs(written)) * memory > 1)
