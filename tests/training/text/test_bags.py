"""TF-IDF on numbers of words against scikit-learn's own reading of the texts."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from explorer.training.text.bags import TfidfClassifier
from explorer.training.text.corpus import Vocabulary, all_sentences
from explorer.training.text.questions import QUESTIONS
from explorer.training.text.shuffle import shuffle_rows

WORDS, ANSWERS = QUESTIONS["source"].examples(all_sentences()[::20])
VOCABULARY = Vocabulary(WORDS, size=150)
NUMBERS = VOCABULARY.encode(WORDS)


def fitted(*, pairs: bool, numbers: np.ndarray = NUMBERS, answers: np.ndarray = ANSWERS) -> TfidfClassifier:
    model = TfidfClassifier(len(VOCABULARY), pairs=pairs)
    shares = list(model.fit(numbers, answers))
    assert shares == sorted(shares) and shares[-1] == 1
    return model


def by_scikit_learn(*, pairs: bool) -> tuple[TfidfVectorizer, LogisticRegression, list[str]]:
    """The same from texts, made without any of our numbers; "?" is a word that has none."""
    texts = [" ".join(VOCABULARY.words[k] for k in row if k) for row in NUMBERS]
    vectors = TfidfVectorizer(token_pattern=r"\S+", ngram_range=(1, 1 + pairs), min_df=2)
    linear = LogisticRegression(C=10.0, max_iter=300).fit(vectors.fit_transform(texts), ANSWERS)
    return vectors, linear, texts


@pytest.mark.parametrize("pairs", [False, True])
def test_probabilities_are_those_of_scikit_learn(pairs: bool) -> None:
    model = fitted(pairs=pairs)
    vectors, linear, texts = by_scikit_learn(pairs=pairs)
    expected = linear.predict_log_proba(vectors.transform(texts))
    np.testing.assert_allclose(model.log_probabilities(NUMBERS), expected, atol=0.01)
    assert model.parameters == linear.coef_.size + linear.intercept_.size


@pytest.mark.parametrize("question", list(QUESTIONS))
def test_words_alone_do_not_notice_a_shuffle(question: str) -> None:
    """Not even in the last digit."""
    words, answers = QUESTIONS[question].examples(all_sentences()[::50])
    numbers = VOCABULARY.encode(words)
    model = fitted(pairs=False, numbers=numbers, answers=answers)
    for share in (0.2, 1.0):
        shuffled = shuffle_rows(numbers, share, seed=3)
        np.testing.assert_array_equal(model.log_probabilities(shuffled), model.log_probabilities(numbers))


def test_pairs_do() -> None:
    model = fitted(pairs=True)
    shuffled = shuffle_rows(NUMBERS, 1, seed=3)
    assert np.abs(model.log_probabilities(shuffled) - model.log_probabilities(NUMBERS)).max() > 0.1


@pytest.mark.parametrize("pairs", [False, True])
def test_word_weights_are_slopes_of_the_log_probability(pairs: bool) -> None:
    """Feature times ∂log p/∂feature by central differences of scikit-learn's model, shared out to words."""
    vectors, linear, texts = by_scikit_learn(pairs=pairs)
    model, names = fitted(pairs=pairs), list(vectors.get_feature_names_out())
    for row in (0, 200, 480):
        words, text = NUMBERS[row][NUMBERS[row] > 0], texts[row].split()
        answer = int(model.log_probabilities(NUMBERS[row : row + 1]).argmax())
        features = vectors.transform(texts[row : row + 1]).toarray()[0]
        expected = np.zeros(len(words))
        for place in range(len(text)):
            for width in range(1, 2 + pairs):
                feature = " ".join(text[place : place + width])
                if place + width > len(text) or feature not in names:
                    continue
                step = np.zeros(len(features))
                step[names.index(feature)] = 1e-5 * features[names.index(feature)]
                up, down = (linear.predict_log_proba([features + s * step])[0, answer] for s in (1, -1))
                times = sum(text[k : k + width] == text[place : place + width] for k in range(len(text)))
                expected[place : place + width] += (up - down) / 2e-5 / times / width
        np.testing.assert_allclose(model.word_weights(words, answer), np.abs(expected), atol=2e-3)
        assert np.abs(expected).max() > 0.03


def test_where_order_alone_is_asked_for_no_word_weighs() -> None:
    words, answers = QUESTIONS["halves"].examples(all_sentences()[::50])
    numbers = VOCABULARY.encode(words)
    model = fitted(pairs=False, numbers=numbers, answers=answers)
    np.testing.assert_allclose(model.log_probabilities(numbers), np.log(0.5), atol=1e-12)
    np.testing.assert_allclose(model.word_weights(numbers[0][numbers[0] > 0], 0), 0, atol=1e-12)


def test_a_sentence_without_any_feature_has_an_answer_too() -> None:
    model = fitted(pairs=True)
    vectors, linear, _ = by_scikit_learn(pairs=True)
    nothing = np.array([[len(VOCABULARY)]])  # the number of a word that no training sentence has
    expected = linear.predict_log_proba(np.zeros((1, len(vectors.vocabulary_))))
    np.testing.assert_allclose(model.log_probabilities(nothing), expected, atol=0.01)
    np.testing.assert_array_equal(model.word_weights(nothing[0], 0), [0])
