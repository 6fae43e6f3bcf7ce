"""The memory network: stories are right, the network is the paper's, hops are needed."""

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
    run_memory,
    text_of,
)


@given(st.integers(0, 999), st.integers(2, 12), st.integers(1, 2), st.sampled_from([0.0, 0.5, 1.0]))
@settings(max_examples=60)
def test_answers_follow_from_the_story(seed, sentences, facts, simple):
    stories = draw_stories(np.random.default_rng(seed), 5, sentences, facts, simple)
    for b in range(5):
        lines, question, answer = text_of(stories, b)
        asked, place, holder = question.split()[1], {}, {}
        for line in lines:
            who, verb, what = line.split()
            if verb == "went":
                place[who] = what
            else:
                assert what not in holder  # nobody takes what somebody has
                holder[what] = who
        person = holder.get(asked, asked)
        assert place[person] == answer
        took, went = stories.support[b]
        assert lines[went] == f"{person} went {answer}"
        assert took == -1 or lines[took] == f"{person} took {asked}"
        assert (took == -1) == (asked == person)
        assert facts == 2 or took == -1


@pytest.mark.parametrize("hops", [1, 2, 3])
def test_against_a_loop(hops):
    """Weights, loss and all gradients of the paper's equations, sentence by sentence."""
    network = MemoryNetwork(MemorySettings(hops=hops, sentences=5, embedding_size=4, seed=hops))
    with torch.no_grad():
        for weight in network.parameters():
            weight.mul_(10)  # so that attention is not even
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
    for k in range(hops + 1):
        norms = [g.norm().item() for g in torch.autograd.grad(loss, m[k], retain_graph=True)]
        np.testing.assert_allclose(trace.memory_decades[k], np.log10(norms), atol=1e-10)


def test_training_repeats_and_learns():
    one, two = (MemoryLearner(MemorySettings(facts=1, hops=1, steps=200, sentences=4)) for _ in range(2))
    before = one.accuracy()
    one.advance(500)
    two.advance(90)
    two.advance(110)
    np.testing.assert_array_equal(one.losses, two.losses)
    assert len(one.losses) == 200 and one.accuracy() > before + 0.2


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
        scores.append(learner.accuracy())
    assert scores[0] < 0.65 and min(scores[1:]) > 0.95
