"""Where the film peak is along qz, and the rod of order 0 set up for the fit of thickness, c and gap."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nanotexture.film.config import FilmConfig
from nanotexture.film.kernel import plane_kernel, substrate_amplitude
from nanotexture.film.rod import nearest_bragg
from nanotexture.film.structure_factor import structure_factor
from nanotexture.preparation.lines import LineFit
from nanotexture.preparation.rod_fit import (
    FlatFilm,
    LayeredFilm,
    RodData,
    RodFit,
    UniformFilm,
    fit_rod,
    thickness_guess,
)

Array = NDArray[np.float64]

NEAR_SUBSTRATE = (
    0.02  # relative distance in qz from the substrate's Bragg point that is not taken for the film
)


def sum_over_orders(fit: LineFit) -> Array:
    """Sum of all orders (nz,) in count/angstrom; an order not covered is replaced by its mirror order, if measured."""
    values = fit.intensity
    mirrored = np.where(np.isfinite(values), values, values[::-1])
    total = np.nansum(mirrored, axis=0)
    measured = np.isfinite(fit.intensity[len(fit.orders) // 2])
    return np.where(measured, np.clip(total, 0.0, None), np.nan)


def film_peak(qz: Array, total: Array, film: FilmConfig, index: int, tolerance: float) -> float:
    """qz (1/angstrom) of the film's Bragg peak l: the maximum near 2 pi l / c that is not the substrate's."""
    expected = 2 * np.pi * index / film.c_guess
    near = np.abs(qz - expected) <= tolerance * abs(expected)
    if film.substrate is not None:
        # not of the reflection's index: the film's cell may be another multiple of the substrate's
        bragg = float(nearest_bragg(qz=expected, c=film.substrate.c))
        near &= np.abs(qz - bragg) > min(NEAR_SUBSTRATE * abs(bragg), 0.5 * abs(bragg - expected))
    values = np.where(near, np.nan_to_num(total, nan=-1.0), -1.0)
    return float(qz[int(values.argmax())])


def single_layer_amplitude(
    *, qz: Array, film: FilmConfig, hkl: tuple[int, int, int], energy_kev: float, c: float
) -> FlatFilm:
    """Amplitude of a film of one material from (c, thickness, roughness); its structure factor is taken at c."""
    factor = structure_factor(
        material=film.layers[0].material,
        h=np.array(float(hkl[0])),
        k=float(hkl[1]),
        qz=qz,
        in_plane=film.in_plane,
        c=c,
        energy_kev=energy_kev,
    )
    return UniformFilm(qz, factor)


def rod_data(
    *, qz: Array, fit: LineFit, film: FilmConfig, hkl: tuple[int, int, int], energy_kev: float, c: float
) -> RodData:
    """Order 0 with the amplitudes it is fitted with."""
    middle = len(fit.orders) // 2
    if film.single:
        amplitude = single_layer_amplitude(qz=qz, film=film, hkl=hkl, energy_kev=energy_kev, c=c)
    else:
        stack = film.stack(c=c, thickness=0.0)
        kernel = plane_kernel(stack=stack, hkl=hkl, qz=qz, energy_kev=energy_kev)
        factors = kernel * np.exp(-1j * qz[:, None] * stack.heights[None, :])
        amplitude = LayeredFilm(qz, factors, stack.heights, stack.mean_c)
    below = substrate_amplitude(
        substrate=film.below(), hkl=hkl, qz=qz, in_plane=film.in_plane, energy_kev=energy_kev
    )
    return RodData(qz, fit.intensity[middle], fit.variance[middle], sum_over_orders(fit), amplitude, below)


def thickness_scan_range(film: FilmConfig, c: float, qz: Array, total: Array) -> Array:
    """Thicknesses (angstrom) to scan: around the recipe's where it says one, else around the width of the film peak."""
    if not film.single:
        return np.array([film.stack(c=c, thickness=0.0).thickness])
    layer = film.layers[0]
    told = film.thickness or (layer.cells * c if layer.cells else None)
    if told is not None:
        return told * np.linspace(0.94, 1.06, 7)
    return thickness_guess(qz, total) * np.geomspace(0.8, 1.5, 22)


def fit_film(
    *,
    qz: Array,
    fit: LineFit,
    film: FilmConfig,
    hkl: tuple[int, int, int],
    energy_kev: float,
    tolerance: float,
) -> RodFit:
    """Thickness, c and gap from one reflection's orders."""
    total = sum_over_orders(fit)
    peak = film_peak(qz, total, film, hkl[2], tolerance)
    c = 2 * np.pi * hkl[2] / peak if film.single else film.c_guess
    data = rod_data(qz=qz, fit=fit, film=film, hkl=hkl, energy_kev=energy_kev, c=c)
    found = fit_rod(data, c=c, thicknesses=thickness_scan_range(film, c, qz, total))
    flat = np.abs(data.film(found.c, found.thickness, 0.0)) ** 2
    return replace(found, summed=summed_scale(np.clip(fit.intensity, 0.0, None), fit.orders, flat))


def summed_scale(intensity: Array, orders: NDArray[np.int64], flat: Array) -> float:
    """Scale by the sum of all orders, which a texture of pure phase cannot change, over |A|^2 (nz,) of the flat film.

    intensity (n, nz) of orders (n,), NaN where not measured: there that of the opposite order stands for it.

    Order 0 is summed over the film peak only, where the substrate adds little; satellites over all rows, since inclined
    walls move them along qz.
    """
    values = np.nan_to_num(np.where(np.isfinite(intensity), intensity, intensity[::-1]))
    peak = flat > 0.01 * flat.max()
    total = values[orders != 0].sum() + values[orders == 0][:, peak].sum()
    return float(max(total, 1e-12) / flat[peak].sum())
