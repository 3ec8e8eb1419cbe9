"""What the figures draw: the numbers of the result, in places and colours that say what they are."""

from dataclasses import replace

import matplotlib
import numpy as np
import pytest
from nanotexture.phasing.alignment import inverted
from nanotexture.report import figures
from nanotexture.report.comparison import truth_pairs
from nanotexture.report.fields import derivative_fields, displacement_fields, polarization_fields
from nanotexture.report.figures_motif import PERIODS, grid_of


@pytest.fixture
def at(results):
    def pick(name, group="texture", key=None):
        found = getattr(results[name], group)
        return (found if key is None else found[key]).isel(temperature=0)

    return pick


def images(figure):
    return [ax.images[0] for ax in figure.axes if ax.images]


def maps(at):
    return figures.maps_figure(
        at("single", "maps", "-103"), at("single", "orders", "-103"), "-103", 3.9885, 3.96
    )


def test_measured_and_calculated_share_their_colour_limits(at):
    measured, model, residual = images(maps(at))[:3]
    assert measured.norm is model.norm
    assert (residual.norm.vmin, residual.norm.vmax) == (-5.0, 5.0)
    assert residual.cmap.name.endswith("vik")


def test_what_was_not_measured_is_blank_over_hatching(at):
    group = at("single", "maps", "-103")
    measured, model = images(maps(at))[:2]
    assert np.isnan(np.ma.filled(measured.get_array(), np.nan)).any()
    assert not np.isnan(np.ma.filled(model.get_array(), np.nan)).any()
    assert measured.axes.patch.get_hatch()
    empty = group.assign(intensity=group["intensity"] * 0.0)
    shown = images(figures.maps_figure(empty, None, "-103"))[0]
    assert np.isfinite(np.ma.filled(shown.get_array(), np.nan)).sum() == (group["mask"] == 0).sum()


def test_the_map_is_zoomed_on_the_satellites(at):
    ax = maps(at).axes[0]
    group, orders = at("single", "maps", "-103"), at("single", "orders", "-103")
    low, high = ax.get_xlim()
    assert group["qx"].min() < low < orders["line_position"].min()
    assert orders["line_position"].max() < high < group["qx"].max()


def test_residual_is_over_the_counting_noise(at):
    residual = np.ma.filled(images(maps(at))[2].get_array(), np.nan)
    wings = residual[:20]
    assert np.nanstd(wings) == pytest.approx(1.0, abs=0.35)


def test_held_out_points_are_marked_differently(at):
    orders = at("single", "orders", "-103")
    figure = figures.profiles_figure(orders, "-103")
    ax = figure.axes[0]
    labels = {bars.get_label(): bars.lines[0] for bars in ax.containers}
    held, fitted = labels["measured, held out"], labels["measured, fitted"]
    assert held.get_marker() != fitted.get_marker()
    zeroth = orders.sel(order=0)
    assert len(held.get_xdata()) == int((zeroth["intensity"].notnull() & (zeroth["held_out"] != 0)).sum())


def test_profiles_without_satellites_say_so(at):
    dark = at("failed", "orders", "-103")
    assert len(figures.profiles_figure(dark, "-103").axes) == 1
    none = figures.profiles_figure(dark.assign(intensity=dark["intensity"] * np.nan), "-103")
    assert none.texts[0].get_text() == "no order was measured"


def test_the_motif_is_two_periods_in_nanometres_centred_at_zero(at):
    texture = at("single")
    figure = figures.fields_figure(texture, displacement_fields(texture), [-0.3, 0.95])
    value, std = images(figure)[:2]
    assert value.get_array().shape == (texture.sizes["z"], PERIODS * texture.sizes["x"])
    left, right = value.axes.get_xlim()
    assert right - left == pytest.approx(PERIODS * float(texture["period"]) / 10)
    assert value.norm.vmin == -value.norm.vmax
    assert std.norm.vmin == 0.0
    assert value.axes.get_aspect() == 1.0


def test_a_sliver_of_a_film_has_a_stated_aspect(at):
    texture = at("single")
    thin = texture.isel(z=slice(0, 4))
    assert "times the scale of x" in grid_of(thin).aspect_text
    assert grid_of(texture).aspect_text == "x and z to one scale"


def test_components_share_one_colour_scale(at):
    texture = at("three")
    shown = images(figures.fields_figure(texture, displacement_fields(texture)))
    assert shown[0].norm.vmax == shown[2].norm.vmax


def test_strain_and_rotation_are_drawn_where_determined(at):
    assert [one.key for one in derivative_fields(at("three"))] == [
        "strain_xx",
        "strain_zz",
        "strain_xz",
        "rotation",
    ]
    assert [one.component for one in derivative_fields(at("single"))] == ["x", "z"]
    assert derivative_fields(at("failed")) == []


def test_polarization_vectors_only_where_both_components_are_known(at):
    assert figures.polarization_figure(at("three")) is not None
    assert figures.polarization_figure(at("single")) is None
    half = at("three")
    half["polarization"] = half["polarization"].copy()
    half["polarization"][0] = np.nan
    assert figures.polarization_figure(half) is None
    assert [one.key for one in polarization_fields(half)] == ["polarization_z"]


