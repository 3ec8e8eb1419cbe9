"""The thin-film baseline on a film of strong phases that the window holds whole, with what it reaches."""

import numpy as np
import pytest
from nanotexture.phasing.alignment import align
from nanotexture.phasing.driver import ShrinkWrap
from nanotexture.phasing.fold import displacement_from_psi, fold
from nanotexture.phasing.outcome import Outcome
from nanotexture.phasing.window import (
    WindowSettings,
    blurred,
    hold_out,
    prepare,
    psi_from_object,
    solve_window,
)

PERIOD, THICKNESS, G = 100.0, 120.0, (0.4, 3.2)
LENGTH = float(np.hypot(*G))
STEP = 4.0
N_X, N_Z = 150, 72


# the film of these tests is three periods and no more: its map is that of one object, not the mean over windows
ALONE = WindowSettings(
    blur=False, modulus=None, shrink=ShrinkWrap(25, sigma=3.0, sigma_end=1.5, threshold=0.15, axes=(0,))
)


def displacement(x, z):
    """u along Q (angstrom) of a film of 1.5 rad, not its own inverse."""
    h = z / THICKNESS
    waves = (
        np.sin(2 * np.pi * x / PERIOD) * np.sin(np.pi * h)
        + 0.5 * np.cos(4 * np.pi * x / PERIOD + 1) * h
        + 0.3 * np.sin(2 * np.pi * x / PERIOD + 2) * h**2
    )
    return 1.5 / LENGTH * waves


def film(periods=3):
    x = np.arange(0, periods * PERIOD, STEP) + STEP / 2
    z = np.arange(0, THICKNESS, STEP) + STEP / 2
    return x, z, np.exp(1j * LENGTH * displacement(x[:, None], z))


