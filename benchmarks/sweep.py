"""A map of 64 × 64 networks against a double loop of autograd runs, side by side in one process.

Both sides find the decades that the gradient gains per step back, for H = 64, T = 100, one sample. The peer
is a Python loop over ``torch.nn.LSTMCell`` / ``RNNCell`` with the weights of one point and one backward call;
it is timed at points all over the map, and 4096 times its median is what the double loop would take. It comes
in two forms: *every step* keeps the gradient of each state and takes all norms, as a plot over time needs
them; *lean* asks autograd for the gradient of the first state alone.

Then the first pictures that appear, 8 × 8 and 16 × 16 points, against one ``ex.run``.

    python benchmarks/sweep.py
"""

from __future__ import annotations

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import resource
from collections.abc import Callable
from statistics import median
from time import perf_counter

import numpy as np
import torch

import explorer as ex
from explorer.sweep import sweep, sweep_parts

torch.set_num_threads(1)

SIDE, ROUNDS, POINTS = 64, 7, 8
# kind, settings of both axes, smallest ratio asked for
CASES: list[tuple[str, dict[str, np.ndarray], float]] = [
    (
        "lstm",
        {"weight_scale": np.linspace(0.05, 4, SIDE), "cell.forget_bias": np.linspace(-4, 6, SIDE)},
        70,
    ),
    ("rnn", {"weight_scale": np.linspace(0.05, 4, SIDE), "bias_scale": np.linspace(0, 10, SIDE)}, 150),
]
CELLS = {"lstm": torch.nn.LSTMCell, "rnn": torch.nn.RNNCell}


def autograd_point(experiment: ex.Experiment, every_step: bool) -> Callable[[], float]:
    """One point of the double loop: weights, forward loop, backward call, decades per step."""
    trace = ex.run(experiment)  # for weights, inputs and readout only
    kind, dtype = experiment.cell.kind, getattr(torch, experiment.dtype)
    cell = CELLS[kind](trace.inputs.shape[2], experiment.hidden_size, dtype=dtype)
    weights = {name: torch.tensor(array, dtype=dtype) for name, array in trace.weights.items()}
    x, v = torch.tensor(trace.inputs, dtype=dtype), torch.tensor(trace.readout, dtype=dtype)

    def point() -> float:
        cell.load_state_dict(weights)
        h = torch.zeros(1, experiment.hidden_size, dtype=dtype, requires_grad=True)
        states = [(h, torch.zeros_like(h, requires_grad=True))] if kind == "lstm" else [(h,)]
        for x_t in x:
            states.append(cell(x_t, states[-1]) if kind == "lstm" else (cell(x_t, states[-1][0]),))
        loss = (states[-1][0] @ v).sum()
        if every_step:
            for pair in states:
                for state in pair:
                    state.retain_grad()
            loss.backward()
            gradients = [torch.stack([pair[k].grad for pair in states[:-1]]) for k in range(len(states[0]))]
            norms = torch.cat(gradients, dim=2).norm(dim=2).log10()
            return float(norms[0, 0]) / experiment.num_steps
        first = torch.autograd.grad(loss, states[0])
        return float(torch.cat(first, dim=1).norm().log10()) / experiment.num_steps

    return point


def timed(function: Callable[[], object]) -> float:
    """Seconds."""
    start = perf_counter()
    function()
    return perf_counter() - start


def compare(kind: str, over: dict[str, np.ndarray], wanted: float, dtype: str) -> None:
    """Print one map's row: times, ratios, and how far both results are apart."""
    experiment = ex.Experiment(cell={"kind": kind}, hidden_size=64, num_steps=100, batch_size=1, dtype=dtype)
    found = sweep(experiment, over)
    rng = np.random.default_rng(0)
    (first, rows), (second, columns) = over.items()
    chosen = [tuple(rng.integers(SIDE, size=2)) for _ in range(POINTS)]
    points = [
        (
            i,
            j,
            *(
                autograd_point(experiment.changed(first, rows[i]).changed(second, columns[j]), every)
                for every in (True, False)
            ),
        )
        for i, j in chosen
    ]
    lowest = -0.17 if dtype == "float32" else -1.5  # below, torch squares entries into underflow
    apart = max(abs(float(found[i, j]) - lean()) for i, j, _, lean in points if float(found[i, j]) > lowest)
    mine: list[float] = []
    theirs: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for _, _, every, lean in points:
            theirs[0].append(timed(every))
            theirs[1].append(timed(lean))
        mine.append(timed(lambda: sweep(experiment, over)))
    seconds = median(mine)
    print(
        f"{kind:4s} {dtype}: {SIDE} × {SIDE} points in {seconds:5.2f} s, "
        f"largest difference {apart:.1e} decades per step"
    )
    for name, times, goal in (("every step", theirs[0], f" (goal {wanted:.0f})"), ("lean", theirs[1], "")):
        loop = SIDE * SIDE * median(times)
        print(f"     autograd, {name:10s} {loop:5.1f} s, ratio {loop / seconds:4.0f}{goal}")


def first_pictures(kind: str, over: dict[str, np.ndarray], dtype: str) -> None:
    """Print after how many runs' time the coarse pictures are there."""
    experiment = ex.Experiment(cell={"kind": kind}, hidden_size=64, num_steps=100, batch_size=1, dtype=dtype)
    ex.run(experiment)
    runs, reached = [], {level: [] for level in (0, 1)}
    for _ in range(5 * ROUNDS):
        runs.append(timed(lambda: ex.run(experiment)))
        start, last = perf_counter(), {}
        for part in sweep_parts(experiment, over):
            if part.level > 1:
                break
            last[part.level] = perf_counter() - start
        for level, seconds in last.items():
            reached[level].append(seconds)
    one = median(runs)
    for level, side in ((0, 8), (1, 16)):
        seconds = median(reached[level])
        goal = " (goal 5)" if level == 0 else ""
        print(
            f"{kind:4s} {dtype}: first {side:2d} × {side:2d} points after {seconds * 1e3:5.1f} ms, "
            f"{seconds / one:4.1f} times one run of {one * 1e3:.1f} ms{goal}"
        )


def main() -> None:
    """Both maps in both precisions."""
    print(f"numpy {np.__version__}, torch {torch.__version__}, one thread")
    for dtype in ("float32", "float64"):
        for kind, over, wanted in CASES:
            compare(kind, over, wanted, dtype)
            first_pictures(kind, over, dtype)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"largest memory of the process, libraries included: {peak:.0f} MB")


if __name__ == "__main__":
    main()
