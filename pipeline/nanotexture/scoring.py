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
from nanotexture.simulate.walls import WallError, wall_error

Array = NDArray[np.float64]

PARALLEL = 0.9998  # cosine: directions of Q within a degree are one
SUCCESS = 0.3  # nrmse below which a start counts as a success
CLOSE = 0.5  # K: temperatures nearer than this are one
FIELDS = ("displacement", "polarization")
PLANE = ("x", "y")  # directions of the plane along which a texture may be periodic


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
    entries = schema.VOLUME_RESULT_TRUTH if "y" in joined.dims else schema.RESULT_TRUTH
    values = {
        name: joined[name].transpose(*entry.dims).values
        for name, entry in entries.items()
        if name != "temperature"
    }
    made = schema.labelled(values | {"temperature": temperatures}, entries, truths[0].attrs)
    return made.assign_coords(vector_labels(volume="y" in joined.dims))


def vector_labels(*, volume: bool) -> dict[str, Any]:
    """Coordinates component and strain_component of a result, with their labels; volume: periodic along x and y."""
    strains = ["xx", "yy", "zz", "xy", "yz", "xz"] if volume else ["xx", "zz", "xz"]
    return {
        "component": (
            "component",
            np.array(["x", "y", "z"] if volume else ["x", "z"], dtype=object),
            _text("component", "Direction of the vector's component."),
        ),
        "strain_component": (
            "strain_component",
            np.array(strains, dtype=object),
            _text("strain component", "Indices of the strain tensor."),
        ),
    }


def truth_tree(truths: list[Truth], attrs: Mapping[str, Any]) -> xr.DataTree:
    """A truth as a tree with /texture laid out as that of a result."""
    return xr.DataTree.from_dict(
        {"/": xr.Dataset(attrs=dict(attrs) | ALL_WRITTEN), "/texture": truth_of_series(truths)}
    )


def score_answer(answer: Scored, truth: Scored) -> xr.Dataset:
    """Scores of every temperature of the answer that the truth has too; UserError if there is none."""
    _refuse_other_directions(answer.texture, truth.texture)
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


def _text(name: str, comment: str) -> dict[str, str]:
    return {"units": "1", "long_name": name, "comment": comment}


def _check(path: Path, texture: xr.Dataset) -> None:
    """InputError unless the variables that are scored are there with the dims and units of a result."""
    volume = "y" in texture.dims
    entries = schema.VOLUME_RESULT_TEXTURE if volume else schema.RESULT_TEXTURE
    lengths = ("period", "period_y", "thickness") if volume else ("period", "thickness")
    plane = [name for name in PLANE if name in texture.dims]
    needed = (*FIELDS, *(f"{name}_std" for name in FIELDS), *lengths, *plane, "z", "temperature")
    for name in dict.fromkeys((*needed, "x")):
        entry = entries[name]
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
    if texture.sizes["component"] != len(plane) + 1:
        named = "components x, y and z" if volume else "components x and z"
        raise InputError(path, "/texture/displacement", named, f"{texture.sizes['component']} components")
    for name, least in (*((name, 4) for name in plane), ("z", 2), ("temperature", 1)):
        values = texture[name].values
        if len(values) < least or (name != "temperature" and not (np.diff(values) > 0).all()):
            raise InputError(
                path, f"/texture/{name}", f"{least} or more rising values", f"{values.size} values"
            )
    for name in lengths:
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


def _refuse_other_directions(answer: xr.Dataset, truth: xr.Dataset) -> None:
    """UserError where one texture is periodic along y and the other uniform."""
    words = ["periodic along x and y" if "y" in one.dims else "uniform along y" for one in (answer, truth)]
    if words[0] != words[1]:
        raise UserError(
            f"/texture: expected a result that is {words[1]}, as the truth, found one that is {words[0]}"
        )


def _score_one(answer: Scored, i: int, truth: xr.Dataset, j: int) -> dict[str, Any]:
    texture, true = answer.texture.isel(temperature=i), truth.isel(temperature=j)
    result, std = _stacked(texture), _stacked(texture, "_std")
    target = _on_grid_of(texture, true, _stacked(true))
    resolved = str(answer.texture.attrs.get("inversion", "unresolved")) == "resolved"
    free, kind = _free(len(target)), _kind(len(target))
    found = score_fields(
        result=result, std=std, truth=target, inversion_resolved=resolved, constant=free, kind=kind
    )
    number, wall = len(target) // 2, _wall_error(result, found.truth, float(texture["period"]))
    scores = {"nrmse": found.nrmse, "correlation": found.correlation, "coverage": found.coverage}
    lengths = [name for name in ("period", "period_y", "thickness") if name in texture]
    return {
        **_along_q(texture, true, answer.texture.attrs.get("q_direction")),
        **{name: value[:number] for name, value in scores.items()},
        **{f"polarization_{name}": value[number:] for name, value in scores.items()},
        **{f"{name}_error": 100 * (float(texture[name]) / float(true[name]) - 1) for name in lengths},
        "wall_error": 0.1 * wall.rms,
        "walls": wall.how,
        "success_rate": _success_rate(answer, i, *_compared(texture, target), resolved),
    }


def _free(number: int) -> NDArray[np.bool_]:
    """Which of displacement and polarization (number,) have a free constant: the displacement's components."""
    return np.arange(number) < number // 2


