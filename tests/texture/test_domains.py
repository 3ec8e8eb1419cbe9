"""Domains and walls of textures that were made with known duty, walls and inclination."""

import numpy as np
import pytest
from nanotexture.simulate.a_c_domains import ACDomains, motif_from_a_c_domains
from nanotexture.simulate.closure import Closure, motif_from_closure
from nanotexture.simulate.laminate import Laminate, lamellae, motif_from_laminate
from nanotexture.simulate.vortices import Vortices, motif_from_vortices
from nanotexture.texture.domains import by_direction, by_value, domains_from_fields
from nanotexture.texture.elastic import gradient_from_field, strain_from_gradient
from nanotexture.texture.states import VARIANTS
from nanotexture.texture.walls import crossings, followed, line_from_positions, walls_from_field
from nanotexture.texture.widths import reach_of, widths_from_lines

from .films import FILM, RUTHENATE, SUPERLATTICE

X = np.arange(96) / 96


def polar(motif, stack, std=0.0):
    fields = motif.polarization[[0, 2], :, 0]
    spread = np.full_like(fields, std)
    return domains_from_fields(
        reading=by_direction(fields, spread),
        fields=fields,
        std=spread,
        period=motif.periods[0],
        z=stack.heights,
        seed=0,
    )


def elastic(motif, stack, component, std=0.0):
    slopes = gradient_from_field(
        field=motif.displacement[[0, 2], :, 0], period=motif.periods[0], z=stack.heights
    )
    fields = strain_from_gradient(gradient=slopes)[component][None]
    return domains_from_fields(
        reading=by_value(fields[0]),
        fields=fields,
        std=np.full_like(fields, std),
        period=motif.periods[0],
        z=stack.heights,
        seed=0,
    )


def share(found, name):
    return found.fractions[VARIANTS.index(name)]


@pytest.fixture(scope="module")
def closure():
    return motif_from_closure(stack=FILM, texture=Closure(period=140.0, wall=12.0))


def test_closure_domains_have_walls_a_quarter_and_three_quarters_of_the_period_along(closure):
    """The stream function is highest between the walls, at which P_z changes sign: half a period apart, upright."""
    found = polar(closure, FILM)
    np.testing.assert_allclose(found.line.place, [35.0, 105.0], atol=0.1)
    np.testing.assert_allclose(found.line.inclination, 0.0, atol=0.1)
    np.testing.assert_allclose(found.typical_width, 12.0, rtol=0.02)
    assert sorted(found.rising) == [-1, 1]
    assert share(found, "+x") == pytest.approx(share(found, "-x"), abs=0.01)
    assert share(found, "+z") == pytest.approx(share(found, "-z"), abs=0.01)
    assert found.fractions.sum() == pytest.approx(1.0)


def test_half_of_each_face_is_closed_by_triangles_as_deep_as_a_quarter_of_the_period(closure):
    """Two triangles of base L/2 and height L/4 at each face, for either sign of P_x: L / (8 t) of the area each."""
    found = polar(closure, FILM)
    assert share(found, "+x") == pytest.approx(140.0 / (8 * FILM.thickness), rel=0.12)


def test_the_walls_are_those_of_the_component_that_varies_most_over_the_film(closure):
    """At the faces it is P_x."""
    fields = closure.polarization[[0, 2], :, 0]
    assert by_direction(fields, 0 * fields).component == 1
    assert by_direction(fields[:, :, :4], 0 * fields[:, :, :4]).component == 0


def test_noise_widens_the_errors_and_leaves_the_walls(closure):
    exact, noisy = polar(closure, FILM), polar(closure, FILM, std=0.06)
    np.testing.assert_allclose(noisy.line.place, exact.line.place, atol=1e-9)
    assert (exact.line_std.place == 0).all()
    # a field wrong by s moves a wall of tanh(2 x / w) by s w / (2 P); lines over many planes average part of it out
    assert (noisy.position_std[:, 25] > 0.5 * 0.06 * 12 / (2 * 0.6)).all()
    assert (noisy.line_std.place > 0.05).all()
    assert (noisy.line_std.place < np.nanmax(noisy.position_std, axis=1)).all()
    assert share(noisy, "not polar") > 0
    assert (noisy.fractions_std[:4] > 0).all()


