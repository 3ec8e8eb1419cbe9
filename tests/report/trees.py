"""Results like those of a run, made from a planted motif: what every test of the report opens."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import numpy as np
import xarray as xr
from nanotexture import schema
from nanotexture.schema import labelled

A_IN, C_FILM, PLANES, N_X = 3.9885, 3.96, 80, 48
RECIPE = """name = "pto_kto"
[film]
in_plane = "3.9885 angstrom"
substrate = { material = "KTaO3", c = "3.9885 angstrom" }
repeat = 5
stack = [
  { material = "SrTiO3", cells = 8, c = "3.905 angstrom" },
  { material = "PbTiO3", cells = 8, c = "4.020 angstrom" } ]
"""


@dataclass(frozen=True)
class Plan:
    """What a tree should hold."""

    hkls: tuple[tuple[int, int, int], ...] = ((-1, 0, 3),)
    temperatures: tuple[float, ...] = (float("nan"),)
    components: bool = False
    failed: bool = False
    truth: bool = False
    highest: int = 2
    attrs: dict[str, object] = field(default_factory=dict)


SINGLE = Plan()
THREE = Plan(hkls=((-1, 0, 3), (1, 0, 3), (0, 0, 4)), components=True, truth=True)
SERIES = Plan(temperatures=(11.0, 120.0, 295.0))
FAILED = Plan(failed=True)


def result_tree(plan: Plan = SINGLE, seed: int = 0) -> xr.DataTree:
    """Tree of a result with the groups of the contract."""
    rng = np.random.default_rng(seed)
    periods = np.array([234.62 + 1.9 * k for k in range(len(plan.temperatures))])
    size = np.array([1.0 - 0.3 * k for k in range(len(plan.temperatures))])
    groups: dict[str, xr.Dataset] = {"/": xr.Dataset(attrs=root_attrs(plan))}
    for hkl in plan.hkls:
        measured, orders = reflection(plan, hkl, periods, size, rng)
        groups[f"/maps/{name(hkl)}"], groups[f"/orders/{name(hkl)}"] = measured, orders
    groups["/solutions"], groups["/clusters"] = solutions(plan, rng), clusters(plan, size)
    groups["/texture"] = texture(plan, periods, size)
    if len(plan.hkls) > 2:
        groups["/left_out"] = left_out(plan)
    if plan.truth:
        groups["/truth"], groups["/score"] = truth_and_score(size[0])
    return xr.DataTree.from_dict(groups)


def left_out(plan: Plan) -> xr.Dataset:
    """The last reflection is not foretold by the others, in its order -2."""
    number, t = len(plan.hkls), len(plan.temperatures)
    fitted = np.full((t, number), 1.1)
    told, order = fitted + 0.2, np.full((t, number), 1.0)
    told[:, -1], order[:, -1] = 40.0, -2.0
    costs = {"cost_fitted": fitted, "cost_left_out": told, "worst_order": order}
    return whole({"hkl": np.array(plan.hkls), **costs}, schema.RESULT_LEFT_OUT)


def whole(
    values: dict[str, object], entries: schema.Schema, attrs: dict[str, object] | None = None
) -> xr.Dataset:
    """Labelled dataset; what the schema asks for beyond the given values is NaN, as where it is not known."""
    sizes = {d: n for k, v in values.items() for d, n in zip(entries[k].dims, np.shape(v), strict=True)}
    for key, entry in entries.items():
        if key not in values and not entry.optional:
            values[key] = np.full([sizes[d] for d in entry.dims], np.nan)
    return labelled(values, entries, attrs)


def name(hkl: tuple[int, int, int]) -> str:
    return "".join(str(i) for i in hkl)


def root_attrs(plan: Plan) -> dict[str, object]:
    inputs = [{"file": f"maps/{name(hkl)}.nxs", "sha256": "ab12" * 16, "bytes": 812345} for hkl in plan.hkls]
    versions = {"nanotexture": "0.1.0", "numpy": "2.4.6", "torch": "2.13.0"}
    return {
        "contract": 1,
        "creator": "nanotexture",
        "version": "0.1.0",
        "name": "pto_kto",
        "recipe": RECIPE,
        "inputs": json.dumps(inputs),
        "versions": json.dumps(versions),
        "warnings": json.dumps([]),
    } | plan.attrs


def motif(size: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Displacement (component, x, z) in angstrom and polarization in C/m^2."""
    x, z = np.arange(N_X)[:, None] / N_X, (np.arange(PLANES) / PLANES)[None]
    grow, wave = 0.3 + 0.7 * np.sin(np.pi * z / 1.6), 2 * np.pi * (x - 0.18 * z)
    u_x = 0.055 * grow * (np.sin(wave) + 0.35 * np.sin(2 * wave + 0.7))
    u_z = 0.085 * grow * (np.cos(wave) + 0.4 * np.cos(2 * wave - 0.4) + 0.15 * np.cos(3 * wave))
    p = 0.55 * np.stack(
        [np.sin(2 * np.pi * x) * np.cos(np.pi * z), np.cos(2 * np.pi * x) * np.sin(np.pi * z)]
    )
    u = size * np.stack([u_x, u_z])
    return u - u.mean(axis=(1, 2), keepdims=True), size * p


