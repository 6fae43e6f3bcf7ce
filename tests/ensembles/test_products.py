"""Random layers against torch autograd, closed laws and determinants; tolerances from theory."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from explorer.activations import ACTIVATIONS
from explorer.ensembles import growth_laws, products
from explorer.ensembles.growth_laws import applicable_law, growth_law, spectral_law
from explorer.ensembles.layers import KINDS, MATRICES, LayerStack, draw_directions, draw_inputs, draw_layers
from explorer.ensembles.products import GradientFan, gradient_fan, product_singular_values
from explorer.ensembles.tied import relu_sentence, spread_exponent, tied_sentence
from explorer.lessons.sentences import one_sentence

LN10 = np.log(10)
SMALL = {"width": 6, "channels": 3, "positions": 5, "depth": 7, "count": 3}
SIGMAS = 4.5  # seven in a million for a normal number; the draws are fixed


def torch_layers(stack: LayerStack, seed: int) -> list[torch.Tensor]:
    """h_0 … h_K of one seed by torch's own operations in float64; h_0 is a leaf."""
    drawn = draw_layers(stack, [seed])
    weights = torch.from_numpy(drawn.factor * drawn.base[0].astype(np.float64))
    function = ACTIVATIONS[stack.activation].function
    states = [torch.from_numpy(draw_inputs(stack, [seed])[0]).requires_grad_()]
    for layer in range(stack.depth):
        matrix, h = weights[layer % len(weights)], states[-1]
        if KINDS[stack.kind].convolution:
            left = stack.kernel_width // 2
            around = torch.nn.functional.pad(h[None], (left, stack.kernel_width - 1 - left), mode="circular")
            a = torch.nn.functional.conv1d(around, matrix.reshape(stack.channels, stack.channels, -1))[0]
        else:
            a = matrix @ h
        states.append(h + stack.branch_scale * function(a) if KINDS[stack.kind].residual else function(a))
    return states


# ---- the fan ----


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("activation", ["linear", "tanh", "relu", "sigmoid"])
def test_fan_is_the_gradient_of_autograd(kind, activation):
    stack = LayerStack(kind=kind, activation=activation, gain=1.3, branch_scale=0.7, seed=5, **SMALL)
    fan = gradient_fan(stack)
    assert fan.log_norms.shape == (3, 8)
    for row, seed in enumerate(stack.seeds):
        states = torch_layers(stack, seed)
        direction = torch.from_numpy(draw_directions(stack, [seed])[0])
        grads = torch.autograd.grad(states[-1], states, direction)
        expected = [np.log10(float(grad.norm())) for grad in reversed(grads)]
        np.testing.assert_allclose(fan.log_norms[row], expected, atol=1e-5)


@pytest.mark.parametrize("kernel_width", [1, 2, 4, 5])
def test_kernels_of_every_width_are_torchs(kernel_width):
    stack = LayerStack(kind="convolution", activation="tanh", kernel_width=kernel_width, **SMALL)
    states = torch_layers(stack, 0)
    grads = torch.autograd.grad(states[-1], states, torch.from_numpy(draw_directions(stack, [0])[0]))
    assert gradient_fan(stack).log_norms[0, -1] == pytest.approx(np.log10(float(grads[0].norm())), abs=1e-5)


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(list(KINDS)),
    st.sampled_from(list(MATRICES)),
    st.integers(1, 6),
    st.integers(0, 4),
    st.integers(1, 3),
)
def test_pull_is_the_transpose_of_push(kind, initializer, channels, extra, taps):
    stack = LayerStack(
        kind=kind,
        initializer=initializer,
        width=channels + 1,
        channels=channels,
        positions=taps + extra,
        kernel_width=taps,
        depth=2,
        count=2,
    )
    layers = draw_layers(stack, [3, 4])
    h, adjoint = draw_inputs(stack, [5, 6]), draw_directions(stack, [7, 8])
    forward = (layers.push(1, h) * adjoint).sum(axis=(1, 2))
    backward = (h * layers.pull(1, adjoint)).sum(axis=(1, 2))
    np.testing.assert_allclose(forward, backward, atol=1e-5)


