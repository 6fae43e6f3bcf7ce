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
        attention_decades: the same with the way past the hops cut: ∂L/∂u^{K+1} sent back through o^K, …, o^k
            alone, [K+1].
        memory_decades: log10 ‖∂L/∂m^k_i‖ of every embedding of every sentence, [K+1, S]; −inf is an exact 0.
    """

    weights: np.ndarray
    probabilities: np.ndarray
    loss: float
    query_decades: np.ndarray
    attention_decades: np.ndarray
    memory_decades: np.ndarray


def run_memory(network: MemoryNetwork, story: Stories) -> MemoryTrace:
    """Answer the first question, and send the gradient back in float64.

    The gradients are total: u^k acts on every later hop. The sum u^k + o^k lets ∂L/∂u pass a hop unchanged,
    as a residual connection does.
    """
    first = [torch.from_numpy(part[:1]) for part in (story.sentences, story.question)]
    answer = int(story.answer[0])
    with torch.no_grad():
        memories = network.memories(first[0])
        logits, u, looks = network(memories, first[1])
        logs = logits[0].double().log_softmax(dim=0).numpy()
    of_logits = np.exp(logs)
    of_logits[answer] = -np.delete(of_logits, answer).sum()  # p − 1 has no digits left near p = 1
    of_answer = of_logits @ network.get_parameter("answer").detach().double().numpy()
    weights = np.concatenate([look.double().numpy() for look in looks])
    queries = np.concatenate([one.double().numpy() for one in u])
    ways = _back(memories[:, 0].double().numpy(), queries, weights, of_answer)
    with np.errstate(divide="ignore"):
        decades = [np.log10(np.linalg.norm(way, axis=-1)) for way in ways]
    return MemoryTrace(weights, np.exp(logs), float(-logs[answer]), *decades)


def _back(
    m: np.ndarray, u: np.ndarray, p: np.ndarray, of_last: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """∂L/∂u [K+1, d], the same through attention alone, and ∂L/∂m [K+1, S, d], from ∂L/∂u^{K+1} [d]."""
    whole, alone, of_memory = [of_last], [of_last], np.zeros_like(m)
    for k in reversed(range(len(p))):
        of_memory[k + 1] += np.outer(p[k], whole[0])
        of_scores = _through_softmax(p[k], m[k + 1] @ whole[0])
        of_memory[k] += np.outer(of_scores, u[k])
        whole.insert(0, whole[0] + of_scores @ m[k])
        alone.insert(0, _through_softmax(p[k], m[k + 1] @ alone[0]) @ m[k])
    return np.array(whole), np.array(alone), of_memory


def _through_softmax(p: np.ndarray, of_weights: np.ndarray) -> np.ndarray:
    """(diag p − p pᵀ) times ∂L/∂p, [S]; by differences, so that weights near 0 and 1 keep their digits."""
    found: np.ndarray = p * ((of_weights[:, None] - of_weights) @ p)
    return found