@pytest.mark.parametrize("duty", [0.4, 0.7])
def test_a_and_c_domains_keep_their_duty_and_walls_at_45_degrees(duty):
    motif = motif_from_a_c_domains(stack=FILM, texture=ACDomains(period=200.0, duty=duty))
    found = polar(motif, FILM)
    assert share(found, "+z") == pytest.approx(duty, abs=0.012)
    assert share(found, "+x") == pytest.approx(1 - duty, abs=0.012)
    assert found.duty == pytest.approx(max(duty, 1 - duty), abs=0.012)
    np.testing.assert_allclose(found.line.inclination, -45.0, atol=0.2)


@pytest.mark.parametrize("duty", [0.4, 0.6])
def test_a_laminate_keeps_its_duty_its_tilt_and_its_walls(duty):
    texture = Laminate(period=100.0, duty=duty, wall=10.0)
    made, motif = lamellae(texture), motif_from_laminate(stack=RUTHENATE, texture=texture)
    found = elastic(motif, RUTHENATE, 0)
    assert found.fractions[2] == pytest.approx(duty, abs=0.012)
    tilt = -np.degrees(np.arctan2(made.normal[1], made.normal[0]))
    np.testing.assert_allclose(found.line.inclination, tilt, atol=0.3)
    # the tanh nearest to an error function of FWHM 10
    np.testing.assert_allclose(found.typical_width, 10.4, rtol=0.05)
    assert np.isnan(found.states).sum() == 0


def test_strain_below_its_standard_deviation_has_no_domains_and_no_walls():
    motif = motif_from_laminate(stack=RUTHENATE, texture=Laminate(period=100.0))
    found = elastic(motif, RUTHENATE, 0, std=0.2)
    assert np.isnan(found.states).all()
    assert np.isnan(found.duty)
    assert len(found.rising) == 0


def test_vortices_have_walls_where_p_z_changes_sign():
    motif = motif_from_vortices(stack=SUPERLATTICE, texture=Vortices(period=110.0))
    found = polar(motif, SUPERLATTICE)
    np.testing.assert_allclose(found.line.place, [27.5, 82.5], atol=0.1)
    assert share(found, "+z") == pytest.approx(share(found, "-z"), abs=0.01)


def test_a_wall_is_followed_through_more_than_a_period():
    z = np.arange(60) * 4.0
    field = np.sin(2 * np.pi * (X[:, None] - z[None] / 100.0))
    walls = walls_from_field(field=field, levels=np.zeros((1, 60)), clear=np.ones(60, bool))
    assert np.ptp(walls.position, axis=1) == pytest.approx([2.36, 2.36], abs=0.01)
    line = line_from_positions(position=walls.position, z=z, period=100.0)
    np.testing.assert_allclose(line.inclination, 45.0, atol=0.05)
    np.testing.assert_allclose(line.roughness, 0.0, atol=0.05)
    again = followed(walls=walls, field=np.roll(field, 3, axis=0), levels=np.zeros((1, 60)))
    np.testing.assert_allclose(again - walls.position, 3 / 96, atol=1e-9)


def test_planes_without_a_wall_are_nan():
    field = np.sin(2 * np.pi * X)[:, None] * np.array([1.0, 1.0, 1.0, 0.1, 1.0])
    walls = walls_from_field(
        field=field, levels=np.zeros((1, 5)), clear=np.array([True, False, True, True, True])
    )
    assert np.isnan(walls.position).all(axis=0).tolist() == [False, True, False, True, False]


@pytest.mark.parametrize("width", [0.04, 0.1, 0.2])
def test_the_width_of_a_tanh_comes_out(width):
    position = np.array([[0.31], [0.83]])
    away = (X - 0.31 + 0.5) % 1 - 0.5
    line = 0.3 + 0.7 * np.tanh(2 * away / width)
    reach = reach_of(position)
    np.testing.assert_allclose(reach, 0.24, atol=1e-12)
    found = widths_from_lines(lines=line[None], position=position[0], reach=reach[0])
    assert found[0] == pytest.approx(width, rel=1e-3)


def test_a_wall_without_samples_around_it_has_no_width():
    line = np.tanh(X - 0.5)[None]
    assert np.isnan(widths_from_lines(lines=line, position=np.array([0.5]), reach=np.array([0.01]))).all()
    assert np.isnan(widths_from_lines(lines=line, position=np.array([np.nan]), reach=np.array([0.2]))).all()


def test_crossings_of_a_line_that_never_passes_are_none():
    assert len(crossings(np.ones(8), 0.0)[0]) == 0
