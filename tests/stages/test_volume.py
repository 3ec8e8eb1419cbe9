"""Maps qx, qy, qz of a planted film through preparation and inversion."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from nanotexture.errors import UserError
from nanotexture.phasing.alignment import align
from nanotexture.simulate.map_files import write_map
from nanotexture.stages.consensus import group
from nanotexture.stages.convert import load
from nanotexture.stages.directions import directions
from nanotexture.stages.domains import domains
from nanotexture.stages.invert import choose, invert, pilot, trial
from nanotexture.stages.models import (
    ChooseConfig,
    ConsensusConfig,
    DirectionsConfig,
    DomainsConfig,
    InvertConfig,
    LoadConfig,
    PilotConfig,
    PrepareConfig,
    ReferenceConfig,
    TextureConfig,
    Tie,
    TrialConfig,
    WindowConfig,
)
from nanotexture.stages.motif_data import motif_data
from nanotexture.stages.motif_rows import centred_from_rows, measured_rows
from nanotexture.stages.prepare_volume import prepare_volume
from nanotexture.stages.reference import reference
from nanotexture.stages.texture import texture
from nanotexture.stages.told_axes import field_axes
from nanotexture.stages.window import window

from .volumes import FILM, PERIODS, REFLECTIONS, STACK, measured, planted

STRAIN = 0.02
HARMONICS, POLYNOMIALS = 1, 3


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("volume")
    return [write_map(folder / f"{''.join(map(str, one.hkl))}.nxs", one, name="volume") for one in measured()]


@pytest.fixture(scope="module")
def orders(files):
    both = directions(files, config=DirectionsConfig(film=FILM))
    assert int(both["both"]) == 1
    maps = [load(file, both, config=LoadConfig(film=FILM)) for file in files]
    return prepare_volume(maps, config=PrepareConfig(film=FILM, period=None, seed=0))


@pytest.fixture(scope="module")
def lattice(orders):
    return reference([orders], config=ReferenceConfig(film=FILM))


@pytest.fixture(scope="module")
def clusters(orders, lattice):
    told = {"film": FILM, "harmonics": HARMONICS, "polynomials": POLYNOMIALS, "strain": STRAIN}
    first = pilot(orders, lattice, config=PilotConfig(starts=1, seed=0, **told))
    one = TrialConfig(more_harmonics=0, fewer_polynomials=False, folds=1, seed=0, **told)
    choice = choose([trial(orders, lattice, first, config=one)], [first], config=ChooseConfig())
    config = InvertConfig(film=FILM, starts=tuple(range(6)), seed=0, strain=STRAIN)
    found = invert(orders, lattice, choice, config=config)
    settings = ConsensusConfig(film=FILM, solver="motif", strain=STRAIN)
    return group(orders, lattice, choice, [found], config=settings)


@pytest.fixture(scope="module")
def answer(orders, lattice, clusters):
    return texture(orders, clusters, lattice, config=TextureConfig())


def test_both_periods_are_those_of_the_film(orders):
    assert float(orders["period"]) == pytest.approx(PERIODS[0], rel=5e-3)
    assert float(orders["period_y"]) == pytest.approx(PERIODS[1], rel=5e-3)
    assert float(orders["thickness"]) == pytest.approx(STACK.thickness, rel=0.01)


def test_orders_are_the_sum_of_the_counts_around_their_places(orders):
    """Background and neighbours taken away: to 5 % of boxes half way to the neighbours, where an order is bright."""
    r = REFLECTIONS.index((1, 0, 3))
    one, axes = measured()[r], measured()[r].axes
    steps = [float(axis[1] - axis[0]) for axis in (axes.qx, axes.qy)]
    found = orders.isel(reflection=r)
    seen = 0
    for i, (n, m) in enumerate(zip(orders["order"].values, orders["order_y"].values, strict=True)):
        at = 2 * np.pi / 3.905 + n * 2 * np.pi / PERIODS[0], m * 2 * np.pi / PERIODS[1]
        if (n, m) == (0, 0) or max(abs(n), abs(m)) > 1:
            continue
        box = np.ix_(
            np.abs(axes.qx - at[0]) < np.pi / PERIODS[0], np.abs(axes.qy - at[1]) < np.pi / PERIODS[1]
        )
        counts = one.intensity[box] - np.median(one.intensity)
        if counts.sum() > 3e4:
            seen += 1
            total = float(np.nansum(found["intensity"].values[i])) / (steps[0] * steps[1])
            assert total == pytest.approx(counts.sum(), rel=0.1)
    assert seen >= 2


def test_the_planted_displacement_comes_back_in_all_three_components(answer):
    """Far from one half of unrelated motifs; the errors of most points hold the truth."""
    found, truth = answer["displacement"].values, planted()
    assert found.shape == (3, 16, 16, STACK.heights.size)
    back = align(found[None], truth, allow_inversion=False)
    off = back.fields[0] - (truth - truth.mean((1, 2, 3), keepdims=True))
    nrmse = np.sqrt((off**2).mean((1, 2, 3))) / truth.std((1, 2, 3))
    assert (nrmse < 0.3).all()
    assert nrmse[2] < 0.1
    covered = np.abs(off) < 2 * answer["displacement_std"].values
    assert covered.mean() > 0.6
    assert answer.attrs["inversion"] == "resolved"
    assert float(answer["cost"]) < 2.0


def test_strain_and_rotation_are_the_slopes_of_the_displacement(answer):
    """xx, yy by central differences on a texture of one harmonic; the rotation about z against both."""
    u = answer["displacement"].values
    steps = [length / 16 for length in (float(answer["period"]), float(answer["period_y"]))]
    sinc = np.sin(2 * np.pi / 16) / (2 * np.pi / 16)
    slopes = {
        (c, d): (np.roll(u[c], -1, d) - np.roll(u[c], 1, d)) / (2 * steps[d] * sinc)
        for c in (0, 1)
        for d in (0, 1)
    }
    strain, rotation = answer["strain"].values, answer["rotation"].values
    np.testing.assert_allclose(strain[0], slopes[0, 0], atol=1e-9)
    np.testing.assert_allclose(strain[1], slopes[1, 1], atol=1e-9)
    np.testing.assert_allclose(strain[3], (slopes[0, 1] + slopes[1, 0]) / 2, atol=1e-9)
    np.testing.assert_allclose(rotation[2], (slopes[1, 0] - slopes[0, 1]) / 2, atol=1e-9)


def test_what_is_worked_out_for_plane_textures_only_is_left_out_with_a_sentence(answer, lattice):
    found = domains([answer], lattice, config=DomainsConfig(seed=0))
    assert not found.variables
    assert "left out" in found.attrs["left_out"]


def test_the_baseline_is_refused(orders, lattice):
    with pytest.raises(UserError, match=r"invert.solver: expected \"motif\""):
        window([], orders, lattice, config=WindowConfig(film=FILM, starts=(0,), seed=0))


def test_a_polarization_has_fields_along_the_directions_that_are_told(orders, lattice):
    """Four reflections give four phases, which tell none; where they tell all, there are three, on waves of the same cell."""
    few = motif_data(orders, lattice, FILM, True)
    assert few.polar_axes.shape == (0, 3)
    assert few.tie is Tie.NONE
    displacement, polar = replace(few, polar_axes=np.eye(3), centred=True).unknowns(2, 3, STRAIN).blocks
    assert displacement.modes.waves == polar.modes.waves
    assert (displacement.number, polar.number) == (3, 3)
    assert all(sum(wave) % 2 == 0 for wave in polar.modes.waves)


@pytest.mark.parametrize(
    ("hkl", "axes"),
    [
        (((0, 0, 2), (1, 0, 3), (0, 1, 3)), [[1, 0, 0], [0, 1, 0], [0, 0, 1]]),
        (((0, 0, 2), (1, 0, 3)), [[1, 0, 0], [0, 0, 1]]),
        (((0, 0, 2), (0, 1, 3), (0, 2, 4)), [[0, 1, 0], [0, 0, 1]]),
        (((1, 1, 3), (0, 0, 2)), [[0.5**0.5, 0.5**0.5, 0], [0, 0, 1]]),
        (((0, 0, 2), (0, 0, 4)), [[0, 0, 1]]),
    ],
)
def test_directions_of_q_determine_the_components_in_their_span(hkl, axes):
    found = field_axes(np.array(hkl, float))
    assert len(found) == len(axes)
    np.testing.assert_allclose(np.abs(found @ np.array(axes).T), np.eye(len(axes)), atol=1e-9)


@pytest.mark.parametrize(("lit", "centred"), [(0.0, True), (0.02, False)])
def test_a_cell_is_centred_where_no_order_of_odd_sum_is_seen(orders, lit, centred):
    """Orders of odd sum at `lit` of the strongest satellite, or at nothing but noise."""
    rows = measured_rows(orders, 0, FILM)
    odd = (rows.orders + rows.orders_y) % 2 != 0
    top = rows.intensity[~rows.central].max()
    noise = np.random.default_rng(0).normal(size=rows.intensity.shape) * np.sqrt(rows.variance)
    level = np.where(odd, lit, 0.5)[:, None] * top
    assert centred_from_rows(replace(rows, intensity=level + noise)) is centred
