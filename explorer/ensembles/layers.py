"""Stacks of random layers: what they are made of, how their matrices are drawn, and one layer there and back.

Every layer is a matrix on columns, W [C, F] with fan-in F. A dense layer is a convolution of width 1 at one
position, so recurrent networks, feed-forward networks and one-dimensional convolutions share all code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, Self

import numpy as np
from pydantic import model_validator

from explorer import pool
from explorer.activations import ACTIVATIONS, Activation
from explorer.cells.fields import Function
from explorer.parameters import Parameters, parameter


@dataclass(frozen=True)
class Kind:
    """How the layers of a stack are joined.

    Attributes:
        label: short name on screen.
        tied: one matrix is repeated in all layers.
        convolution: the matrix is a kernel, shared by all positions.
        residual: a layer is h + ε·φ(W h) instead of φ(W h).
    """

    label: str
    tied: bool = False
    convolution: bool = False
    residual: bool = False


KINDS: dict[str, Kind] = {
    "recurrent": Kind("tied (RNN)", tied=True),
    "independent": Kind("untied"),
    "convolution": Kind("1-D CNN", convolution=True),
    "residual": Kind("residual", residual=True),
    "residual_tied": Kind("tied residual", tied=True, residual=True),
}
"""Kind → what it means."""

MATRICES = {
    "gaussian": "Gaussian 1/√fan-in",
    "he": "He √(2/fan-in)",
    "torch": "PyTorch default",
    "orthogonal": "orthogonal",
    "identity": "identity",
}
"""Initialisation → label; see ``LayerStack.initializer``."""

VARIANCES = {"gaussian": 1.0, "he": 2.0, "torch": 1 / 3, "orthogonal": 1.0}
"""Initialisation → σ_w² = fan-in · variance of an entry, at gain 1; the identity is not random."""


class LayerStack(Parameters):
    r"""Random layers without biases, and how many of such stacks are drawn.

    .. math::
        h_l = \varphi(W_l h_{l-1}) \quad\text{or}\quad h_l = h_{l-1} + \varepsilon\,\varphi(W_l h_{l-1}),
        \qquad l = 1 \dots K

    h_0 holds |z| with z standard normal: positive, as states behind a ReLU are, so that the identity finds
    all units open. W_l is ``gain`` times a matrix with :math:`\sigma_w^2 = F\,\mathrm{Var}\,W_{ij}` of

    - gaussian: 1 (N(0, 1/F)),
    - he: 2 (He et al. 2015),
    - torch: 1/3 (``torch.nn.Linear`` and ``Conv1d``: uniform on ±1/√F),
    - orthogonal: 1 (Haar measure, Saxe et al. 2014; in a convolution the centre of the kernel alone is
      orthogonal, the delta-orthogonal kernel of Xiao et al. 2018),
    - identity: the identity (Le et al. 2015; in a convolution the centre of the kernel alone).

    A convolution's padding is circular: all positions are alike and nothing leaks out at the ends. Raises
    ``pydantic.ValidationError`` (a ValueError) naming the field, the value and what is allowed.
    """

    kind: Literal["recurrent", "independent", "convolution", "residual", "residual_tied"] = parameter(
        "recurrent",
        "layers",
        "One matrix repeated as in a recurrent network, or a fresh one in every layer.",
        names={name: kind.label for name, kind in KINDS.items()},
    )
    activation: Function = parameter(
        "linear",
        "activation",
        "The function φ applied to every unit; its slope multiplies the gradient in every layer.",
        names={activation.name: activation.label for activation in ACTIVATIONS.values()},
    )
    initializer: Literal["gaussian", "he", "torch", "orthogonal", "identity"] = parameter(
        "gaussian", "initialisation", "How the matrices are drawn before the gain multiplies.", names=MATRICES
    )
    gain: float = parameter(1.0, "gain g", "Multiplies all matrices.", bounds=(0, 4), step=0.01)
    depth: int = parameter(
        100, "depth K", "Number of layers, or of time steps when one matrix is repeated.", bounds=(1, 500)
    )
    width: int = parameter(
        64, "width N", "Units of a dense layer.", bounds=(2, 256), options=(2, 4, 8, 16, 32, 64, 128, 256)
    )
    count: int = parameter(
        32, "seeds", "How many networks are drawn.", bounds=(1, 64), options=(1, 4, 8, 16, 32, 64)
    )
    seed: int = parameter(
        0, "first seed", "The networks have this seed and the following ones.", bounds=(0, 9999)
    )
    channels: int = parameter(
        16, "channels", "Channels of a convolution.", bounds=(1, 64), options=(1, 2, 4, 8, 16, 32, 64)
    )
    kernel_width: int = parameter(
        3, "kernel width", "How many neighbouring positions a convolution reads.", bounds=(1, 9)
    )
    positions: int = parameter(
        8, "positions", "Length of a convolution's input.", bounds=(1, 64), options=(1, 4, 8, 16, 32, 64)
    )
    branch_scale: float = parameter(
        0.1, "branch scale ε", "Weight of the branch beside a residual connection.", bounds=(0, 2), step=0.01
    )

    @model_validator(mode="after")
    def _kernel_fits(self) -> Self:
        if self.joined.convolution and self.kernel_width > self.positions:
            raise ValueError(
                f"kernel_width is {self.kernel_width}; allowed is at most positions, here {self.positions}"
            )
        return self

    @property
    def joined(self) -> Kind:
        """What ``kind`` means."""
        return KINDS[self.kind]

    @property
    def function(self) -> Activation:
        """φ with its slope."""
        return ACTIVATIONS[self.activation]

    @property
    def seeds(self) -> range:
        """The seeds of all networks."""
        return range(self.seed, self.seed + self.count)

    @property
    def shape(self) -> tuple[int, int]:
        """(C, P): channels and positions of the states h_l; (N, 1) in dense layers."""
        return (self.channels, self.positions) if self.joined.convolution else (self.width, 1)

    @property
    def taps(self) -> int:
        """κ: how many positions a unit reads."""
        return self.kernel_width if self.joined.convolution else 1

    @property
    def entries(self) -> int:
        """How many numbers the matrices of one network hold."""
        return (1 if self.joined.tied else self.depth) * self.shape[0] ** 2 * self.taps

    @property
    def weight_variance(self) -> float:
        """σ_w² = F·Var W_ij with the gain; NaN for the identity, which is not random."""
        return self.gain**2 * VARIANCES.get(self.initializer, np.nan)

    def without_gain(self) -> tuple[LayerStack, float]:
        """(A stack of gain 1, log10 g) where g does nothing but multiply a gradient by g in every layer.

        That is so where φ(c·a) = c·φ(a) for c > 0, without residual connections and for g > 0; otherwise
        (this stack, 0).
        """
        if self.gain == 0 or self.joined.residual or not self.function.homogeneous:
            return self, 0.0
        return self.model_copy(update={"gain": 1.0}), float(np.log10(self.gain))


@dataclass(frozen=True)
class Layers:
    """The matrices of some seeds.

    Attributes:
        stack: what was drawn.
        base: [S, L, C, F], float32 or float64; L is the depth, or 1 where one matrix is repeated. Column
            c·κ + j of the fan-in F = C·κ is tap j of channel c.
        factor: W_l = factor · base[:, l]
    """

    stack: LayerStack
    base: np.ndarray
    factor: float

    def _matrix(self, layer: int) -> np.ndarray:
        matrix: np.ndarray = self.base[:, 0 if self.base.shape[1] == 1 else layer]
        return matrix

    @property
    def _shifts(self) -> range:
        """How far to the right of its own position each tap reads, around the circle."""
        return range(-(self.stack.taps // 2), self.stack.taps - self.stack.taps // 2)

    def push(self, layer: int, state: np.ndarray) -> np.ndarray:
        """W_l h [S, C, P] of h [S, C, P]; layers count from 0. In the matrices' precision, as float64."""
        given = state.astype(self.base.dtype, copy=False)
        if self.stack.joined.convolution:
            positions = self.stack.positions
            read = (np.arange(positions) + np.array(self._shifts)[:, None]) % positions  # [κ, P]
            given = given[:, :, read].reshape(len(given), -1, positions)
        return self._scaled(np.matmul(self._matrix(layer), given))

    def pull(self, layer: int, adjoint: np.ndarray) -> np.ndarray:
        """W_lᵀ δ [S, C, P] of δ [S, C, P], likewise. With one seed S may also count adjoints."""
        given = adjoint.astype(self.base.dtype, copy=False)
        found = np.matmul(self._matrix(layer).transpose(0, 2, 1), given)
        if self.stack.joined.convolution:
            taps = found.reshape(len(found), self.stack.channels, self.stack.taps, -1)
            found = sum(np.roll(taps[:, :, j], shift, axis=2) for j, shift in enumerate(self._shifts))
        return self._scaled(found)

    def _scaled(self, product: np.ndarray) -> np.ndarray:
        return np.asarray(np.multiply(product, self.factor, dtype=np.float64))


