"""The context's derivatives in closed form equal autograd of the textbook's formulas."""

from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from explorer.seq2seq import Seq2Seq, context_gradient, run_translator, step_gradient
from explorer.seq2seq.attention import ATTENTIONS
from explorer.seq2seq.context import score_gradients, softmax, softmax_jacobian
from tests.seq2seq.textbook import Result, look

SOURCE, TARGET = [3, 9, 4, 27, 9, 13], [11, 3]


ESTIMATORS = [(kind, "baseline") for kind in ATTENTIONS] + [("hard", "straight_through")]


@pytest.mark.parametrize(("kind", "estimator"), ESTIMATORS)
@pytest.mark.parametrize(("cell", "both_ways"), product(("rnn", "lstm", "gru"), (False, True)))
def test_every_attention(kind, cell, both_ways, estimator):
    """∂c_j/∂h_i with the query held, against autograd of a loop over positions."""
    settings = Seq2Seq(
        attention=kind, cell=cell, bidirectional=both_ways, estimator=estimator, hidden_size=4, seed=2
    )
    trace = run_translator(settings, SOURCE, TARGET)
    states = [trace.start, *trace.decoder_states]
    j = 1
    query = torch.from_numpy(states[j] if kind in ("additive", "hard") else states[j + 1])
    h = [torch.from_numpy(row).clone().requires_grad_() for row in trace.encoder_states]
    position = int(trace.weights[j].argmax()) if kind == "hard" else None
    context = look(
        settings, trace.translator.state_dict(), query, h, Result([], [], [], [], [], []), position
    )
    rows = [torch.autograd.grad(one, h, retain_graph=True) for one in context]
    expected = np.array([[part.numpy() for part in row] for row in rows]).transpose(1, 0, 2)
    found = step_gradient(trace, j)
    np.testing.assert_allclose(found.context, context.detach(), atol=1e-12)
    np.testing.assert_allclose(found.total, expected, rtol=1e-10, atol=1e-13)


arrays = st.integers(1, 8).flatmap(
    lambda n: st.lists(st.floats(-30, 30), min_size=n, max_size=n).map(np.array)
)


@given(arrays, st.integers(0, 99))
def test_softmax_to_context(scores, seed):
    values = np.random.default_rng(seed).normal(size=(len(scores), 3))
    e, h = torch.tensor(scores, requires_grad=True), torch.tensor(values)
    context = torch.softmax(e, 0) @ h
    expected = np.stack([torch.autograd.grad(one, e, retain_graph=True)[0].numpy() for one in context], 1)
    found = context_gradient(scores, values)
    np.testing.assert_allclose(found.by_score, expected, atol=1e-12)
    np.testing.assert_allclose(found.total, found.direct)
    np.testing.assert_allclose(softmax_jacobian(found.weights) @ values, found.by_score, atol=1e-12)
    np.testing.assert_allclose(found.by_score.sum(axis=0), 0, atol=1e-12)  # one more score for all: no change


def test_a_sure_attention_has_the_direct_path_alone():
    found = context_gradient(np.array([0.0, 800.0]), np.eye(2), np.ones((2, 2)))
    np.testing.assert_array_equal(found.weights, [0, 1])
    np.testing.assert_array_equal(found.through_score, 0)


def test_norms_of_the_second_path():
    found = step_gradient(run_translator(Seq2Seq(hidden_size=5), SOURCE, TARGET), 0)
    np.testing.assert_allclose(found.through_score_norms, np.linalg.norm(found.through_score, 2, axis=(1, 2)))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: softmax(np.array([])), "empty"),
        (lambda: softmax(np.array([1.0, np.nan])), "finite"),
        (lambda: context_gradient(np.zeros(2), np.zeros((3, 2))), r"\(2,\).*\(3, 2\)"),
        (lambda: context_gradient(np.zeros(2), np.zeros((2, 2)), np.zeros(2)), "score_gradients"),
        (lambda: context_gradient(np.zeros(2), np.zeros((2, 2)), None, np.zeros(3)), "factors"),
        (lambda: step_gradient(run_translator(Seq2Seq(), SOURCE, TARGET), 3), "steps 0 to 2"),
        (lambda: score_gradients(run_translator(Seq2Seq(attention="none"), SOURCE, TARGET)), "no attention"),
    ],
)
def test_bad_input_gets_a_sentence(call, said):
    with pytest.raises(ValueError, match=said):
        call()