def test_a_seed_gives_the_same_numbers_in_any_company(monkeypatch):
    both = gradient_fan(LayerStack(kind="independent", activation="relu", depth=5, width=8, count=6, seed=2))
    alone = gradient_fan(LayerStack(kind="independent", activation="relu", depth=5, width=8, count=1, seed=4))
    np.testing.assert_array_equal(both.log_norms[2:3], alone.log_norms)
    monkeypatch.setattr(products, "_CHUNK", 2 * 5 * 64)
    np.testing.assert_array_equal(gradient_fan(both.stack).log_norms, both.log_norms)


def test_numbers_beyond_all_floats_keep_their_digits():
    """In a linear network the gain is a factor: 0.01 over 500 layers shifts every norm by −1000 decades."""
    sizes = {"kind": "independent", "depth": 500, "width": 4, "count": 2}
    plain, tiny = (gradient_fan(LayerStack(gain=gain, **sizes)).log_norms for gain in (1.0, 0.01))
    np.testing.assert_allclose(tiny, plain - 2 * np.arange(501), atol=1e-4)
    assert tiny[:, -1].max() < -900


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("activation", ["linear", "relu", "tanh"])
def test_a_gain_that_is_but_a_factor_can_be_added_later(kind, activation):
    stack = LayerStack(kind=kind, activation=activation, gain=1.7, **SMALL)
    plain, gain = stack.without_gain()
    if activation == "tanh" or KINDS[kind].residual:
        assert plain is stack and gain == 0
    else:
        assert plain.gain == 1 and gain == pytest.approx(np.log10(1.7))
        shifted = gradient_fan(plain).log_norms + gain * np.arange(8)
        np.testing.assert_allclose(shifted, gradient_fan(stack).log_norms, atol=1e-5)
    assert stack.model_copy(update={"gain": 0.0}).without_gain()[1] == 0


def test_kept_matrices_are_those_that_are_drawn_again():
    for initializer in MATRICES:
        stack = LayerStack(kind="independent", initializer=initializer, gain=1.3, depth=3, width=5)
        fresh, kept = (draw_layers(stack, [2, 3], keep=keep) for keep in (False, True))
        again = draw_layers(stack.model_copy(update={"gain": 0.5}), [2, 3], keep=True)
        assert again.base is kept.base and again.factor == pytest.approx(kept.factor * 0.5 / 1.3)
        np.testing.assert_array_equal(fresh.base, kept.base)
        assert fresh.factor == kept.factor and not kept.base.flags.writeable


def test_a_saturated_chain_shrinks_by_the_slope_at_its_fixed_point():
    """h = tanh(4h) in every unit: 4/cosh² of the pre-activation a layer, over 600 decades."""
    stack = LayerStack(
        kind="recurrent", activation="tanh", initializer="identity", gain=4, width=4, depth=300, count=2
    )
    fan = gradient_fan(stack)
    assert np.isfinite(fan.log_norms).all() and fan.log_norms.max() <= np.log10(4) + 1e-9
    fixed = 4.0
    for _ in range(200):
        fixed = 4 * np.tanh(fixed)  # the pre-activation at the stable fixed point
    slope = np.log10(4 / np.cosh(fixed) ** 2)
    np.testing.assert_allclose(np.diff(fan.log_norms)[:, :250], slope, atol=1e-5)


def test_exact_zeros_are_counted_and_left_out_of_the_moments():
    fan = gradient_fan(LayerStack(kind="independent", activation="relu", width=2, depth=6, count=64))
    dead = np.isneginf(fan.log_norms)
    assert (np.diff(dead.astype(int), axis=1) >= 0).all(), "what is 0 stays 0"
    share = 1 - 0.75**6  # each layer of two units is shut with probability 1/4
    error = np.sqrt(share * (1 - share) / 64)
    assert fan.zeros[-1] / 64 == pytest.approx(share, abs=SIGMAS * error)
    alive = fan.log_norms[~dead[:, -1], -1]
    assert fan.mean[-1] == pytest.approx(alive.mean())
    assert fan.spread[-1] == pytest.approx(alive.std(ddof=1))
    none = gradient_fan(LayerStack(gain=0, depth=3, count=4, width=4))
    assert none.zeros.tolist() == [0, 4, 4, 4]
    assert none.mean.tolist() == [0, -np.inf, -np.inf, -np.inf] and np.isnan(none.spread[1:]).all()


