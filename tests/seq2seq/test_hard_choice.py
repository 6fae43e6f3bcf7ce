"""Estimators are judged by exact enumeration: no test here draws a number."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from explorer.seq2seq import hard_choice

numbers = st.floats(-5, 5)
problems = st.integers(2, 6).flatmap(
    lambda n: st.tuples(*(st.lists(numbers, min_size=n, max_size=n).map(np.array) for _ in range(2)))
)


def by_autograd(scores: np.ndarray, losses: np.ndarray) -> np.ndarray:
    e = torch.tensor(scores, requires_grad=True)
    (torch.softmax(e, 0) @ torch.tensor(losses)).backward()
    return e.grad.numpy()


@given(problems)
def test_exact_gradient(problem):
    np.testing.assert_allclose(hard_choice.exact_gradient(*problem), by_autograd(*problem), atol=1e-12)


@given(problems, numbers)
def test_reinforce_is_unbiased_for_every_baseline(problem, baseline):
    found = hard_choice.reinforce(*problem, baseline)
    np.testing.assert_allclose(found.mean, by_autograd(*problem), atol=1e-12)
    np.testing.assert_allclose(
        hard_choice.reinforce_moving_average(*problem).mean, by_autograd(*problem), atol=1e-12
    )


@given(problems, numbers)
def test_best_baseline(problem, other):
    """The variance is a parabola in b with its lowest point there."""
    best = hard_choice.best_baseline(*problem)
    lowest = hard_choice.reinforce(*problem, best).variance
    assert lowest <= hard_choice.reinforce(*problem, other).variance + 1e-9
    assert lowest <= hard_choice.reinforce(*problem, hard_choice.expected_loss(*problem)).variance + 1e-9
    above, below = (hard_choice.reinforce(*problem, best + d).variance for d in (1, -1))
    assert above == pytest.approx(below, abs=1e-8)


def test_variance_with_and_without_a_baseline():
    """Two equal scores, losses 10 and 11: worked out by hand.

    onehot − p is ±(½, −½) with squared length ½. Without baseline g = 10·(½, −½) or 11·(−½, ½), each with
    probability ½: mean (−¼, ¼), variance ½·(100 + 121)/2 − ⅛ = 55.125. With b = 10.5 both g are (−¼, ¼).
    """
    scores, losses = np.zeros(2), np.array([10.0, 11.0])
    np.testing.assert_allclose(hard_choice.exact_gradient(scores, losses), [-0.25, 0.25])
    assert hard_choice.reinforce(scores, losses).variance == pytest.approx(55.125)
    assert hard_choice.expected_loss(scores, losses) == 10.5
    assert hard_choice.reinforce(scores, losses, 10.5).variance == pytest.approx(0)
    # Var ℓ = ¼, so Var b = ¼·0.1/1.9, times ½
    assert hard_choice.reinforce_moving_average(scores, losses).variance == pytest.approx(0.125 / 19)


@given(problems, st.floats(0, 0.9))
def test_moving_average_by_enumeration(problem, decay):
    """b after five draws has 2^5 or more values; its mean and variance follow the recursion to the end."""
    scores, losses = problem
    p = hard_choice.softmax(scores)
    expected = p @ losses
    mean, variance = expected, (1 - decay) / (1 + decay) * (p @ (losses - expected) ** 2)
    # one more draw changes neither: b' = ρ b + (1 − ρ) ℓ with b and ℓ independent
    assert decay * mean + (1 - decay) * expected == pytest.approx(expected, abs=1e-12)
    assert decay**2 * variance + (1 - decay) ** 2 * (p @ (losses - expected) ** 2) == pytest.approx(
        variance, abs=1e-12
    )
    # E over b of the second moment, with two values of b that have this mean and variance
    two = [hard_choice.reinforce(scores, losses, mean + sign * variance**0.5) for sign in (1, -1)]
    second = np.mean([p @ np.square(one.estimates).sum(axis=1) for one in two])
    found = hard_choice.reinforce_moving_average(scores, losses, decay)
    assert found.variance == pytest.approx(second - np.square(found.mean).sum(), abs=1e-9)


def quadratic(seed: int, bend: float):
    """Losses and slopes of L(α) = bend·‖Hα − y‖² + aᵀα at the corners α = onehot_i."""
    rng = np.random.default_rng(seed)
    h, y, a = rng.normal(size=(3, 4)), rng.normal(size=3), rng.normal(size=4)
    corners = torch.eye(4, dtype=torch.float64, requires_grad=True)
    away = corners @ torch.tensor(h).T - torch.tensor(y)
    losses = bend * (away**2).sum(dim=1) + corners @ torch.tensor(a)
    (slopes,) = torch.autograd.grad(losses.sum(), corners)
    return rng.normal(size=4), losses.detach().numpy(), slopes.numpy()


@given(st.integers(0, 999))
def test_straight_through_is_biased_unless_the_loss_is_linear(seed):
    scores, losses, slopes = quadratic(seed, 0.0)
    exact = hard_choice.exact_gradient(scores, losses)
    np.testing.assert_allclose(hard_choice.straight_through(scores, slopes).mean, exact, atol=1e-12)
    scores, losses, slopes = quadratic(seed, 1.0)
    exact = hard_choice.exact_gradient(scores, losses)
    assert np.linalg.norm(hard_choice.straight_through(scores, slopes).mean - exact) > 1e-3


@given(st.integers(0, 999))
def test_straight_through_is_autograd_at_the_corner(seed):
    scores, _, slopes = quadratic(seed, 1.0)
    for i in range(4):
        e = torch.tensor(scores, requires_grad=True)
        p = torch.softmax(e, 0)
        alpha = torch.eye(4, dtype=torch.float64)[i] + p - p.detach()
        (alpha @ torch.tensor(slopes[i])).backward()
        np.testing.assert_allclose(
            hard_choice.straight_through(scores, slopes).estimates[i], e.grad, atol=1e-12
        )


def test_bad_input_gets_a_sentence():
    with pytest.raises(ValueError, match="one finite loss"):
        hard_choice.reinforce(np.zeros(2), np.zeros(3))
    with pytest.raises(ValueError, match=r"\(2, 2\)"):
        hard_choice.straight_through(np.zeros(2), np.zeros((3, 3)))
    with pytest.raises(ValueError, match="decay is 1"):
        hard_choice.reinforce_moving_average(np.zeros(2), np.zeros(2), 1)
