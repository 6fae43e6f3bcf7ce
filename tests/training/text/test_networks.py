"""The three networks: what they can see, their gradients, and that a seed decides everything."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from explorer.training.text.corpus import Vocabulary, all_sentences
from explorer.training.text.networks import (
    AveragedEmbeddings,
    BothDirections,
    NetworkClassifier,
    WindowNetwork,
    WordNetwork,
)
from explorer.training.text.questions import QUESTIONS
from explorer.training.text.shuffle import shuffle_rows

KINDS = [AveragedEmbeddings, WindowNetwork, BothDirections]
WORDS, ANSWERS = QUESTIONS["source"].examples(all_sentences()[::100])
VOCABULARY = Vocabulary(WORDS, size=80)
NUMBERS = VOCABULARY.encode(WORDS)


def trained(kind: type[WordNetwork], seed: int = 0) -> NetworkClassifier:
    network = kind(len(VOCABULARY), 4, seed)
    shares = list(NetworkClassifier(network).fit(NUMBERS, ANSWERS))
    assert shares == sorted(shares) and shares[-1] == 1
    return NetworkClassifier(network)


@pytest.fixture(autouse=True)
def short_trainings(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in KINDS:
        monkeypatch.setattr(kind, "examples_seen", 300)


@pytest.mark.parametrize("kind", KINDS)
def test_the_seed_decides_everything_and_global_seeds_are_left_alone(kind: type[WordNetwork]) -> None:
    torch.manual_seed(1)
    np.random.seed(1)  # noqa: NPY002
    before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    first = trained(kind).log_probabilities(NUMBERS)
    assert torch.equal(torch.get_rng_state(), before)
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_before)  # noqa: NPY002
    torch.manual_seed(2)
    np.testing.assert_array_equal(trained(kind).log_probabilities(NUMBERS), first)
    assert np.abs(trained(kind, seed=1).log_probabilities(NUMBERS) - first).max() > 1e-3


@pytest.mark.parametrize("kind", KINDS)
def test_first_weights_are_spread_as_those_of_pytorch(kind: type[WordNetwork]) -> None:
    ours = dict(kind(2000, 4, seed=0).named_parameters())
    theirs = {
        "layers.0.weight": torch.nn.Linear(32, 32).weight,
        "layers.2.bias": torch.nn.Linear(32, 4).bias,
        "convolution.weight": torch.nn.Conv1d(32, 64, 3).weight,
        "lstm.weight_hh_l0_reverse": torch.nn.LSTM(32, 32, bidirectional=True).weight_hh_l0_reverse,
        "embedding.weight": torch.nn.Embedding(2000, 32, padding_idx=0).weight,
    }
    checked = [name for name in theirs if name in ours]
    assert len(checked) >= 2
    for name in checked:
        assert ours[name].shape == theirs[name].shape
        torch.testing.assert_close(
            ours[name].std(), theirs[name].std(), rtol=0.7 if "bias" in name else 0.1, atol=0
        )
    assert not ours["embedding.weight"][0].any(), "padding is 0"


@pytest.mark.parametrize("kind", KINDS)
def test_padding_changes_nothing(kind: type[WordNetwork]) -> None:
    model = trained(kind)
    alone = np.concatenate([model.log_probabilities(row[row > 0][None]) for row in NUMBERS[:9]])
    np.testing.assert_allclose(model.log_probabilities(NUMBERS[:9]), alone, atol=1e-5)
    np.testing.assert_allclose(np.exp(alone).sum(axis=1), 1)


def test_only_the_mean_of_embeddings_is_blind_to_order() -> None:
    shuffled = shuffle_rows(NUMBERS, 1, seed=0)
    change = {}
    for kind in KINDS:
        model = trained(kind)
        change[kind] = np.abs(model.log_probabilities(shuffled) - model.log_probabilities(NUMBERS)).max()
    assert change[AveragedEmbeddings] < 1e-5
    assert change[WindowNetwork] > 1e-2 < change[BothDirections]


def test_windows_do_not_tell_where_they_stand() -> None:
    """Halves framed by one word have the same windows in both orders, and other LSTM states."""
    first, second = [5, 6, 7, 5, 5], [5, 5, 8, 9, 5, 5]
    framed = [np.array([[5, 5, *a, *b, 5, 5]]) for a, b in ((first, second), (second, first))]
    one, two = (trained(WindowNetwork).log_probabilities(numbers) for numbers in framed)
    np.testing.assert_allclose(one, two, atol=1e-6)
    one, two = (trained(BothDirections).log_probabilities(numbers) for numbers in framed)
    assert np.abs(one - two).max() > 1e-3


@pytest.mark.parametrize("kind", KINDS)
def test_word_weights_are_slopes_of_the_log_probability(kind: type[WordNetwork]) -> None:
    """∂log p/∂s of a word's embedding times s at s = 1, by central differences in float64."""
    model = trained(kind)
    network = model.network.double()
    words, answer, step = NUMBERS[3][NUMBERS[3] > 0], 2, 1e-6
    numbers = torch.from_numpy(words)[None]
    embedded = network.embedding(numbers)
    slopes = []
    for place in range(len(words)):
        ends = []
        for sign in (1, -1):
            scaled = embedded.clone()
            scaled[0, place] *= 1 + sign * step
            ends.append(network.scores(scaled, numbers != 0).log_softmax(1)[0, answer].item())
        slopes.append((ends[0] - ends[1]) / (2 * step))
    np.testing.assert_allclose(model.word_weights(words, answer), np.abs(slopes), rtol=1e-5, atol=1e-8)
    assert max(np.abs(slopes)) > 1e-3


def test_numbers_of_parameters() -> None:
    """By hand: embeddings V·32, a layer's weights and biases, an LSTM's 4H(E + H + 2) for each direction."""
    words, answers = 500 * 32 - 32, 3
    found = [NetworkClassifier(kind(500, answers, 0)).parameters for kind in KINDS]
    assert found == [
        words + (32 * 32 + 32) + (32 * answers + answers),
        words + (64 * 32 * 3 + 64) + (64 * answers + answers),
        words + 2 * 4 * 32 * (32 + 32 + 2) + (64 * answers + answers),
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_learns_what_it_is_shown(kind: type[WordNetwork], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kind, "examples_seen", 4000)
    model = trained(kind)
    assert (model.log_probabilities(NUMBERS).argmax(axis=1) == ANSWERS).mean() > 0.9