# ---- laws ----


def half_log_moments(density, upper=np.inf):
    """Mean and variance of ½ ln x under a density on x > 0, by quadrature."""

    def moment(power):
        return integrate.quad(lambda x: (0.5 * np.log(x)) ** power * density(x), 0, upper, limit=400)[0]

    return moment(1), moment(2) - moment(1) ** 2


def test_linear_law_by_quadrature():
    law = growth_law(LayerStack(kind="independent", width=5, depth=1, gain=1.4))
    mean, variance = half_log_moments(lambda x: stats.chi2.pdf(x, 5, scale=1.4**2 / 5))
    assert law.mean[1] * LN10 == pytest.approx(mean, abs=1e-8)
    assert (law.spread[1] * LN10) ** 2 == pytest.approx(variance, abs=1e-7)


def test_relu_law_by_quadrature_given_that_a_unit_is_open():
    law = growth_law(LayerStack(kind="independent", activation="relu", initializer="he", width=4, depth=1))
    shares = stats.binom.pmf([1, 2, 3, 4], 4, 0.5) / (1 - 0.5**4)
    mean, variance = half_log_moments(
        lambda x: sum(p * stats.chi2.pdf(x, m, scale=2 / 4) for m, p in enumerate(shares, start=1))
    )
    assert law.mean[1] * LN10 == pytest.approx(mean, abs=1e-6)
    assert (law.spread[1] * LN10) ** 2 == pytest.approx(variance, abs=1e-5)


def test_residual_law_by_quadrature():
    law = growth_law(LayerStack(kind="residual", width=5, depth=1, gain=1.2, branch_scale=0.8))
    branch = (0.8 * 1.2) ** 2
    mean, variance = half_log_moments(lambda x: stats.ncx2.pdf(x, 5, 5 / branch, scale=branch / 5), 60)
    assert law.mean[1] * LN10 == pytest.approx(mean, abs=1e-8)
    assert (law.spread[1] * LN10) ** 2 == pytest.approx(variance, abs=1e-7)


def test_laws_of_wide_layers_tend_to_the_known_forms():
    """−1/(2N) and 1/(2N) for linear layers, −5/(4N) and 5/(4N) for ReLU (Hanin & Nica 2020)."""
    for activation, initializer, rate in (("linear", "gaussian", 0.5), ("relu", "he", 1.25)):
        law = growth_law(
            LayerStack(kind="independent", activation=activation, initializer=initializer, width=256, depth=1)
        )
        assert law.mean[1] * LN10 * 256 == pytest.approx(-rate, rel=0.03)
        assert (law.spread[1] * LN10) ** 2 * 256 == pytest.approx(rate, rel=0.03)


def assert_follows(fan: GradientFan, mean: float, spread: float) -> None:
    """Mean and standard deviation after all layers are within the errors of so many normal numbers."""
    alive = fan.stack.count - int(fan.zeros[-1])
    assert fan.mean[-1] == pytest.approx(mean, abs=SIGMAS * spread / np.sqrt(alive))
    tail = stats.norm.sf(SIGMAS)
    low, high = stats.chi2.ppf([tail, 1 - tail], alive - 1) / (alive - 1)
    assert low * spread**2 < fan.spread[-1] ** 2 < high * spread**2


@pytest.mark.parametrize("initializer", ["gaussian", "he", "torch"])
@pytest.mark.parametrize(
    ("kind", "activation"), [("independent", "linear"), ("independent", "relu"), ("residual", "linear")]
)
def test_drawn_networks_follow_their_law(kind, activation, initializer):
    stack = LayerStack(
        kind=kind, activation=activation, initializer=initializer, width=32, count=64, seed=100
    )
    law = growth_law(stack)
    assert law.name == (growth_laws.SAME_VARIANCE if initializer == "torch" else growth_laws.EXACT)
    assert_follows(gradient_fan(stack), law.mean[-1], law.spread[-1])


