"""What the recipes of the page Attention learn, and in which time, for three seeds.

Reverse with additive attention against its peer, the same network without attention, which gets twice as many
steps; dates; memory networks of one hop against two and three. Fresh test examples, one thread, processor
time. Takes about four minutes.

    python benchmarks/translators.py
"""

from __future__ import annotations

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

from time import process_time

import numpy as np
import torch

from explorer.seq2seq import Learner, Seq2Seq, TranslationRecipe
from explorer.seq2seq.memory import MemoryLearner, MemorySettings
from explorer.seq2seq.tasks import Dates, Reverse

torch.set_num_threads(1)

SEEDS, PAIRS = (0, 1, 2), 200
LENGTHS = range(10, 16)
RECIPES = {
    "reverse, additive attention": (Reverse(), "additive", 1500),
    "reverse, no attention": (Reverse(), "none", 3000),
    "dates, additive attention": (Dates(), "additive", 1000),
}
"""Name → task, attention, steps. GRU, H = 64, both directions, s_0 from the backward encoder; Adam at 0.003
falling to 0, 64 pairs a step, the gradient's norm clipped at 1."""


def translator(name: str, seed: int) -> str:
    """Train one, and say how many fresh sources it answers exactly."""
    task, attention, steps = RECIPES[name]
    model = Seq2Seq(cell="gru", bidirectional=True, start="backward", attention=attention, seed=seed)
    learner = Learner(TranslationRecipe(model=model, task=task, steps=steps))
    before = process_time()
    learner.advance(steps)
    seconds = process_time() - before
    rng = np.random.default_rng(1000 + seed)
    if isinstance(task, Dates):
        said = f"all forms {learner.test(task.batch(rng, 5 * PAIRS)):.1%}"
    else:
        exact = [learner.test(task.batch(rng, PAIRS, (n, n))) for n in LENGTHS]
        said = f"at lengths {LENGTHS[0]} to {LENGTHS[-1]}: {min(exact):.1%} to {max(exact):.1%}"
    return f"{steps} steps in {seconds:.0f} s, {said}"


def memory(hops: int, seed: int) -> str:
    """Train one, and say how many of 500 questions that take two facts it answers."""
    settings = MemorySettings(hops=hops, seed=seed)
    learner, before = MemoryLearner(settings), process_time()
    learner.advance(settings.steps)
    found = learner.learning.moments[-1].accuracy
    return f"{settings.steps} steps in {process_time() - before:.0f} s, right {found:.1%}"


def main() -> None:
    """Print a line for each network."""
    for seed in SEEDS:
        for name in RECIPES:
            print(f"seed {seed}  {name:28} {translator(name, seed)}", flush=True)
        for hops in (1, 2, 3):
            print(f"seed {seed}  {f'memory network, hops: {hops}':28} {memory(hops, seed)}", flush=True)


if __name__ == "__main__":
    main()
