"""Reach: which source tokens each state of the encoder, and the decoder's start, depend on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from explorer.seq2seq.settings import Seq2Seq
from explorer.seq2seq.translator import Translator
from explorer.seq2seq.vocabulary import LETTERS


@dataclass(frozen=True)
class Reach:
    r"""How strongly states depend on the embeddings x_k of the source's tokens, in decades.

    Attributes:
        annotations: :math:`\log_{10} \lVert \partial (r^\top h_i) / \partial x_k \rVert`, [Te, Te]; −inf is
            an exact 0: h_i knows nothing of token k.
        start: the same of s_0 of the top layer, [Te].
    """

    annotations: np.ndarray
    start: np.ndarray


def annotation_reach(settings: Seq2Seq, source: Sequence[int], translator: Translator | None = None) -> Reach:
    """Which tokens h_i and s_0 know of, without dropout.

    r is one random vector of length 1 for all i, drawn from the seed: a whole Jacobian for each i and k costs
    A times as much and has its zeros in the same places. All rows are one batched backward pass. Arguments as
    of ``run_translator``, also for what is refused with ValueError.
    """
    if translator is None:
        translator = Translator(settings, LETTERS, LETTERS)
    read = torch.tensor(translator.source.check(source, "source"))
    rng = settings.rng("reach")
    embedded = translator.source_embedding(read[:, None]).detach().requires_grad_()
    with torch.enable_grad():
        encoded = translator.encoder(embedded)
        state, _ = translator.decoder.begin(encoded)
        start = state.layers[-1][0][0]
        seen = torch.cat(
            [encoded.annotations[:, 0] @ _unit(rng, encoded.annotations), (start @ _unit(rng, start))[None]]
        )

    def pull(adjoint: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor
        (found,) = torch.autograd.grad(seen, embedded, adjoint, retain_graph=True)
        return found

    rows = torch.vmap(pull)(torch.eye(len(seen), dtype=seen.dtype))[:, :, 0]
    decades = torch.linalg.vector_norm(rows, dim=2).log10().numpy()
    return Reach(decades[:-1], decades[-1])


def _unit(rng: np.random.Generator, like: torch.Tensor) -> torch.Tensor:
    """A random vector of length 1 for the last axis of ``like``."""
    drawn = rng.standard_normal(like.shape[-1])
    return torch.from_numpy(drawn / np.linalg.norm(drawn)).to(like.dtype)
