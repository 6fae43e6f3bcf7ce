"""TF-IDF and logistic regression: a linear model of which words (or neighbouring pairs) a sentence has."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import scipy.sparse as sp
from scipy.special import log_softmax
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression

from explorer.training.text.corpus import PADDING

_FEWEST = 2  # sentences in which a feature has to occur
_INVERSE_PENALTY = 10.0  # scikit-learn's C


class TfidfClassifier:
    """Logistic regression on TF-IDF weights (Spärck Jones 1972), both by scikit-learn.

    A feature is a word or, with ``pairs``, also two neighbouring words; its weight is its count times
    1 + ln((1 + N) / (1 + number of sentences that have it)), and each sentence is scaled to length 1. With
    words alone, the order of a sentence's words changes no feature.

    Args:
        vocabulary_size: how many numbers of words there are.
        pairs: whether pairs of neighbours are features too.
    """

    def __init__(self, vocabulary_size: int, *, pairs: bool) -> None:
        self._size, self._pairs = vocabulary_size, pairs
        self._weighting = TfidfTransformer()
        self._linear = LogisticRegression(C=_INVERSE_PENALTY, max_iter=300)
        self._codes = np.zeros(0, dtype=np.int64)  # of all features, rising

    @property
    def parameters(self) -> int:
        """Coefficients and intercepts."""
        return int(self._linear.coef_.size + self._linear.intercept_.size)

    def fit(self, numbers: np.ndarray, answers: np.ndarray) -> Iterator[float]:
        """Learn from sentences [N, L] and answers [N]; yields which share is done."""
        codes, rows, _ = self._features(numbers)
        each = np.unique(np.stack([codes, rows]), axis=1)[0]  # a feature counts once in a sentence
        found, sentences = np.unique(each, return_counts=True)
        self._codes = found[sentences >= _FEWEST]
        yield 0.2
        self._linear.fit(self._weighting.fit_transform(self._counts(numbers)), answers)
        yield 1.0

    def log_probabilities(self, numbers: np.ndarray) -> np.ndarray:
        """[N, C]."""
        scores = self._weighting.transform(self._counts(numbers)) @ self._coefficients.T
        return np.asarray(log_softmax(scores + self._intercepts, axis=1))

    def word_weights(self, words: np.ndarray, answer: int) -> np.ndarray:
        """|Σ TF-IDF weight × ∂log p(answer)/∂weight| over the features a word is part of, [L].

        A feature that occurs n times gives each occurrence a part of 1/n; a pair gives a half to each word.
        """
        sentence = words[None]
        p = np.exp(self.log_probabilities(sentence)[0])
        slopes = self._coefficients[answer] - p @ self._coefficients
        weighted = self._weighting.transform(self._counts(sentence)).toarray()[0] * slopes
        codes, _, places = self._features(sentence)
        known, columns = self._columns(codes)
        occurrences = np.bincount(columns, minlength=len(self._codes))
        part = weighted[columns] / occurrences[columns]
        result = np.zeros(len(words))
        is_pair = codes[known] >= self._size
        np.add.at(result, places[known], np.where(is_pair, part / 2, part))
        np.add.at(result, places[known][is_pair] + 1, part[is_pair] / 2)
        return np.abs(result)

    @property
    def _coefficients(self) -> np.ndarray:
        """[C, features]; of two classes scikit-learn keeps the difference alone."""
        kept = np.asarray(self._linear.coef_)
        return np.concatenate([0 * kept, kept]) if len(self._linear.classes_) == 2 else kept

    @property
    def _intercepts(self) -> np.ndarray:
        kept = np.asarray(self._linear.intercept_)
        return np.concatenate([0 * kept, kept]) if len(self._linear.classes_) == 2 else kept

    def _features(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Code, row and first place of every word and pair of neighbours."""
        row, place = np.nonzero(numbers != PADDING)
        codes = numbers[row, place].astype(np.int64)
        if not self._pairs:
            return codes, row, place
        first, second = numbers[:, :-1].astype(np.int64), numbers[:, 1:]
        pair_row, pair_place = np.nonzero((first != PADDING) & (second != PADDING))
        pairs = (first * self._size + second)[pair_row, pair_place]
        return tuple(map(np.concatenate, ((codes, pairs), (row, pair_row), (place, pair_place))))  # type: ignore[return-value]

    def _columns(self, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Which of the codes are features, and their columns."""
        columns = np.searchsorted(self._codes, codes).clip(0, max(len(self._codes) - 1, 0))
        known = self._codes[columns] == codes if len(self._codes) else np.zeros(len(codes), bool)
        return known, columns[known]

    def _counts(self, numbers: np.ndarray) -> sp.csr_matrix:
        """How often each sentence has each feature, [N, features]."""
        codes, rows, _ = self._features(numbers)
        known, columns = self._columns(codes)
        cells = (np.ones(len(columns)), (rows[known], columns))
        return sp.coo_matrix(cells, shape=(len(numbers), len(self._codes))).tocsr()
