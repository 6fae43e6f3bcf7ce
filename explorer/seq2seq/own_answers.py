"""Answers of a translator's own: drawn token by token, or all that there can be."""

from __future__ import annotations

from itertools import product

import numpy as np
import torch

from explorer.seq2seq.translator import Translator
from explorer.seq2seq.vocabulary import BOS, EOS, PAD


def own_tokens(
    translator: Translator, source: np.ndarray, target: np.ndarray, chances: np.ndarray, own: np.ndarray
) -> np.ndarray:
    """The target after some of its tokens were replaced by draws of the network, N times, [Td, N].

    Token j of column n is drawn from p(· | tokens before it) where ``own`` [Td, N] is true, and else that of
    the target [Td]. A number u of ``chances`` [Td, N], in [0, 1), draws the first token k with
    u < p(0) + … + p(k): equal numbers give the same answer as long as the network hardly changes. What the
    decoder reads with scheduled sampling is this, shifted by one step.
    """
    count = chances.shape[1]
    with torch.no_grad():
        state, memory = translator.begin(columns(source, count))
        token, found = torch.full((count,), BOS), []
        for given, chance, is_own in zip(target, chances, own, strict=True):
            step = translator.step(token, state, memory)
            state = step.state
            upto = translator.logits(step.output).double().softmax(dim=1).cumsum(dim=1)
            upto = upto / upto[:, -1:]  # the last sum is 1 up to rounding
            drawn = (torch.from_numpy(chance)[:, None] >= upto).sum(dim=1)
            token = torch.where(torch.from_numpy(is_own), drawn, int(given))
            found.append(token)
    return torch.stack(found).numpy()


def ended(tokens: np.ndarray) -> np.ndarray:
    """Tokens [T, N] with ``<pad>`` after the first ``<eos>`` of each column."""
    is_end = tokens == EOS
    return np.where(is_end.cumsum(axis=0) - is_end > 0, PAD, tokens)


def answer_count(translator: Translator, longest: int) -> int:
    """How many answers there are: those that ``<eos>`` ends, and those that are cut off at ``longest``."""
    size = len(translator.target) - EOS - 1
    return sum(size**n for n in (range(longest + 1) if translator.settings.eos else (longest,)))


def every_answer(translator: Translator, longest: int) -> np.ndarray:
    """All answers of up to ``longest`` tokens, filled up with ``<pad>``, [longest, ``answer_count``].

    Their probabilities add up to 1: each is ended by ``<eos>`` or has ``longest`` symbols.
    """
    symbols = range(EOS + 1, len(translator.target))
    found = list(product(symbols, repeat=longest))
    for n in range(longest if translator.settings.eos else 0):
        rest = EOS, *[PAD] * (longest - n - 1)
        found += [head + rest for head in product(symbols, repeat=n)]
    return np.array(found).T


def columns(source: np.ndarray, count: int) -> torch.Tensor:
    """One source [Te], ``count`` times side by side, [Te, count]."""
    return torch.from_numpy(source)[:, None].expand(-1, count)
