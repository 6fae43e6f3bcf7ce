"""Translator: encoder, decoder and readout as one module of PyTorch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch.nn import Embedding, Linear

from explorer.seq2seq.attention import Memory
from explorer.seq2seq.decoder import Decoder, DecoderState, Step
from explorer.seq2seq.encoder import Encoder
from explorer.seq2seq.noise import Noise
from explorer.seq2seq.settings import Seq2Seq
from explorer.seq2seq.vocabulary import BOS, EOS, LONGEST, Vocabulary


class Translator(torch.nn.Module):
    r"""An encoder–decoder between two vocabularies.

    .. math::
        p(y_j \mid y_{<j}, x) = \text{softmax}(V o_j + d), \qquad L_j = -\ln p(y_j \mid y_{<j}, x)

    The parts are ``Encoder``, ``Bridge`` (s_0), ``Decoder`` and one of ``ATTENTIONS``. ``<pad>`` and
    ``<bos>`` are never said: their logits are −inf, and without ``eos`` also that of ``<eos>``. Without
    ``bos`` the embedding of ``<bos>`` is 0 and is not learned. Shapes: V [target vocabulary, H].

    Recurrent layers and embeddings start as PyTorch draws them, uniform in ±1/√H and normal with standard
    deviation 1; all other matrices [m, n] are uniform in ±√(6/(m + n)) (Glorot & Bengio 2010), and d is 0.
    Each has random numbers of its own, named after it, so that another attention changes no weight that both
    have; none comes from PyTorch's global generator.

    Attributes:
        settings: all choices.
        source, target: the vocabularies.
    """

    def __init__(
        self, settings: Seq2Seq, source: Vocabulary, target: Vocabulary, dtype: torch.dtype = torch.float64
    ) -> None:
        super().__init__()
        self.settings, self.source, self.target = settings, source, target
        with torch.device("meta"):  # to be initialised they would draw from the global generator
            self.source_embedding = Embedding(len(source), settings.embedding_size)
            silent = None if settings.bos else BOS
            self.target_embedding = Embedding(len(target), settings.embedding_size, padding_idx=silent)
            self.encoder = Encoder(settings)
            self.decoder = Decoder(settings)
            self.readout = Linear(settings.hidden_size, len(target))
        self.to(dtype).to_empty(device="cpu")
        _draw(self, settings)
        self._unsaid = torch.zeros(len(target), dtype=dtype)
        self._unsaid[: self.first_said] = -torch.inf

    @property
    def first_said(self) -> int:
        """The number of the first token that can be said; all after it can."""
        return EOS if self.settings.eos else EOS + 1

    def goal(self, symbols: Sequence[int]) -> list[int]:
        """What has to be said for these symbols: at most 100 tokens, with ``<eos>`` as the last, if there is.

        Raises ValueError as ``Vocabulary.check``; without ``<eos>`` also where there are no symbols.
        """
        end = [EOS] if self.settings.eos else []
        return self.target.check(symbols, "target", 1 - len(end), LONGEST - len(end)) + end

    def begin(
        self, source: torch.Tensor, lengths: torch.Tensor | None = None, noise: Noise | None = None
    ) -> tuple[DecoderState, Memory | None]:
        """Read sources [Te, B]; gives the decoder's first state and what the attention reads.

        ``lengths`` [B] says where sources end that are filled up with ``<pad>``.
        """
        return self.decoder.begin(self.encoder(self.source_embedding(source), lengths, noise))

    def step(
        self, tokens: torch.Tensor, state: DecoderState, memory: Memory | None, noise: Noise | None = None
    ) -> Step:
        """One step of the decoder from the last tokens [B]."""
        found: Step = self.decoder(self.target_embedding(tokens), state, memory, noise)
        return found

    def logits(self, outputs: torch.Tensor) -> torch.Tensor:
        """V o + d of outputs [..., H], with −inf for what is never said, [..., target vocabulary]."""
        return torch.nn.functional.linear(outputs, self.readout.weight, self.readout.bias + self._unsaid)

    def steps(
        self,
        target: torch.Tensor,
        state: DecoderState,
        memory: Memory | None,
        noise: Noise | None = None,
    ) -> list[Step]:
        """All steps with teacher forcing: step j is given token j − 1 of the target [Td, B]."""
        found: list[Step] = []
        for tokens in shifted(target):
            found.append(self.step(tokens, state, memory, noise))
            state = found[-1].state
        return found


def shifted(target: torch.Tensor) -> torch.Tensor:
    """What the decoder reads with teacher forcing: ``<bos>`` and the target without its last, [Td, B]."""
    return torch.cat([torch.full_like(target[:1], BOS), target[:-1]])


def _draw(translator: torch.nn.Module, settings: Seq2Seq) -> None:
    """Fill all weights, each from the stream of its name."""
    for path, module in translator.named_modules():
        for name, weight in module.named_parameters(path, recurse=False):
            rng = settings.rng(name)
            drawn = (
                rng.standard_normal(weight.shape)
                if isinstance(module, Embedding)
                else _limit(module, weight) * rng.uniform(-1, 1, weight.shape)
            )
            with torch.no_grad():
                weight.copy_(torch.from_numpy(np.asarray(drawn)))
                if isinstance(module, Embedding) and module.padding_idx is not None:
                    weight[module.padding_idx] = 0


def _limit(module: torch.nn.Module, weight: torch.Tensor) -> float:
    """Largest value that a weight of the module can get."""
    if isinstance(module, torch.nn.RNNBase | torch.nn.RNNCellBase):
        return float(module.hidden_size**-0.5)
    return float((6 / sum(weight.shape)) ** 0.5) if weight.ndim == 2 else 0.0