def _kind(number: int) -> NDArray[np.int64]:
    """0 for the displacement's components, 1 for the polarization's, (number,)."""
    return (np.arange(number) >= number // 2).astype(np.int64)


def _wall_error(result: Array, true: Array, period: float) -> WallError:
    """Walls of displacement and polarization (2 c, x, z) against the true ones; of planes alone."""
    if result.ndim == 4:
        return WallError(float("nan"), "none: walls are compared where a texture is uniform along y")
    return wall_error(
        displacement=result[:2], polarization=result[2:], true_u=true[:2], true_p=true[2:], period=period
    )


def _on_grid_of(texture: xr.Dataset, true: xr.Dataset, fields: Array) -> Array:
    """Fields (c, x, z) or (c, x, y, z) of the truth on the grid of the texture."""
    plane = [name for name in PLANE if name in texture.dims]
    return on_grid(
        truth=fields,
        plane=[true[name].values for name in plane],
        z=true["z"].values,
        new_plane=[texture[name].values for name in plane],
        new_z=texture["z"].values,
    )


def _space(texture: xr.Dataset) -> tuple[str, ...]:
    """Dims of the grid, x and z, or x, y and z."""
    return tuple(name for name in ("x", "y", "z") if name in texture.dims)


def displacement_along(texture: xr.Dataset, direction: Array) -> Array:
    """Displacement (x, z) or (x, y, z) in angstrom of one temperature along a unit vector (c,); NaN where not determined."""
    components = texture["displacement"].transpose("component", *_space(texture)).values
    if "displacement_along_q" in texture and "q_direction" in texture.attrs:
        cosine = float(np.dot(texture.attrs["q_direction"], direction))
        if abs(cosine) > PARALLEL:
            return np.sign(cosine) * texture["displacement_along_q"].transpose(*_space(texture)).values
    return np.asarray(np.tensordot(direction, components, axes=1))


def score_along(texture: xr.Dataset, true: xr.Dataset, direction: Array, std: Array | None = None) -> Score:
    """Score of the displacement of one temperature along a unit vector (c,); arrays have one component.

    std: (x, z) or (x, y, z) angstrom, if known. Shift, constant and, where the answer leaves it open, inversion are removed.
    """
    result = displacement_along(texture, direction)[None]
    target = _on_grid_of(texture, true, displacement_along(true, direction)[None])
    deviation = np.full_like(result, np.nan) if std is None else std[None]
    resolved = texture.attrs.get("inversion", "unresolved") == "resolved"
    return score_fields(result=result, std=deviation, truth=target, inversion_resolved=resolved)


def _along_q(texture: xr.Dataset, true: xr.Dataset, direction: Any) -> dict[str, float]:
    """Scores along Q of an answer whose reflections have one direction; none of an answer with components."""
    if direction is None or "displacement_along_q" not in texture:
        return {}
    std = texture["displacement_along_q_std"].transpose(*_space(texture)).values
    found = score_along(texture, true, np.asarray(direction, float), std)
    names = ("nrmse", "correlation", "coverage")
    return {f"along_q_{name}": float(getattr(found, name)[0]) for name in names}


def _stacked(one: xr.Dataset, suffix: str = "") -> Array:
    """Displacement and polarization (4, x, z) or (6, x, y, z)."""
    return np.concatenate(
        [one[f"{name}{suffix}"].transpose("component", *_space(one)).values for name in FIELDS]
    ).astype(float)


def _compared(texture: xr.Dataset, target: Array) -> tuple[str, Array]:
    """What the starts are judged by: the components told, or the displacement along Q where it is all there is.

    Clusters hold a polarization below its error as well, where the answer is NaN.
    """
    alone = "displacement_along_q" in texture and "q_direction" in texture.attrs
    if not alone:
        told = np.isfinite(_stacked(texture)).any(axis=tuple(range(1, target.ndim)), keepdims=True)
        return "components", np.where(told, target, np.nan)
    direction = np.asarray(texture.attrs["q_direction"], float)
    return "displacement_along_q", np.tensordot(direction, target[: len(direction)], axes=1)[None]


def _cluster_fields(one: xr.Dataset, what: str) -> Array:
    """Fields (cluster, f, x, z) or (cluster, f, x, y, z) of every cluster."""
    if what in one:
        return np.asarray(one[what].transpose("cluster", *_space(one)).values[:, None])
    fields = [one[name].transpose("cluster", "component", *_space(one)).values for name in FIELDS]
    return np.concatenate(fields, axis=1)


def _success_rate(answer: Scored, i: int, what: str, target: Array, resolved: bool) -> float:
    """Share of the starts whose cluster's representative is a success: starts of a cluster are alike."""
    if answer.clusters is None or answer.solutions is None:
        return float("nan")
    motifs = _cluster_fields(answer.clusters.isel(temperature=i), what)
    number = max(len(target), 2)  # one field alone is a displacement
    free, kind = _free(number)[: len(target)], _kind(number)[: len(target)]
    space = tuple(range(1, target.ndim))
    there = np.isfinite(motifs).any(axis=tuple(range(1, motifs.ndim)))
    if not there.any():
        return float("nan")
    use = np.isfinite(motifs[there]).all(axis=(0, *(i + 1 for i in space))) & np.isfinite(target).all(
        axis=space
    )
    if not use.any():
        return float("nan")
    scale = np.array([target[use & (kind[c] == kind)].std() for c in np.flatnonzero(use)])
    found = align(
        motifs[there][:, use], target[use], allow_inversion=not resolved, constant=free[use], scale=scale
    )
    good = np.flatnonzero(there)[found.nrmse < SUCCESS]
    return float(np.isin(answer.solutions["cluster"].values[i], good).mean())
