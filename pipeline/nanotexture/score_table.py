"""Scores in words and numbers: for JSON, and as a table to read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

FIELDS = ("displacement", "polarization")


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
                for c, axis in enumerate("xyz" if one.sizes["component"] == 3 else "xz")
            }
            for field, prefix in (("displacement", ""), ("polarization", "polarization_"))
        }
        if "along_q_nrmse" in one:
            names = ("nrmse", "correlation", "coverage")
            fields["along_q"] = {name: _plain(float(one[f"along_q_{name}"])) for name in names}
        scalars = [name for name in _SCALARS if name in one]
        every.append(
            {"temperature": _plain(float(one["temperature"])), **fields}
            | {name: _plain(float(one[name])) for name in scalars}
            | {"walls": str(one["walls"].values)}
        )
    return {"temperatures": every}


_SCALARS = ("period_error", "period_y_error", "thickness_error", "wall_error", "success_rate")


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
        across = f"period along y {_cell(one['period_y_error'])} %, " if "period_y_error" in one else ""
        table.append(
            f"{label:>8} period {_cell(one['period_error'])} %, {across}thickness {_cell(one['thickness_error'])} %, "
            f"walls {_cell(one['wall_error'])} nm ({one['walls']}), starts that succeed {_cell(one['success_rate'])}"
        )
    return table


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _plain(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None
