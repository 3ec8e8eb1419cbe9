"""The displacement that stresses cause in a film on its substrate: balance of forces, free surface, closed forms."""

import numpy as np
import pytest
from nanotexture.phasing.elastic_response import film_response, repeating_response

CUBIC = (175.0, 79.4, 111.1)
PERIOD, SPACING, PLANES = 100.0, 2.0, 120
Z = (np.arange(PLANES) + 0.5) * SPACING


def everywhere(stiffness, planes=PLANES):
    return np.tile(np.array(stiffness)[:, None], planes)


def endless(stiffness, planes=PLANES, harmonics=2):
    spacings = np.full(planes, SPACING)
    return repeating_response(
        stiffness=stiffness, spacings=spacings, period=PERIOD, harmonics=harmonics
    ).numpy()


def response(stiffness=CUBIC, below=CUBIC, planes=PLANES, spacing=SPACING, harmonics=2):
    found = film_response(
        stiffness=everywhere(stiffness, planes),
        below=below,
        spacings=np.full(planes, spacing),
        period=PERIOD,
        harmonics=harmonics,
    )
    return found.numpy()


def moved(stress, **options):
    """u (k, 2, z) of the stress (3, z) of an eigenstrain, the same for every harmonic."""
    return np.einsum("kizcw,cw->kiz", response(**options), stress)


def inside(number=PLANES):
    """A smooth stress far from both faces."""
    shape = np.exp(-((np.arange(number) - number / 2) ** 2) / (2 * 4.0**2))
    return np.array([1.0, 0.4, 0.7])[:, None] * shape


def test_far_from_surface_and_interface_a_film_is_an_endless_body():
    expected = np.einsum("kizcw,cw->kiz", endless(everywhere(CUBIC)), inside())[1]
    np.testing.assert_allclose(moved(inside())[1], expected, atol=0.01 * np.abs(expected).max())


