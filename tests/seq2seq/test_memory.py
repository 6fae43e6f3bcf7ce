"""The memory network: stories are right, the network is the paper's, hops are needed."""

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.seq2seq.memory import (
    MemoryLearner,
    MemoryNetwork,
    MemorySettings,
    draw_stories,
    newest_place,
    recurrent_decades,
    run_memory,
    text_of,
    trained_memory,
)
from explorer.seq2seq.memory.stories import PLACES, WORDS
from explorer.seq2seq.records import RECORDS


@given(st.integers(0, 999), st.integers(2, 12), st.integers(1, 2), st.sampled_from([0.0, 0.5, 1.0]))
@settings(max_examples=60)
def test_answers_follow_from_the_story(seed, sentences, facts, simple):
    stories = draw_stories(np.random.default_rng(seed), 5, sentences, facts, simple)
    for b in range(5):
        lines, question, answer = text_of(stories, b)
        asked, place, holder = question.strip("?").split()[-1], {}, {}
        for line in lines:
            who, verb, *_, what = line.split()
            if verb == "went":
                place[who] = what
            else:
                assert what not in holder  # nobody takes what somebody has
                holder[what] = who
        person = holder.get(asked, asked)
        assert place[person] == answer
        took, went = stories.support[b]
        assert lines[went] == f"{person} went to the {answer}"
        assert took == -1 or lines[took] == f"{person} took the {asked}"
        assert (took == -1) == (asked == person)
        assert facts == 2 or took == -1
        named = [line.split()[-1] for line in lines if "went" in line]
        assert PLACES[newest_place(stories)[b]] == named[-1]
        assert text_of(stories.one(b)) == (lines, question, answer)


@pytest.mark.parametrize("hops", [1, 2, 3])
def test_against_a_loop(hops):
    """Weights, loss and all gradients of the paper's equations, sentence by sentence."""
    network = MemoryNetwork(MemorySettings(hops=hops, sentences=5, embedding_size=4, seed=hops))
    with torch.no_grad():
        for weight in network.parameters():
            weight.mul_(5)  # so that attention is not even
    story = draw_stories(np.random.default_rng(0), 1, 5, 2)
    words, ages, answer = (network.get_parameter(name) for name in ("words", "ages", "answer"))
    m = [
        [
            (sum(words[k, w] for w in line) + ages[k, 4 - i]).detach().requires_grad_()
            for i, line in enumerate(story.sentences[0])
        ]
        for k in range(hops + 1)
    ]
    u = [sum(words[0, w] for w in story.question[0])]
    looks = []
    for k in range(hops):
        scores = [torch.exp(one @ u[-1]) for one in m[k]]
        p = [one / sum(scores) for one in scores]
        looks.append([one.item() for one in p])
        u.append(u[-1] + sum(a * one for a, one in zip(p, m[k + 1], strict=True)))
    loss = -torch.log_softmax(answer @ u[-1], 0)[story.answer[0]]
    trace = run_memory(network, story)
    np.testing.assert_allclose(trace.weights, looks, atol=1e-12)
    assert trace.loss == pytest.approx(loss.item()) and trace.probabilities.sum() == pytest.approx(1)
    norms = [g.norm().item() for g in torch.autograd.grad(loss, u, retain_graph=True)]
    np.testing.assert_allclose(trace.query_decades, np.log10(norms), atol=1e-10)
    way = torch.autograd.grad(loss, u[-1], retain_graph=True)[0]
    for k in reversed(range(hops)):
        (whole,) = torch.autograd.grad(u[k + 1], u[k], way, retain_graph=True)
        way = whole - way  # without the identity
        assert trace.attention_decades[k] == pytest.approx(np.log10(way.norm().item()), abs=1e-8)
    assert trace.attention_decades[-1] == trace.query_decades[-1]
    for k in range(hops + 1):
        norms = [g.norm().item() for g in torch.autograd.grad(loss, m[k], retain_graph=True)]
        np.testing.assert_allclose(trace.memory_decades[k], np.log10(norms), atol=1e-10)


def test_saturated_attention_against_many_digits():
    """Weights of attention within 1e-16 of 0 and 1: autograd has no digits left, these do."""
    network = MemoryNetwork(MemorySettings(sentences=4, embedding_size=3, seed=1))
    with torch.no_grad():
        for weight in network.parameters():
            weight.mul_(20)
    story = draw_stories(np.random.default_rng(0), 1, 4, 2)
    words, ages, answer = (
        network.get_parameter(name).detach().numpy() for name in ("words", "ages", "answer")
    )
    with mpmath.workdps(120):
        exact = np.vectorize(mpmath.mpf, otypes=[object])
        m = exact(words)[:, story.sentences[0]].sum(axis=2) + exact(ages)[:, ::-1]
        u, jacobians = [exact(words)[0, story.question[0]].sum(axis=0)], []
        for k in range(2):
            p = np.array([mpmath.exp(score) for score in m[k] @ u[k]])
            p /= p.sum()
            u.append(u[k] + p @ m[k + 1])
            jacobians.append(m[k + 1].T @ (np.diag(p) - np.outer(p, p)) @ m[k])
        p = np.array([mpmath.exp(score) for score in exact(answer) @ u[2]])
        way = (p / p.sum() - np.eye(5, dtype=int)[story.answer[0]]) @ exact(answer)
        for k in (1, 0):
            way = way @ jacobians[k]
            found = run_memory(network, story).attention_decades[k]
            assert found == pytest.approx(float(mpmath.log10(mpmath.sqrt(way @ way))), abs=1e-12)
    assert found < -40


