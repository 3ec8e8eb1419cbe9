"""Checkerboards: the sizes asked for, a centred cell, no charge and no change of volume, still at the substrate."""

from dataclasses import replace

import numpy as np
import pytest
from nanotexture.errors import UserError
from nanotexture.simulate.checkerboard import (
    Checkerboard,
    flux_without_sources,
    motif_from_checkerboard,
    squares,
    turned_squares,
)

from .films import FILM

BOARD = Checkerboard(100.0, 85.0, amplitude=0.25, polarization=0.5)


def test_the_sizes_are_the_asked_ones():
    motif = motif_from_checkerboard(stack=FILM, texture=BOARD)
    assert motif.periods == (100.0, 85.0)
    assert np.abs(motif.displacement[2]).max() == pytest.approx(0.25, rel=1e-3)
    assert np.sqrt((motif.polarization**2).sum(0)).max() == pytest.approx(0.5)
    assert motif_from_checkerboard(stack=FILM, texture=replace(BOARD, polarization=0.0)).polarization is None


def test_half_a_period_along_both_directions_is_the_same_and_along_one_the_opposite():
    motif = motif_from_checkerboard(stack=FILM, texture=BOARD)
    half = BOARD.points // 2
    for field in (motif.displacement, motif.polarization):
        np.testing.assert_allclose(np.roll(field, (half, half), (1, 2)), field, atol=1e-12)
        np.testing.assert_allclose(np.roll(field, half, 1), -field, atol=1e-12)


def test_squares_change_sign_across_walls_of_the_asked_width():
    """tanh(2 x / wall) next to a wall, times its height between the walls across it."""
    fine = squares(replace(BOARD, points=400), 0.0)
    x = 100.0 * np.arange(400) / 400
    profile = fine[:, 100] / np.tanh(85.0 / (np.pi * BOARD.wall))
    near = x < 10.0
    np.testing.assert_allclose(profile[near], np.tanh(2 * x[near] / BOARD.wall), atol=0.03)


def test_a_flux_has_no_sources():
    """Divergence by the transform in the plane and by a derivative that is exact, of a profile exp(z / 30)."""
    z = np.linspace(0, 40, 5)
    rise = np.exp(z / 30)
    field = flux_without_sources(squares(BOARD, 0.1), BOARD, rise, rise / 30)
    k = 2j * np.pi * np.fft.fftfreq(BOARD.points, 1 / BOARD.points)
    along = np.fft.ifft(k[:, None, None] / 100.0 * np.fft.fft(field[0], axis=0), axis=0)
    across = np.fft.ifft(k[None, :, None] / 85.0 * np.fft.fft(field[1], axis=1), axis=1)
    total = (along + across).real + field[2] / 30
    assert np.abs(total).max() < 1e-9 * np.abs(field[2]).max()


def test_squares_turn_by_turns_without_growing():
    """du_x/dx + du_y/dy = 0, and du_y/dx - du_x/dy has the sign of the square, reversed."""
    u = turned_squares(BOARD)
    k = 2j * np.pi * np.fft.fftfreq(BOARD.points, 1 / BOARD.points)
    along = [np.fft.ifft(k[:, None] / 100.0 * np.fft.fft(one, axis=0), axis=0).real for one in u]
    across = [np.fft.ifft(k[None] / 85.0 * np.fft.fft(one, axis=1), axis=1).real for one in u]
    turn = along[1] - across[0]
    assert np.abs(along[0] + across[1]).max() < 1e-9 * np.abs(turn).max()
    np.testing.assert_allclose(
        turn / np.abs(turn).max(), -squares(BOARD, 0.0) / np.abs(squares(BOARD, 0.0)).max(), atol=1e-9
    )
    assert np.abs(u).max() == pytest.approx(BOARD.turning)


def test_the_film_is_clamped_to_its_substrate_and_its_polarization_lies_in_the_plane_at_both_faces():
    motif = motif_from_checkerboard(stack=FILM, texture=BOARD)
    u, p = np.abs(motif.displacement).max((1, 2)), np.abs(motif.polarization).max((1, 2))
    assert (u[:, 0] < 0.05 * u.max(1)).all()
    middle = p.shape[1] // 2
    assert p[2, 0] < 0.2 * p[2, middle]
    assert (p[:2, middle] < 0.1 * p[:2, 0]).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"period_y": -1.0}, "texture.period_y"),
        ({"polarization": 2.0}, "texture.polarization"),
        ({"offset": 3.0}, "texture.offset"),
        ({"wall": 0.0}, "texture.wall"),
        ({"turning": -0.1}, "texture.turning"),
    ],
)
def test_what_is_no_texture_is_refused_by_its_field(change, words):
    with pytest.raises(UserError, match=words):
        replace(BOARD, **change)


def test_walls_that_the_grid_would_miss_are_refused():
    with pytest.raises(UserError, match=r"texture.points: 8 points"):
        motif_from_checkerboard(stack=FILM, texture=replace(BOARD, points=8, wall=10.0))
