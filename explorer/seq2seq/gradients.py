"""Where the gradient of each decoder step goes in the encoder."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import numpy as np
import torch

from explorer.seq2seq.trace import Observed, TranslatorTrace, observe

Path = Literal["total", "attention"]

_SMALL = -290.0  # decades below which digits of a float64 begin to be missing on the way
_LIFT = 900  # a second pass starts with 2^900 in the place of 1
FLOOR = _SMALL - _LIFT * math.log10(2)
"""Decades below which a gradient counts as an exact zero, about −561."""


def gradient_map(trace: TranslatorTrace, path: Path = "total") -> np.ndarray:
    r"""Decades :math:`\log_{10} \lVert \partial L_j / \partial h_i \rVert`, [Td, Te].

    L_j is the loss of decoder step j and h_i the state of the encoder's top layer at source token i, both
    directions together. "total" counts every way from h_i to L_j: through later states of the encoder and
    s_0, and through the attention of all steps up to j. "attention" keeps the states as they are and counts
    the ways through the attention alone, its shortcut. A drawn position of hard attention is taken as given,
    or with "straight-through" has the derivative of the softmax.

    One forward pass, and one backward pass for all j at once: the adjoints of all steps are the rows of one
    batch (``torch.vmap``). Where entries fall below 1e-290, the pass is done once more with the adjoints
    times 2^900. −inf is a gradient that is exactly 0, or below 1e-560.
    """
    with torch.enable_grad():
        seen = observe(trace.translator, trace.source, trace.target, trace.as_training, whole_graph=False)
    decades = _decades(seen, path, 0)
    if decades.min() < _SMALL:
        lifted = _decades(seen, path, _LIFT)
        small = (decades < _SMALL) & (lifted < np.inf)
        decades = np.where(small, lifted, decades)
    return np.asarray(np.where(decades < FLOOR, -np.inf, decades))


def _decades(seen: Observed, path: Path, lift: int) -> np.ndarray:
    """Decades of ∂L_j/∂h_i, with adjoints that start at 2^lift."""
    adjoints = torch.eye(len(seen.losses), dtype=seen.losses.dtype) * 2.0**lift
    rows = torch.vmap(_pullback(seen, path))(adjoints)[:, :, 0]
    largest = rows.abs().amax(dim=2, keepdim=True)  # of rows / largest, so that squares do not vanish
    safe = torch.where(largest > 0, largest, 1.0)
    norms = torch.linalg.vector_norm(rows / safe, dim=2)
    decades = torch.log10(norms) + torch.log10(safe[..., 0])
    return np.asarray(decades.numpy() - lift * math.log10(2))


def _pullback(seen: Observed, path: Path) -> Callable[[torch.Tensor], torch.Tensor]:
    """Adjoints of the losses [Td] → adjoints of the states, [Te, 1, A].

    First through the decoder, to its start, to the keys and to each context. What the contexts say of the
    annotations is one product, Σ_j α_ji ∂L/∂c_j, where autograd would add up Td arrays. Then through the
    encoder.
    """
    reading = [step.reading for step in seen.steps if step.reading is not None]
    contexts = [one.context for one in reading]
    keys = [] if seen.memory is None else [seen.memory.keys]
    start = [part for layer in seen.start.layers for part in layer if part.requires_grad]
    weights = torch.cat([one.weights for one in reading]).detach() if reading else None

    def pull(adjoint: torch.Tensor) -> torch.Tensor:
        found = _gradients([seen.losses], [*contexts, *keys, *start], [adjoint])
        of_start = found[len(contexts) + len(keys) :]
        ends, adjoints = ([], []) if path == "attention" else (start, of_start)
        if weights is not None:
            of_contexts = torch.stack(found[: len(contexts)])
            of_values = torch.tensordot(weights, of_contexts, dims=([0], [0]))
            ends = [*ends, seen.read, *keys]
            adjoints = [*adjoints, of_values, *found[len(contexts) : len(contexts) + len(keys)]]
        leaf = seen.nudges if path == "total" else seen.shown
        return _gradients(ends, [leaf], adjoints)[0] if ends else torch.zeros_like(leaf)

    return pull


def _gradients(
    outputs: list[torch.Tensor], inputs: list[torch.Tensor], adjoints: list[torch.Tensor]
) -> list[torch.Tensor]:
    """Σ adjoint·∂output/∂input of each input; 0 where there is no way from it to an output."""
    if not inputs:
        return []
    return list(
        torch.autograd.grad(
            outputs, inputs, adjoints, retain_graph=True, allow_unused=True, materialize_grads=True
        )
    )
