"""Recurrent matrices: each has exactly the property it is named after."""

import numpy as np
import pytest

from explorer.initializers import (
    INITIALIZERS,
    Gaussian,
    Identity,
    Orthogonal,
    Reservoir,
    Symmetric,
    Triangular,
    Uniform,
)

SIZES = [2, 3, 64, 150]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("size", [2, 512])
@pytest.mark.parametrize("kind", INITIALIZERS)
def test_every_initializer_at_both_ends(kind, size):
    initializer = INITIALIZERS[kind][1]()
    matrix = initializer.draw(rng(), size)
    assert matrix.shape == (size, size)
    assert np.isfinite(matrix).all()
    assert np.array_equal(matrix, initializer.draw(rng(), size))
    assert np.array_equal(matrix, initializer.draw(rng(1), size)) == (kind == "identity")


@pytest.mark.parametrize("size", SIZES)
def test_orthogonal(size):
    q = Orthogonal().draw(rng(), size)
    assert np.abs(q.T @ q - np.eye(size)).max() < 1e-13
    assert np.linalg.svd(q, compute_uv=False) == pytest.approx(np.ones(size), abs=1e-13)


def test_orthogonal_is_uniform_over_rotations():
    """Haar measure: mean 0 (QR without sign correction has a diagonal of one sign) and variance 1/N."""
    draws = np.array([Orthogonal().draw(rng(seed), 4) for seed in range(2000)])
    assert np.abs(draws.mean(axis=0)).max() < 5 * 0.5 / np.sqrt(2000)
    assert np.abs(draws.var(axis=0) - 0.25).max() < 0.05


@pytest.mark.parametrize("size", SIZES)
def test_uniform_is_pytorchs_range(size):
    matrix = Uniform().draw(rng(), size)
    assert np.abs(matrix).max() <= size**-0.5
    if size > 3:
        assert np.abs(matrix).max() > 0.99 * size**-0.5
        assert matrix.std() == pytest.approx((3 * size) ** -0.5, rel=0.05)


def test_uniform_has_spectral_radius_of_one_over_root_three():
    radius = np.abs(np.linalg.eigvals(Uniform().draw(rng(), 512))).max()
    assert radius == pytest.approx(3**-0.5, rel=0.06)


def test_gaussian():
    sigma = 2.0
    matrix = Gaussian(sigma=sigma).draw(rng(), 512)
    assert matrix.std() * np.sqrt(512) == pytest.approx(sigma, rel=0.01)
    assert np.abs(np.linalg.eigvals(matrix)).max() == pytest.approx(sigma, rel=0.06)
    assert np.linalg.norm(matrix, 2) == pytest.approx(2 * sigma, rel=0.03)  # Marchenko-Pastur edge


def test_gaussian_scales_with_sigma():
    assert np.allclose(Gaussian(sigma=3).draw(rng(), 8), 3 * Gaussian(sigma=1).draw(rng(), 8), rtol=1e-15)


def test_identity():
    assert np.array_equal(Identity().draw(rng(), 5), np.eye(5))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("radius", [0.0, 0.9, 4.0])
def test_symmetric_has_its_exact_radius(size, radius):
    matrix = Symmetric(spectral_radius=radius).draw(rng(), size)
    assert np.array_equal(matrix, matrix.T)
    eigenvalues = np.abs(np.linalg.eigvalsh(matrix))
    assert eigenvalues.max() == pytest.approx(radius, rel=1e-13, abs=0)
    singular_values = np.linalg.svd(matrix, compute_uv=False)
    assert np.sort(singular_values) == pytest.approx(np.sort(eigenvalues), abs=1e-13)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("strength", [0.0, 1.0, 20.0])
def test_triangular(size, strength):
    """The eigenvalues of a triangular matrix are its diagonal (eigvals itself is ill-conditioned here)."""
    matrix = Triangular(spectral_radius=0.7, strength=strength).draw(rng(), size)
    assert np.array_equal(np.diag(matrix), np.full(size, 0.7))
    assert not np.tril(matrix, -1).any()
    assert np.linalg.norm(np.triu(matrix, 1), 2) == pytest.approx(strength, rel=1e-12, abs=0)


def test_triangular_powers_rise_before_they_decay():
    """SCIENCE: [[.9, 5], [0, .9]] rises to 19.379 at power 9 and is below 1 only from 55 on."""
    matrix = Triangular(spectral_radius=0.9, strength=5).draw(rng(), 2)
    norms = np.array([np.linalg.norm(np.linalg.matrix_power(matrix, k), 2) for k in range(80)])
    assert norms.argmax() == 9
    assert norms.max() == pytest.approx(19.379, abs=1e-3)
    assert np.flatnonzero(norms[1:] < 1)[0] + 1 == 55


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("density", [0.0, 0.01, 0.1, 1.0])
@pytest.mark.parametrize("radius", [0.0, 0.95, 4.0])
def test_reservoir_has_its_radius_and_density(size, density, radius):
    matrix = Reservoir(density=density, spectral_radius=radius).draw(rng(), size)
    assert np.abs(np.linalg.eigvals(matrix)).max() == pytest.approx(radius, rel=1e-9, abs=0)
    if radius > 0:
        assert (np.count_nonzero(matrix, axis=1) == max(1, round(density * size))).all()


@pytest.mark.parametrize("size", [2, 3, 7])
def test_no_draw_of_a_reservoir_is_without_a_cycle(size):
    """One connection for each unit: a nilpotent matrix would have no radius to scale."""
    for seed in range(300):
        matrix = Reservoir(density=0, spectral_radius=1).draw(rng(seed), size)
        assert np.isfinite(matrix).all()
        assert np.abs(np.linalg.eigvals(matrix)).max() == pytest.approx(1, rel=1e-9)


def test_more_density_adds_connections_and_moves_none():
    sparse, dense = (Reservoir(density=d, spectral_radius=1).draw(rng(), 64) for d in (0.05, 0.5))
    kept = sparse != 0
    ratio = dense[kept] / sparse[kept]
    assert ratio == pytest.approx(np.full(kept.sum(), ratio[0]), rel=1e-12)