def test_training_repeats_and_learns():
    chosen = MemorySettings(facts=1, hops=1, steps=80, sentences=4, batch_size=32)
    one, two = MemoryLearner(chosen), MemoryLearner(chosen)
    one.advance(500)
    two.advance(30)
    two.advance(50)
    assert one.learning.finished and one.learning.step == 80
    np.testing.assert_array_equal(one.learning.losses, two.learning.losses)
    moments = one.learning.moments
    assert [moment.step for moment in moments] == chosen.moments.tolist() and len(moments) <= RECORDS + 1
    assert moments[-1].accuracy > moments[0].accuracy + 0.2


def test_a_run_goes_on_from_every_record():
    whole = MemoryLearner(MemorySettings(steps=40, sentences=4, batch_size=4))
    whole.advance(40)
    kept = whole.learning.moments
    again = MemoryLearner(whole.learning.settings)
    again.advance(31)
    for step in (20, 0):
        again.rewind(step)
        assert again.learning.step == step == again.learning.moments[-1].step
        again.advance(25)
    resumed = MemoryLearner.resumed(again.learning)  # the last record is of step 24
    assert resumed.learning.step == 24 and again.learning.step == 25
    resumed.advance(40)
    np.testing.assert_array_equal(resumed.learning.losses, whole.learning.losses)
    for one, two in zip(resumed.learning.moments, kept, strict=True):
        assert (one.step, one.accuracy) == (two.step, two.accuracy)
        for name, value in one.state.items():
            np.testing.assert_array_equal(value, two.state[name])
    with pytest.raises(ValueError, match="step 3 is not recorded; recorded are 0, 2, 4"):
        resumed.rewind(3)


def test_a_record_is_the_network_of_its_step():
    learner = MemoryLearner(MemorySettings(steps=3, sentences=4, batch_size=4))
    learner.advance(3)
    story = draw_stories(np.random.default_rng(0), 1, 4, 2)
    moment = learner.learning.moments[-1]
    again = run_memory(trained_memory(learner.learning.settings, moment), story)
    np.testing.assert_allclose(again.weights, run_memory(learner.network, story).weights, atol=1e-6)


def test_a_run_that_diverges_says_so_and_stops():
    learner = MemoryLearner(MemorySettings(steps=3, sentences=4, batch_size=4))
    with torch.no_grad():
        learner.network.get_parameter("answer").fill_(float("nan"))
    learner.advance(3)
    assert learner.learning.finished and learner.learning.step == 0
    assert learner.learning.diverged.startswith("Step 1: the gradient's norm is nan")


def test_recurrent_network_against_a_product_of_jacobians():
    """∂L/∂h_t by hand; far sentences get little, by about the same factor a sentence."""
    chosen = MemorySettings(sentences=30, embedding_size=20)
    story = draw_stories(np.random.default_rng(0), 1, 30, 2)
    rng = chosen.rng("recurrent network")
    words, (w_ih, w_hh) = rng.standard_normal((len(WORDS), 20)), rng.uniform(-1, 1, (2, 20, 20)) / 20**0.5
    answer, h = 0.1 * rng.standard_normal((len(PLACES), 20)), [np.zeros(20)]
    for word in [*story.sentences[0].ravel(), *story.question[0]]:
        h.append(np.tanh(w_ih @ words[word] + w_hh @ h[-1]))
    p = np.exp(answer @ h[-1]) / np.exp(answer @ h[-1]).sum()
    adjoint, found = answer.T @ (p - np.eye(len(PLACES))[story.answer[0]]), []
    for t in range(len(h) - 1, 2, -1):
        if t % 3 == 0:
            found.append(np.log10(np.linalg.norm(adjoint)))
        adjoint = w_hh.T @ ((1 - h[t] ** 2) * adjoint)
    decades = recurrent_decades(chosen, story)
    np.testing.assert_allclose(decades, found[::-1], atol=1e-9)
    assert decades[0] < decades[-1] - 10


def test_bad_stories_get_a_sentence():
    with pytest.raises(ValueError, match="sentences is 1; it must be at least 2"):
        draw_stories(np.random.default_rng(0), 1, 1, 2)
    with pytest.raises(ValueError, match="size is 0"):
        draw_stories(np.random.default_rng(0), 0, 3, 1)


@pytest.mark.training
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_two_facts_take_two_hops(seed):
    scores = []
    for hops in (1, 2, 3):
        learner = MemoryLearner(MemorySettings(hops=hops, seed=seed))
        learner.advance(1500)
        scores.append(learner.learning.moments[-1].accuracy)
    assert scores[0] < 0.65 and min(scores[1:]) > 0.95
