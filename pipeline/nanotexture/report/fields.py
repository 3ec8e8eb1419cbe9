"""The fields of a motif that were determined, one component at a time, with their standard deviations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Field:
    """One component of a field of the motif; value and std (x, z) or (x, y, z), std None where the result has none."""

    key: str
    symbol: str
    units: str
    value: Array
    std: Array | None = None

    @property
    def component(self) -> str:
        """Name of the component: x, z, xx, ..."""
        return self.key.rsplit("_", 1)[-1]

    @property
    def plain(self) -> str:
        """Symbol without its typesetting."""
        return self.symbol.translate({ord(c): None for c in "$_{}\\"})

    @property
    def rms(self) -> float:
        """Root mean square over the motif."""
        return float(np.sqrt(np.nanmean(self.value**2)))

    @property
    def rms_error(self) -> float:
        """Standard error of rms for errors that are fully correlated over the motif, the cautious limit.

        sigma_rms = mean(|u| sigma) / rms(u), from d rms = mean(u du) / rms
        """
        if self.std is None or not self.rms > 0:
            return float("nan")
        return float(np.nanmean(np.abs(self.value) * self.std) / self.rms)

    @property
    def clear_share(self) -> float:
        """Share of the motif where the value exceeds its standard deviation; NaN where there is none."""
        if self.std is None or not np.isfinite(self.std).any():
            return float("nan")
        return float(np.mean(np.abs(self.value) > self.std))


_COMPONENTS = {
    "displacement": ("component", ("x", "z"), "$u_{%s}$"),
    "polarization": ("component", ("x", "z"), "$P_{%s}$"),
    "strain": ("strain_component", ("xx", "zz", "xz"), r"$\varepsilon_{%s}$"),
    "gradient_along_q": ("component", ("x", "z"), r"$\partial u_Q/\partial %s$"),
    "rotation": ("component", ("x", "y", "z"), r"$\omega_{%s}$"),
}
_SCALARS = {"displacement_along_q": "$u_Q$", "rotation": "$\\omega$"}


def displacement_fields(group: xr.Dataset) -> list[Field]:
    """Determined components of the displacement, else the displacement along Q; group without temperature."""
    return component_fields(group, "displacement") or scalar_field(group, "displacement_along_q")


def polarization_fields(group: xr.Dataset) -> list[Field]:
    """Determined components of the polarization."""
    return component_fields(group, "polarization")


def derivative_fields(group: xr.Dataset) -> list[Field]:
    """Strain and rotation, or the gradient of the displacement along Q, whichever is determined."""
    found = component_fields(group, "strain") + scalar_field(group, "rotation")
    if "component" in getattr(group.get("rotation"), "dims", ()):
        found += component_fields(group, "rotation")
    return found or component_fields(group, "gradient_along_q")


def component_fields(group: xr.Dataset, name: str) -> list[Field]:
    """Components of one variable (component, x, z) that are not NaN throughout."""
    if name not in group:
        return []
    dim, labels, symbols = _COMPONENTS[name]
    if group.sizes.get(dim, 0) > len(labels) and dim in group.coords:
        labels = tuple(str(label) for label in group[dim].values)  # of a texture periodic along y too
    std = group.get(f"{name}_std")
    found = []
    for index, label in enumerate(labels):
        symbol = symbols % label
        if index >= group.sizes.get(dim, 0):
            break
        value = group[name].isel({dim: index})
        spread = None if std is None else std.isel({dim: index})
        found.append(_field(f"{name}_{label}", symbol, value, spread))
    return [field for field in found if np.isfinite(field.value).any()]


def scalar_field(group: xr.Dataset, name: str) -> list[Field]:
    """One variable (x, z) in a list, empty where absent, of several components or NaN throughout."""
    if name not in group or "component" in group[name].dims or not np.isfinite(group[name].values).any():
        return []
    return [_field(name, _SCALARS[name], group[name], group.get(f"{name}_std"))]


def _field(key: str, symbol: str, value: xr.DataArray, std: xr.DataArray | None) -> Field:
    dims = [name for name in ("x", "y", "z") if name in value.dims]
    spread = None if std is None else std.transpose(*dims).values
    return Field(key, symbol, str(value.attrs.get("units", "1")), value.transpose(*dims).values, spread)