def test_the_surface_bears_no_traction():
    """A uniform eigenstress s_xx: at a free surface zz and xz of C eps - s vanish, deep inside they do not."""
    stress = np.array([1.0, 0.0, 0.0])[:, None] * np.ones(PLANES)
    u = moved(stress)[0]
    slope = np.gradient(u, SPACING, axis=1, edge_order=2)
    q = 2j * np.pi / PERIOD
    zz = CUBIC[0] * slope[1] + CUBIC[1] * q * u[0]
    xz = CUBIC[2] * (slope[0] + q * u[1])
    middle = slice(PLANES // 2 - 5, PLANES // 2 + 5)
    for traction in (zz, xz):
        at_surface = 1.5 * traction[-1] - 0.5 * traction[-2]
        assert abs(at_surface) < 0.02 * np.abs(zz[middle]).max()


def test_deep_in_a_thick_film_the_walls_are_a_laminate():
    """s of x only: i q c11 ux = s_xx, i q c44 uz = s_xz."""
    stress = np.array([1.0, 0.0, 0.5])[:, None] * np.ones(PLANES)
    u = moved(stress)[1]
    q = 4j * np.pi / PERIOD
    middle = PLANES // 2
    np.testing.assert_allclose(u[0, middle], 1.0 / (q * CUBIC[0]), rtol=0.02)
    np.testing.assert_allclose(u[1, middle], 0.5 / (q * CUBIC[2]), rtol=0.02)


def test_a_dilation_under_a_free_surface_is_mindlin_and_chengs_image():
    """uz of the surface over a thin sheet of dilation in an isotropic body: 4 (1 - nu) times that without a surface.

    Mindlin and Cheng, J. Appl. Phys. 21, 931 (1950).
    """
    lame, shear = 60.0, 40.0
    nu = lame / (2 * (lame + shear))
    body = (lame + 2 * shear, lame, shear)
    stress = np.zeros((3, PLANES))
    stress[:2, PLANES - 10] = 1.0
    found = moved(stress, stiffness=body, below=body)[0, 1]
    depth = SPACING * np.array([9.5, 10.5]).mean() - 0.5 * SPACING
    q = 2 * np.pi / PERIOD
    unbounded = SPACING / (2 * body[0]) * np.exp(-q * depth)
    surface = found[-1] + 0.5 * (found[-1] - found[-2])
    assert surface == pytest.approx(4 * (1 - nu) * unbounded, rel=0.02)


def test_a_stiff_substrate_holds_the_film_and_a_soft_one_does_not():
    stress = np.array([0.0, 1.0, 0.0])[:, None] * np.ones(10)
    sizes = [
        np.abs(moved(stress, below=tuple(f * c for c in CUBIC), planes=10)[0, 1, 0]) for f in (0.1, 1.0, 1e3)
    ]
    assert sizes[0] > 1.5 * sizes[1] > 1.5 * sizes[2]


def test_halving_the_planes_changes_little():
    stress = np.array([1.0, -0.3, 0.6])[:, None] * np.ones(40)
    coarse = moved(stress, planes=40, spacing=4.0)
    fine = moved(np.repeat(stress, 2, axis=1), planes=80, spacing=2.0)
    middle = fine.reshape(2, 2, 40, 2).mean(-1)
    np.testing.assert_allclose(coarse, middle, atol=0.02 * np.abs(middle).max())


def test_the_reciprocal_theorem_of_betti_holds():
    """The work of one stress s_xx on the strain that another causes is that of the other on the strain of the first."""
    first, second = np.random.default_rng(1).normal(size=(2, 20))
    xx = 2j * np.pi / PERIOD * response(planes=20, spacing=4.0)[0, 0, :, 0]
    assert np.vdot(first, xx @ second) == pytest.approx(np.vdot(xx @ first, second), rel=5e-3)


def test_an_endless_body_of_one_stiffness_is_khachaturyans():
    """u = -i K^-1 s0 q for s0 = exp(i qz z), K the acoustic tensor of the wave vector (Khachaturyan (1983), ch. 7)."""
    qx, qz = 2 * np.pi / PERIOD, 2 * np.pi * 3 / (PLANES * SPACING)
    c11, c12, c44 = CUBIC
    wave = np.exp(1j * qz * Z)
    xx, zz, xz = 1.0, -0.4, 0.7
    acoustic = np.array(
        [
            [c11 * qx**2 + c44 * qz**2, (c12 + c44) * qx * qz],
            [(c12 + c44) * qx * qz, c44 * qx**2 + c11 * qz**2],
        ]
    )
    expected = -1j * np.linalg.solve(acoustic, [qx * xx + qz * xz, qx * xz + qz * zz])
    found = np.einsum("izcw,cw->iz", endless(everywhere(CUBIC))[0], np.outer([xx, zz, xz], wave))
    np.testing.assert_allclose(found, np.outer(expected, wave), atol=5e-3 * np.abs(expected).max())


def test_across_layers_of_two_stiffnesses_the_traction_is_continuous():
    """Stress in one layer only; s_zz and s_xz of C eps - s are the same on both sides of the interface."""
    soft, stiff = np.array(CUBIC), 3 * np.array(CUBIC)
    layered = np.where(np.arange(PLANES) < PLANES // 2, soft[:, None], stiff[:, None])
    stress = np.array([1.0, 0.5, 0.3])[:, None] * (np.arange(PLANES) < PLANES // 2)
    u = np.einsum("izcw,cw->iz", endless(layered)[0], stress)
    q = 2j * np.pi / PERIOD
    lower, upper = slice(PLANES // 2 - 4, PLANES // 2), slice(PLANES // 2, PLANES // 2 + 4)

    def traction(side):
        c11, c12, c44 = layered[:, side]
        slope = np.gradient(u[:, side], SPACING, axis=1, edge_order=2)
        own = np.stack([c11 * slope[1] + c12 * q * u[0, side], c44 * (slope[0] + q * u[1, side])])
        return own - stress[1:, side]

    below, above = traction(lower), traction(upper)
    at_interface = 1.5 * below[:, -1] - 0.5 * below[:, -2], 1.5 * above[:, 0] - 0.5 * above[:, 1]
    np.testing.assert_allclose(*at_interface, atol=0.025)
    assert np.abs(at_interface[0]).min() > 0.1
