"""What one repeated matrix does that independent matrices do not, in numbers and in words."""

from __future__ import annotations

import numpy as np

from explorer.ensembles.products import GradientFan

_ALIKE = 0.1  # factors of a layer that differ by less than this share are called alike
_EARLY = 10  # the exponent of the spread is fitted from K/10 layers on


def spread_exponent(spread: np.ndarray) -> float:
    """p of spread ∝ k^p: the slope of log spread over log k, by least squares over K/10 ≤ k ≤ K.

    All parts of the logarithmic axis weigh alike. Theory: ½ for independent layers at every k; for one
    repeated matrix ½ at first, when its powers still mix many directions, and 1 once its largest eigenvalue
    leads. Chance alone moves the slope by about 0.09 with 32 seeds (a random walk of 100 layers).

    Args:
        spread: standard deviation over the seeds after k = 0 … K layers, [K+1].

    Returns:
        NaN where the spread is 0 or unknown in that range, or fewer than three layers lie in it.
    """
    last = len(spread) - 1
    layers = np.arange(max(1, last // _EARLY), last + 1)
    late = np.asarray(spread, dtype=float)[layers]
    if len(layers) < 3 or not (np.isfinite(late) & (late > 0)).all():
        return float("nan")
    return float(np.polyfit(np.log(layers), np.log(late), 1, w=layers**-0.5)[0])


def tied_sentence(tied: GradientFan, independent: GradientFan) -> str:
    """One sentence that compares a repeated matrix with independent ones by what was computed.

    Args:
        tied: fan of a kind with one repeated matrix.
        independent: fan of a kind with independent layers, of the same depth and initialisation.

    Raises:
        ValueError: the depths or initialisations differ, or ``tied`` or ``independent`` is not of that kind.
    """
    _check(tied, independent)
    depth, count = tied.stack.depth, tied.stack.count
    both = {"one repeated matrix": tied, "independent matrices": independent}
    dead = [name for name, fan in both.items() if fan.zeros[-1] == fan.stack.count]
    if dead:
        return f"After {depth} layers no gradient is left in any of {count} seeds of {' or of '.join(dead)}."
    if tied.stack.initializer == "identity":
        spread = "and there is no luck to repeat"
        if tied.spread[-1] != 0:
            spread = f"and the gradients of {count} seeds spread by {_spread(tied)}"
        return (
            f"The identity is the same matrix whether it is repeated or not: over {depth} layers a layer "
            f"multiplies the gradient by {tied.factor:.3g}, {spread}."
        )
    alike = abs(tied.factor / independent.factor - 1) < _ALIKE
    return (
        f"After {depth} layers the gradients of {count} seeds spread by {_spread(tied)} if one matrix is "
        f"repeated and by {_spread(independent)} if each layer has its own, while a typical layer multiplies "
        f"by {tied.factor:.3g} and by {independent.factor:.3g}{', much alike' if alike else ''}."
    )


def relu_sentence(independent: GradientFan, identity: GradientFan) -> str:
    """Why ReLU needs the identity in a recurrent network and not in a convolutional one, in one sentence.

    ``gradient_fan`` explains: σ_w² = 2 keeps layers at 1, and of one repeated matrix only the identity has no
    spread.

    Args:
        independent: fan of random ReLU layers without residual connections.
        identity: fan of the repeated identity, with ReLU.

    Raises:
        ValueError: one of the two is something else.
    """
    stack = independent.stack
    if stack.activation != "relu" or stack.joined.residual or stack.initializer == "identity":
        raise ValueError(
            f"independent layers are {stack.kind!r} of {stack.initializer!r} with {stack.activation!r}; "
            "allowed are random matrices with 'relu' and no residual connections"
        )
    repeated = identity.stack
    if (repeated.kind, repeated.activation, repeated.initializer) != ("recurrent", "relu", "identity"):
        raise ValueError(
            f"the second fan is {repeated.kind!r} of {repeated.initializer!r} with {repeated.activation!r}; "
            "allowed is 'recurrent' of 'identity' with 'relu'"
        )
    variance = stack.weight_variance
    spread = "no spread" if identity.spread[-1] == 0 else f"a spread of {_spread(identity)}"
    return (
        "Not independence but σ_w² = 2 keeps ReLU layers near 1: "
        f"here σ_w² = {variance:.3g}, so √(σ_w²/2) = {np.sqrt(variance / 2):.3g} a layer as N → ∞; "
        f"the repeated identity gives {identity.factor:.3g} a layer with {spread}."
    )


def _check(tied: GradientFan, independent: GradientFan) -> None:
    if not tied.stack.joined.tied or independent.stack.joined.tied:
        raise ValueError(
            f"kinds are {tied.stack.kind!r} and {independent.stack.kind!r}; allowed are first a tied, "
            "then an independent one"
        )
    for name in ("depth", "initializer"):
        one, two = getattr(tied.stack, name), getattr(independent.stack, name)
        if one != two:
            raise ValueError(
                f"{name} is {two!r} of the independent layers; allowed is that of the tied ones, {one!r}"
            )


def _spread(fan: GradientFan) -> str:
    """The spread after all layers, how it grows, and in how many seeds nothing is left."""
    spread, power, dead = fan.spread[-1], spread_exponent(fan.spread), int(fan.zeros[-1])
    text = "an unknown number of decades" if np.isnan(spread) else f"{spread:.2g} decades"
    more = [f"∝ k^{power:.1f}"] if np.isfinite(power) else []
    more += [f"without the {dead} of {fan.stack.count} seeds that are exactly 0"] if dead else []
    return f"{text} ({', '.join(more)})" if more else text