def axes():
    qx = G[0] + (np.arange(N_X) - N_X // 2 + 2) * 2 * np.pi / (N_X * STEP)
    qz = G[1] + (np.arange(N_Z) - N_Z // 2 - 3.3) * 2 * np.pi / (N_Z * STEP)
    return qx, qz


def measurement(counts=1e8):
    """Poisson counts of the film summed directly, sum psi exp(+i q.r), beam stop on the strongest voxels."""
    (x, z, psi), (qx, qz) = film(), axes()
    amplitude = np.exp(1j * np.outer(qx - G[0], x)) @ psi @ np.exp(1j * np.outer(z, qz - G[1]))
    intensity = np.abs(amplitude) ** 2
    intensity = np.random.default_rng(0).poisson(intensity * counts / intensity.max()).astype(float)
    mask = np.zeros(intensity.shape, np.uint8)
    i, j = np.unravel_index(intensity.argmax(), intensity.shape)
    mask[i - 1 : i + 2, j - 1 : j + 2] = 1
    return intensity, mask


def solve(starts, intensity=None, mask=None, seed=0, settings=ALONE):
    measured, stop = measurement()
    qx, qz = axes()
    return solve_window(
        intensity=measured if intensity is None else intensity,
        mask=stop if mask is None else mask,
        qx=qx, qz=qz, g=G, period=PERIOD, thickness=THICKNESS, z=np.arange(2.0, 120, 4), nx_motif=32,
        seed=seed, starts=starts, settings=settings,
    )  # fmt: skip


@pytest.fixture(scope="module")
def solutions():
    return solve(range(8))


def truth():
    return displacement(np.arange(32)[:, None] / 32 * PERIOD, np.arange(2.0, 120, 4))


def test_magnitudes_are_fitted_and_everything_has_its_shape(solutions):
    n_x, n_film = solutions.objects.shape[1:]
    assert solutions.displacement_along_q.shape == (8, 32, 30)
    assert n_x == N_X
    assert n_film * solutions.step[1] == pytest.approx(THICKNESS, rel=0.05)
    assert solutions.supports.shape == solutions.objects.shape
    assert (solutions.cost < 1e-3).all()
    assert np.median(solutions.free_cost) < 0.03
    assert np.median(solutions.free_cost) > np.median(solutions.cost)
    assert set(solutions.outcome) <= set(Outcome) - {Outcome.NOT_DETERMINED}
    np.testing.assert_allclose(solutions.displacement_along_q.mean(axis=(1, 2)), 0, atol=1e-12)


def test_a_strong_phase_whose_film_fits_the_window_is_found_up_to_inversion(solutions):
    got = align(solutions.displacement_along_q[:, None], truth()[None], allow_inversion=True)
    assert got.nrmse[np.argmin(solutions.cost)] < 0.15
    assert np.mean(got.nrmse < 0.3) >= 0.5


def test_a_start_gives_the_same_in_any_batch_and_another_seed_another(solutions):
    again = solve([3])
    np.testing.assert_array_equal(again.displacement_along_q[0], solutions.displacement_along_q[3])
    assert again.cost[0] == solutions.cost[3]
    assert solve([3], seed=1).cost[0] != solutions.cost[3]


def test_what_stands_behind_the_mask_has_no_influence(solutions):
    intensity, mask = measurement()
    spoiled = np.where(mask == 0, intensity, np.nan)
    np.testing.assert_array_equal(
        solve([3], intensity=spoiled).displacement_along_q[0], solutions.displacement_along_q[3]
    )


def test_a_window_too_small_for_its_film_is_not_determined():
    _, mask = measurement()
    mask[:, : N_Z // 2] = 1
    settings = WindowSettings(periods=6)
    got = solve([0, 1], mask=mask, settings=settings)
    assert set(got.outcome) == {Outcome.NOT_DETERMINED}
    assert np.isnan(got.displacement_along_q).all()
    assert np.isnan(got.cost).all()
    assert (got.iterations == 0).all()


def test_held_out_blocks_are_three_percent_of_the_satellites_and_never_solved_for():
    intensity, mask = measurement()
    qx, qz = axes()
    window = prepare(
        intensity=intensity, mask=mask, qx=qx, qz=qz, g=G, period=PERIOD, thickness=THICKNESS, seed=0,
        settings=ALONE,
    )  # fmt: skip
    order = (qx - G[0]) * PERIOD / (2 * np.pi)
    near = (np.abs(order - np.round(order)) < 0.25) & (np.round(order) != 0)
    assert not (window.held & window.work).any()
    assert not window.held[~near].any()
    assert not window.held[mask != 0].any()
    share = window.held.sum() / (near[:, None] & (mask == 0)).sum()
    assert share == pytest.approx(0.03, abs=0.005)
    again = hold_out(counts=intensity, known=mask == 0, order=order, seed=1, settings=WindowSettings())
    assert (again != window.held).any()


def test_the_object_of_the_map_is_the_film_with_the_right_sign_and_without_a_ramp():
    intensity, mask = measurement()
    qx, qz = axes()
    window = prepare(
        intensity=intensity, mask=mask, qx=qx, qz=qz, g=G, period=PERIOD, thickness=THICKNESS, seed=0,
        settings=WindowSettings(),
    )  # fmt: skip
    x, z, psi = film()
    obj = np.zeros((N_X, N_Z), complex)
    first = (20, window.rows.start)
    at_x, at_z = ((f + np.arange(n)) * STEP for f, n in zip(first, psi.shape, strict=True))
    ramp = np.exp(1j * (window.centre[0] * at_x[:, None] + window.centre[1] * at_z))
    obj[20 : 20 + len(x), window.rows] = (psi * ramp).conj()
    magnitudes = np.abs(np.fft.fftshift(np.fft.fft2(obj)))
    share = np.corrcoef(magnitudes[mask == 0], np.sqrt(intensity)[mask == 0])[0, 1]
    assert share > 0.9999  # conj and ramp are those of the measured map
    back = psi_from_object(obj, window)[20 : 20 + len(x)]
    np.testing.assert_allclose(back, psi, atol=1e-9)
    u = displacement_from_psi(psi=back, support=np.ones(back.shape, bool), length=LENGTH)
    np.testing.assert_allclose(u - u.mean(), (d := displacement(x[:, None], z)) - d.mean(), atol=1e-9)


def test_folding_averages_periods_drops_the_slope_and_ignores_what_has_no_weight():
    x = np.arange(90) * STEP
    z = np.linspace(0, THICKNESS, 12)
    u = displacement(x[:, None], z) + 0.01 * x[:, None]
    weight = np.ones_like(u)
    u[:5], weight[:5] = np.nan, 0
    got = fold(u=u, weight=weight, step=STEP, period=PERIOD, nx_motif=40)
    expected = displacement(np.arange(40)[:, None] / 40 * PERIOD, z)
    np.testing.assert_allclose(got - got.mean(), expected - expected.mean(), atol=1e-3)


def test_a_map_on_uneven_steps_is_refused():
    intensity, mask = measurement()
    qx, qz = axes()
    with pytest.raises(ValueError, match="uniform"):
        prepare(
            intensity=intensity, mask=mask, qx=qx**2, qz=qz, g=G, period=PERIOD, thickness=THICKNESS,
            seed=0, settings=WindowSettings(),
        )  # fmt: skip


def test_a_blurred_map_is_the_mean_over_the_windows_of_an_endless_film():
    """Blurred by sinc^2, |F|^2 of a film on a circle is the mean of |F|^2 of its windows, as their autocorrelations are."""
    n, width = 96, 24
    rng = np.random.default_rng(0)
    film = np.exp(1j * rng.normal(size=(n, 5)))
    windows = [np.where((np.arange(n) < width)[:, None], np.roll(film, -s, 0), 0) for s in range(n)]
    mean = np.mean([np.abs(np.fft.fft(one, axis=0)) ** 2 for one in windows], axis=0)
    whole = np.abs(np.fft.fft(film, axis=0)) ** 2
    qx = 2 * np.pi / (n * STEP) * np.arange(n)
    got = blurred(counts=whole, known=np.ones(whole.shape, bool), qx=qx, width=width * STEP)
    np.testing.assert_allclose(got, mean * n / width, rtol=1e-9)


def test_what_is_not_known_takes_no_part_in_a_blurred_map():
    known = np.random.default_rng(0).random((60, 4)) > 0.2
    counts = np.where(known, 7.0, 1e9)
    got = blurred(counts=counts, known=known, qx=np.arange(60) * 0.01, width=150.0)
    np.testing.assert_allclose(got[known], 7.0)
    assert (got[~known] == 0).all()


@pytest.fixture(scope="module")
def endless():
    """Map of 20 periods, coherent throughout, of a phase of 1.5 rad: lines narrower than any window's."""
    x, z, psi = film(periods=20)
    qx, qz = axes()
    amplitude = np.exp(1j * np.outer(qx - G[0], x)) @ psi @ np.exp(1j * np.outer(z, qz - G[1]))
    amplitude *= np.hanning(len(x)).sum() / len(x)
    return np.abs(amplitude) ** 2 * 1e8 / np.max(np.abs(amplitude) ** 2), np.zeros((N_X, N_Z), np.uint8)


def test_a_window_fits_an_endless_film_only_through_the_line_of_the_window(endless):
    sharp, soft = (
        solve([0, 1], *endless, settings=WindowSettings(blur=blur, modulus=None)).cost.min()
        for blur in (False, True)
    )
    assert soft < 0.1 * sharp
    assert soft < 0.03


def test_bounds_of_the_modulus_hold_and_the_fit_stays(endless):
    found = solve([0], *endless, settings=WindowSettings())
    inside = np.abs(found.objects[found.supports])
    assert inside.max() / inside.min() <= 1.2 / 0.8 + 1e-3
    assert found.cost[0] < 0.1
