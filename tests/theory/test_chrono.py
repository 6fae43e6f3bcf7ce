"""Chrono initialisation: the quantiles of ln U(1, T − 1)."""

import numpy as np
import pytest

from explorer.theory.chrono import chrono_biases


def test_quantiles_are_those_of_random_draws() -> None:
    drawn = np.log(np.random.default_rng(0).uniform(1, 99, 200_000))
    shares = (np.arange(20) + 0.5) / 20
    np.testing.assert_allclose(chrono_biases(100, 20), np.quantile(drawn, shares), atol=0.02)


def test_memories_cover_the_task_evenly() -> None:
    bias = chrono_biases(1000, 50)
    lives = -1 / np.log(1 / (1 + np.exp(-bias)))  # steps until 1/e is left
    np.testing.assert_allclose(np.diff(lives), 998 / 50, rtol=0.02)
    assert lives[0] == pytest.approx(998 / 100 + 1.5, rel=0.01)
    assert lives[-1] < 1000


def test_the_shortest_task_needs_no_memory() -> None:
    assert (chrono_biases(2, 3) == 0).all()


@pytest.mark.parametrize("longest, count", [(1, 3), (10, 0)])
def test_impossible_lengths_are_named(longest: int, count: int) -> None:
    with pytest.raises(ValueError, match="allowed is"):
        chrono_biases(longest, count)
