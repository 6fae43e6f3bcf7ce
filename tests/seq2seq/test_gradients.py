"""The gradient map: what it must show, and how far down it is right."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.seq2seq import LETTERS, Seq2Seq, Translator, gradient_map, run_translator
from explorer.seq2seq.attention import ATTENTIONS
from explorer.seq2seq.trace import observe

RNG = np.random.default_rng(7)
LONG = RNG.integers(3, 29, 20).tolist()


def median_of_first(**fields) -> float:
    """log10 ‖∂L_6/∂h_1‖ at encoder length 20, median of five seeds."""
    found = [
        gradient_map(run_translator(Seq2Seq(seed=seed, **fields), LONG, LONG[::-1]))[5, 0]
        for seed in range(5)
    ]
    return float(np.median(found))


@pytest.mark.parametrize("cell", ["rnn", "lstm"])
def test_attention_is_a_shortcut(cell):
    """1e-7 without attention against 0.08 with it, as untrained networks of the default settings give it."""
    assert -8 < median_of_first(cell=cell, attention="none") < -6
    for kind in ("additive", "general"):
        assert -1.4 < median_of_first(cell=cell, attention=kind) < -0.7


def test_start_from_one_token_knows_no_other():
    """Without attention and with s_0 = tanh(W →h_1) only the first state acts on any loss."""
    first = gradient_map(run_translator(Seq2Seq(attention="none", start="first"), LONG, LONG[:4]))
    assert np.isfinite(first[:, 0]).all() and np.isneginf(first[:, 1:]).all()
    zeros = gradient_map(run_translator(Seq2Seq(attention="none", start="zeros"), LONG, LONG[:4]))
    assert np.isneginf(zeros).all()


def test_backward_start_reaches_the_first_token_directly():
    settings = Seq2Seq(attention="none", bidirectional=True, start="backward")
    decades = gradient_map(run_translator(settings, LONG, LONG[:4]))
    assert (decades[0, :-1] > decades[0, 1:]).mean() > 0.8
    assert decades[0, 0] - decades[0, -1] > 5


@pytest.mark.parametrize("kind", ["none", *ATTENTIONS])
def test_total_and_attention_path(kind):
    """With s_0 = 0 and an encoder without memory every way to a loss is one through the attention."""
    translator = Translator(
        Seq2Seq(cell="rnn", attention=kind, start="zeros", hidden_size=8), LETTERS, LETTERS
    )
    with torch.no_grad():
        translator.encoder.layers[0].weight_hh_l0.zero_()
    trace = run_translator(translator.settings, LONG[:6], LONG[:3], translator=translator)
    np.testing.assert_array_equal(gradient_map(trace), gradient_map(trace, "attention"))
    if kind == "none":
        assert np.isneginf(gradient_map(trace)).all()


def test_attention_path_holds_states():
    """It is what autograd gives where the recurrence is cut by detaching every state it hands on."""
    trace = run_translator(Seq2Seq(attention="dot", hidden_size=8), LONG[:6], LONG[:3])
    h = torch.from_numpy(trace.encoder_states)[:, None].requires_grad_()
    network = trace.translator
    state, memory = network.begin(torch.from_numpy(trace.source)[:, None])
    memory = network.decoder.attention.remember(h)
    steps = network.steps(torch.from_numpy(trace.target)[:, None], state, memory)
    logits = network.logits(torch.cat([step.output for step in steps]))
    losses = torch.nn.functional.cross_entropy(logits, torch.from_numpy(trace.target), reduction="none")
    rows = [torch.autograd.grad(loss, h, retain_graph=True)[0].norm(dim=2)[:, 0] for loss in losses]
    np.testing.assert_allclose(gradient_map(trace, "attention"), torch.stack(rows).log10(), atol=1e-10)


def shrinking(factor: float, length: int) -> np.ndarray:
    """The map of a tanh encoder in its linear range whose W_hh is ``factor``·I, without attention."""
    translator = Translator(Seq2Seq(cell="rnn", attention="none", hidden_size=2), LETTERS, LETTERS)
    with torch.no_grad():
        layer = translator.encoder.layers[0]
        for weight in (layer.weight_ih_l0, layer.bias_ih_l0, layer.bias_hh_l0):
            weight.zero_()
        layer.weight_hh_l0.copy_(factor * torch.eye(2))
    return gradient_map(run_translator(translator.settings, [3] * length, [4], translator=translator))


@pytest.mark.parametrize("factor", [1e-3, 1e-5, 3e-6])
def test_far_below_the_smallest_float(factor):
    """h_i = 0, so ∂L_j/∂h_i = factor^(Te−i) ∂L_j/∂h_Te exactly, also where floats end at 1e-308."""
    decades = shrinking(factor, 100)
    expected = decades[:, -1:] + np.log10(factor) * np.arange(99, -1, -1)
    assert expected.min() < -290
    np.testing.assert_allclose(decades, expected, atol=1e-9)


def test_below_the_floor_is_an_exact_zero():
    decades = shrinking(1e-8, 100)
    assert np.isneginf(decades[0, 0]) and decades[0, 50] == pytest.approx(decades[0, 99] - 8 * 49)


def test_growing_and_vanishing_in_one_map():
    """Where a lifted pass overflows, the first pass stays."""
    decades = shrinking(1e3, 100)
    np.testing.assert_allclose(decades[0], decades[0, -1] + 3 * np.arange(99, -1, -1), atol=1e-9)


@given(st.data())
@settings(max_examples=30)
def test_properties(data):
    """Weights are a distribution, gradients are numbers, the same settings give the same map."""
    kind = data.draw(st.sampled_from(sorted(ATTENTIONS)))
    network = Seq2Seq(
        cell=data.draw(st.sampled_from(["rnn", "lstm", "gru"])),
        attention=kind,
        hidden_size=4,
        embedding_size=4,
        window=data.draw(st.integers(1, 4)),
        layers=data.draw(st.integers(1, 2)),
        residual=data.draw(st.booleans()),
        dropout=data.draw(st.sampled_from([0.0, 0.4])),
        bidirectional=data.draw(st.booleans()),
        start=data.draw(st.sampled_from(["zeros", "last", "backward", "first"])),
        estimator=data.draw(st.sampled_from(["reinforce", "baseline", "straight_through"])),
        seed=data.draw(st.integers(0, 9999)),
    )
    symbols = st.lists(st.integers(3, 28), max_size=7)
    source, target = [3, *data.draw(symbols)], data.draw(symbols)
    trace = run_translator(network, source, target)
    assert trace.weights.shape == (len(target) + 1, len(source))
    assert (trace.weights >= 0).all()
    np.testing.assert_allclose(trace.probabilities.sum(axis=1), 1, atol=1e-12)
    if kind == "local":
        assert (trace.weights.sum(axis=1) <= 1 + 1e-12).all()
        assert ((trace.weights > 0).sum(axis=1) <= 2 * network.window + 1).all()
    else:
        np.testing.assert_allclose(trace.weights.sum(axis=1), 1, atol=1e-12)
    if kind == "hard":
        assert set(np.unique(trace.weights)) <= {0.0, 1.0}
    np.testing.assert_allclose(trace.contexts, trace.weights @ trace.encoder_states, atol=1e-12)
    first, again = gradient_map(trace), gradient_map(run_translator(network, source, target))
    np.testing.assert_array_equal(first, again)
    assert not np.isnan(first).any()


def test_the_graph_of_a_pass_has_the_traces_numbers():
    trace = run_translator(Seq2Seq(dropout=0.3, layers=2, attention="hard"), LONG[:5], LONG[:4])
    seen = observe(trace.translator, trace.source, trace.target, True)
    np.testing.assert_array_equal(seen.losses.detach(), trace.losses)


def test_another_attention_changes_no_shared_weight():
    one, two = (
        Translator(Seq2Seq(attention=kind), LETTERS, LETTERS).state_dict() for kind in ("none", "general")
    )
    shared = [name for name in one if name in two and one[name].shape == two[name].shape]
    assert len(shared) >= 10
    assert all(torch.equal(one[name], two[name]) for name in shared)


def test_no_global_random_numbers():
    before = torch.get_rng_state()
    run_translator(Seq2Seq(attention="hard", dropout=0.5, layers=2), LONG, LONG)
    assert torch.equal(before, torch.get_rng_state())
