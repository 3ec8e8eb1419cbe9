"""The Fourier pair is a unitary operator with the right origin."""

import numpy as np
import pytest
from nanotexture.phasing.farfield import corner_order, forward, from_corner, inverse, to_corner

SHAPES = [(7,), (8,), (5, 8), (9, 7), (4, 5, 6), (3, 5, 7)]


def noise(shape, seed, dtype=np.complex128):
    rng = np.random.default_rng(seed)
    return (rng.normal(size=shape) + 1j * rng.normal(size=shape)).astype(dtype)


@pytest.mark.parametrize("shape", SHAPES)
def test_inverse_undoes_forward_and_is_its_adjoint(shape):
    f, g = noise(shape, 0), noise(shape, 1)
    np.testing.assert_allclose(inverse(forward(f)), f, atol=1e-12)
    np.testing.assert_allclose(np.vdot(g, forward(f)), np.vdot(inverse(g), f), atol=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_energy_is_kept(shape):
    f = noise(shape, 2)
    assert np.linalg.norm(forward(f)) == pytest.approx(np.linalg.norm(f))


@pytest.mark.parametrize(("n", "width"), [(15, 5), (16, 3), (33, 9)])
def test_a_centred_box_gives_the_dirichlet_kernel(n, width):
    r = np.arange(n) - n // 2
    k = r / n
    box = (np.abs(r) <= width // 2).astype(complex)
    with np.errstate(invalid="ignore"):
        kernel = np.where(k == 0, width, np.sin(np.pi * k * width) / np.sin(np.pi * k))
    np.testing.assert_allclose(forward(box), kernel / np.sqrt(n), atol=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_point_off_centre_gives_a_plane_wave_of_negative_sign(shape):
    point = np.zeros(shape, complex)
    point[tuple(n // 2 + 1 for n in shape)] = 1
    phase = sum(np.meshgrid(*[(np.arange(n) - n // 2) / n for n in shape], indexing="ij"))
    np.testing.assert_allclose(forward(point), np.exp(-2j * np.pi * phase) / np.sqrt(point.size), atol=1e-12)


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
def test_precision_is_kept(dtype):
    f = noise((6, 5), 3, dtype)
    assert forward(f).dtype == inverse(f).dtype == dtype


@pytest.mark.parametrize("shape", SHAPES)
def test_magnitudes_do_not_depend_on_the_origin_of_the_object(shape):
    f = noise(shape, 4)
    np.testing.assert_allclose(corner_order(np.abs(forward(f))), np.abs(from_corner(f)), atol=1e-12)
    np.testing.assert_allclose(to_corner(from_corner(f)), f, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
def test_neither_the_memorys_address_nor_its_order_changes_a_digit(dtype):
    f = noise((9, 16, 10), 5, dtype)
    expected = from_corner(f)
    for offset in range(0, 64, f.itemsize):
        memory = np.zeros(f.nbytes + 128, np.uint8)
        first = -memory.ctypes.data % 64 + offset
        placed = memory[first : first + f.nbytes].view(dtype).reshape(f.shape)
        placed[...] = f
        np.testing.assert_array_equal(from_corner(placed), expected)
    turned = f.T.copy().T
    turned.flags.writeable = False
    np.testing.assert_array_equal(from_corner(turned), expected)