def test_the_relu_law_is_exact_in_narrow_layers_too():
    stack = LayerStack(
        kind="independent", activation="relu", initializer="he", width=8, depth=12, count=64, seed=1
    )
    law = growth_law(stack)
    assert_follows(gradient_fan(stack), law.mean[-1], law.spread[-1])


def test_known_numbers_of_independent_layers():
    """SCIENCE: linear, g = 1, N = 64, 100 factors: ln‖·‖ = −0.81 ± 0.89; torch's ReLU layers × 0.408."""
    stack = LayerStack(kind="independent")
    law = growth_law(stack)
    assert law.mean[-1] * LN10 == pytest.approx(-0.81, abs=2 * 0.89 / np.sqrt(32))
    assert law.spread[-1] * LN10 == pytest.approx(0.89, abs=0.005)
    assert_follows(gradient_fan(stack), -0.81 / LN10, 0.89 / LN10)
    for initializer, factor in (("torch", 0.408), ("he", 1.0)):
        fan = gradient_fan(stack.model_copy(update={"activation": "relu", "initializer": initializer}))
        finite_width = np.exp(-5 / (4 * 64))
        error = np.sqrt(5 / (4 * 64) * 100 / 32) / 100
        assert fan.factor == pytest.approx(factor * finite_width, rel=SIGMAS * error + 2e-3)


def test_known_numbers_of_one_repeated_matrix():
    """SCIENCE: +3.9 ± 4.7 for the vector norm; both within the bootstrap errors of 64 seeds."""
    ends = gradient_fan(LayerStack(kind="recurrent", count=64)).log_norms[:, -1] * LN10
    again = np.random.default_rng(0).choice(ends, (2000, 64))
    assert ends.mean() == pytest.approx(3.9, abs=3 * again.mean(axis=1).std())
    assert ends.std(ddof=1) == pytest.approx(4.7, abs=3 * again.std(axis=1).std())


def test_spectral_law_is_what_repetition_tends_to():
    stack = LayerStack(kind="recurrent", width=12, depth=500, count=64)
    fan, law = gradient_fan(stack), spectral_law(stack)
    assert np.isnan(law.mean[:5]).all() and np.isfinite(law.mean[200:]).all()
    phase = np.pi / np.sqrt(12) / LN10  # no angle moves ln|cos θ| by more than this standard deviation
    assert law.mean[-1] == pytest.approx(fan.mean[-1], abs=SIGMAS * phase / np.sqrt(64))
    assert law.spread[-1] == pytest.approx(fan.spread[-1], abs=SIGMAS * phase / np.sqrt(64))
    assert spread_exponent(fan.spread) == pytest.approx(1.0, abs=0.1)


def test_spread_of_independent_layers_grows_as_the_root():
    spread = gradient_fan(LayerStack(kind="independent", width=16, count=64)).spread
    assert spread_exponent(spread) == pytest.approx(0.5, abs=SIGMAS * 0.06)


def test_exponents_of_exact_powers():
    layers = np.arange(101.0)
    assert spread_exponent(0.3 * layers**0.5) == pytest.approx(0.5)
    assert spread_exponent(0.3 * layers) == pytest.approx(1.0)
    assert np.isnan(spread_exponent(0 * layers)) and np.isnan(spread_exponent(np.array([0.0, 1.0])))


@pytest.mark.parametrize("kind", ["recurrent", "independent", "convolution"])
def test_orthogonal_linear_layers_multiply_by_the_gain(kind):
    """SCIENCE: 0.9^50 = 0.00515378, 1.1^50 = 117.3909; without any spread."""
    for gain, end in ((0.9, 0.00515378), (1.1, 117.3909)):
        stack = LayerStack(kind=kind, initializer="orthogonal", gain=gain, depth=50, width=16, count=3)
        fan, law = gradient_fan(stack), growth_law(stack)
        np.testing.assert_allclose(10 ** fan.log_norms[:, -1], end, rtol=1e-4)
        np.testing.assert_allclose(fan.mean, law.mean, atol=1e-5)
        assert law.name == growth_laws.EXACT and fan.spread[-1] == law.spread[-1] == 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("activation", ["linear", "relu"])
