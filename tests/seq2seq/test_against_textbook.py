"""Weights, contexts, losses and the whole gradient map equal those of an independent implementation."""

from itertools import product

import numpy as np
import pytest
import torch

from explorer.seq2seq import Seq2Seq, TranslatorTrace, gradient_map, run_translator
from tests.seq2seq.textbook import Result, translate

KINDS = ("none", "additive", "dot", "general", "concat", "local", "hard")
SOURCE, TARGET = [3, 9, 4, 27, 9, 13, 5], [11, 3, 3, 20]


def both(settings: Seq2Seq) -> tuple[TranslatorTrace, Result]:
    trace = run_translator(settings, SOURCE, TARGET)
    weights = {name: value.double() for name, value in trace.translator.state_dict().items()}
    drawn = trace.weights.argmax(axis=1).tolist() if settings.attention == "hard" else None
    goal = [*TARGET, 2] if settings.eos else TARGET
    return trace, translate(settings, weights, SOURCE, goal, drawn)


def compare(settings: Seq2Seq) -> None:
    trace, book = both(settings)

    def equal(found, expected):
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-14)

    def rows(values):
        return [[one.item() for one in row] for row in values]

    equal(trace.losses, [loss.item() for loss in book.losses])
    equal(trace.encoder_states, torch.stack(book.annotations).detach())
    if settings.attention != "none":
        equal(trace.scores, rows(book.scores))
        equal(trace.weights, rows(book.weights))
        equal(trace.contexts, torch.stack(book.contexts).detach())
    with np.errstate(divide="ignore"):
        expected = np.log10(book.gradient_norms().numpy())
    found = gradient_map(trace)
    assert np.array_equal(np.isneginf(found), np.isneginf(expected))
    finite = np.isfinite(expected)
    equal(10 ** (found[finite] - expected[finite]), 1.0)


@pytest.mark.parametrize(
    ("cell", "attention", "both_ways"), product(("rnn", "lstm", "gru"), KINDS, (False, True))
)
def test_every_kind_of_attention_cell_and_direction(cell, attention, both_ways):
    compare(Seq2Seq(cell=cell, attention=attention, bidirectional=both_ways, hidden_size=6, embedding_size=5))


@pytest.mark.parametrize(
    ("start", "both_ways"), product(("zeros", "last", "backward", "first"), (False, True))
)
@pytest.mark.parametrize("attention", ["none", "general"])
def test_every_start(start, both_ways, attention):
    compare(
        Seq2Seq(cell="lstm", attention=attention, start=start, bidirectional=both_ways, hidden_size=5, seed=3)
    )


@pytest.mark.parametrize("attention", ["none", "additive", "local"])
@pytest.mark.parametrize("residual", [False, True])
def test_layers(attention, residual):
    compare(
        Seq2Seq(
            cell="gru",
            attention=attention,
            layers=3,
            residual=residual,
            bidirectional=True,
            start="backward",
            hidden_size=4,
            seed=5,
        )
    )


@pytest.mark.parametrize("attention", ["none", "additive", "general", "local", "hard"])
@pytest.mark.parametrize(("bos", "eos"), [(False, True), (True, False), (False, False)])
def test_without_bos_and_without_eos(attention, bos, eos):
    cell = {"none": "rnn", "additive": "gru"}.get(attention, "lstm")
    compare(
        Seq2Seq(cell=cell, attention=attention, bos=bos, eos=eos, hidden_size=6, embedding_size=5, seed=2)
    )


@pytest.mark.parametrize("cell", ["rnn", "lstm"])
def test_the_straight_through_estimator(cell):
    compare(Seq2Seq(cell=cell, attention="hard", estimator="straight_through", hidden_size=6))
