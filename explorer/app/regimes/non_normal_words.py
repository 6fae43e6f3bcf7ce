"""What the section Non-normality says about its numbers."""

from __future__ import annotations

import numpy as np

from explorer.figures.decades import number, plain
from explorer.theory.non_normality import ROUNDING, PowerGrowth
from explorer.theory.pseudospectrum import Pseudospectrum


def tone_of(found: PowerGrowth) -> str:
    """What becomes of a gradient in the end."""
    radius = found.spectral_radius
    if abs(radius - 1) <= ROUNDING and found.peak == 0:
        return "survives"
    return "vanishes" if radius < 1 - ROUNDING else "explodes"


def growth_sentence(found: PowerGrowth) -> str:
    """What the powers do, and what that means for a gradient in the linear network h_t = W h_t−1."""
    radius, last, peak = found.spectral_radius, len(found.norms) - 1, found.peak
    top, end = number(float(found.norms[peak])), number(float(found.norms[-1]))
    start, vanishes = f"Spectral radius {plain(radius)}", radius < 1 - ROUNDING
    if radius > 1 + ROUNDING:
        return (
            f"{start} is above 1: ‖Wᵏ‖ grows without bound and is {end} at k = {last}, "
            "the most by which a linear network stretches a gradient over so many steps."
        )
    if peak == 0 and found.settled is None:
        return f"{start}, and no singular value above 1: ‖Wᵏ‖ stays 1, so some gradient passes unchanged."
    if peak == 0:
        return (
            f"{start}, and no singular value above 1: no power grows, and ‖Wᵏ‖ is {end} at k = {last}. "
            "In a linear network every gradient shrinks from the first step on."
        )
    if peak == last:
        ending = ", and only then vanish" if vanishes else ""
        return (
            f"{start}, yet ‖Wᵏ‖ still grows at k = {last}, where it is {top}: "
            f"a gradient in a linear network can grow by this factor{ending}."
        )
    ending = " before it vanishes" if vanishes else ""
    after = (
        f"is still {end} at k = {last}"
        if found.settled is None
        else f"stays below 1 only from k = {found.settled} on"
    )
    return (
        f"{start}, yet ‖Wᵏ‖ rises to {top} at k = {peak} and {after}: "
        f"a gradient in a linear network can grow by a factor of {top} "
        f"over {peak} step{'s' * (peak > 1)}{ending}."
    )


def measures_sentence(found: PowerGrowth, plane: Pseudospectrum) -> str:
    """What singular values, Schur form and pseudospectrum say about the powers without computing them."""
    largest = plain(found.sigma_max)
    said = f"Largest singular value {largest}, so ‖Wᵏ‖ ≤ {largest}ᵏ. "
    departure = found.departure > ROUNDING * max(found.sigma_max, 1.0)
    said += f"Departure from normality {plain(found.departure)}. " if departure else "W is normal. "
    if np.isinf(plane.kreiss_bound):
        return f"{said}Kreiss bound: infinite, as an eigenvalue lies outside of the unit circle."
    shown = number(float(np.log10(plane.kreiss_bound)))
    if plane.kreiss_bound > 1 + 1e-6:
        return f"{said}Kreiss bound: the contours alone prove that some power has a norm of at least {shown}."
    return f"{said}Kreiss bound {shown}: the contours prove no growth."
