"""An answer scored against a truth: two labelled textures, at each temperature that both have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from nanotexture import schema
from nanotexture.chunks import ALL_WRITTEN, refuse_lost_chunks
from nanotexture.errors import InputError, UserError
from nanotexture.phasing.alignment import align
from nanotexture.quantities import Truth
from nanotexture.simulate.score import Score, on_grid, score_fields
from nanotexture.simulate.walls import wall_error

Array = NDArray[np.float64]

PARALLEL = 0.9998  # cosine: directions of Q within a degree are one
SUCCESS = 0.3  # nrmse below which a start counts as a success
CLOSE = 0.5  # K: temperatures nearer than this are one
FIELDS = ("displacement", "polarization")
FREE = np.array([True, True, False, False])  # the displacement has a free constant, the polarization none
KIND = np.array([0, 0, 1, 1])


@dataclass(frozen=True)
class Scored:
    """One side of a comparison: a texture, and the starts that led to it where there were any."""

    texture: xr.Dataset
    clusters: xr.Dataset | None = None
    solutions: xr.Dataset | None = None


def truth_of_series(truths: list[Truth]) -> xr.Dataset:
    """Truths of all temperatures as one dataset, laid out as /texture of a result."""
    temperatures = np.array([float(one["temperature"]) for one in truths])
    joined = xr.concat([one.drop_vars("temperature") for one in truths], "temperature", join="outer")
    values = {
        name: joined[name].transpose(*entry.dims).values
        for name, entry in schema.RESULT_TRUTH.items()
        if name != "temperature"
    }
    made = schema.labelled(values | {"temperature": temperatures}, schema.RESULT_TRUTH, truths[0].attrs)
    return made.assign_coords(
        component=(
            "component",
            np.array(["x", "z"], dtype=object),
            _text("component", "Direction of the vector's component."),
        ),
        strain_component=(
            "strain_component",
            np.array(["xx", "zz", "xz"], dtype=object),
            _text("strain component", "Indices of the strain tensor."),
        ),
    )


def truth_tree(truths: list[Truth], attrs: Mapping[str, Any]) -> xr.DataTree:
    """A truth as a tree with /texture laid out as that of a result."""
    return xr.DataTree.from_dict(
        {"/": xr.Dataset(attrs=dict(attrs) | ALL_WRITTEN), "/texture": truth_of_series(truths)}
    )


def score_answer(answer: Scored, truth: Scored) -> xr.Dataset:
    """Scores of every temperature of the answer that the truth has too; UserError if there is none."""
    pairs = _pairs(answer.texture, truth.texture)
    rows = [_score_one(answer, i, truth.texture, j) for i, j in pairs]
    values: dict[str, Any] = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    values["temperature"] = answer.texture["temperature"].values[[i for i, _ in pairs]]
    return schema.labelled(values, schema.SCORE)


def open_scored(path: Path) -> Scored:
    """A result.zarr or truth.zarr opened and checked; InputError names store, group and variable."""
    if not (path / "zarr.json").is_file():
        raise InputError(path, "store", "a result.zarr or truth.zarr folder", "no zarr.json in it")
    refuse_lost_chunks(path)
    try:
        with xr.open_datatree(path, engine="zarr", consolidated=False) as opened:
            tree = opened.load()
    except Exception as error:  # zarr, its codecs and json raise errors of many kinds at damaged stores
        raise InputError(
            path, "store", "a readable Zarr store", f"{type(error).__name__}: {error}"
        ) from error
    groups = {name: child.to_dataset() for name, child in tree.children.items()}
    if "texture" not in groups:
        raise InputError(path, "group /texture", "the texture to score", f"groups {sorted(map(str, groups))}")
    _check(path, groups["texture"])
    starts = {"clusters", "solutions"} <= set(groups)
    return Scored(
        groups["texture"], groups["clusters"] if starts else None, groups["solutions"] if starts else None
    )


def summary(score: xr.Dataset) -> dict[str, Any]:
    """Scores as plain values for JSON; what is not known is None."""
    every = []
    for t in range(score.sizes["temperature"]):
        one = score.isel(temperature=t)
        fields: dict[str, Any] = {
            field: {
                axis: {
                    name: _plain(one[f"{prefix}{name}"].values[c])
                    for name in ("nrmse", "correlation", "coverage")
                }
                for c, axis in enumerate("xz")
            }
            for field, prefix in (("displacement", ""), ("polarization", "polarization_"))
        }
        if "along_q_nrmse" in one:
            names = ("nrmse", "correlation", "coverage")
            fields["along_q"] = {name: _plain(float(one[f"along_q_{name}"])) for name in names}
        scalars = ("period_error", "thickness_error", "wall_error", "success_rate")
        every.append(
            {"temperature": _plain(float(one["temperature"])), **fields}
            | {name: _plain(float(one[name])) for name in scalars}
            | {"walls": str(one["walls"].values)}
        )
    return {"temperatures": every}


def lines(found: Mapping[str, Any]) -> list[str]:
    """The summary as a table to read."""
    head = f"{'T (K)':>8} {'field':<14}{'nrmse':>9}{'correlation':>13}{'coverage':>10}"
    table = [head]
    for one in found["temperatures"]:
        label = "-" if one["temperature"] is None else f"{one['temperature']:g}"
        for field in FIELDS:
            for axis, row in one[field].items():
                cells = f"{_cell(row['nrmse']):>9}{_cell(row['correlation']):>13}{_cell(row['coverage']):>10}"
                table.append(f"{label:>8} {field[:12] + ' ' + axis:<14}{cells}")
        if (row := one.get("along_q")) is not None:
            cells = f"{_cell(row['nrmse']):>9}{_cell(row['correlation']):>13}{_cell(row['coverage']):>10}"
            table.append(f"{label:>8} {'along Q':<14}{cells}")
        table.append(
            f"{label:>8} period {_cell(one['period_error'])} %, thickness {_cell(one['thickness_error'])} %, "
            f"walls {_cell(one['wall_error'])} nm ({one['walls']}), starts that succeed {_cell(one['success_rate'])}"
        )
    return table


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _plain(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None


def _text(name: str, comment: str) -> dict[str, str]:
    return {"units": "1", "long_name": name, "comment": comment}


def _check(path: Path, texture: xr.Dataset) -> None:
    """InputError unless the variables that are scored are there with the dims and units of a result."""
    needed = (*FIELDS, *(f"{name}_std" for name in FIELDS), "period", "thickness", "x", "z", "temperature")
    for name in needed:
        entry = schema.RESULT_TEXTURE[name]
        if name not in texture.variables:
            raise InputError(path, f"/texture/{name}", f"a variable with dims {entry.dims}", "none")
        variable = texture[name]
        if set(variable.dims) != set(entry.dims):
            raise InputError(path, f"/texture/{name}", f"dims {entry.dims}", str(variable.dims))
        if variable.attrs.get("units") != entry.units:
            raise InputError(
                path, f"/texture/{name}", f"units {entry.units!r}", repr(variable.attrs.get("units"))
            )
        if variable.dtype.kind not in "fiu":
            raise InputError(path, f"/texture/{name}", "numbers", str(variable.dtype))
    if texture.sizes["component"] != 2:
        raise InputError(
            path, "/texture/displacement", "components x and z", f"{texture.sizes['component']} components"
        )
    for name, least in (("x", 4), ("z", 2), ("temperature", 1)):
        values = texture[name].values
        if len(values) < least or (name != "temperature" and not (np.diff(values) > 0).all()):
            raise InputError(
                path, f"/texture/{name}", f"{least} or more rising values", f"{values.size} values"
            )
    for name in ("period", "thickness"):
        if not (texture[name].values > 0).all():
            raise InputError(path, f"/texture/{name}", "lengths above 0 angstrom", str(texture[name].values))


def _pairs(answer: xr.Dataset, truth: xr.Dataset) -> list[tuple[int, int]]:
    """Temperatures of the answer with those of the truth; the only ones there are belong together."""
    these, those = (np.atleast_1d(one["temperature"].values) for one in (answer, truth))
    if len(these) == len(those) == 1 and not np.isfinite([these[0], those[0]]).all():
        return [(0, 0)]
    found = (
        [
            (i, j)
            for i, t in enumerate(these)
            for j in [int(np.abs(those - t).argmin())]
            if abs(those[j] - t) < CLOSE
        ]
        if np.isfinite(those).all() and np.isfinite(these).all()
        else []
    )
    if not found:
        raise UserError(
            f"temperatures: expected one that result and truth share, found {these.tolist()} and {those.tolist()} K"
        )
    return found


def _score_one(answer: Scored, i: int, truth: xr.Dataset, j: int) -> dict[str, Any]:
    texture, true = answer.texture.isel(temperature=i), truth.isel(temperature=j)
    result, std = _stacked(texture), _stacked(texture, "_std")
    target = on_grid(
        truth=_stacked(true),
        x=true["x"].values,
        z=true["z"].values,
        new_x=texture["x"].values,
        new_z=texture["z"].values,
    )
    resolved = str(answer.texture.attrs.get("inversion", "unresolved")) == "resolved"
    found = score_fields(
        result=result, std=std, truth=target, inversion_resolved=resolved, constant=FREE, kind=KIND
    )
    period = float(texture["period"])
    wall = wall_error(
        displacement=result[:2],
        polarization=result[2:],
        true_u=found.truth[:2],
        true_p=found.truth[2:],
        period=period,
    )
    scores = {"nrmse": found.nrmse, "correlation": found.correlation, "coverage": found.coverage}
    return {
        **_along_q(texture, true, answer.texture.attrs.get("q_direction")),
        **{name: value[:2] for name, value in scores.items()},
        **{f"polarization_{name}": value[2:] for name, value in scores.items()},
        "period_error": 100 * (period / float(true["period"]) - 1),
        "thickness_error": 100 * (float(texture["thickness"]) / float(true["thickness"]) - 1),
        "wall_error": 0.1 * wall.rms,
        "walls": wall.how,
        "success_rate": _success_rate(answer, i, *_compared(texture, target), resolved),
    }


def displacement_along(texture: xr.Dataset, direction: Array) -> Array:
    """Displacement (x, z) in angstrom of one temperature along a unit vector (2,); NaN where it is not determined."""
    components = texture["displacement"].transpose("component", "x", "z").values
    if "displacement_along_q" in texture and "q_direction" in texture.attrs:
        cosine = float(np.dot(texture.attrs["q_direction"], direction))
        if abs(cosine) > PARALLEL:
            return np.sign(cosine) * texture["displacement_along_q"].transpose("x", "z").values
    return np.asarray(np.einsum("c,cxz->xz", direction, components))


def score_along(texture: xr.Dataset, true: xr.Dataset, direction: Array, std: Array | None = None) -> Score:
    """Score of the displacement of one temperature along a unit vector (2,); arrays have one component.

    std: (x, z) angstrom, if known. Shift, constant and, where the answer leaves it open, inversion are removed.
    """
    result = displacement_along(texture, direction)[None]
    target = on_grid(
        truth=displacement_along(true, direction)[None],
        x=true["x"].values,
        z=true["z"].values,
        new_x=texture["x"].values,
        new_z=texture["z"].values,
    )
    deviation = np.full_like(result, np.nan) if std is None else std[None]
    resolved = texture.attrs.get("inversion", "unresolved") == "resolved"
    return score_fields(result=result, std=deviation, truth=target, inversion_resolved=resolved)


def _along_q(texture: xr.Dataset, true: xr.Dataset, direction: Any) -> dict[str, float]:
    """Scores along Q of an answer whose reflections have one direction; none of an answer with components."""
    if direction is None or "displacement_along_q" not in texture:
        return {}
    std = texture["displacement_along_q_std"].transpose("x", "z").values
    found = score_along(texture, true, np.asarray(direction, float), std)
    names = ("nrmse", "correlation", "coverage")
    return {f"along_q_{name}": float(getattr(found, name)[0]) for name in names}


def _stacked(one: xr.Dataset, suffix: str = "") -> Array:
    """Displacement and polarization (4, x, z)."""
    return np.concatenate(
        [one[f"{name}{suffix}"].transpose("component", "x", "z").values for name in FIELDS]
    ).astype(float)


def _compared(texture: xr.Dataset, target: Array) -> tuple[str, Array]:
    """What the starts are judged by: the components told, or the displacement along Q where it is all there is.

    Clusters hold a polarization below its error as well, where the answer is NaN.
    """
    alone = "displacement_along_q" in texture and "q_direction" in texture.attrs
    if not alone:
        told = np.asarray(np.isfinite(_stacked(texture)).any(axis=(1, 2)))
        return "components", np.where(told[:, None, None], target, np.nan)
    direction = np.asarray(texture.attrs["q_direction"], float)
    return "displacement_along_q", np.einsum("c,cxz->xz", direction, target[:2])[None]


def _cluster_fields(one: xr.Dataset, what: str) -> Array:
    """Fields (cluster, f, x, z) of every cluster."""
    if what in one:
        return np.asarray(one[what].transpose("cluster", "x", "z").values[:, None])
    fields = [one[name].transpose("cluster", "component", "x", "z").values for name in FIELDS]
    return np.concatenate(fields, axis=1)


def _success_rate(answer: Scored, i: int, what: str, target: Array, resolved: bool) -> float:
    """Share of the starts whose cluster's representative is a success: starts of a cluster are alike."""
    if answer.clusters is None or answer.solutions is None:
        return float("nan")
    motifs = _cluster_fields(answer.clusters.isel(temperature=i), what)
    free, kind = (FREE, KIND) if len(target) == len(KIND) else (FREE[:1], KIND[:1])
    there = np.isfinite(motifs).any(axis=(1, 2, 3))
    if not there.any():
        return float("nan")
    use = np.isfinite(motifs[there]).all(axis=(0, 2, 3)) & np.isfinite(target).all(axis=(1, 2))
    if not use.any():
        return float("nan")
    scale = np.array([target[use & (kind[c] == kind)].std() for c in np.flatnonzero(use)])
    found = align(
        motifs[there][:, use], target[use], allow_inversion=not resolved, constant=free[use], scale=scale
    )
    good = np.flatnonzero(there)[found.nrmse < SUCCESS]
    return float(np.isin(answer.solutions["cluster"].values[i], good).mean())
