"""The equations of the papers once more: one vector at a time, no batches, one backward pass a step.

Shares no code with ``explorer.seq2seq``; it takes weights by their names.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass
class Result:
    annotations: list[Tensor]
    nudges: list[Tensor]
    scores: list[list[Tensor]]
    weights: list[list[Tensor]]
    contexts: list[Tensor]
    losses: list[Tensor]

    def gradient_norms(self) -> Tensor:
        """‖∂L_j/∂h_i‖, [Td, Te]."""
        rows = []
        for loss in self.losses:
            if not loss.requires_grad:  # no state of the encoder has a part in it
                rows.append([0.0] * len(self.nudges))
                continue
            found = torch.autograd.grad(loss, self.nudges, retain_graph=True, allow_unused=True)
            rows.append([0.0 if one is None else one.norm().item() for one in found])
        return torch.tensor(rows, dtype=torch.float64)


def cell(kind: str, x: Tensor, state: list[Tensor], w: list[Tensor]) -> list[Tensor]:
    w_ih, w_hh, b_ih, b_hh = w
    h, n = state[0], len(state[0])
    a, u = w_ih @ x + b_ih, w_hh @ h + b_hh
    if kind == "rnn":
        return [torch.tanh(a + u)]
    if kind == "gru":
        r, z = torch.sigmoid(a[:n] + u[:n]), torch.sigmoid(a[n : 2 * n] + u[n : 2 * n])
        return [(1 - z) * torch.tanh(a[2 * n :] + r * u[2 * n :]) + z * h]
    i, f, g, o = (a + u).split(n)
    c = torch.sigmoid(f) * state[1] + torch.sigmoid(i) * torch.tanh(g)
    return [torch.sigmoid(o) * torch.tanh(c), c]


def translate(s, weights: dict[str, Tensor], source, target, positions=None) -> Result:
    """Settings s, numbers of source and target; ``positions`` are those that hard attention has drawn."""
    kind, size = s.cell, s.hidden_size
    zero = [torch.zeros(size).double() for _ in range(2 if kind == "lstm" else 1)]

    # Encoder
    below = [weights["source_embedding.weight"][k] for k in source]
    nudges = [torch.zeros(size * (2 if s.bidirectional else 1)).double().requires_grad_() for _ in source]
    starts = []
    for layer in range(s.layers):
        top = layer == s.layers - 1
        paths = []
        for suffix in ["", "_reverse"][: 2 if s.bidirectional else 1]:
            names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            w = [weights[f"encoder.layers.{layer}.{name}_l0{suffix}"] for name in names]
            order = range(len(below)) if not suffix else range(len(below) - 1, -1, -1)
            state, path = zero, {}
            for i in order:
                state = cell(kind, below[i], state, w)
                if top:
                    nudge = nudges[i][size:] if suffix else nudges[i][:size]
                    state = [state[0] + nudge, *state[1:]]
                path[i] = state
            paths.append(path)
        last, first = paths[0][len(below) - 1], paths[0][0][0]
        whole = paths[1][0][0] if s.bidirectional else last[0]
        if s.start == "zeros":
            starts.append(zero)
        elif s.start == "last":
            starts.append(last)
        else:
            bridged = torch.tanh(
                weights[f"decoder.bridge.W_s.{layer}.weight"] @ (first if s.start == "first" else whole)
            )
            starts.append([bridged, *zero[1:]])
        out = [torch.cat([path[i][0] for path in paths]) for i in range(len(below))]
        below = [o + b for o, b in zip(out, below, strict=True)] if s.residual and layer else out
    h = below

    # Decoder
    result = Result(h, nudges, [], [], [], [])
    states, output = starts, torch.zeros(size).double()
    token = 1
    for j, goal in enumerate(target):
        y = weights["target_embedding.weight"][token]
        if j == 0 and not s.bos:
            y = torch.zeros_like(y)
        before = s.attention in ("additive", "hard")
        if before:
            context = look(s, weights, states[-1][0], h, result, positions and positions[j])
            y = torch.cat([y, context])
        elif s.attention != "none":
            y = torch.cat([y, output])
        for layer in range(s.layers):
            names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            w = [weights[f"decoder.cells.{layer}.{name}"] for name in names]
            states = [*states[:layer], cell(kind, y, states[layer], w), *states[layer + 1 :]]
            y = states[layer][0] + y if s.residual and layer else states[layer][0]
        output = y
        if s.attention != "none":
            if not before:
                context = look(s, weights, states[-1][0], h, result, None)
            output = torch.tanh(weights["decoder.W_c.weight"] @ torch.cat([context, y]))
        logits = weights["readout.weight"] @ output + weights["readout.bias"]
        first = 2 if s.eos else 3  # <pad> and <bos> are never said
        possible = torch.exp(logits[first:])
        result.losses.append(-torch.log(possible[goal - first] / possible.sum()))
        token = goal
    return result


def look(s, weights, q: Tensor, h: list[Tensor], result: Result, position: int | None) -> Tensor:
    """One context; scores and weights are appended to the result."""
    matrix = {name: weights.get(f"decoder.attention.{name}.weight") for name in ("W", "U", "v", "W_p", "v_p")}
    scores = []
    for one in h:
        if s.attention in ("additive", "concat", "hard"):
            scores.append(matrix["v"][0] @ torch.tanh(matrix["W"] @ q + matrix["U"] @ one))
        elif s.attention == "dot":
            n = len(q)
            scores.append(q @ (one[:n] + one[n:] if s.bidirectional else one))
        else:
            scores.append(q @ (matrix["W"] @ one))
    count = len(h)
    if s.attention == "local":
        p = count * torch.sigmoid(matrix["v_p"][0] @ torch.tanh(matrix["W_p"] @ q))
        near = [i for i in range(count) if abs(i + 1 - p.item()) <= s.window]
        total = sum(torch.exp(scores[i]) for i in near)
        deviation = s.window / 2
        alpha = [
            torch.exp(scores[i]) / total * torch.exp(-((i + 1 - p) ** 2) / (2 * deviation**2))
            if i in near
            else torch.zeros(()).double()
            for i in range(count)
        ]
    else:
        total = sum(torch.exp(e) for e in scores)
        alpha = [torch.exp(e) / total for e in scores]
    if s.attention == "hard":
        soft = alpha
        alpha = [torch.tensor(float(i == position)).double() for i in range(count)]
        if s.estimator == "straight_through":
            alpha = [a + p - p.detach() for a, p in zip(alpha, soft, strict=True)]
    context = sum(a * one for a, one in zip(alpha, h, strict=True))
    result.scores.append(scores)
    result.weights.append(alpha)
    result.contexts.append(context)
    return context
