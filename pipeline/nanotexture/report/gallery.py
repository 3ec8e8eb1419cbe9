"""Which figures a report shows, with captions; each figure function stays usable on its own."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import xarray as xr
from matplotlib.figure import Figure

from nanotexture.report.comparison import truth_pairs
from nanotexture.report.domain_text import domains_text
from nanotexture.report.draw import data_uri
from nanotexture.report.fields import derivative_fields, displacement_fields, polarization_fields
from nanotexture.report.figures_clusters import MOST, clusters_figure, costs_figure
from nanotexture.report.figures_domains import domains_figure, energy_figure
from nanotexture.report.figures_left_out import left_out_figure, prediction_text
from nanotexture.report.figures_maps import RESIDUAL_LIMIT, maps_figure
from nanotexture.report.figures_motif import NM, fields_figure, grid_of, polarization_figure
from nanotexture.report.figures_profiles import profiles_figure
from nanotexture.report.figures_series import motifs_figure, series_figure, thickness_figure, truth_figure
from nanotexture.report.figures_trend import trend_figure
from nanotexture.report.format import number, reflection_text, temperature_text
from nanotexture.report.header import in_plane
from nanotexture.report.picture import Picture
from nanotexture.report.result import Result
from nanotexture.report.volume import (
    cut_pairs,
    is_volume,
    mid_height,
    orders_along,
    slice_level,
    slice_upright,
    summed_map,
)

_CORES = "Circles: vortices, squares: antivortices; red turn z towards x, blue the other way."
_DOTS = "Dots: the standard deviation exceeds the value."


def _picture(heading: str, caption: str, figure: Figure) -> Picture:
    return Picture(heading, caption, data_uri(figure))


def reflection_pictures(result: Result) -> Iterator[Picture]:
    """Maps and profiles of every reflection and temperature."""
    for hkl in result.reflections:
        for t, kelvin in enumerate(result.temperatures):
            orders = result.orders[hkl].isel(temperature=t) if hkl in result.orders else None
            heading = reflection_text(hkl) + _at(kelvin)
            if orders is not None and "order_y" in orders.dims:
                yield from volume_reflection(result, hkl, t, heading)
                continue
            if hkl in result.maps:
                yield _map_picture(result, hkl, t, heading)
            if orders is not None:
                caption = (
                    "Satellites integrated over their lines, order by order. Bars: one standard deviation. "
                    "Open diamonds were kept from the inversion and judge it (free χ²). Triangles: at or "
                    "below zero. χ²: "
                    "mean of ((measured − calculated)/σ)²."
                )
                yield _picture(f"{heading}: orders", caption, profiles_figure(orders, hkl))


def _map_picture(result: Result, hkl: str, t: int, heading: str) -> Picture:
    group = result.maps[hkl].isel(temperature=t)
    orders = result.orders[hkl].isel(temperature=t) if hkl in result.orders else None
    c = float(result.texture["c"].isel(temperature=t)) if "c" in result.texture else math.nan
    caption = (
        "Measured and calculated counts in one logarithmic scale, around the satellites; ticks mark the "
        "orders. "
        f"Right: difference over the counting noise, colours end at ±{number(RESIDUAL_LIMIT)} σ. "
        "Hatched: not measured."
    )
    return _picture(f"{heading}: map", caption, maps_figure(group, orders, hkl, in_plane(result), c))


def motif_pictures(result: Result) -> Iterator[Picture]:
    """Displacement, its derivatives and polarization at every temperature."""
    for t, kelvin in enumerate(result.temperatures):
        texture = result.texture.isel(temperature=t)
        if is_volume(texture):
            yield from volume_motif(texture, _at(kelvin))
            continue
        scales = f"Two periods; {grid_of(texture).aspect_text}; z = 0 is the substrate."
        if displacement := displacement_fields(texture):
            along = displacement[0].key == "displacement_along_q"
            direction = result.texture.attrs.get("q_direction") if along else None
            caption = (
                f"Displacement of the average motif from the reference lattice, mean zero. {scales} {_DOTS}"
            )
            yield _picture(
                f"Displacement{_at(kelvin)}", caption, fields_figure(texture, displacement, direction)
            )
        if derivatives := derivative_fields(texture):
            told = (
                "Strain and rotation" if derivatives[0].key.startswith("strain") else "Gradient of u along Q"
            )
            yield _picture(f"{told}{_at(kelvin)}", f"{scales} {_DOTS}", fields_figure(texture, derivatives))
        if polarization := polarization_fields(texture):
            yield _picture(
                f"Polarization{_at(kelvin)}", f"{scales} {_DOTS}", fields_figure(texture, polarization)
            )
        if (arrows := polarization_figure(texture)) is not None:
            caption = f"Arrows: polarization in the plane of x and z; colour: its z component. {scales}"
            yield _picture(f"Polarization vectors{_at(kelvin)}", caption, arrows)


def volume_motif(texture: xr.Dataset, at: str) -> Iterator[Picture]:
    """Slices of the fields of a texture that is periodic along x and y: level at mid height, upright at y = 0."""
    level = f"at z = {number(NM * mid_height(texture))} nm, two periods along x and y"
    for name, found in (
        ("Displacement", displacement_fields),
        ("Strain and rotation", derivative_fields),
        ("Polarization", polarization_fields),
    ):
        for cut, up, where in ((slice_level(texture), "y", level), (slice_upright(texture), "z", "at y = 0")):
            if fields := found(cut):
                heading = f"{name} {where.split(',')[0]}{at}"
                yield _picture(
                    heading,
                    f"{name} of the average motif {where}. {_DOTS}",
                    fields_figure(cut, fields, up=up),
                )


def volume_reflection(result: Result, hkl: str, t: int, heading: str) -> Iterator[Picture]:
    """Map summed over each direction of the plane, and the orders along both, of a map qx, qy, qz."""
    every = result.orders[hkl].isel(temperature=t)
    c = float(result.texture["c"].isel(temperature=t))
    for along, over in (("x", "y"), ("y", "x")):
        orders = orders_along(every, along)
        if hkl in result.maps:
            group = summed_map(result.maps[hkl].isel(temperature=t), f"q{over}")
            caption = (
                f"Counts measured and calculated, summed along q{over}, in one logarithmic scale. Right: difference over the "
                f"counting noise, colours end at ±{number(RESIDUAL_LIMIT)} σ. Hatched: not measured."
            )
            figure = maps_figure(group, orders, hkl, in_plane(result), c, along=along)
            yield _picture(f"{heading}: map summed along q{over}", caption, figure)
        pairs = "(n, 0)" if along == "x" else "(0, n)"
        caption = f"Satellites {pairs} integrated over qx and qy. Bars: one standard deviation. Open diamonds: held out."
        yield _picture(f"{heading}: orders {pairs}", caption, profiles_figure(orders, hkl))


def domain_pictures(result: Result) -> Iterator[Picture]:
    """Domains, walls, cores and energy densities at every temperature."""
    for t, kelvin in enumerate(result.temperatures):
        texture = result.texture.isel(temperature=t)
        if result.domains is not None:
            domains = result.domains.isel(temperature=t)
            if (figure := domains_figure(domains, texture)) is not None:
                caption = f"{domains_text(domains)} Bands: one standard deviation of the wall. {_CORES}"
                yield _picture(f"Domains{_at(kelvin)}", caption, figure)
        if result.energy is not None:
            energy = result.energy.isel(temperature=t)
            if (figure := energy_figure(energy, texture)) is not None:
                eigenstrain = energy.attrs.get("eigenstrain", "")
                caption = (
                    "Of strain from the reference lattice and of P; electrostatic energy and the misfit of the "
                    f"mean lattice are not in. Eigenstrain of P: {eigenstrain}."
                )
                yield _picture(f"Energy density{_at(kelvin)}", caption, figure)


def cluster_pictures(result: Result) -> Iterator[Picture]:
    """Motif of each cluster and cost of every start."""
    for t, kelvin in enumerate(result.temperatures):
        texture = result.texture.isel(temperature=t)
        clusters = None if result.clusters is None else slice_upright(result.clusters.isel(temperature=t))
        figure = None if clusters is None else clusters_figure(clusters, slice_upright(texture))
        if figure is not None:
            caption = (
                f"Representative of each cluster (at most {MOST}), best first, in its colour scale. "
                "Spread: mean "
                "nrmse of the members against it. Clusters are different answers and are never averaged."
            )
            yield _picture(f"Clusters{_at(kelvin)}", caption, figure)
        if result.solutions is not None:
            caption = (
                "Every start, by cost. Filled: χ² of the fitted points; open: χ² of the held-out points."
            )
            yield _picture(
                f"Cost of the starts{_at(kelvin)}",
                caption,
                costs_figure(result.solutions.isel(temperature=t)),
            )


def left_out_pictures(result: Result) -> Iterator[Picture]:
    """Every reflection predicted by the others, at every temperature."""
    for t, kelvin in enumerate(result.temperatures):
        if result.left_out is None:
            return
        one = result.left_out.isel(temperature=t)
        if (figure := left_out_figure(one)) is not None:
            yield _picture(f"Reflections left out{_at(kelvin)}", prediction_text(one), figure)


def series_pictures(result: Result) -> Iterator[Picture]:
    """Quantities and motifs against temperature; nothing for one temperature."""
    if sum(map(math.isfinite, result.temperatures)) < 2:
        return
    caption = (
        "Bars: one standard error; for the rms of displacement and strain, that of fully correlated errors. "
        "Noise adds to an rms: a value near its typical standard deviation is an upper limit."
    )
    yield _picture("Against temperature", caption, series_figure(result.texture))
    if result.series is not None and (figure := trend_figure(result.series)) is not None:
        yield _picture(
            "Order parameter and walls against temperature", _trend_caption(result.series.attrs), figure
        )
    if (figure := motifs_figure(result.texture)) is not None:
        yield _picture(
            "Motif at each temperature", "Displacement in one colour scale, coldest first.", figure
        )


def _trend_caption(told: Mapping[Any, Any]) -> str:
    return (
        f"Motif: {told.get('transition', '')} Satellites, without an inversion: {told.get('satellite_transition', '')} "
        f"Order parameter: rms of {told.get('order_parameter', '')} less its mean along x, over the largest of the series; "
        "satellite amplitude: root of the satellites' share of all orders. Mean strain: film lattice over the reference "
        "lattice. Bars: one standard error, of amplitudes that of points that err together."
    )


def truth_pictures(result: Result) -> Iterator[Picture]:
    """Truth beside the answer where the data were simulated."""
    for t, kelvin in enumerate(result.temperatures):
        if pairs := truth_pairs(result, t):
            texture = result.texture.isel(temperature=t)
            along = "x and y" if is_volume(texture) else "x"
            caption = (
                f"The truth is shifted along {along}, and inverted only where the inversion is unresolved, to lie "
                "on the result; the fields are then compared point by point."
            )
            if is_volume(texture):
                where = f"at z = {number(NM * mid_height(texture))} nm"
                figure = truth_figure(slice_level(texture), cut_pairs(pairs, level=True), up="y")
                yield _picture(f"Truth and result {where}{_at(kelvin)}", caption, figure)
                figure = truth_figure(slice_upright(texture), cut_pairs(pairs, level=False))
                yield _picture(f"Truth and result at y = 0{_at(kelvin)}", caption, figure)
                continue
            yield _picture(f"Truth and result{_at(kelvin)}", caption, truth_figure(texture, pairs))


def thickness_pictures(result: Result) -> Iterator[Picture]:
    """Symmetric scans with their rod models."""
    for name, scan in result.thickness_scans.items():
        yield _picture(
            f"Thickness scan {name}",
            "Counts along the rod, film and substrate added as amplitudes.",
            thickness_figure(scan),
        )


def _at(kelvin: float) -> str:
    return f", {temperature_text(kelvin)}" if math.isfinite(kelvin) else ""
