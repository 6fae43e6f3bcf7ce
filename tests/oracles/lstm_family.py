"""The LSTM, its siblings and the GRU with all activations of gates, written anew in torch for autograd."""

from __future__ import annotations

import torch

from explorer import Trace


def tanh(a: torch.Tensor) -> torch.Tensor:
    """torch differentiates its own tanh as 1 − y², which is exactly 0 for a large cell."""
    q = torch.exp(-2 * torch.where(a >= 0, a, -a))
    return torch.where(a >= 0, (1 - q) / (1 + q), (q - 1) / (1 + q))


FUNCTIONS = {
    "sigmoid": torch.sigmoid,
    "hard_sigmoid": lambda a: torch.nn.functional.relu6(a + 3) / 6,
    "hard_sigmoid_keras": lambda a: torch.clamp(0.2 * a + 0.5, 0, 1),
    "tanh": tanh,
    "softsign": torch.nn.functional.softsign,
    "relu": torch.relu,
    "linear": lambda a: a * 1,
}


def autograd(trace: Trace) -> dict[str, list[torch.Tensor]]:
    """States [B, H] after every step with autograd's total gradients in ``.grad``.

    For cells with a c there are also, one for each step, the pre-activations of all blocks side by side
    (``a`` [B, K·H], with gradients) and the factors ∂c_t/∂c_{t-1} at fixed pre-activations (``direct``).
    """
    cell, size = trace.experiment.cell, trace.experiment.hidden_size
    w = {name: torch.tensor(array) for name, array in trace.weights.items()}
    x = torch.tensor(trace.inputs)
    start = {name: torch.tensor(array[0].copy(), requires_grad=True) for name, array in trace.states.items()}
    record = {name: [tensor] for name, tensor in start.items()}

    def phi(what: str, default: str = "sigmoid"):
        return FUNCTIONS[getattr(cell, f"{what}_activation", default)]

    for t in range(trace.num_steps):
        h = record["h"][-1]
        a_x, a_h = x[t] @ w["weight_ih"].T + w["bias_ih"], h @ w["weight_hh"].T + w["bias_hh"]
        if cell.kind == "gru":
            new = {"h": _gru(cell, phi, a_x.split(size, 1), a_h.split(size, 1), h, w, size)}
        else:
            a = a_x + a_h
            a.retain_grad()
            record.setdefault("a", []).append(a)
            new = _memory(cell, phi, a.split(size, 1), record["c"][-1], w)
            cut = record["c"][-1].detach().requires_grad_()
            kept = _memory(cell, phi, a.detach().split(size, 1), cut, w)["c"].sum()
            record.setdefault("direct", []).append(torch.autograd.grad(kept, cut)[0])
        for name, tensor in new.items():
            tensor.retain_grad()
            record[name].append(tensor)
    v = torch.tensor(trace.readout)
    sum(
        float(weight) * (h @ v).sum() for weight, h in zip(trace.loss_weights, record["h"], strict=True)
    ).backward()
    return record


def _gru(cell, phi, a_x, a_h, h, w, size) -> torch.Tensor:
    r, z = phi("reset")(a_x[0] + a_h[0]), phi("update")(a_x[1] + a_h[1])
    inner = r * a_h[2]
    if cell.reset == "before":
        inner = (r * h) @ w["weight_hh"][2 * size :].T + w["bias_hh"][2 * size :]
    n = phi("candidate", "tanh")(a_x[2] + inner)
    return (1 - z) * n + z * h if cell.update == "keeps" else (1 - z) * h + z * n


def _memory(cell, phi, a, c, w) -> dict[str, torch.Tensor]:
    if cell.kind == "coupled":
        a_i, a_g, a_o = a
        a_f = None
    else:
        a_i, a_f, a_g, a_o = a
    missing = getattr(cell, "without", "")
    peeps = cell.kind == "peephole"
    if peeps:
        a_i, a_f = a_i + w["peephole_input"] * c, a_f + w["peephole_forget"] * c
    i = torch.ones_like(c) if missing == "input_gate" else phi("input")(a_i)
    f = 1 - i if a_f is None else torch.ones_like(c) if missing == "forget_gate" else phi("forget")(a_f)
    g = a_g if missing == "input_activation" else phi("candidate", "tanh")(a_g)
    new = f * c + i * g
    if peeps:
        a_o = a_o + w["peephole_output"] * new
    o = torch.ones_like(c) if missing == "output_gate" else phi("output")(a_o)
    return {"c": new, "h": o * (new if missing == "output_activation" else phi("cell", "tanh")(new))}