def test_every_cluster_has_a_panel_and_every_start_a_point(at):
    figure = figures.clusters_figure(at("single", "clusters"), at("single"))
    titles = [ax.get_title(loc="left") for ax in figure.axes if ax.get_title(loc="left")]
    assert len(titles) == 3
    assert titles[0].startswith("cluster 0: 62 % of starts, spread 0.04")
    assert "one member" in titles[2]
    solutions = at("single", "solutions")
    points = [len(line.get_xdata()) for line in figures.costs_figure(solutions).axes[0].lines]
    assert sum(points) == 2 * int(solutions["cost"].notnull().sum())
    assert figures.clusters_figure(at("failed", "clusters"), at("failed")) is None
    assert figures.costs_figure(at("failed", "solutions")).axes[0].texts


def test_a_series_is_drawn_in_order_of_temperature(results):
    shuffled = results["series"].texture.isel(temperature=[2, 0, 1])
    line = figures.series_figure(shuffled).axes[0].containers[0].lines[0]
    assert list(line.get_xdata()) == [11.0, 120.0, 295.0]
    assert line.get_ydata() == pytest.approx([234.62, 236.52, 238.42])
    assert len(images(figures.motifs_figure(shuffled))) == 3


def test_many_temperatures_take_several_rows(results):
    texture = results["series"].texture.isel(temperature=[0, 1, 2, 0, 1])
    figure = figures.motifs_figure(texture)
    assert len(images(figure)) == 5
    assert len({round(ax.get_subplotspec().rowspan.start) for ax in figure.axes if ax.images}) == 2


def test_truth_is_laid_on_the_result(results):
    pairs = truth_pairs(results["three"])
    assert [one.key for one, _ in pairs] == [
        "displacement_x",
        "displacement_z",
        "polarization_x",
        "polarization_z",
    ]
    for one, true in pairs[:2]:
        assert np.std(one.value - true.value) < 0.2 * np.std(one.value)
    assert len(images(figures.truth_figure(results["three"].texture.isel(temperature=0), pairs))) >= 12


def test_truth_is_inverted_only_where_the_result_leaves_it_open(results):
    three = results["three"]
    turned = three.truth.copy()
    for name in ("displacement", "polarization"):
        turned[name] = (turned[name].dims, inverted(turned[name].values))
    fixed = replace(three, truth=turned)
    free = replace(fixed, texture=three.texture.assign_attrs(inversion="unresolved"))
    misfit = [
        np.std(pairs[1][0].value - pairs[1][1].value) for pairs in (truth_pairs(fixed), truth_pairs(free))
    ]
    assert misfit[1] < 0.2 * misfit[0]


def test_truth_along_q_is_compared_where_components_are_not_known(results):
    one = replace(results["single"], truth=results["three"].truth)
    ((result, true),) = truth_pairs(one)
    assert np.std(result.value - true.value) < 0.2 * np.std(result.value)


def test_figures_leave_matplotlib_as_it_was(at):
    before = dict(matplotlib.rcParams)
    first, second = (figures.png(maps(at)) for _ in range(2))
    assert first == second
    assert dict(matplotlib.rcParams) == before
    assert b"Software" not in first


@pytest.mark.parametrize(("weak", "alike"), [(0.9, True), (0.2, False)])
def test_a_component_that_would_look_flat_in_the_others_colour_scale_has_its_own(at, weak, alike):
    texture = at("three")
    strong, other = displacement_fields(texture)
    fields = [strong, replace(other, value=weak * strong.value)]
    shown = images(figures.fields_figure(texture, fields))
    assert (shown[0].norm.vmax == shown[2].norm.vmax) == alike
    if not alike:
        assert shown[2].norm.vmax == pytest.approx(weak * shown[0].norm.vmax)


@pytest.mark.parametrize("starts", [2, 3, 24])
def test_starts_are_counted_in_whole_numbers_and_every_cost_is_inside_the_axes(at, starts):
    every = at("single", "solutions")
    best = np.argsort(every["cost"].values)[:starts]
    solutions = every.isel(start=best)
    figure = figures.costs_figure(solutions)
    figures.png(figure)
    ax = figure.axes[0]
    low, high = ax.get_ylim()
    assert all(float(tick).is_integer() for tick in ax.get_xticks())
    costs = solutions[["cost", "free_cost"]].to_array().values
    assert low <= np.nanmin(costs)
    assert np.nanmax(costs) < high


def test_the_colour_bar_of_one_panel_is_as_tall_as_the_panel(at):
    texture = at("three")
    figure = figures.fields_figure(texture, displacement_fields(texture)[:1])
    figures.png(figure)
    ax = images(figure)[0].axes
    (bar,) = ax.child_axes
    assert bar.get_window_extent().height == pytest.approx(ax.get_window_extent().height, rel=0.01)
