"""A share of a sentence's words, put into random order among themselves."""

from __future__ import annotations

import numpy as np


def shuffled_order(length: int, share: float, rng: np.random.Generator) -> np.ndarray:
    """Which word stands in each place [length] when a share of the words is shuffled.

    round(share·length) words are chosen at random and put into each other's places in an order drawn
    uniformly, so that one or the other may stay by chance. At share 0 the result is 0 … length−1, at share 1
    any order of the whole sentence is equally likely. The same state of ``rng`` gives nested choices: a word
    that is chosen at one share is also chosen at every larger one.

    Raises ValueError unless 0 ≤ share ≤ 1.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share = {share} is not allowed: it must be between 0 and 1")
    chosen = rng.permutation(length)[: round(share * length)]
    order = np.arange(length)
    order[chosen] = rng.permutation(chosen)
    return order


def shuffle_rows(numbers: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Each row of ``numbers`` [N, L] with a share of its words shuffled; padding (0) stays at the end.

    Row n depends on its words, the share and (seed, n) alone.
    """
    result = np.array(numbers)
    for row, (words, length) in enumerate(zip(numbers, (numbers > 0).sum(axis=1), strict=True)):
        order = shuffled_order(int(length), share, np.random.default_rng((seed, row)))
        result[row, :length] = words[order]
    return result
