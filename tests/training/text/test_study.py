"""Five models on one question: small studies in detail, and the whole one once."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix

from explorer.training.text.corpus import all_sentences
from explorer.training.text.findings import clearly_better, what_is_seen, why
from explorer.training.text.models import BAGS, LABELS, SEES
from explorer.training.text.networks import AveragedEmbeddings, BothDirections, WindowNetwork
from explorer.training.text.questions import QUESTIONS
from explorer.training.text.reading import read, typed_words
from explorer.training.text.shuffle import shuffle_rows
from explorer.training.text.study import SHARES, TextStudy, standard_error

SMALL = all_sentences()[::40]


def finished(study: TextStudy) -> TextStudy:
    shares = [(list(LABELS).index(now.model), now.testing, now.share) for now in study.run()]
    assert shares == sorted(shares), "progress never goes back"
    assert study.finished
    return study


@pytest.fixture
def _short_trainings(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in (AveragedEmbeddings, WindowNetwork, BothDirections):
        monkeypatch.setattr(kind, "examples_seen", 400)


def test_every_model_has_its_texts() -> None:
    assert list(LABELS) == list(SEES) and set(BAGS) < set(LABELS)


@pytest.mark.usefixtures("_short_trainings")
@pytest.mark.parametrize("question", list(QUESTIONS))
def test_answers_are_counted_as_scikit_learn_counts_them(question: str) -> None:
    study = finished(TextStudy(question, 1, SMALL))
    encoded = study.vocabulary.encode(study.test_words)
    for name, tested in study.tested.items():
        for stop, share in enumerate(SHARES):
            answers = tested.model.log_probabilities(shuffle_rows(encoded, share, seed=0)).argmax(axis=1)
            np.testing.assert_array_equal(answers, tested.answers[stop])
            assert tested.accuracy[stop] == accuracy_score(study.answers, answers)
        expected = confusion_matrix(study.answers, tested.answers[3], normalize="true")
        np.testing.assert_allclose(study.confusion(name, 3), expected)
        assert tested.seconds > 0
    np.testing.assert_array_equal(study.tested["tfidf"].accuracy, study.tested["tfidf"].accuracy[0])


@pytest.mark.usefixtures("_short_trainings")
@pytest.mark.parametrize("question", ["halves", "scrambled"])
def test_a_bag_cannot_beat_chance_where_order_alone_is_asked_for(question: str) -> None:
    study = finished(TextStudy(question, 0, SMALL))
    np.testing.assert_array_equal(study.tested["tfidf"].accuracy, 0.5)
    np.testing.assert_array_equal(study.tested["average"].accuracy[0], 0.5)


@pytest.mark.usefixtures("_short_trainings")
def test_the_seed_decides_the_networks_and_nothing_else() -> None:
    one, same, other = (finished(TextStudy("source", seed, SMALL)) for seed in (3, 3, 4))
    assert one.test_words == other.test_words and one.vocabulary.words == other.vocabulary.words
    for name in LABELS:
        np.testing.assert_array_equal(one.tested[name].answers, same.tested[name].answers)
        differs = (one.tested[name].answers != other.tested[name].answers).any()
        assert differs == (name not in ("tfidf", "pairs"))


@pytest.mark.usefixtures("_short_trainings")
def test_a_sentence_is_read_by_all_models() -> None:
    study = finished(TextStudy("source", 0, SMALL))
    words = typed_words("The Lord said unto the blockchain: ... go!")
    assert words == ("the", "lord", "said", "unto", "the", "blockchain", "go")
    reading = read(study, words)
    assert reading.unknown == ("blockchain",)
    numbers = study.vocabulary.encode([words])
    for name, tested in study.tested.items():
        p = np.exp(tested.model.log_probabilities(numbers)[0])
        assert reading.answers[name] == (study.question.classes[p.argmax()], p.max())
        weights = tested.model.word_weights(numbers[0], int(p.argmax()))
        np.testing.assert_array_equal(reading.weights[name], weights)
        assert weights.shape == (7,) and (weights >= 0).all()
    for short in (["go"], ["zzz"], ["go", "go"]):
        assert set(read(study, short).answers) == set(LABELS)
    with pytest.raises(ValueError, match="no word"):
        read(study, [])
    assert len(typed_words("a " * 30)) == 20


def test_other_questions_and_too_few_sentences_are_refused() -> None:
    with pytest.raises(ValueError, match="question = 'author' is not allowed: choose from halves"):
        TextStudy("author")
    with pytest.raises(ValueError, match="4 are too few"):
        TextStudy("source", 0, SMALL[:4])


def test_differences_are_called_clear_beyond_two_standard_errors() -> None:
    assert standard_error(0.5, 400) == 0.025
    assert clearly_better(0.6, 0.5, 400) and not clearly_better(0.56, 0.5, 400)
    assert not clearly_better(0.5, 0.6, 400)


def test_nothing_is_said_before_a_model_is_trained() -> None:
    study = TextStudy("source", 0, SMALL)
    assert what_is_seen(study, 0) == why(study) == ""


def test_order_over_a_distance_needs_the_recurrent_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a fifth of the sentences already: LSTM > windows of three > pairs > bags = chance."""
    seen = {AveragedEmbeddings: 4000, WindowNetwork: 20_000, BothDirections: 12_000}
    for kind, examples in seen.items():
        monkeypatch.setattr(kind, "examples_seen", examples)
    study = finished(TextStudy("halves", 0, all_sentences()[::5]))
    first = {name: tested.accuracy[0] for name, tested in study.tested.items()}
    examples = len(study.answers)
    assert clearly_better(first["lstm"], first["convolution"] + 0.05, examples)
    assert clearly_better(first["convolution"], first["pairs"] + 0.03, examples)
    assert clearly_better(first["pairs"], 0.5, examples)
    assert (study.tested["tfidf"].accuracy == 0.5).all()
    np.testing.assert_allclose(study.tested["average"].accuracy, 0.5, atol=0.002)
    for tested in study.tested.values():
        at_random = tested.accuracy[-1]
        assert abs(at_random - 0.5) < 4 * standard_error(0.5, examples), "any order is equally likely"
    said = what_is_seen(study, 10).replace("\N{NO-BREAK SPACE}", " ")
    lstm = study.tested["lstm"].accuracy
    assert said.startswith("With 100 % of the words shuffled: bidirectional LSTM")
    assert f"{100 * lstm[0]:.0f} → {100 * lstm[-1]:.0f} %" in said
    assert "TF-IDF and averaged embeddings, blind to order, 50 %" in said
    assert "order over a distance counts" in why(study)
