import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cactus.errors import ConfigError
from cactus.meta.maml.network import TaskConv4, conv_same, same_padding
from cactus.meta.protonets.encoder import Conv4Encoder


def _net(side=10, *, pool=False, channels=2, filters=3, way=4):
    return TaskConv4(
        (side, side, channels),
        filters,
        way,
        downsampling="max_pool" if pool else "stride",
        head="flatten" if pool else "spatial_mean",
        batch_norm_eps=1e-3,
    )


def _generator(seed=0):
    return torch.Generator().manual_seed(seed)


def _draw(net, tasks, images, seed=0):
    """Draw images and weights, different for every task, in double precision."""
    generator = _generator(seed)
    height, width, channels = net.image_shape
    shapes = [weight.shape for weight in net.initial_weights("normal", generator)]
    weights = [
        torch.randn(tasks, *shape, generator=generator, dtype=torch.float64) for shape in shapes
    ]
    betas = [
        torch.randn(len(beta), generator=generator, dtype=torch.float64)
        for beta in net.initial_betas()
    ]
    shape = (images, tasks * channels, height, width)
    return torch.rand(shape, generator=generator, dtype=torch.float64), weights, betas


@pytest.mark.parametrize(
    ("size", "padding"), [(28, (0, 1)), (14, (0, 1)), (7, (1, 1)), (4, (0, 1)), (5, (1, 1))]
)
def test_same_padding_at_stride_2_by_hand(size, padding):
    assert same_padding(size, 2) == padding


@given(st.integers(1, 100), st.integers(1, 3))
def test_same_padding_gives_the_rounded_up_quotient(size, stride):
    before, after = same_padding(size, stride)
    assert (size + before + after - 3) // stride + 1 == -(-size // stride)
    assert 0 <= before <= after <= before + 1


def test_strided_28_pixel_images_shrink_to_14_7_4_2():
    images, sides = torch.zeros(1, 1, 28, 28), []
    for _ in range(4):
        images = conv_same(images, torch.zeros(1, 1, 3, 3), 2, 1)
        sides.append(images.shape[2])
    assert sides == [14, 7, 4, 2]


def _convolve(image, kernel, stride):
    """Convolve one channel by the definition of TensorFlow's SAME."""
    size = image.shape[0]
    outputs = int(np.ceil(size / stride))
    before = max((outputs - 1) * stride + 3 - size, 0) // 2
    result = np.zeros((outputs, outputs))
    for row, column, i, j in np.ndindex(outputs, outputs, 3, 3):
        y, x = row * stride + i - before, column * stride + j - before
        if 0 <= y < size and 0 <= x < size:
            result[row, column] += image[y, x] * kernel[i, j]
    return result


@pytest.mark.parametrize("size", [4, 7, 14])
@pytest.mark.parametrize("stride", [1, 2])
def test_conv_same_is_the_sum_over_the_window(size, stride):
    generator = np.random.default_rng(size)
    image, kernel = generator.normal(size=(size, size)), generator.normal(size=(3, 3))
    result = conv_same(
        torch.from_numpy(image)[None, None], torch.from_numpy(kernel)[None, None], stride, 1
    )
    np.testing.assert_allclose(result[0, 0], _convolve(image, kernel, stride), rtol=1e-12)


@pytest.mark.parametrize("pool", [False, True])
def test_tasks_computed_together_equal_tasks_computed_alone(pool):
    net = _net(20, pool=pool)
    images, weights, betas = _draw(net, tasks=3, images=5)
    together = net.logits(images, weights, betas, 4)
    for task in range(3):
        alone = net.logits(
            images[:, 2 * task : 2 * task + 2], [w[task : task + 1] for w in weights], betas, 4
        )
        torch.testing.assert_close(alone[0], together[task], rtol=1e-12, atol=1e-12)


def test_fewer_classes_are_the_first_columns_of_the_head():
    net = _net()
    images, weights, betas = _draw(net, tasks=2, images=5)
    all_classes = net.logits(images, weights, betas, 4)
    torch.testing.assert_close(net.logits(images, weights, betas, 3), all_classes[:, :, :3])


def test_a_beta_moves_the_logits_and_the_scale_of_a_filter_hardly():
    net = _net()
    images, weights, betas = _draw(net, tasks=1, images=6)
    before = net.logits(images, weights, betas, 4)
    scaled = [3 * weights[0], *weights[1:]]
    # Up to the small epsilon, normalization cancels the scale of the first layer.
    torch.testing.assert_close(net.logits(images, scaled, betas, 4), before, rtol=0.1, atol=0.1)
    moved = [betas[0] + 1, *betas[1:]]
    assert (net.logits(images, weights, moved, 4) - before).abs().max() > 0.1


