"""Decoder: one step at a time from the last token, the last state and the source to the next token."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch.nn import Linear

from explorer.seq2seq.attention import ATTENTIONS, Attention, Memory, Reading
from explorer.seq2seq.encoder import Encoded, Ends, State
from explorer.seq2seq.noise import Noise, dropped
from explorer.seq2seq.settings import Seq2Seq

CELLS: dict[str, Callable[..., torch.nn.RNNCellBase]] = {
    "rnn": torch.nn.RNNCell,
    "lstm": torch.nn.LSTMCell,
    "gru": torch.nn.GRUCell,
}


class DecoderState(NamedTuple):
    """All that one step hands to the next.

    Attributes:
        layers: the state of each layer, the lowest first.
        output: o_{j−1}, which enters the next step with Luong's kinds of attention, [B, H].
    """

    layers: tuple[State, ...]
    output: torch.Tensor


@dataclass(frozen=True)
class Step:
    """What one step computed.

    Attributes:
        state: for the next step.
        output: o_j, from which the next token is read, [B, H].
        reading: the look at the source; None without attention.
    """

    state: DecoderState
    output: torch.Tensor
    reading: Reading | None


class Decoder(torch.nn.Module):
    r"""L layers of the cell, an attention and what is read of both.

    .. math::
        \text{without attention:}\quad & s_j = F(y_{j-1}, s_{j-1}), & o_j &= s_j \\
        \text{Bahdanau, Xu:}\quad & s_j = F([y_{j-1}; c_j(s_{j-1})], s_{j-1}),
            & o_j &= \tanh(W_c [c_j; s_j]) \\
        \text{Luong:}\quad & s_j = F([y_{j-1}; o_{j-1}], s_{j-1}), & o_j &= \tanh(W_c [c_j(s_j); s_j])

    y_{j−1} is the embedding of the last token, o_0 = 0. All kinds share Luong's o_j, so that they differ in
    the attention alone. c_j(s) is asked with the state of the top layer. With residual connections a layer's
    output is its state plus its input, from the second layer on, and o_j reads the output of the top layer.
    Shapes: y [B, E], s and o [B, H], c [B, A], W_c [H, A + H].
    """

    def __init__(self, settings: Seq2Seq) -> None:
        super().__init__()
        size, annotation = settings.hidden_size, settings.annotation_size
        self.attention: Attention | None = None
        lowest = settings.embedding_size
        if settings.attention != "none":
            self.attention = ATTENTIONS[settings.attention](settings)
            self.W_c = Linear(annotation + size, size, bias=False)
            lowest += annotation if self.attention.asks_before else size
        widths = [lowest] + [size] * (settings.layers - 1)
        self.cells = torch.nn.ModuleList(CELLS[settings.cell](width, size) for width in widths)
        self.bridge = Bridge(settings)
        self.residual = settings.residual

    def begin(self, encoded: Encoded) -> tuple[DecoderState, Memory | None]:
        """The state before the first step, and what the attention reads."""
        layers = tuple(self.bridge(encoded.ends))
        zeros = torch.zeros_like(layers[0][0])
        if self.attention is None:
            return DecoderState(layers, zeros), None
        return DecoderState(layers, zeros), self.attention.remember(encoded.annotations, encoded.lengths)

    def forward(
        self, embedded: torch.Tensor, state: DecoderState, memory: Memory | None, noise: Noise | None = None
    ) -> Step:
        """One step from the embedding [B, E] of the last token."""
        attention = self.attention
        given = dropped(embedded, noise)
        if attention is None or memory is None:
            layers, top = self._advance(given, state.layers, noise)
            return Step(DecoderState(layers, top), top, None)
        if attention.asks_before:
            reading = attention(state.layers[-1][0], memory, noise)
            layers, top = self._advance(torch.cat([given, reading.context], 1), state.layers, noise)
        else:
            layers, top = self._advance(torch.cat([given, state.output], 1), state.layers, noise)
            reading = attention(layers[-1][0], memory, noise)
        output = torch.tanh(self.W_c(torch.cat([reading.context, top], 1)))
        return Step(DecoderState(layers, output), output, reading)

    def _advance(
        self, given: torch.Tensor, states: tuple[State, ...], noise: Noise | None
    ) -> tuple[tuple[State, ...], torch.Tensor]:
        """New states of all layers, and the output of the top layer."""
        below, new = given, []
        for number, (cell, state) in enumerate(zip(self.cells, states, strict=True)):
            if number:
                given = dropped(below, noise)
            found = cell(given, state if len(state) > 1 else state[0])
            new.append(found if isinstance(found, tuple) else (found,))
            h = new[-1][0]
            below = h + below if self.residual and number else h
        return tuple(new), below


class Bridge(torch.nn.Module):
    r"""The decoder's start state, for each layer from the same layer of the encoder.

    .. math::
        \text{zeros: } s_0 = 0, \quad \text{last: } s_0 = \overrightarrow h_{T_e}, \quad
        \text{backward: } s_0 = \tanh(W_s \overleftarrow h_1), \quad
        \text{first: } s_0 = \tanh(W_s \overrightarrow h_1)

    "last" hands on the c of an LSTM too; else c starts at 0. "backward" is that of Bahdanau et al. (2015):
    ←h_1 has read the whole source. →h_1 of "first" has read one token: without attention the decoder then
    knows no other. A unidirectional encoder has no ←h_1, so "backward" is tanh(W_s →h_{Te}): again the state
    that has read the whole source. Shapes: W_s [H, H], s_0 [B, H].
    """

    def __init__(self, settings: Seq2Seq) -> None:
        super().__init__()
        self.start, self.has_cell = settings.start, settings.cell == "lstm"
        size = settings.hidden_size
        count = settings.layers if settings.start in ("backward", "first") else 0
        self.W_s = torch.nn.ModuleList(Linear(size, size, bias=False) for _ in range(count))

    def forward(self, ends: tuple[Ends, ...]) -> list[State]:
        """s_0 of every layer, the lowest first."""
        if self.start == "last":
            return [end.last for end in ends]
        if self.start == "zeros":
            return [tuple(torch.zeros_like(part) for part in end.last) for end in ends]
        states: list[State] = []
        for end, matrix in zip(ends, self.W_s, strict=True):
            whole = end.last[0] if end.backward is None else end.backward
            h = torch.tanh(matrix(end.first if self.start == "first" else whole))
            states.append((h, torch.zeros_like(h)) if self.has_cell else (h,))
        return states
