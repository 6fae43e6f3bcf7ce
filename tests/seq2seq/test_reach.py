"""What annotations know, against the product of Jacobians of a tanh network, and the zeros it must have."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from explorer.seq2seq import LETTERS, Seq2Seq, Translator
from explorer.seq2seq.reach import annotation_reach

SOURCE = LETTERS.encode("gradient")


def unit(settings: Seq2Seq, stream: np.random.Generator, size: int) -> np.ndarray:
    drawn = stream.standard_normal(size)
    return np.asarray(drawn / np.linalg.norm(drawn))


def test_a_tanh_network_gives_the_product_of_its_jacobians() -> None:
    settings = Seq2Seq(hidden_size=7, embedding_size=5)
    network = Translator(settings, LETTERS, LETTERS)
    layer = network.encoder.layers[0]
    w_ih, w_hh = (getattr(layer, f"weight_{name}_l0").detach().numpy() for name in ("ih", "hh"))
    h = network.encoder(network.source_embedding(torch.tensor(SOURCE)[:, None])).annotations[:, 0]
    slopes = 1 - h.detach().numpy() ** 2
    rng = settings.rng("reach")
    r, r_start = unit(settings, rng, 7), unit(settings, rng, 7)
    found = annotation_reach(settings, SOURCE)
    for i in range(len(SOURCE)):
        for k in range(len(SOURCE)):
            if k > i:
                assert found.annotations[i, k] == -np.inf
                continue
            product = slopes[k, :, None] * w_ih
            for t in range(k + 1, i + 1):
                product = slopes[t, :, None] * (w_hh @ product)
            assert found.annotations[i, k] == pytest.approx(np.log10(np.linalg.norm(r @ product)), abs=1e-10)
            if i == len(SOURCE) - 1:  # s_0 is the last state
                assert found.start[k] == pytest.approx(np.log10(np.linalg.norm(r_start @ product)), abs=1e-10)


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("layers", [1, 2])
def test_who_knows_what(cell: str, layers: int) -> None:
    base = {"cell": cell, "hidden_size": 6, "layers": layers}
    count = len(SOURCE)
    forward = annotation_reach(Seq2Seq(**base), SOURCE)
    assert ((forward.annotations > -np.inf) == np.tri(count, dtype=bool)).all()
    knows = {}
    for start in ("zeros", "last", "first", "backward"):
        both = annotation_reach(Seq2Seq(**base, bidirectional=True, start=start), SOURCE)
        assert np.isfinite(both.annotations).all()
        knows[start] = both.start > -np.inf
    assert not knows["zeros"].any()
    assert knows["last"].all() and knows["backward"].all()
    if layers == 1:  # a second layer's first state has read a layer that knows everything
        assert knows["first"].tolist() == [True] + [False] * (count - 1)
    else:
        assert knows["first"].all()


def test_a_source_without_tokens_is_refused() -> None:
    with pytest.raises(ValueError, match="the source has 0 tokens"):
        annotation_reach(Seq2Seq(), [])
