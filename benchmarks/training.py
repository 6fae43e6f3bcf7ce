"""Training steps a second against bare PyTorch loops of the same cell, side by side in one process.

Peer: the shortest loop that trains: ``torch.nn.RNN`` / ``LSTM`` / ``GRU`` (for other cells a loop over time
with one ``torch.nn.Linear`` for all inputs and one for the state), a linear readout, the loss,
``torch.optim.Adam``, on the same batches; it records nothing. Ours is a ``Trainer``, with the score and the
norms of every step. What it records of gradients over time, gates, eigenvalues and weights is measured for
whole runs below. One thread, processor time, medians of interleaved rounds of ten steps.

    python benchmarks/training.py
"""

from __future__ import annotations

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

from collections.abc import Callable
from statistics import median
from time import process_time

import torch
from torch.nn import Linear, functional

from explorer.training import Recipe, Trainer

torch.set_num_threads(1)

STEPS, ROUNDS = 10, 12
GOAL = 0.9
SIZES = [("latch", 32, 60, 32), ("adding", 64, 50, 32), ("digits", 128, 64, 32)]


class Bare(torch.nn.Module):
    """Base of the loops: x [T, B, I] → h [T, B, H] with ``blocks`` blocks of rows."""

    blocks = 1

    def __init__(self, inputs: int, size: int) -> None:
        super().__init__()
        self.size = size
        self.from_input, self.from_hidden = (Linear(n, self.blocks * size) for n in (inputs, size))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, None]:
        """All states, as the modules of torch give them."""
        h = c = x.new_zeros(x.shape[1], self.size)
        path = []
        for t, given in enumerate(self.from_input(x), start=1):
            h, c = self.step(t, given, h, c)
            path.append(h)
        return torch.stack(path), None

    def step(
        self, t: int, given: torch.Tensor, h: torch.Tensor, c: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The new h and c."""
        raise NotImplementedError


class BarePeephole(Bare):
    """LSTM with peepholes."""

    blocks = 4

    def __init__(self, inputs: int, size: int) -> None:
        super().__init__(inputs, size)
        self.peepholes = torch.nn.Parameter(torch.rand(3, size) / size**0.5)

    def step(
        self, t: int, given: torch.Tensor, h: torch.Tensor, c: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The new h and c."""
        i, f, g, o = (given + self.from_hidden(h)).chunk(4, dim=1)
        p_i, p_f, p_o = self.peepholes
        c = torch.sigmoid(f + p_f * c) * c + torch.sigmoid(i + p_i * c) * torch.tanh(g)
        return torch.sigmoid(o + p_o * c) * torch.tanh(c), c


class BareCoupled(Bare):
    """LSTM with f = 1 − i."""

    blocks = 3

    def step(
        self, t: int, given: torch.Tensor, h: torch.Tensor, c: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The new h and c."""
        i, g, o = (given + self.from_hidden(h)).chunk(3, dim=1)
        i = torch.sigmoid(i)
        c = (1 - i) * c + i * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c


class BareClockwork(Bare):
    """Four modules with the periods 1, 2, 4, 8, without the zeros of its matrix."""

    def step(
        self, t: int, given: torch.Tensor, h: torch.Tensor, c: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The new h."""
        period = torch.tensor([1, 2, 4, 8]).repeat_interleave(self.size // 4)
        return torch.where(t % period == 0, torch.tanh(given + self.from_hidden(h)), h), c


class BareAntisymmetric(Bare):
    """h + ε tanh(W x + A h − γ h), with any matrix in the place of A."""

    def step(
        self, t: int, given: torch.Tensor, h: torch.Tensor, c: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The new h."""
        return h + 0.1 * torch.tanh(given + self.from_hidden(h) - 0.01 * h), c


PEERS: dict[str, Callable[[int, int], torch.nn.Module]] = {
    "rnn": torch.nn.RNN,
    "lstm": torch.nn.LSTM,
    "gru": torch.nn.GRU,
    "peephole": BarePeephole,
    "coupled": BareCoupled,
    "clockwork": BareClockwork,
    "antisymmetric": BareAntisymmetric,
}


def bare(recipe: Recipe) -> Callable[[], None]:
    """One training step of the peer."""
    experiment, task = recipe.experiment, recipe.task
    module = PEERS[experiment.cell.kind](task.input_size, experiment.hidden_size)
    readout = Linear(experiment.hidden_size, task.output_size)
    optimizer = torch.optim.Adam([*module.parameters(), *readout.parameters()], lr=recipe.learning_rate)
    done = 0

    def step() -> None:
        nonlocal done
        batch = task.batch(experiment.rng(f"batch/{done}"), experiment.num_steps, experiment.batch_size)
        done += 1
        optimizer.zero_grad()
        outputs = readout(module(torch.tensor(batch.inputs, dtype=torch.float32))[0][-1])
        targets = torch.tensor(batch.targets[0])
        if task.output == "number":
            loss = functional.mse_loss(outputs[:, 0], targets.float())
        else:
            loss = functional.cross_entropy(outputs, targets)
        loss.backward()
        optimizer.step()

    return step


def measure(kind: str, task: str, hidden_size: int, num_steps: int, batch_size: int) -> float:
    """Print one row; returns the ratio of training steps a second."""
    experiment = {
        "cell": {"kind": kind},
        "hidden_size": hidden_size,
        "num_steps": num_steps,
        "batch_size": batch_size,
        "dtype": "float32",
    }
    recipe = Recipe(experiment=experiment, task={"kind": task}, steps=20000)
    trainer, peer = Trainer(recipe), bare(recipe)
    mine, theirs = [], []
    for _ in range(ROUNDS + 1):
        start = process_time()
        trainer.advance(STEPS)
        middle = process_time()
        for _ in range(STEPS):
            peer()
        mine.append(middle - start)
        theirs.append(process_time() - middle)
    ours, other = (STEPS / median(times[1:]) for times in (mine, theirs))
    print(
        f"{kind:14s} {task:7s} H={hidden_size:<4d} T={num_steps:<3d} B={batch_size:<3d} "
        f"ours {ours:6.0f} steps/s   bare loop {other:6.0f} steps/s   ratio {ours / other:5.2f}",
        flush=True,
    )
    return ours / other


def recording_share(kind: str) -> None:
    """Print how much of a short run is recording: a run of 300 steps against the same steps alone."""
    experiment = {
        "cell": {"kind": kind},
        "hidden_size": 32,
        "num_steps": 60,
        "batch_size": 32,
        "dtype": "float32",
    }
    recipe = Recipe(experiment=experiment)
    start = process_time()
    trainer = Trainer(recipe)
    trainer.advance(recipe.steps)
    whole = process_time() - start
    times = []
    for _ in range(5):
        start = process_time()
        trainer.record()
        times.append(process_time() - start)
    share = median(times) * len(recipe.moments) / whole
    print(
        f"{kind:14s} latch run of {recipe.steps} steps: {whole:5.2f} s, {share:4.0%} of it recording",
        flush=True,
    )


def main() -> None:
    """All cells at all sizes, then what recording costs in a short run."""
    print(f"torch {torch.__version__}, float32, one thread; goal of the ratio {GOAL}")
    worst = min(measure(kind, *size) for size in SIZES for kind in PEERS)
    print(f"smallest ratio {worst:.2f}")
    for kind in PEERS:
        recording_share(kind)


if __name__ == "__main__":
    main()
