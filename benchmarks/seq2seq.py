"""The gradient map against one backward pass for each decoder step, side by side in one process.

Peer: the same network, its decoder loop and its graph, built once; then ``torch.autograd.grad`` of every L_j
with respect to all h_i, and the norms. Ours is ``gradient_map``, which does all j in one batched backward
pass. Encoder 30 × decoder 30, H = 64, both build their forward pass. One thread, processor time, medians of
interleaved rounds.

    python benchmarks/seq2seq.py
"""

from __future__ import annotations

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

from collections.abc import Callable
from statistics import median
from time import process_time

import numpy as np
import torch

from explorer.seq2seq import Seq2Seq, TranslatorTrace, gradient_map, run_translator
from explorer.seq2seq.trace import observe

torch.set_num_threads(1)

LENGTH, ROUNDS, GOAL = 30, 9, 5.0
CASES = [
    (cell, attention, both)
    for cell in ("rnn", "lstm", "gru")
    for attention, both in (("none", False), ("additive", False), ("additive", True), ("general", True))
]


def one_by_one(trace: TranslatorTrace) -> np.ndarray:
    """Decades of all norms, with one backward pass for each decoder step."""
    seen = observe(trace.translator, trace.source, trace.target, trace.as_training)
    rows = [
        torch.autograd.grad(loss, seen.nudges, retain_graph=True)[0].norm(dim=2)[:, 0] for loss in seen.losses
    ]
    return np.asarray(torch.stack(rows).log10().numpy())


def seconds(work: Callable[[TranslatorTrace], np.ndarray], trace: TranslatorTrace) -> float:
    """Processor time of one call."""
    before = process_time()
    work(trace)
    return process_time() - before


def main() -> None:
    """Print one line a case, and the smallest ratio."""
    rng = np.random.default_rng(0)
    source, target = rng.integers(3, 29, LENGTH).tolist(), rng.integers(3, 29, LENGTH - 1).tolist()
    print(f"encoder {LENGTH} × decoder {LENGTH}, H = 64, float64, milliseconds")
    ratios = []
    for cell, attention, both in CASES:
        settings = Seq2Seq(cell=cell, attention=attention, bidirectional=both)
        trace = run_translator(settings, source, target)
        np.testing.assert_allclose(gradient_map(trace), one_by_one(trace), atol=1e-9)
        rounds = [(seconds(gradient_map, trace), seconds(one_by_one, trace)) for _ in range(ROUNDS)]
        ours, theirs = (1e3 * median(column) for column in zip(*rounds, strict=True))
        ratio = median(peer / own for own, peer in rounds)
        ratios.append(ratio)
        direction = "bidirectional" if both else "forward"
        print(f"{cell:5}{attention:10}{direction:14} {ours:7.1f} against {theirs:7.1f}: {ratio:5.1f} times")
    print(f"smallest ratio {min(ratios):.1f}, goal {GOAL}")


if __name__ == "__main__":
    main()