@pytest.mark.parametrize(
    ("side", "pool", "features"), [(28, False, 32), (84, True, 800), (28, True, 32)]
)
def test_features_of_the_papers_nets(side, pool, features):
    net = _net(side, pool=pool, filters=32)
    assert net.features == features
    images, weights, betas = _draw(net, tasks=1, images=2)
    assert net.logits(images, weights, betas, 4).shape == (1, 2, 4)


def test_initial_weights_are_glorot_uniform_and_the_head_normal():
    net = _net(28, channels=1, filters=32, way=20)
    *convolutions, head, bias = net.initial_weights("normal", _generator())
    for weight, fans in zip(convolutions, [9 * 33, *[9 * 64] * 3], strict=True):
        bound = (6 / fans) ** 0.5
        assert 0.9 * bound < weight.abs().max() <= bound
        assert abs(float(weight.var()) / (bound**2 / 3) - 1) < 0.25
    assert abs(float(head.std()) - 1) < 0.1
    assert not bias.any()
    head = net.initial_weights("xavier", _generator())[4]
    assert float(head.abs().max()) <= (6 / (32 + 20)) ** 0.5


def test_weights_depend_on_the_generator_alone():
    state = torch.random.get_rng_state()
    first, second = (_net().initial_weights("normal", _generator(3)) for _ in range(2))
    encoders = [_encoder(_generator(3)).state_dict() for _ in range(2)]
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert all(torch.equal(encoders[0][name], encoders[1][name]) for name in encoders[0])
    assert torch.equal(torch.random.get_rng_state(), state)


def _encoder(generator, side=28, channels=1, filters=64, gamma="uniform"):
    return Conv4Encoder(
        (side, side, channels),
        filters,
        batch_norm_eps=1e-5,
        batch_norm_momentum=0.1,
        batch_norm_gamma=gamma,
        generator=generator,
    )


@pytest.mark.parametrize(("side", "channels", "features"), [(28, 1, 64), (84, 3, 1600)])
def test_encoder_dimensions(side, channels, features):
    encoder = _encoder(_generator(), side, channels)
    assert encoder(torch.zeros(2, channels, side, side)).shape == (2, features)


def test_initial_scales_of_the_encoder():
    uniform, ones = (list(_encoder(_generator(), gamma=gamma))[:4] for gamma in ("uniform", "ones"))
    scales = torch.cat([block[1].weight.detach() for block in uniform])
    assert 0 <= scales.min() < 0.05
    assert 0.95 < scales.max() < 1
    assert abs(float(scales.mean()) - 1 / 2) < 0.06  # three standard errors of 256 draws
    assert abs(float(scales.var()) - 1 / 12) < 0.02
    assert all((block[1].weight == 1).all() for block in ones)
    assert not any(block[1].bias.any() for block in [*uniform, *ones])
    # The first convolution is drawn before any scale.
    assert torch.equal(uniform[0][0].weight, ones[0][0].weight)


def test_encoder_layers_in_double_precision():
    encoder = _encoder(_generator(), side=16, channels=2, filters=3).double()
    images = torch.rand(4, 2, 16, 16, generator=_generator(), dtype=torch.float64)
    hidden = images.numpy()
    for block in range(4):
        kernel = encoder[block][0].weight.detach().numpy()
        hidden = np.stack(
            [
                [
                    sum(_convolve(c, k, 1) for c, k in zip(image, kernels, strict=True))
                    for kernels in kernel
                ]
                for image in hidden
            ]
        )
        mean = hidden.mean((0, 2, 3), keepdims=True)
        deviation = np.sqrt(hidden.var((0, 2, 3), keepdims=True) + 1e-5)
        scale = encoder[block][1].weight.detach().numpy()[:, None, None]
        hidden = np.maximum(scale * (hidden - mean) / deviation, 0)
        pairs = hidden.shape[2] // 2
        hidden = hidden.reshape(4, 3, pairs, 2, pairs, 2).max((3, 5))
    encoded = encoder(images).detach().numpy()
    np.testing.assert_allclose(encoded, hidden.reshape(4, -1), rtol=1e-10, atol=1e-12)


def test_too_small_images_are_refused():
    with pytest.raises(ConfigError, match="too small"):
        _net(15, pool=True)
    with pytest.raises(ConfigError, match="too small"):
        _encoder(_generator(), side=15)
