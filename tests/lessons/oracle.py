"""All gradients of one sample by autograd, from the trace's weights and inputs, in formulas written anew."""

from types import SimpleNamespace

import torch

from explorer import Trace


def autograd(trace: Trace, sample: int) -> SimpleNamespace:
    """States, pre-activations and gates by name: lists over time of tensors with ``.grad``, by index t."""
    cell, size = trace.experiment.cell, trace.experiment.hidden_size
    w = {name: torch.tensor(array) for name, array in trace.weights.items()}
    w_ih, w_hh = w["weight_ih"].split(size), w["weight_hh"].split(size)
    b_ih, b_hh = w["bias_ih"].split(size), w["bias_hh"].split(size)
    x = torch.tensor(trace.inputs[:, sample])
    got: dict[str, list] = {}

    def keep(name: str, value: torch.Tensor) -> torch.Tensor:
        value = value.clone()
        if not value.requires_grad:
            value.requires_grad_()
        value.retain_grad()
        got.setdefault(name, [None]).append(value)
        return value

    def start(name: str) -> torch.Tensor:
        state = torch.tensor(trace.states[name][0, sample].copy(), requires_grad=True)
        got[name] = [state]
        return state

    h = start("h")
    c = start("c") if cell.kind == "lstm" else None
    for t in range(len(x)):
        a = [w_ih[k] @ x[t] + b_ih[k] + w_hh[k] @ h + b_hh[k] for k in range(len(w_ih))]
        if cell.kind == "rnn":
            a0 = keep("hidden", a[0])
            h = keep(
                "h", {"tanh": torch.tanh, "relu": torch.relu, "linear": lambda v: v}[cell.activation](a0)
            )
        elif cell.kind == "lstm":
            slots = [keep(n, v) for n, v in zip(("input", "forget", "cell", "output"), a, strict=True)]
            i, f, g, o = (
                slots[0].sigmoid(),
                keep("f", slots[1].sigmoid()),
                slots[2].tanh(),
                slots[3].sigmoid(),
            )
            c = keep("c", f * c + i * g)
            h = keep("h", o * c.tanh())
        else:
            r, z = keep("r", keep("reset", a[0]).sigmoid()), keep("z", keep("update", a[1]).sigmoid())
            if cell.reset == "after":
                n = keep("new_input", w_ih[2] @ x[t] + b_ih[2] + r * (w_hh[2] @ h + b_hh[2])).tanh()
            else:
                n = keep("new_input", w_ih[2] @ x[t] + b_ih[2] + w_hh[2] @ (r * h) + b_hh[2]).tanh()
            old = z if cell.update == "keeps" else 1 - z
            h = keep("h", (1 - old) * n + old * h)
    v = torch.tensor(trace.readout)
    loss = sum(
        float(weight) * (v @ state) for weight, state in zip(trace.loss_weights, got["h"], strict=True)
    )
    loss.backward()
    return SimpleNamespace(loss=float(loss.detach()), w_hh=w_hh, **got)