def test_the_identity_has_no_luck_to_repeat(kind, activation):
    stack = LayerStack(kind=kind, activation=activation, initializer="identity", depth=40, count=4, width=16)
    fan, law = gradient_fan(stack), growth_law(stack)
    step = np.log10(1.1) if KINDS[kind].residual else 0.0
    np.testing.assert_allclose(fan.log_norms, np.tile(step * np.arange(41), (4, 1)), atol=1e-5)
    np.testing.assert_allclose(law.mean, step * np.arange(41), atol=1e-12)
    assert not fan.spread.any()


@pytest.mark.parametrize("activation", ["linear", "relu"])
def test_mean_field_is_the_root_mean_square_of_a_convolution(activation):
    stack = LayerStack(kind="convolution", activation=activation, depth=3, count=64, gain=1.2)
    law = growth_law(stack)
    assert law.name == growth_laws.MEAN_FIELD and law.spread is None
    squares = 10 ** (2 * gradient_fan(stack).log_norms[:, -1])
    error = squares.std(ddof=1) / np.sqrt(len(squares))
    assert squares.mean() == pytest.approx(10 ** (2 * law.mean[-1]), abs=SIGMAS * error)


def test_no_law_is_claimed_where_none_holds():
    for changes in ({"activation": "tanh"}, {"kind": "residual", "activation": "relu"}, {"gain": 0}):
        assert growth_law(LayerStack(**{"kind": "independent"} | changes)) is None
    tied = LayerStack(kind="recurrent", activation="relu", width=4)
    assert growth_law(tied) is applicable_law(tied) is None
    assert applicable_law(LayerStack(width=4)).name == growth_laws.SPECTRAL_RADIUS
    for wrong in (tied, LayerStack(kind="independent", width=4)):
        with pytest.raises(ValueError, match="allowed are a tied kind"):
            spectral_law(wrong)


# ---- singular values ----


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("activation", ["linear", "tanh", "relu"])
def test_singular_values_are_those_of_autograds_jacobian(kind, activation):
    stack = LayerStack(kind=kind, activation=activation, branch_scale=0.5, **SMALL | {"depth": 4})
    states = torch_layers(stack, 1)
    expected = {}
    for layers in (1, 3, 4):
        source, end = states[-1 - layers], states[-1].reshape(-1)
        rows = [
            torch.autograd.grad(end[i], source, retain_graph=True)[0].reshape(-1) for i in range(len(end))
        ]
        expected[layers] = np.linalg.svd(torch.stack(rows).numpy(), compute_uv=False)
    found = product_singular_values(stack, [4, 1, 3], seed=1)
    for row, layers in zip(found, (4, 1, 3), strict=True):
        known, there = np.isfinite(row), expected[layers] > 1e-13
        assert known.sum() == there.sum(), "values that are 0 come out as 0, or as not known"
        np.testing.assert_allclose(10 ** row[known], expected[layers][there], rtol=1e-7)


@pytest.mark.parametrize("kind", ["recurrent", "independent"])
def test_deep_products_keep_the_determinant(kind):
    """Σ log σ_i = Σ_l log|det W_l|, over more decades than floats have."""
    stack = LayerStack(kind=kind, depth=300, width=12)
    drawn = draw_layers(stack, [0])
    logs = np.linalg.slogdet(drawn.factor * drawn.base[0].astype(np.float64))[1] / LN10
    values = product_singular_values(stack, [300])[0]
    assert values[-1] < -150
    assert values.sum() == pytest.approx(np.resize(logs, 300).sum(), abs=1e-7)
    assert (np.diff(values) <= 0).all()


def test_no_layers_are_the_identity_and_no_gain_is_nothing():
    values = product_singular_values(LayerStack(gain=0, width=4, depth=3), [0, 2])
    np.testing.assert_allclose(values[0], 0, atol=1e-12)
    assert np.isneginf(values[1]).all()


# ---- words ----


