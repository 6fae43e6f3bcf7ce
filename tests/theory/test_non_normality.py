"""Powers, departure from normality and pseudospectra, against closed forms, mpmath and plain SVDs."""

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer import Experiment, run
from explorer.theory.non_normality import (
    TRANSIENT_EXAMPLE,
    non_normal_matrix,
    power_growth,
    power_norms,
    scaled_departure,
)
from explorer.theory.pseudospectrum import Pseudospectrum, pseudospectrum


def gaussian(size: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((size, size)) / np.sqrt(size)


# ---- matrices ----


def test_the_matrix_is_that_of_an_experiment() -> None:
    initializer = {"kind": "triangular", "spectral_radius": 0.7, "strength": 3}
    trace = run(Experiment(hidden_size=6, initializer=initializer, seed=5, num_steps=2))
    np.testing.assert_array_equal(non_normal_matrix(6, 0.7, 3, seed=5), trace.weights["weight_hh"])


@pytest.mark.parametrize("strength", [0.0, 0.5, 20.0])
def test_strength_changes_no_eigenvalue(strength: float) -> None:
    growth = power_growth(non_normal_matrix(12, 0.9, strength), 5)
    np.testing.assert_array_equal(growth.eigenvalues, 0.9)
    assert growth.sigma_max >= max(0.9, strength - 0.9)


def test_two_units_of_strength_5_are_the_example() -> None:
    np.testing.assert_allclose(np.abs(non_normal_matrix(2, 0.9, 5)), TRANSIENT_EXAMPLE, rtol=1e-15)


@settings(max_examples=30, deadline=None)
@given(size=st.integers(2, 9), factor=st.floats(0, 5), seed=st.integers(0, 999))
def test_scaled_departure_keeps_the_spectrum_and_scales_the_rest(size: int, factor: float, seed: int) -> None:
    matrix = gaussian(size, seed)
    scaled = scaled_departure(matrix, factor)
    before, after = power_growth(matrix, 1), power_growth(scaled, 1)
    np.testing.assert_allclose(after.departure, factor * before.departure, rtol=1e-9, atol=1e-12)
    for k in range(1, size + 1):  # power sums settle the eigenvalues
        sums = [np.trace(np.linalg.matrix_power(m, k)) for m in (matrix, scaled)]
        assert sums[1] == pytest.approx(sums[0], rel=1e-9, abs=1e-11 * max(1, after.sigma_max) ** k)


def test_no_departure_is_a_normal_matrix_and_the_whole_one_is_the_matrix() -> None:
    matrix = gaussian(8, 0)
    normal = scaled_departure(matrix, 0)
    np.testing.assert_allclose(normal @ normal.T, normal.T @ normal, atol=1e-13)
    np.testing.assert_allclose(scaled_departure(matrix, 1), matrix, atol=1e-13)


# ---- powers ----


def test_the_example_grows_before_it_decays() -> None:
    growth = power_growth(TRANSIENT_EXAMPLE, 200)
    k = np.arange(201)
    corner = 5 * k * 0.9 ** (k - 1.0)  # W^k = [[.9^k, 5k·.9^(k−1)], [0, .9^k]]
    exact = (np.sqrt(4 * 0.81**k + corner**2) + corner) / 2
    np.testing.assert_allclose(growth.norms, np.log10(exact), atol=1e-13)
    assert growth.peak == 9
    assert 10 ** growth.norms[9] == pytest.approx(19.379, abs=5e-4)  # SCIENCE.md
    assert growth.settled == 55
    assert growth.spectral_radius == pytest.approx(0.9)
    assert growth.departure == pytest.approx(5)
    assert growth.eigenvector_condition == np.inf


def test_powers_are_exact_far_below_the_range_of_floats() -> None:
    matrix, steps = 0.4 * gaussian(4, 3), 3000
    norms = power_norms(matrix, steps)
    with mpmath.workdps(40):
        product = mpmath.matrix(matrix.tolist()) ** steps
        largest = max(mpmath.svd_r(product, compute_uv=False))
        expected = float(mpmath.log10(largest))
    assert expected < -1000
    assert norms[-1] == pytest.approx(expected, abs=1e-9)


def test_nilpotent_powers_become_exactly_0() -> None:
    norms = power_norms(3 * np.eye(5, k=1), 8)
    np.testing.assert_allclose(norms[:5], np.arange(5) * np.log10(3), atol=1e-14)
    assert np.isneginf(norms[5:]).all()


@settings(max_examples=30, deadline=None)
@given(size=st.integers(1, 9), scale=st.floats(0.01, 3), seed=st.integers(0, 999))
def test_norms_lie_between_what_eigenvalues_and_singular_values_say(
    size: int, scale: float, seed: int
) -> None:
    growth = power_growth(scale * gaussian(size, seed), 40)
    k = np.arange(41)
    assert (growth.norms >= k * np.log10(growth.spectral_radius) - 1e-9).all()
    assert (growth.norms <= k * np.log10(growth.sigma_max) + 1e-9).all()
    bound = np.log10(growth.eigenvector_condition) + k * np.log10(growth.spectral_radius)
    assert (growth.norms <= bound + 1e-9).all()
    assert growth.norms[growth.peak] == growth.norms.max()


def test_departure_is_what_the_eigenvalues_leave_of_the_frobenius_norm() -> None:
    matrix = gaussian(20, 1)
    growth = power_growth(matrix, 1)
    left = np.linalg.norm(matrix) ** 2 - (np.abs(growth.eigenvalues) ** 2).sum()
    assert growth.departure**2 == pytest.approx(left, rel=1e-12)
    assert power_growth(matrix + matrix.T, 1).departure < 1e-13
    assert power_growth(np.linalg.qr(matrix)[0], 1).eigenvector_condition == pytest.approx(1, abs=1e-9)


def test_what_does_not_settle_says_so() -> None:
    assert power_growth(1.1 * np.eye(2), 10).settled is None
    assert power_growth(0.5 * np.eye(2), 10).settled == 1


# ---- pseudospectra ----


def plain(matrix: np.ndarray, found: Pseudospectrum) -> np.ndarray:
    """σ_min by one singular value decomposition for each point."""
    z = found.real + 1j * found.imaginary[:, None]
    shifted = z[:, :, None, None] * np.eye(len(matrix)) - matrix
    return np.asarray(np.linalg.svd(shifted, compute_uv=False)[..., -1])


def assert_as_plain(matrix: np.ndarray, found: Pseudospectrum) -> None:
    expected = plain(matrix, found)
    tolerance = 1e-6 * expected + 100 * found.resolution  # a decomposition has an absolute error
    assert (np.abs(found.sigma_min - expected) <= tolerance).all()


Q = np.linalg.qr(gaussian(30, 9))[0]
MATRICES = {
    "example": TRANSIENT_EXAMPLE,
    "gaussian": gaussian(30, 0),
    "non-normal": non_normal_matrix(30, 0.9, 1),
    "strongly non-normal": non_normal_matrix(30, 0.9, 20),
    "rotated": Q @ non_normal_matrix(30, 0.9, 5) @ Q.T,
    "nearly normal": scaled_departure(gaussian(30, 1), 1e-4),
    "clustered": np.diag(np.repeat([0.0, 0.5, 1.0], 10)) + 1e-4 * np.triu(gaussian(30, 2), 1),
    "normal": Q,
    "symmetric": gaussian(30, 3) + gaussian(30, 3).T,
    "zero": np.zeros((7, 7)),
    "sparse": gaussian(30, 4) * (gaussian(30, 5) > 0.2),
    "one": np.array([[0.5]]),
}


@pytest.mark.parametrize("name", MATRICES)
def test_pseudospectrum_is_that_of_plain_decompositions(name: str) -> None:
    assert_as_plain(MATRICES[name], pseudospectrum(MATRICES[name], points=17))


@settings(max_examples=25, deadline=None)
@given(
    size=st.integers(5, 24),
    departure=st.floats(-5, 1).map(lambda e: 10.0**e),
    seed=st.integers(0, 999),
    points=st.integers(2, 11),
)
def test_pseudospectrum_of_any_departure(size: int, departure: float, seed: int, points: int) -> None:
    matrix = scaled_departure(gaussian(size, seed), departure)
    found = pseudospectrum(matrix, points=points, extent=1.7)
    assert found.sigma_min.shape == (points, points)
    np.testing.assert_array_equal(found.sigma_min, found.sigma_min[::-1])
    assert_as_plain(matrix, found)


def test_points_below_rounding_are_0() -> None:
    matrix = non_normal_matrix(30, 0.9, 20)
    found = pseudospectrum(matrix, points=31)
    at = np.hypot(found.real - 0.9, found.imaginary[:, None]) < 0.2  # all of |z − ρ|^30 is far below
    assert at.any() and (found.sigma_min[at] == 0).all()
    assert (found.sigma_min[found.sigma_min > 0] >= found.resolution).all()


@settings(max_examples=25, deadline=None)
@given(size=st.integers(2, 9), strength=st.floats(0, 8), seed=st.integers(0, 99))
def test_kreiss_bound_is_below_the_largest_power(size: int, strength: float, seed: int) -> None:
    matrix = non_normal_matrix(size, 0.8, strength, seed)
    bound = pseudospectrum(matrix, points=24).kreiss_bound
    largest = 10 ** power_norms(matrix, 400).max()
    assert 0 < bound <= largest * (1 + 1e-9)


def test_kreiss_bound_of_the_example_and_of_an_unstable_matrix() -> None:
    bound = pseudospectrum(TRANSIENT_EXAMPLE).kreiss_bound
    x = np.linspace(1.0001, 3, 4000)  # on the positive axis, where the supremum is
    corner = np.array([[z - 0.9, -5] for z in x])
    a, b = corner.T
    sigma_min = a**2 / ((np.sqrt(4 * a**2 + b**2) + np.abs(b)) / 2)
    exact = ((x - 1) / sigma_min).max()
    assert 0.95 * exact < bound <= exact
    assert pseudospectrum(1.2 * TRANSIENT_EXAMPLE).kreiss_bound == np.inf


# ---- what is refused ----


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: non_normal_matrix(1, 0.9, 1), "size is 1; allowed is 2 or more"),
        (lambda: non_normal_matrix(4, -1, 1), "spectral_radius"),
        (lambda: scaled_departure(np.eye(2), -1), "factor is -1; allowed are"),
        (lambda: power_norms(np.ones((2, 3)), 5), r"shape \[2, 3\]; allowed is a square one"),
        (lambda: power_norms(np.array([[np.nan]]), 5), "no finite real numbers"),
        (lambda: power_norms(np.eye(2), -1), "steps is -1; allowed is 0 or more"),
        (lambda: pseudospectrum(1j * np.eye(2)), "no finite real numbers"),
        (lambda: pseudospectrum(np.eye(2), points=1), "points is 1; allowed is 2 or more"),
        (lambda: pseudospectrum(np.eye(2), extent=0), "extent is 0; allowed are"),
    ],
)
def test_impossible_settings_are_named(call, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        call()
