"""Rows of the summary table: numbers with standard errors, one column per temperature."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import xarray as xr

from nanotexture.report.facts import cluster_count, outcome_counts, successful_count
from nanotexture.report.fields import Field, displacement_fields, polarization_fields
from nanotexture.report.format import NOT_DETERMINED, percent, reflection_text, with_error
from nanotexture.report.result import Result
from nanotexture.report.volume import planar


@dataclass(frozen=True)
class Row:
    """A quantity, its value at each temperature and what it means."""

    name: str
    cells: tuple[str, ...]
    note: str = ""


_LENGTHS = (
    ("period", "in-plane period"),
    ("period_y", "in-plane period along y"),
    ("thickness", "film thickness"),
    ("c", "film c"),
    ("correlation_length", "correlation length in the plane"),
    ("gap", "film-substrate gap"),
)
_FOUND = (("duty", "duty"), ("wall_width", "wall width"))
_ENERGIES = (
    ("elastic_mean", "elastic energy density"),
    ("landau_mean", "Landau energy density"),
    ("gradient_mean", "gradient energy density"),
)
_QUALITY = (
    ("cost", "χ² per point"),
    ("free_cost", "free χ² per point"),
    ("amplitude_correlation", "amplitude correlation"),
    ("determined", "share fixed by the data"),
)


def summary_rows(result: Result) -> list[Row]:
    """All rows that the result has something for, in reading order."""
    every = range(len(result.temperatures))
    texture = result.texture
    rows = [_row(texture, name, label) for name, label in _LENGTHS if name in texture]
    rows += [row for hkl, orders in planar(result).orders.items() for row in _line_rows(orders, hkl)]
    rows += _size_rows([texture.isel(temperature=t) for t in every])
    rows += _found_rows(result)
    rows += [_row(texture, name, label) for name, label in _QUALITY if name in texture]
    rows += [
        Row(
            "clusters",
            tuple(str(cluster_count(result.clusters, t)) for t in every),
            "Distinct motifs among the starts.",
        ),
        Row("successful starts", tuple(_starts(result, t) for t in every), "Starts that ended in a cluster."),
    ]
    return rows + _alignment_rows(result.alignment, len(result.temperatures))


def _found_rows(result: Result) -> list[Row]:
    """Duty, walls and mean energies, as far as known at any temperature."""
    rows = []
    for group, entries in ((result.series, _FOUND), (result.energy, _ENERGIES)):
        known = [
            entry for entry in entries if group is not None and np.isfinite(group[entry[0]].values).any()
        ]
        rows += [_row(group, name, label) for name, label in known if group is not None]
    return rows


def _row(texture: xr.Dataset, name: str, label: str) -> Row:
    values = np.atleast_1d(texture[name].values)
    errors = (
        np.atleast_1d(texture[f"{name}_std"].values) if f"{name}_std" in texture else [math.nan] * len(values)
    )
    units = str(texture[name].attrs.get("units", "1"))
    cells = tuple(with_error(float(v), float(e), units) for v, e in zip(values, errors, strict=True))
    return Row(label, cells, _note(texture[name]))


def _note(variable: xr.DataArray) -> str:
    return str(variable.attrs.get("comment", "")).replace("chi2", "χ²")


def _line_rows(orders: xr.Dataset, hkl: str) -> list[Row]:
    """Width of the first orders: the mean over n = -1 and +1."""
    first = orders.sel(order=np.abs(orders["order"]) == 1)
    if first.sizes["order"] == 0 or "line_width" not in first:
        return []
    width = first["line_width"].mean("order", skipna=True).values
    error = np.sqrt((first["line_width_std"].values ** 2).sum(axis=-1)) / first.sizes["order"]
    cells = tuple(with_error(float(v), float(e), "1/angstrom") for v, e in zip(width, error, strict=True))
    return [
        Row(f"line width of orders ±1, {reflection_text(hkl)}", cells, "Full width at half maximum along qx.")
    ]


def _size_rows(each: list[xr.Dataset]) -> list[Row]:
    found = [{one.key: one for one in displacement_fields(t) + polarization_fields(t)} for t in each]
    keys = {key: one for at in found for key, one in at.items()}
    note = "Root mean square over the motif; its error for fully correlated errors, the cautious limit."
    return [
        Row(f"rms {_label(one)}", tuple(_rms(at.get(key)) for at in found), note) for key, one in keys.items()
    ]


def _label(field: Field) -> str:
    name, _, component = field.key.rpartition("_")
    return "displacement along Q" if field.key.endswith("along_q") else f"{name} along {component}"


def _rms(field: Field | None) -> str:
    return with_error(field.rms, field.rms_error, field.units) if field else NOT_DETERMINED


def _starts(result: Result, temperature: int) -> str:
    total = sum(outcome_counts(result.solutions, temperature).values())
    good = successful_count(result.solutions, temperature)
    return f"{good} of {total} ({percent(good / total)})" if total else NOT_DETERMINED


def _alignment_rows(alignment: xr.Dataset | None, columns: int) -> list[Row]:
    if alignment is None:
        return []
    rows = []
    for name, label in (("omega_offset", "ω offset"), ("two_theta_offset", "2θ offset")):
        if name in alignment and alignment[name].size == 1:
            error = float(alignment.get(f"{name}_std", math.nan))
            told = with_error(float(alignment[name]), error, "deg")
            rows.append(Row(label, (told,) * columns, str(alignment[name].attrs.get("comment", ""))))
    return rows
