"""How far back the gradient of a plain recurrent network reaches in the same story."""

from __future__ import annotations

import numpy as np
import torch

from explorer.seq2seq.memory.settings import MemorySettings
from explorer.seq2seq.memory.stories import PLACES, WORDS, Stories


def recurrent_decades(settings: MemorySettings, story: Stories) -> np.ndarray:
    r"""log10 ‖∂L/∂h_t‖ of an untrained tanh RNN at the last word of each sentence of the first story, [S].

    .. math::
        h_t = \tanh(W_{ih}\, x_t + W_{hh}\, h_{t-1}), \qquad L = -\ln \text{softmax}(W h_T)_{answer}

    It reads the story and then the question word by word. H is the embedding size; words are normal, W too
    with standard deviation 0.1 as in ``MemoryNetwork``, the rest is uniform in ±1/√H as in ``torch.nn.RNN``.
    """
    size = settings.embedding_size
    rng = settings.rng("recurrent network")
    words = rng.standard_normal((len(WORDS), size))
    w_ih, w_hh = rng.uniform(-(size**-0.5), size**-0.5, (2, size, size))
    answer = torch.from_numpy(0.1 * rng.standard_normal((len(PLACES), size)))
    recurrent = torch.from_numpy(w_hh)
    read = np.append(story.sentences[0].ravel(), story.question[0])
    inputs = torch.from_numpy(words[read] @ w_ih.T)
    states = [torch.zeros(size, dtype=torch.float64)]
    with torch.enable_grad():
        for x in inputs:
            states.append(torch.tanh(x + recurrent @ states[-1]).requires_grad_())
        loss = torch.nn.functional.cross_entropy(answer @ states[-1], torch.tensor(story.answer[0]))
        ends = states[3 : len(read) - 1 : 3]
        norms = [one.norm().item() for one in torch.autograd.grad(loss, ends)]
    with np.errstate(divide="ignore"):
        return np.log10(norms)