def heights() -> np.ndarray:
    return np.arange(PLANES) * C_FILM


def direction(hkl: tuple[int, int, int]) -> np.ndarray:
    q = np.array([hkl[0] / A_IN, hkl[2] / C_FILM])
    return q / np.hypot(*q)


def reflection(plan, hkl, periods, size, rng) -> tuple[xr.Dataset, xr.Dataset]:
    """Measured and calculated map of one reflection at every temperature, and its orders."""
    g_x, g_z = 2 * np.pi * hkl[0] / A_IN, 2 * np.pi * hkl[2] / C_FILM
    qx, qz = g_x + np.linspace(-0.13, 0.13, 150), g_z + np.linspace(-0.1, 0.1, 120)
    n = np.arange(-plan.highest, plan.highest + 1)
    per_t = [
        one_map(hkl, g_x, g_z, qx, qz, n, period, s, rng) for period, s in zip(periods, size, strict=True)
    ]
    stacked = {key: np.stack([found[key] for found in per_t]) for key in per_t[0]}
    map_keys = ("intensity", "variance", "mask", "model")
    measured = whole(
        {"qx": qx, "qz": qz} | {k: stacked[k] for k in map_keys}, schema.RESULT_MAP
    ).assign_coords(temperature=("temperature", np.array(plan.temperatures)))
    order_keys = {k: stacked[f"order_{k}"] for k in ("intensity", "variance", "model", "held_out")}
    lines = {k: stacked[k] for k in ("line_position", "line_width", "line_width_std", "line_lorentz")}
    if plan.failed:
        dark = np.abs(n) > 0
        for values in (order_keys["intensity"], order_keys["variance"], order_keys["model"]):
            values[:, dark] = np.nan
    orders = whole({"qz": qz, "order": n} | order_keys | lines, schema.RESULT_ORDERS)
    return measured, orders


