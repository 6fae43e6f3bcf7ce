"""What a translator says: the most probable token at each step, for many sources at once."""

from __future__ import annotations

import numpy as np
import torch

from explorer.seq2seq.noise import Noise
from explorer.seq2seq.translator import Translator
from explorer.seq2seq.vocabulary import BOS, EOS, PAD


def answers(translator: Translator, source: np.ndarray, lengths: np.ndarray, longest: int) -> np.ndarray:
    """Greedy answers to sources [Te, B] with ``lengths`` [B]: token numbers [T ≤ longest, B].

    After ``<eos>`` comes ``<pad>``; an answer that does not end is cut off, without ``<eos>`` every one.
    """
    with torch.no_grad():
        said, _, _ = say(translator, torch.from_numpy(source), uneven(lengths), longest, None)
    return said.numpy()


def say(
    translator: Translator,
    source: torch.Tensor,
    lengths: torch.Tensor | None,
    longest: int,
    noise: Noise | None,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Answers [T, B], greedy without noise and else drawn, with logarithms of their probabilities, [B].

    The second one is ln p(answer), the third ln of the probability of all positions that hard attention drew.
    """
    state, memory = translator.begin(source, lengths, noise)
    tokens = torch.full_like(source[0], BOS)
    ended = torch.zeros_like(tokens, dtype=torch.bool)
    said, of_tokens, of_positions = [], torch.zeros(len(tokens)), torch.zeros(len(tokens))
    for _ in range(longest):
        step = translator.step(tokens, state, memory, noise)
        state, going = step.state, (~ended).to(torch.float32)
        log_probabilities = translator.logits(step.output).log_softmax(dim=1)
        if noise is None:
            tokens = log_probabilities.argmax(dim=1)
        else:
            drawn = torch.multinomial(log_probabilities.detach().exp(), 1, generator=noise.generator)
            tokens = drawn[:, 0]
        of_tokens = of_tokens + going * log_probabilities.gather(1, tokens[:, None])[:, 0]
        if step.reading is not None and step.reading.log_probability is not None:
            of_positions = of_positions + going * step.reading.log_probability
        tokens = tokens.masked_fill(ended, PAD)
        said.append(tokens)
        ended = ended | (tokens == EOS)
        if bool(ended.all()):
            break
    return torch.stack(said), of_tokens, of_positions


def uneven(lengths: np.ndarray) -> torch.Tensor | None:
    """Lengths as the encoder takes them; None where all are equal, which is faster."""
    return None if (lengths == lengths[0]).all() else torch.from_numpy(lengths)
