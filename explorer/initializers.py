"""How the recurrent matrix is drawn before the weight scale multiplies it."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from explorer.parameters import Parameters, parameter


class Uniform(Parameters):
    r"""PyTorch's default: :math:`U_{ij} \sim \mathcal U(-1/\sqrt N, 1/\sqrt N)`, radius about 0.577."""

    kind: Literal["uniform"] = "uniform"

    def draw(self, rng: np.random.Generator, hidden_size: int) -> np.ndarray:
        """One [N, N] matrix."""
        limit = hidden_size**-0.5
        matrix: np.ndarray = rng.uniform(-limit, limit, (hidden_size, hidden_size))
        return matrix


class Gaussian(Parameters):
    r""":math:`U_{ij} \sim \mathcal N(0, \sigma^2/N)`: spectral radius close to σ (circular law)."""

    kind: Literal["gaussian"] = "gaussian"
    sigma: float = parameter(
        1.0,
        "σ",
        "Entries have standard deviation σ/√N, so the spectral radius is close to σ.",
        bounds=(0, 4),
        step=0.05,
    )

    def draw(self, rng: np.random.Generator, hidden_size: int) -> np.ndarray:
        """One [N, N] matrix."""
        matrix: np.ndarray = rng.standard_normal((hidden_size, hidden_size))
        matrix *= self.sigma / np.sqrt(hidden_size)
        return matrix


class Orthogonal(Parameters):
    """Haar-distributed orthogonal matrix: every singular value is 1 (Saxe, McClelland & Ganguli 2014)."""

    kind: Literal["orthogonal"] = "orthogonal"

    def draw(self, rng: np.random.Generator, hidden_size: int) -> np.ndarray:
        """One [N, N] matrix; the signs of R's diagonal make the QR factor uniform (Mezzadri 2007)."""
        q, r = np.linalg.qr(rng.standard_normal((hidden_size, hidden_size)))
        return q * np.sign(np.diag(r))


class Identity(Parameters):
    """The identity: with ReLU this is the IRNN of Le, Jaitly & Hinton (2015)."""

    kind: Literal["identity"] = "identity"

    def draw(self, rng: np.random.Generator, hidden_size: int) -> np.ndarray:
        """The [N, N] identity."""
        return np.eye(hidden_size)


class Symmetric(Parameters):
    """Symmetric Gaussian matrix of an exact spectral radius; its singular values are |eigenvalues|."""

    kind: Literal["symmetric"] = "symmetric"
    spectral_radius: float = parameter(
        1.0,
        "spectral radius",
        "The largest |eigenvalue| is set to exactly this value.",
        bounds=(0, 4),
        step=0.05,
    )

    def draw(self, rng: np.random.Generator, hidden_size: int) -> np.ndarray:
        """One [N, N] matrix."""
        base = rng.standard_normal((hidden_size, hidden_size))
        base = (base + base.T) / 2
        radius: float = np.abs(np.linalg.eigvalsh(base)).max()
        matrix: np.ndarray = base * (self.spectral_radius / radius)
        return matrix


class Triangular(Parameters):
    r"""Non-normal: :math:`U = \rho I + s\,T`, T strictly upper Gaussian, :math:`\lVert T\rVert_2 = 1`.

    All eigenvalues are ρ whatever the strength s, yet powers may grow long before they decay
    (Trefethen & Embree 2005).
    """

    kind: Literal["triangular"] = "triangular"
    spectral_radius: float = parameter(
        0.9,
        "eigenvalues",
        "All eigenvalues lie on the diagonal and have this value.",
        bounds=(0, 2),
        step=0.01,
    )
    strength: float = parameter(
        1.0,
        "non-normality",
        "Largest singular value of the part above the diagonal; it changes no eigenvalue.",
        bounds=(0, 20),
        step=0.1,
    )

    def draw(self, rng: np.random.Generator, hidden_size: int) -> np.ndarray:
        """One [N, N] matrix."""
        upper = np.triu(rng.standard_normal((hidden_size, hidden_size)), 1)
        upper /= np.linalg.norm(upper, 2)
        return self.spectral_radius * np.eye(hidden_size) + self.strength * upper


class Reservoir(Parameters):
    r"""Sparse Gaussian matrix of an exact spectral radius, as echo-state networks use it (Jaeger 2001).

    Every unit reads :math:`\max(1, \operatorname{round}(d N))` units, itself perhaps among them, d being the
    density. So there is always a cycle of connections, and with it an eigenvalue other than 0 to be scaled to
    the radius; a free draw of each entry could be nilpotent. More density adds entries and moves none.
    """

    kind: Literal["reservoir"] = "reservoir"
    density: float = parameter(
        0.1,
        "density",
        "The share of all connections that exist; every unit reads at least one unit.",
        bounds=(0, 1),
        step=0.01,
    )
    spectral_radius: float = parameter(
        0.95,
        "spectral radius",
        "The largest |eigenvalue| is set to exactly this value; 0 leaves no connection.",
        bounds=(0, 4),
        step=0.05,
    )

    def draw(self, rng: np.random.Generator, hidden_size: int) -> np.ndarray:
        """One [N, N] matrix."""
        matrix = rng.standard_normal((hidden_size, hidden_size))
        places = rng.permuted(np.tile(np.arange(hidden_size), (hidden_size, 1)), axis=1)
        absent = places[:, max(1, round(self.density * hidden_size)) :]
        np.put_along_axis(matrix, absent, 0.0, axis=1)
        radius: float = np.abs(np.linalg.eigvals(matrix)).max()
        matrix *= self.spectral_radius / radius
        return matrix


Initializer = Annotated[
    Uniform | Gaussian | Orthogonal | Identity | Symmetric | Triangular | Reservoir,
    Field(discriminator="kind"),
]

INITIALIZERS: dict[str, tuple[str, type[Parameters]]] = {
    "uniform": ("PyTorch default", Uniform),
    "gaussian": ("Gaussian σ/√N", Gaussian),
    "orthogonal": ("orthogonal", Orthogonal),
    "identity": ("identity", Identity),
    "symmetric": ("symmetric", Symmetric),
    "triangular": ("non-normal", Triangular),
    "reservoir": ("sparse reservoir", Reservoir),
}