def relu_fans() -> list[GradientFan]:
    """Tied and untied ReLU layers of PyTorch's default matrices, and the repeated identity."""
    kinds = (("recurrent", "torch"), ("independent", "torch"), ("recurrent", "identity"))
    sizes = {"width": 16, "depth": 40, "count": 16}
    return [
        gradient_fan(LayerStack(kind=kind, activation="relu", initializer=initializer, **sizes))
        for kind, initializer in kinds
    ]


def test_the_sentence_says_what_was_computed():
    tied, untied, _ = relu_fans()
    said = one_sentence(tied_sentence(tied, untied))
    for fan in (tied, untied):
        grown = f"{fan.spread[-1]:.2g} decades (∝ k^{spread_exponent(fan.spread):.1f})"
        assert f"by {fan.factor:.3g}" in said and grown in said
    assert said.startswith("After 40 layers the gradients of 16 seeds spread by")
    narrow = gradient_fan(untied.stack.model_copy(update={"width": 4}))
    dead = f"without the {narrow.zeros[-1]} of 16 seeds that are exactly 0"
    assert narrow.zeros[-1] and dead in one_sentence(tied_sentence(tied, narrow))
    nothing = [gradient_fan(LayerStack(kind=kind, width=4, depth=3, count=4, gain=0)) for kind in KINDS]
    said = one_sentence(tied_sentence(nothing[0], nothing[1]))
    assert "no gradient is left in any of 4 seeds of one repeated matrix or of independent matrices" in said
    thin = gradient_fan(untied.stack.model_copy(update={"width": 2}))
    assert one_sentence(tied_sentence(tied, thin)).endswith("in any of 16 seeds of independent matrices.")
    linear = [gradient_fan(LayerStack(kind=kind, width=64, depth=50, count=8)) for kind in list(KINDS)[:2]]
    assert one_sentence(tied_sentence(*linear)).endswith(", much alike.")


def test_the_identity_is_said_to_have_no_luck():
    *_, identity = relu_fans()
    alike = gradient_fan(identity.stack.model_copy(update={"kind": "independent"}))
    said = one_sentence(tied_sentence(identity, alike))
    assert "multiplies the gradient by 1, and there is no luck to repeat" in said
    tanh = [gradient_fan(fan.stack.model_copy(update={"activation": "tanh"})) for fan in (identity, alike)]
    assert f"spread by {tanh[0].spread[-1]:.2g} decades" in one_sentence(tied_sentence(*tanh))


def test_what_keeps_relu_layers_is_said():
    _, untied, identity = relu_fans()
    said = one_sentence(relu_sentence(untied, identity))
    assert "σ_w² = 0.333, so √(σ_w²/2) = 0.408 a layer as N → ∞" in said
    assert said.endswith("the repeated identity gives 1 a layer with no spread.")


def test_sentences_refuse_other_fans():
    tied, untied, identity = relu_fans()
    short = gradient_fan(untied.stack.model_copy(update={"depth": 3}))
    for call, said in (
        (lambda: tied_sentence(untied, tied), "first a tied"),
        (lambda: tied_sentence(tied, short), "depth is 3"),
        (lambda: tied_sentence(identity, untied), "initializer is 'torch'"),
        (lambda: relu_sentence(untied, tied), "'recurrent' of 'identity' with 'relu'"),
        (lambda: relu_sentence(identity, identity), "random matrices with 'relu'"),
    ):
        with pytest.raises(ValueError, match=said):
            call()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: LayerStack(kind="convolution", kernel_width=5, positions=4), "kernel_width is 5.*positions"),
        (lambda: LayerStack(width=1), "greater than or equal to 2"),
        (lambda: LayerStack(kind="recursive"), "'recurrent', 'independent'"),
        (lambda: product_singular_values(LayerStack(depth=5), [6]), "depths contains 6; .* 0 … 5"),
        (
            lambda: product_singular_values(LayerStack(kind="convolution", channels=64, positions=64), [1]),
            "channels · positions is 4096; allowed .* 512",
        ),
    ],
)
def test_what_is_refused_is_named(call, said):
    with pytest.raises(ValueError, match=said):
        call()
