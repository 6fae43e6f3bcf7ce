"""The memory network itself, and what one run of it recorded."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch

from explorer.seq2seq.memory.settings import MemorySettings
from explorer.seq2seq.memory.stories import PLACES, WORDS, Stories


class MemoryNetwork(torch.nn.Module):
    r"""End-to-end memory network with K hops and adjacent weights.

    .. math::
        m^k_i &= \sum_w E_k x_{iw} + \tau^k_i \quad (k = 0 \dots K), \qquad u^1 = \sum_w E_0 q_w \\
        p^k &= \text{softmax}\big(m^{k-1} u^k\big), \quad o^k = \sum_i p^k_i m^k_i, \quad
        u^{k+1} = u^k + o^k \\
        \hat y &= \text{softmax}(W u^{K+1})

    A hop asks with one embedding of the sentences and reads their next one; E_0 reads the question too. τ is
    an embedding of how long ago sentence i was. Shapes: E [words, d], m [S, d], u and o [d], p [S],
    W [places, d]. All start normal with standard deviation 0.1, each from a stream of its own. Sukhbaatar et
    al. (2015), "End-to-end memory networks"; W is free here and not E_K.
    """

    def __init__(self, settings: MemorySettings, dtype: torch.dtype = torch.float64) -> None:
        super().__init__()
        self.settings = settings
        size, levels = settings.embedding_size, settings.hops + 1
        shapes = {
            "words": (levels, len(WORDS), size),
            "ages": (levels, settings.sentences, size),
            "answer": (len(PLACES), size),
        }
        for name, shape in shapes.items():
            drawn = 0.1 * settings.rng(name).standard_normal(shape)
            self.register_parameter(name, torch.nn.Parameter(torch.tensor(drawn, dtype=dtype)))

    def memories(self, sentences: torch.Tensor) -> torch.Tensor:
        """m [K+1, B, S, d] of word numbers [B, S, 3]."""
        ages = self.get_parameter("ages")[:, : sentences.shape[1]].flip(1)
        return self.get_parameter("words")[:, sentences].sum(dim=3) + ages[:, None]

    def forward(
        self, memories: torch.Tensor, question: torch.Tensor
    ) -> tuple[torch.Tensor, list[torch.Tensor], list[torch.Tensor]]:
        """Logits [B, places], u of each hop and after the last, [B, d], and p of each hop, [B, S]."""
        u = [self.get_parameter("words")[0, question].sum(dim=1)]
        looks = []
        for ask, read in pairwise(memories):
            looks.append((ask @ u[-1][:, :, None])[:, :, 0].softmax(dim=1))
            u.append(u[-1] + (looks[-1][:, None] @ read)[:, 0])
        return u[-1] @ self.get_parameter("answer").T, u, looks


@dataclass(frozen=True)
class MemoryTrace:
    """One story and its question.

    Attributes:
        weights: p of each hop, [K, S].
        probabilities: of each place, [places].
        loss: −ln of that of the answer.
        query_decades: log10 ‖∂L/∂u^k‖ at each hop and after the last, [K+1].
        memory_decades: log10 ‖∂L/∂m^k_i‖ of every embedding of every sentence, [K+1, S]; −inf is an exact 0.
    """

    weights: np.ndarray
    probabilities: np.ndarray
    loss: float
    query_decades: np.ndarray
    memory_decades: np.ndarray


def run_memory(network: MemoryNetwork, story: Stories) -> MemoryTrace:
    """Answer the first question, in the network's own precision.

    The gradients are total: u^k acts on every later hop. The sum u^k + o^k lets ∂L/∂u pass a hop unchanged,
    as a residual connection does.
    """
    first = [torch.from_numpy(part[:1]) for part in (story.sentences, story.question, story.answer)]
    sentences, question, answer = first
    with torch.enable_grad():
        memories = network.memories(sentences).detach().requires_grad_()
        logits, u, looks = network(memories, question)
        loss = torch.nn.functional.cross_entropy(logits, answer)
        of_memory, *of_u = torch.autograd.grad(loss, [memories, *u])
    with np.errstate(divide="ignore"):
        return MemoryTrace(
            np.stack([look[0].detach().numpy() for look in looks]),
            logits[0].softmax(dim=0).detach().numpy(),
            loss.item(),
            np.log10([one.norm().item() for one in of_u]),
            np.log10(of_memory[:, 0].norm(dim=2).numpy()),
        )
