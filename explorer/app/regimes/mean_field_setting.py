"""What the section Mean field computes: theory, and the networks that are measured beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.app import cache
from explorer.app.mean_field_choices import SIGMA_W, MeanFieldChoices
from explorer.ensembles.signal_propagation import Propagation, propagation_of, signal_propagation
from explorer.experiment import Experiment
from explorer.figures.sigma_axis import sigma_grid
from explorer.theory import (
    MeanField,
    chi_1,
    critical_line,
    mean_field,
    mean_field_curve,
    mean_field_tolerance,
)

DEPTH = 50
"""Layers of the measured networks."""
FAR, SETTLED = 0.1, 1.0
"""Shares of the length q* at which they start: the way there is seen, or the map of correlations holds."""
_PLACES = 9  # values of σ_w along the axis at which networks are measured


@dataclass(frozen=True)
class Setting:
    """All that decides the picture; equal settings have equal texts, which are the keys of the cache."""

    activation: str
    sigma_w: float
    sigma_b: float
    input_variance: float
    tied: bool
    width: int
    count: int

    @classmethod
    def of(cls, view: MeanFieldChoices) -> Setting:
        """The setting of a view."""
        ensemble = (view.mean_activation, view.sigma_w, view.sigma_b, view.input_variance)
        return cls(*ensemble, view.mean_tied, view.mean_width, view.mean_seeds)

    @property
    def law(self) -> dict[str, Any]:
        """Everything but σ_w that theory depends on."""
        others = {"sigma_b": self.sigma_b, "input_variance": self.input_variance}
        return {"activation": self.activation, **others}

    @property
    def networks(self) -> dict[str, Any]:
        """Which networks are measured."""
        return {"width": self.width, "depth": DEPTH, "seeds": range(self.count), "tied": self.tied}

    @property
    def step(self) -> str:
        """What a layer is called: repeated layers are the steps of a recurrent network."""
        return "step" if self.tied else "layer"

    @property
    def tolerance(self) -> float:
        """Half the height of χ₁'s band as a share of it; new matrices average as a fresh input does."""
        fresh = not self.tied or self.input_variance > 0
        return mean_field_tolerance(Experiment(hidden_size=self.width, input_scale=float(fresh)))

    # ---- theory ----

    def field(self) -> MeanField[float]:
        """The mean field at the present σ_w."""
        key = f"mean field|{self.law}|{self.sigma_w!r}"
        return cache.remembered(key, lambda: mean_field(**self.law, sigma_w=self.sigma_w))

    def axis(self) -> tuple[np.ndarray, float]:
        """σ_w [n] along the axis, which rests while σ_w moves, and the critical σ_w, NaN if there is none."""

        def find() -> tuple[np.ndarray, float]:
            critical = float(critical_line(**self.law))
            end = float(np.nanmax([1.05 * SIGMA_W, 1.6 * critical]))
            return sigma_grid(0.0, end, critical), critical

        return cache.remembered(f"mean field axis|{self.law}", find)

    def chi(self) -> np.ndarray:
        """χ₁ [n] along the axis."""
        return cache.remembered(
            f"mean field chi|{self.law}", lambda: chi_1(**self.law, sigma_w=self.axis()[0])
        )

    def curve(self) -> MeanField[np.ndarray]:
        """The mean field [n] along the axis."""
        key = f"mean field curve|{self.law}"
        return cache.remembered(key, lambda: mean_field_curve(**self.law, sigma_w=self.axis()[0]))

    # ---- measurement ----

    def measured(self, start: float) -> Propagation:
        """What the networks do that start at this share of the length q*, or at 1 where there is no q*."""
        field = self.field()
        length = start * field.q if 0 < field.q < np.inf else 1.0
        key = f"mean field networks|{self}|{length!r}"
        return cache.remembered(key, lambda: propagation_of(field, **self.networks, start_length=length))

    def growth(self) -> np.ndarray:
        """The factor of a gradient's square in a layer once lengths have settled, [S]; 0 where it dies."""
        return _or_zero(self.measured(FAR).settled_growth)

    def along(self) -> Along:
        """The networks along the axis, the same for every present σ_w."""
        key = f"mean field along|{self.law}|{self.networks}"
        return cache.remembered(key, lambda: Along(self))


class Along:
    """Networks at σ_w along the axis; too many to be measured before the first picture.

    Attributes:
        growth: [M, S] the growth of a gradient's square; None until ``measure`` was called.
    """

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self.growth: np.ndarray | None = None

    @property
    def places(self) -> np.ndarray:
        """Their σ_w, [M]."""
        return np.linspace(0, self._setting.axis()[0][-1], _PLACES + 2)[1:-1]

    def measure(self) -> None:
        """Run them all, from the length at which each settles."""
        law, networks = self._setting.law, self._setting.networks
        q = mean_field_curve(**law, sigma_w=self.places).q
        starts = np.where((q > 0) & (q < np.inf), q, 1.0)
        runs = (
            signal_propagation(**law, **networks, sigma_w=float(sigma), start_length=float(start))
            for sigma, start in zip(self.places, starts, strict=True)
        )
        self.growth = _or_zero(np.array([found.settled_growth for found in runs]))


def _or_zero(growth: np.ndarray) -> np.ndarray:
    """A mean over layers is NaN where a gradient died on the way."""
    return np.where(np.isnan(growth), 0.0, growth)
