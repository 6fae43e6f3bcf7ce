"""Encoder: layers of one cell that read the source in one or both directions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from explorer.seq2seq.noise import Noise, dropped
from explorer.seq2seq.settings import Seq2Seq

State = tuple[torch.Tensor, ...]
"""(h,), or (h, c) of an LSTM, each [B, H]."""

MODULES: dict[str, Callable[..., torch.nn.RNNBase]] = {
    "rnn": torch.nn.RNN,
    "lstm": torch.nn.LSTM,
    "gru": torch.nn.GRU,
}
_NAMES = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")


@dataclass(frozen=True)
class Ends:
    """States of one layer at which it has read one token or all.

    Attributes:
        last: of the forward direction after the whole source.
        first: h of the forward direction after the first token, [B, H].
        backward: h of the backward direction after the whole source, at i = 1, [B, H]; None without it.
    """

    last: State
    first: torch.Tensor
    backward: torch.Tensor | None


@dataclass(frozen=True)
class Encoded:
    """What the encoder makes of a source.

    Attributes:
        annotations: h_i of the top layer, both directions beside each other, [Te, B, A].
        ends: of each layer, the lowest first.
        lengths: tokens of each source, [B]; None where all have Te.
    """

    annotations: torch.Tensor
    ends: tuple[Ends, ...]
    lengths: torch.Tensor | None = None


class Encoder(torch.nn.Module):
    r"""L layers of ``torch.nn.RNN``, ``LSTM`` or ``GRU``, [Te, B, E] → h [Te, B, A], A = H or 2H.

    .. math::
        \overrightarrow h^l_i = F(y^{l-1}_i, \overrightarrow h^l_{i-1}), \quad
        \overleftarrow h^l_i = F(y^{l-1}_i, \overleftarrow h^l_{i+1}), \qquad
        y^l_i = (\overrightarrow h^l_i, \overleftarrow h^l_i) \; [\, + \; y^{l-1}_i \,]

    y⁰ are the embeddings; what enters a layer passes through dropout; the last term is the residual
    connection, from the second layer on (Wu et al. 2016). The annotations are those of the top layer.
    Bidirectional encoder: Bahdanau, Cho & Bengio (2015).
    """

    def __init__(self, settings: Seq2Seq) -> None:
        super().__init__()
        size, both = settings.hidden_size, settings.bidirectional
        widths = [settings.embedding_size] + [settings.annotation_size] * (settings.layers - 1)
        module = MODULES[settings.cell]
        self.layers = torch.nn.ModuleList(module(width, size, bidirectional=both) for width in widths)
        self.residual, self.step = settings.residual, STEPS[settings.cell]

    def forward(
        self, embedded: torch.Tensor, lengths: torch.Tensor | None = None, noise: Noise | None = None
    ) -> Encoded:
        """All states at once by PyTorch's own loops; ``lengths`` [B] where sources are filled up."""
        return self._encode(embedded, lengths, noise, None)

    def observed(self, embedded: torch.Tensor, nudges: torch.Tensor, noise: Noise | None = None) -> Encoded:
        """The same step by step, with ``nudges`` [Te, B, A] of zeros added to the states of the top layer.

        PyTorch's loops hide how h_i acts on h_{i+1}. The gradient with respect to a nudge is the total
        ∂L/∂h_i, over all later steps of its direction.
        """
        return self._encode(embedded, None, noise, nudges)

    def _encode(
        self,
        embedded: torch.Tensor,
        lengths: torch.Tensor | None,
        noise: Noise | None,
        nudges: torch.Tensor | None,
    ) -> Encoded:
        below, ends = embedded, []
        for number, layer in enumerate(self.layers):
            assert isinstance(layer, torch.nn.RNNBase)
            given = dropped(below, noise)
            if nudges is None or number < len(self.layers) - 1:
                states, end = _run(layer, given, lengths)
            else:
                states, end = self._loop(layer, given, nudges)
            ends.append(end)
            below = states + below if self.residual and number else states
        return Encoded(below, tuple(ends), lengths)

    def _loop(
        self, layer: torch.nn.RNNBase, given: torch.Tensor, nudges: torch.Tensor
    ) -> tuple[torch.Tensor, Ends]:
        """One layer as a loop over time in each of its directions."""
        size = layer.hidden_size
        forward, last = self._direction(layer, "", given, nudges[..., :size])
        if not layer.bidirectional:
            return torch.stack(forward), Ends(last, forward[0], None)
        back, whole = self._direction(layer, "_reverse", given.flip(0), nudges[..., size:].flip(0))
        states = torch.cat([torch.stack(forward), torch.stack(back[::-1])], dim=-1)
        return states, Ends(last, forward[0], whole[0])

    def _direction(
        self, layer: torch.nn.RNNBase, suffix: str, given: torch.Tensor, nudges: torch.Tensor
    ) -> tuple[list[torch.Tensor], State]:
        """All h in the order of reading, and the state after the last."""
        weights = [getattr(layer, name + suffix) for name in _NAMES]
        zeros = given.new_zeros(given.shape[1], layer.hidden_size)
        state: State = (zeros, zeros) if isinstance(layer, torch.nn.LSTM) else (zeros,)
        path = []
        for x, nudge in zip(given, nudges, strict=True):
            h, *rest = self.step(x, state, *weights)
            state = (h + nudge, *rest)
            path.append(state[0])
        return path, state


def _rnn(x: torch.Tensor, state: State, *weights: torch.Tensor) -> State:
    return (torch.rnn_tanh_cell(x, *state, *weights),)


def _gru(x: torch.Tensor, state: State, *weights: torch.Tensor) -> State:
    return (torch.gru_cell(x, *state, *weights),)


def _lstm(x: torch.Tensor, state: State, *weights: torch.Tensor) -> State:
    return torch.lstm_cell(x, state, *weights)


STEPS: dict[str, Callable[..., State]] = {"rnn": _rnn, "lstm": _lstm, "gru": _gru}
"""Cell → one step: x [B, I], the old state, W_ih, W_hh, b_ih, b_hh → the new state."""


def _run(
    layer: torch.nn.RNNBase, given: torch.Tensor, lengths: torch.Tensor | None
) -> tuple[torch.Tensor, Ends]:
    """One layer by PyTorch; sources of different lengths are packed, so that each ends where it ends."""
    found: Any
    if lengths is None:
        states, found = layer(given)
    else:
        packed, found = layer(pack_padded_sequence(given, lengths, enforce_sorted=False))
        states, _ = pad_packed_sequence(packed, total_length=len(given))
    after = found if isinstance(found, tuple) else (found,)
    last = tuple(part[0] for part in after)
    backward = after[0][1] if layer.bidirectional else None
    return states, Ends(last, states[0, :, : layer.hidden_size], backward)
