"""Wirings of one cell, many-to-one to encoder–decoder, with the gradient on each way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch

from explorer.experiment import Experiment
from explorer.lessons.architectures import run_architecture
from explorer.seq2seq import LETTERS, Seq2Seq, Translator
from explorer.seq2seq.attention import Memory
from explorer.seq2seq.encoder import Encoder, State
from explorer.seq2seq.translator import shifted

Heard = Literal["all", "last"]
Aligned = Literal["many_to_one", "one_to_many", "many_to_many"]
ALIGNED: dict[Aligned, tuple[str, str]] = {
    "many_to_one": ("noise", "last"),
    "one_to_many": ("pulse", "every"),
    "many_to_many": ("noise", "every"),
}
"""Wiring of a single cell → (input, loss) of the experiment that has it."""


@dataclass(frozen=True)
class Wiring:
    """A row of n hidden states in the order of computing, and how much gradient of L goes each way.

    All numbers are decades; −inf is a way on which exactly 0 comes, NaN a way that there is not.

    Attributes:
        states: names, e.g. h₁.
        reads: what each state reads, "" where that is nothing: x, y of a decoder, whose first one is ‹bos›
            or, without it, 0.
        reached: ‖∂L/∂h‖ of each state, [n].
        along: what comes into each state from the one computed after it, [n]; NaN at the last.
        losses: what comes from the loss that reads the state, [n].
        inputs: ‖∂L/∂x‖ of what each state reads, [n].
        shortcuts: what comes from the look of state j into state i, [n, n]; all NaN without attention.
        ends: whether the last state has to say ‹eos›.
    """

    states: tuple[str, ...]
    reads: tuple[str, ...]
    reached: np.ndarray
    along: np.ndarray
    losses: np.ndarray
    inputs: np.ndarray
    shortcuts: np.ndarray
    ends: bool = False


def aligned_wiring(
    kind: Aligned,
    *,
    cell: str = "rnn",
    hidden_size: int = 64,
    num_steps: int = 5,
    seed: int = 0,
    heard: Heard = "all",
) -> Wiring:
    """One cell whose states are read as they come.

    ``one_to_many`` reads a pulse at its first step and nothing later. ``heard`` "last" leaves the last loss
    alone. The losses are linear: each is read along a random direction of length 1.
    """
    signal, loss = ALIGNED[kind]
    experiment = Experiment.model_validate(
        {
            "cell": {"kind": cell},
            "hidden_size": hidden_size,
            "num_steps": num_steps,
            "batch_size": 1,
            "signal": {"kind": signal},
            "loss": {"kind": "last" if heard == "last" else loss},
            "seed": seed,
        }
    )
    found = run_architecture(experiment)
    reached, along, below = (part[:, 0] for part in (found.norms(0, 0), found.along(0, 0), found.below(0, 0)))
    weights = found.loss_weights[1:]
    entered = np.where(weights > 0, reached[-1] + np.log10(np.where(weights > 0, weights, 1)), np.nan)
    reads = tuple("x" if t == 0 or kind != "one_to_many" else "" for t in range(num_steps))
    return Wiring(
        tuple(f"h{_low(t)}" for t in range(1, num_steps + 1)),
        reads,
        reached[1:],
        np.append(along[1:-1], np.nan),
        entered,
        np.where([bool(name) for name in reads], below, np.nan),
        np.full((num_steps, num_steps), np.nan),
    )


def translator_wiring(
    settings: Seq2Seq, source: list[int], target: list[int], heard: Heard = "all"
) -> Wiring:
    """An encoder–decoder with one forward layer in which s_0 is the encoder's last state, without dropout.

    The target is given without ``<eos>``, which the decoder has to say last, if the settings have it. L is
    the sum of all L_j, or with ``heard`` "last" that of the last step. Raises ValueError for settings that
    are wired in another way, and for tokens as ``run_translator`` does.
    """
    plain = {"layers": 1, "bidirectional": False, "start": "last", "dropout": 0.0}
    for name, value in plain.items():
        if getattr(settings, name) != value:
            raise ValueError(f"{name} is {getattr(settings, name)!r}; this wiring has {value!r}")
    network = Translator(settings, LETTERS, LETTERS)
    read = torch.tensor(network.source.check(source, "source"))
    goal = torch.tensor(network.goal(target))
    with torch.enable_grad():
        return _Walk(network, len(read), len(goal)).measured(read, goal, heard)


class _Walk:
    """One pass in which zeros are added wherever a gradient is to be read off."""

    def __init__(self, network: Translator, read: int, said: int) -> None:
        self.network, self.read, self.count = network, read, read + said
        size = network.settings.hidden_size

        def zeros(*shape: int) -> torch.Tensor:
            return torch.zeros(*shape, 1, size, dtype=network.readout.weight.dtype, requires_grad=True)

        self.whole, self.carried, self.shown = zeros(self.count), zeros(self.count), zeros(said, read)

    def measured(self, read: torch.Tensor, goal: torch.Tensor, heard: Heard) -> Wiring:
        """The forward pass, one backward pass, and the lengths of what arrived."""
        network = self.network
        x = network.source_embedding(read[:, None]).detach().requires_grad_()
        y = network.target_embedding(shifted(goal[:, None])).detach().requires_grad_()
        annotations, last = self._encode(network.encoder, x)
        decoder = network.decoder
        state = decoder.begin(network.encoder(x))[0]._replace(layers=(last,))
        outputs = []
        for j, given in enumerate(y):
            memory = self._memory(annotations + self.shown[j])
            place = self.read + j
            hook = decoder.cells[0].register_forward_hook(_adding(self.whole[place]))
            step = decoder(given, state, memory)
            hook.remove()
            outputs.append(step.output)
            state = step.state
        losses = torch.nn.functional.cross_entropy(network.logits(torch.cat(outputs)), goal, reduction="none")
        parts = losses if heard == "all" else losses[-1:]  # summands of L
        by_step = [torch.autograd.grad(part, self.whole, retain_graph=True)[0] for part in parts]
        leaves = (self.whole, self.carried, self.shown, x, y)
        found = torch.autograd.grad(parts.sum(), leaves, allow_unused=True, materialize_grads=True)
        return self._lengths(torch.stack(by_step), *found)

    def _encode(self, encoder: Encoder, x: torch.Tensor) -> tuple[torch.Tensor, State]:
        """Annotations [Te, 1, H], and the state that is handed to the decoder."""
        layer = encoder.layers[0]
        weights = [getattr(layer, f"{name}_l0") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
        zeros = x.new_zeros(1, self.network.settings.hidden_size)
        state: State = (zeros, zeros) if self.network.settings.cell == "lstm" else (zeros,)
        path = []
        for i, given in enumerate(x):
            state = _nudged(encoder.step(given, state, *weights), self.whole[i])
            path.append(state[0])
            state = _nudged(state, self.carried[i])
        return torch.stack(path), state

    def _memory(self, annotations: torch.Tensor) -> Memory | None:
        attention = self.network.decoder.attention
        return None if attention is None else attention.remember(annotations)

    def _lengths(self, by_step: torch.Tensor, *parts: torch.Tensor) -> Wiring:
        """Decades of all parts; ``by_step`` are the ∂L_j/∂h of the summands of L, [·, n, 1, H]."""
        whole, carried, shown, x, y = parts
        n, read, heard = self.count, self.read, len(by_step)
        along, losses = _decades(carried), np.full(n, np.nan)
        losses[n - heard :] = _decades(torch.stack([by_step[j, n - heard + j] for j in range(heard)]))
        for place in range(read, n):  # what later steps felt of s_j, on every way out of its step
            later = [j for j in range(heard) if n - heard + j > place]
            along[place] = _decades(by_step[later, place].sum(dim=0)[None])[0]
        along[-1] = np.nan
        shortcuts = np.full((n, n), np.nan)
        if self.network.decoder.attention is not None:
            shortcuts[read:, :read] = _decades(shown)
        names = [f"h{_low(i)}" for i in range(1, read + 1)] + [f"s{_low(j)}" for j in range(1, n - read + 1)]
        settings, inputs = self.network.settings, np.concatenate([_decades(x), _decades(y)])
        reads = ["x"] * read + ["‹bos›" if settings.bos else "0"] + ["y"] * (n - read - 1)
        return Wiring(
            tuple(names), tuple(reads), _decades(whole), along, losses, inputs, shortcuts, settings.eos
        )


def _nudged(state: State, nudge: torch.Tensor) -> State:
    """The state with zeros added to its h."""
    return (state[0] + nudge, *state[1:])


def _adding(nudge: torch.Tensor) -> Callable[[torch.nn.Module, object, Any], State | torch.Tensor]:
    """A hook that adds zeros to the h that a cell gives."""

    def add(_cell: torch.nn.Module, _given: object, found: State | torch.Tensor) -> State | torch.Tensor:
        return found + nudge if isinstance(found, torch.Tensor) else _nudged(found, nudge)

    return add


def _decades(vectors: torch.Tensor) -> np.ndarray:
    """log10 of the lengths over the last axis, the axis of one sample left out."""
    return np.asarray(torch.linalg.vector_norm(vectors, dim=-1)[..., 0].log10().numpy())


def _low(number: int) -> str:
    return str(number).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))
