"""a/c domains: tetragonal strains of both variants, walls at 45 degrees, polarization head to tail without charge."""

import numpy as np
import pytest
from nanotexture.errors import UserError
from nanotexture.simulate.a_c_domains import (
    ACDomains,
    a_c_displacement,
    a_c_polarization,
    motif_from_a_c_domains,
)

from .films import FILM, divergence, strains

TEXTURE = ACDomains(200.0, polarization=0.7, tetragonality=0.02, duty=0.7, wall=8.0)
X = np.arange(400) / 400
Z = np.arange(200) * 1.0


def test_far_from_the_substrate_each_domain_has_its_tetragonal_strain():
    """c domains are longer along z and shorter along x than the mean, a domains the other way, by t in all."""
    e = strains(a_c_displacement(texture=TEXTURE, x=X, z=5000.0 + Z), 200.0, 5000.0 + Z)
    np.testing.assert_allclose(e[1].max(), 0.02 * 0.3, rtol=1e-3)
    np.testing.assert_allclose(e[1].min(), -0.02 * 0.7, rtol=1e-3)
    np.testing.assert_allclose(e[0], -e[1], atol=1e-4)
    np.testing.assert_allclose(e[2], 0.0, atol=1e-4)


def test_near_the_substrate_the_displacement_vanishes_and_the_strain_stays_bounded():
    u = a_c_displacement(texture=TEXTURE, x=X, z=Z)
    np.testing.assert_array_equal(u[:, :, 0], 0.0)
    assert np.abs(strains(u, 200.0, Z)).max() < 2 * 0.02


def test_the_polarization_lies_along_z_and_x_in_the_domains():
    p = a_c_polarization(texture=TEXTURE, x=X, z=Z)
    inside = np.abs(np.hypot(*p) - 0.7) < 0.01
    along_z = inside & (np.abs(p[1] - 0.7) < 0.01)
    along_x = inside & (np.abs(p[0] - 0.7) < 0.01)
    assert (p[1] > p[0]).mean() == pytest.approx(0.7, abs=0.01)
    assert inside.mean() > 0.7
    assert (along_z | along_x).sum() == inside.sum()


def test_walls_carry_no_charge():
    p = a_c_polarization(texture=TEXTURE, x=X, z=Z)
    step = 200.0 / len(X)
    largest = np.abs(np.diff(p[1], axis=0)).max() / step
    assert np.abs(divergence(p, 200.0, Z)).max() < 2e-2 * largest


def test_polarization_and_strain_change_at_the_same_walls():
    far = 5000.0 + Z
    e = strains(a_c_displacement(texture=TEXTURE, x=X, z=far), 200.0, far)
    p = a_c_polarization(texture=TEXTURE, x=X, z=far)[:, :, 1:-1]
    share = (e[1] + 0.02 * 0.7) / 0.02
    np.testing.assert_allclose(p[1] / 0.7, share, atol=0.05)
    np.testing.assert_allclose(p[0] / 0.7, 1 - share, atol=0.05)


def test_the_motif_is_these_fields_on_the_planes():
    motif = motif_from_a_c_domains(stack=FILM, texture=TEXTURE)
    assert motif.displacement.shape == motif.polarization.shape == (3, 96, 1, 50)
    p = a_c_polarization(texture=TEXTURE, x=np.arange(96) / 96, z=(np.arange(50) + 0.5) * 4.06)
    np.testing.assert_allclose(motif.polarization[[0, 2], :, 0], p, atol=1e-12)


def test_a_grid_too_coarse_for_the_walls_is_refused_with_one_that_works():
    with pytest.raises(UserError, match="under-sample walls of 2 angstrom: 100 or more work"):
        motif_from_a_c_domains(stack=FILM, texture=ACDomains(200.0, wall=2.0))
    motif_from_a_c_domains(stack=FILM, texture=ACDomains(200.0, wall=2.0, points=100))


@pytest.mark.parametrize(
    ("field", "value"),
    [("period", 0.0), ("polarization", 1.6), ("tetragonality", 0.3), ("duty", 0.0), ("wall", 60.0)],
)
def test_what_is_no_texture_is_refused_by_name(field, value):
    with pytest.raises(UserError, match=rf"^texture\.{field}: expected .*, found "):
        ACDomains(**({"period": 200.0} | {field: value}))