def draw_layers(stack: LayerStack, seeds: Sequence[int], *, keep: bool = False) -> Layers:
    """The matrices of these seeds, in float32, read-only.

    A seed's matrices depend on nothing but the seed and their shape: one that is repeated is the first of
    those that are not, and neither the gain nor φ nor ε changes any draw. Numbers are torch's, which draws
    normal float32 numbers three times as fast as NumPy; the last digits may differ between processors.

    Args:
        stack: what is drawn.
        seeds: of which networks.
        keep: hold the last three draws in memory, for another gain, φ or ε.
    """
    draw = _kept_matrices if keep else _matrices
    law = "gaussian" if stack.initializer == "he" else stack.initializer
    scale = stack.gain * (np.sqrt(2.0) if stack.initializer == "he" else 1.0)
    if law in ("gaussian", "torch"):
        scale /= np.sqrt(stack.shape[0] * stack.taps)
    layers = 1 if stack.joined.tied else stack.depth
    return Layers(stack, draw(law, tuple(seeds), layers, stack.shape[0], stack.taps), float(scale))


def _matrices(law: str, seeds: tuple[int, ...], layers: int, channels: int, taps: int) -> np.ndarray:
    """[S, layers, C, C·κ] of entries of size 1, orthogonal matrices or identities."""
    base = pool.empty((len(seeds), layers, channels, channels * taps), np.dtype(np.float32))
    if law in ("orthogonal", "identity"):
        base[:] = 0
        centre = base[..., taps // 2 :: taps]
        for place, seed in enumerate(seeds):
            centre[place] = _haar(seed, layers, channels) if law == "orthogonal" else np.eye(channels)
    else:
        for place, seed in enumerate(seeds):
            _fill(base[place], seed, uniform=law == "torch")
    base.flags.writeable = False
    return base


_kept_matrices = lru_cache(maxsize=3)(_matrices)  # dense tied and untied ones, and kernels


def _fill(array: np.ndarray, seed: int, *, uniform: bool = False) -> None:
    """Standard normal numbers, or uniform ones on ±1, in place."""
    import torch

    entropy = np.random.SeedSequence([seed, *b"matrices"]).generate_state(1)
    generator = torch.Generator().manual_seed(int(entropy[0]))
    numbers = torch.from_numpy(array)
    numbers.uniform_(-1, 1, generator=generator) if uniform else numbers.normal_(generator=generator)


def _haar(seed: int, layers: int, size: int) -> Any:
    """[layers, size, size] Haar-distributed; the signs of R's diagonal make the QR factor uniform."""
    import torch

    gaussian = np.empty((layers, size, size), np.float32)
    _fill(gaussian, seed)
    q, r = torch.linalg.qr(torch.from_numpy(gaussian).double())
    return (q * torch.sign(torch.diagonal(r, dim1=1, dim2=2))[:, None, :]).numpy()


def draw_inputs(stack: LayerStack, seeds: Sequence[int]) -> np.ndarray:
    """h_0 = |z| with z standard normal, [S, C, P]."""
    return np.asarray(np.abs(_normals("input", stack, seeds)))


def draw_directions(stack: LayerStack, seeds: Sequence[int]) -> np.ndarray:
    """v, uniform on the sphere of all units, [S, C, P]: where the gradient starts."""
    drawn = _normals("direction", stack, seeds)
    drawn /= np.sqrt(np.square(drawn).sum(axis=(1, 2), keepdims=True))
    return drawn


def _normals(stream: str, stack: LayerStack, seeds: Sequence[int]) -> np.ndarray:
    """[S, C, P] standard normal numbers, from a generator of its own for every seed and every draw."""
    return np.stack(
        [np.random.default_rng([seed, *stream.encode()]).standard_normal(stack.shape) for seed in seeds]
    )