def one_map(hkl, g_x, g_z, qx, qz, n, period, size, rng) -> dict[str, np.ndarray]:
    """Counts of one map: satellites of the planted motif on lines that widen with the order."""
    u, _ = motif(size)
    wave = np.fft.fft(np.exp(1j * (g_x * u[0] + g_z * u[1])), axis=0)[n] / N_X
    amplitude = wave @ np.exp(1j * np.outer(heights(), qz - g_z))
    strength = np.abs(amplitude) ** 2
    strength *= 6e4 / strength[n == 0].max()
    centre, width = g_x + 2 * np.pi * n / period, 0.0028 * (1 + 0.25 * n**2)
    line = 1 / (1 + ((qx[None] - centre[:, None]) / (width[:, None] / 2)) ** 2) * 2 / (np.pi * width[:, None])
    model = line.T @ strength + 2.0
    mask = np.zeros(model.shape, "u1")
    mask[60:64], mask[:, :6] = 1, 1
    counts = np.where(mask > 0, np.nan, rng.poisson(model * (1 + 0.02 * rng.standard_normal(model.shape))))
    variance = np.maximum(counts, 1.0)
    order_variance = (0.05 * strength) ** 2 + (2.0 + 0.03 * np.sqrt(strength)) ** 2
    order_counts = strength + np.sqrt(order_variance) * rng.standard_normal(strength.shape)
    order_counts[:, :6] = np.nan
    held = ((np.arange(len(qz))[None] // 6 + n[:, None]) % 7 == 0).astype("u1")
    return {
        "intensity": counts,
        "variance": variance,
        "mask": mask,
        "model": model,
        "order_intensity": order_counts,
        "order_variance": order_variance,
        "order_model": strength,
        "order_held_out": held,
        "line_position": centre,
        "line_width": width,
        "line_width_std": 0.04 * width,
        "line_lorentz": np.full(n.shape, 0.9),
    }


def solutions(plan: Plan, rng: np.random.Generator, starts: int = 24) -> xr.Dataset:
    t = len(plan.temperatures)
    cluster = np.tile(np.sort(rng.choice([0, 0, 0, 1, 2, -1], starts)), (t, 1))
    if plan.failed:
        cluster[:] = -1
    cost = np.where(cluster < 0, np.nan, 1.1 + 0.03 * cluster**2 + 0.01 * rng.random((t, starts)))
    outcome = np.where(
        cluster < 0, "not determined", np.where(rng.random((t, starts)) < 0.8, "converged", "stalled")
    )
    values = {
        "cost": cost,
        "free_cost": 1.3 * cost + 0.1 * rng.random((t, starts)),
        "cluster": cluster,
        "iterations": rng.integers(20, 90, (t, starts)),
        "outcome": outcome.astype(object),
        "seed": np.arange(starts),
    }
    return whole(values, schema.RESULT_SOLUTIONS)


def clusters(plan: Plan, size: np.ndarray) -> xr.Dataset:
    fields = [[motif(s * (1 - 0.15 * k)) for k in range(3)] for s in size]
    u = np.array([[np.roll(f[0], 6 * k, axis=1) for k, f in enumerate(row)] for row in fields])
    p = np.array([[f[1] for f in row] for row in fields])
    u, p, along = hidden(plan, u, p)
    numbers = np.tile(
        np.array([[0.62, 0.25, 0.13], [1.1, 1.13, 1.22], [1.45, 1.5, 1.61], [0.04, 0.06, np.nan]]), 1
    )
    if plan.failed:
        numbers = numbers * np.nan
    values = dict(
        zip(
            ("weight", "cost", "free_cost", "spread"),
            np.tile(numbers[:, None], (1, len(size), 1)),
            strict=True,
        )
    )
    values |= {"displacement": u, "polarization": p} | along
    return whole(values, schema.RESULT_CLUSTERS)


def hidden(plan: Plan, u: np.ndarray, p: np.ndarray) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Fields (..., component, x, z) with NaN where the plan's reflections do not determine them."""
    if plan.failed:
        return u * np.nan, p * np.nan, {}
    if plan.components:
        return u, p, {}
    along = np.einsum("c,...cxz->...xz", direction(plan.hkls[0]), u)
    return u * np.nan, p * np.nan, {"displacement_along_q": along}


def texture(plan: Plan, periods: np.ndarray, size: np.ndarray) -> xr.Dataset:
    fields = [motif(s) for s in size]
    u, p, along = hidden(plan, np.array([f[0] for f in fields]), np.array([f[1] for f in fields]))
    d_x = (np.roll(u, -1, axis=2) - np.roll(u, 1, axis=2)) / (2 * periods[:, None, None, None] / N_X)
    d_z = np.gradient(u, C_FILM, axis=3)
    strain = np.stack([d_x[:, 0], d_z[:, 1], (d_z[:, 0] + d_x[:, 1]) / 2], axis=1)
    values: dict[str, object] = scalars(plan, periods)
    values |= {"displacement": u, "displacement_std": 0.012 + 0 * u, "polarization": p}
    values |= {"polarization_std": 0.08 + 0 * p, "strain": strain, "strain_std": 0.0008 + 0 * strain}
    values |= {"rotation": (d_z[:, 0] - d_x[:, 1]) / 2}
    if along:
        q = along["displacement_along_q"]
        slope = np.stack([np.gradient(q, periods[0] / N_X, axis=1), np.gradient(q, C_FILM, axis=2)], axis=1)
        values |= {"displacement_along_q": q, "displacement_along_q_std": 0.01 + 0.01 * np.abs(q)}
        values |= {"gradient_along_q": slope, "gradient_along_q_std": 0.0006 + 0 * slope}
    determined = [] if plan.failed else ["x", "z"] if plan.components else ["along_q"]
    attrs: dict[str, object] = {
        "solver": "motif",
        "inversion": "resolved" if plan.components else "unresolved",
        "inversion_delta_cost": 0.84 if plan.components else 0.01,
        "determined_components": json.dumps(determined),
    }
    if not plan.components:
        attrs["q_direction"] = [float(v) for v in direction(plan.hkls[0])]
    return whole(values, schema.RESULT_TEXTURE, attrs)


def scalars(plan: Plan, periods: np.ndarray) -> dict[str, object]:
    one = np.ones(len(periods))
    cost = np.nan if plan.failed else 1.1
    return {
        "period": periods,
        "period_std": 0.1 * one,
        "thickness": 316.8 + 0.3 * np.arange(len(periods)),
        "thickness_std": 0.7 * one,
        "correlation_length": 1490.0 * one,
        "c": C_FILM + 0.002 * np.arange(len(periods)),
        "c_std": 0.0012 * one,
        "gap": 0.31 * one,
        "gap_std": 0.02 * one,
        "determined": 0.83 * one,
        "cost": cost * one,
        "free_cost": 1.3 * cost * one,
        "amplitude_correlation": 0.981 * one,
        "x": np.arange(N_X) / N_X,
        "x_position": periods[:, None] * np.arange(N_X) / N_X,
        "z": heights(),
        "temperature": np.array(plan.temperatures),
    }


def truth_and_score(size: float) -> tuple[xr.Dataset, xr.Dataset]:
    u, p = motif(size)
    noise = 0.006 * np.random.default_rng(3).standard_normal(u.shape)
    axes = {
        "x": np.arange(N_X) / N_X,
        "z": heights(),
        "period": np.array([234.7]),
        "thickness": np.array([317.0]),
    }
    axes |= {"temperature": np.array([np.nan]), "strain": np.full((1, 3, N_X, len(heights())), np.nan)}
    moved = {
        "displacement": np.roll(u + noise, 9, axis=1)[None],
        "polarization": np.roll(p, 9, axis=1)[None],
    }
    score = {
        "nrmse": np.array([[0.09, 0.13]]),
        "coverage": np.array([[0.66, 0.7]]),
        "period_error": np.array([0.034]),
        "walls": ["sign changes of P_z"],
        "temperature": np.array([np.nan]),
    }
    return whole(axes | moved, schema.RESULT_TRUTH), whole(score, schema.SCORE)
