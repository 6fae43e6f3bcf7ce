"""The engine against an autograd loop: one trace, the same numbers, side by side in one process.

Peer: a Python loop over ``torch.nn.LSTMCell`` / ``RNNCell`` with ``retain_grad`` on every state, one backward
call, gates from one batched product afterwards (the cells do not give them away), then the norms of all
gradients. Both sides get the same weights and inputs, one thread, and yield all states, all gates and
log10 ‖∂L/∂h_t‖ (and ‖∂L/∂c_t‖) for all t. Medians of interleaved rounds: in each round one side runs three
times in a row, then the other, so that both are timed with caches that are theirs.

    python benchmarks/engine.py
"""

from __future__ import annotations

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

from collections.abc import Callable
from statistics import median
from time import perf_counter

import numpy as np
import torch

import explorer as ex

torch.set_num_threads(1)

IN_A_ROW = 3
# kind, hidden size, steps, batch, rounds, smallest ratio asked for
CASES = [
    ("lstm", 64, 100, 16, 31, 3.5),
    ("lstm", 128, 500, 16, 5, 6.0),
    ("lstm", 512, 1000, 1, 3, 4.5),
    ("rnn", 64, 100, 16, 31, 5.0),
    ("rnn", 128, 500, 16, 7, None),
    ("gru", 64, 100, 16, 31, None),
]
CELLS = {"lstm": torch.nn.LSTMCell, "rnn": torch.nn.RNNCell, "gru": torch.nn.GRUCell}


def experiment_of(kind: str, hidden_size: int, num_steps: int, batch_size: int, dtype: str) -> ex.Experiment:
    """PyTorch's default weights; orthogonal ones would only move the numbers."""
    return ex.Experiment(
        cell={"kind": kind}, hidden_size=hidden_size, num_steps=num_steps, batch_size=batch_size, dtype=dtype
    )


def autograd_loop(trace: ex.Trace) -> Callable[[], dict[str, np.ndarray]]:
    """The peer for a trace's weights and inputs."""
    experiment = trace.experiment
    kind, dtype = experiment.cell.kind, getattr(torch, experiment.dtype)
    cell = CELLS[kind](trace.inputs.shape[2], experiment.hidden_size, dtype=dtype)
    cell.load_state_dict({name: torch.tensor(array, dtype=dtype) for name, array in trace.weights.items()})
    x = torch.tensor(trace.inputs, dtype=dtype)
    v = torch.tensor(trace.readout, dtype=dtype)

    def loop() -> dict[str, np.ndarray]:
        cell.zero_grad()
        h = torch.zeros(experiment.batch_size, experiment.hidden_size, dtype=dtype, requires_grad=True)
        c = torch.zeros_like(h, requires_grad=True)
        hidden, memory = [h], [c]
        for x_t in x:
            if kind == "lstm":
                h, c = cell(x_t, (h, c))
                c.retain_grad()
                memory.append(c)
            else:
                h = cell(x_t, h)
            h.retain_grad()
            hidden.append(h)
        (h @ v).sum().backward()
        with torch.no_grad():
            gates(torch.stack(hidden[:-1]))
            found = {"h": torch.stack([state.grad for state in hidden]).norm(dim=2).log10().numpy()}
            if kind == "lstm":
                found["c"] = torch.stack([state.grad for state in memory]).norm(dim=2).log10().numpy()
        return found

    def gates(previous: torch.Tensor) -> tuple[torch.Tensor, ...]:
        if kind == "rnn":
            return ()
        from_x = torch.nn.functional.linear(x, cell.weight_ih, cell.bias_ih)
        from_h = torch.nn.functional.linear(previous, cell.weight_hh, cell.bias_hh)
        if kind == "lstm":
            i, f, g, o = (from_x + from_h).chunk(4, dim=2)
            return i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
        (r, z, n), (r_h, z_h, n_h) = from_x.chunk(3, dim=2), from_h.chunk(3, dim=2)
        r = (r + r_h).sigmoid()
        return r, (z + z_h).sigmoid(), (n + r * n_h).tanh()

    return loop


def measure(case: tuple[str, int, int, int, int, float | None], dtype: str) -> None:
    """Print one row: medians, ratio, and how far both results are apart."""
    kind, hidden_size, num_steps, batch_size, rounds, wanted = case
    experiment = experiment_of(kind, hidden_size, num_steps, batch_size, dtype)
    trace = ex.run(experiment)
    given = dict(trace.weights)
    inputs, readout, states = trace.inputs, trace.readout, experiment.cell.states
    peer = autograd_loop(trace)

    def ours() -> dict[str, np.ndarray]:
        fresh = ex.run(experiment, weights=given, inputs=inputs, readout=readout)
        return {state: ex.gradient_norms(fresh, state) for state in states}

    a, b = ours(), peer()
    lowest = -17 if dtype == "float32" else -150  # below, torch squares entries into underflow
    apart = max(float(np.abs(a[s] - b[s])[b[s] > lowest].max()) for s in states)
    mine, theirs = [], []
    for _ in range(rounds):
        for function, times in ((ours, mine), (peer, theirs)):
            for _ in range(IN_A_ROW):
                start = perf_counter()
                function()
                times.append(perf_counter() - start)
    ratio = median(theirs) / median(mine)
    name = f"{kind} H={hidden_size} T={num_steps} B={batch_size} {dtype}"
    goal = f"goal {wanted}" if wanted else ""
    print(
        f"{name:34s} engine {median(mine) * 1e3:7.1f} ms   autograd {median(theirs) * 1e3:7.1f} ms   "
        f"ratio {ratio:5.2f}  {goal:9s} largest difference {apart:.1e} decades"
    )


def main() -> None:
    """All cases in both precisions, then linearity in T."""
    print(f"numpy {np.__version__}, torch {torch.__version__}, one thread")
    for dtype in ("float32", "float64"):
        for case in CASES:
            measure(case, dtype)
    for num_steps in (125, 250, 500, 1000):
        experiment = experiment_of("lstm", 64, num_steps, 16, "float32")
        ex.run(experiment)
        times = []
        for _ in range(9):
            start = perf_counter()
            ex.run(experiment)
            times.append(perf_counter() - start)
        print(f"lstm H=64 T={num_steps:4d} B=16 float32: {median(times) / num_steps * 1e6:6.1f} µs a step")


if __name__ == "__main__":
    main()
