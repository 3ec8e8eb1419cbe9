"""Volumes along h, k, l (NXRefine): one Brillouin zone in 1/angstrom, whatever the order of the file's axes."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr
from nanotexture.errors import InputError
from nanotexture.readers.hkl_volume import read_hkl_volume
from nanotexture.schema import MAP, check, in_volume
from nexusformat.nexus import NXdata, NXentry, NXfield, NXinstrument, NXmonochromator, NXroot, NXsample

from .hkl_volumes import AXES, CELL, counts_along, write_volume

HKL = (1, 0, 3)


def at(hkl: tuple[float, float, float]) -> float:
    return float(counts_along(*(np.array(n) for n in hkl)))


@pytest.mark.parametrize("order", list(permutations(AXES)))
def test_every_voxel_keeps_its_counts_whatever_the_order_of_the_axes(
    tmp_path: Path, order: tuple[str, ...]
) -> None:
    found = check(read_hkl_volume(write_volume(tmp_path / "a.nxs", order), HKL), in_volume(MAP))
    assert dict(found.sizes) == {"qx": 11, "qy": 11, "qz": 11, "index": 3}
    h, k, ell = (
        found[q].values * CELL[n] / (2 * np.pi) for q, n in zip(("qx", "qy", "qz"), "abc", strict=True)
    )
    assert np.allclose(h, np.linspace(0.5, 1.5, 11))
    assert np.allclose(ell, np.linspace(2.5, 3.5, 11))
    assert np.allclose(found["intensity"], counts_along(*np.meshgrid(h, k, ell, indexing="ij")), atol=1)
    assert float(found["intensity"].max()) == at(HKL)
    assert float(found["energy"]) == pytest.approx(12.39842 / 0.5)


def test_axes_that_fall_are_turned(tmp_path: Path) -> None:
    rising = read_hkl_volume(write_volume(tmp_path / "a.nxs"), HKL)
    with h5py.File(tmp_path / "a.nxs", "r+") as file:
        group = file["entry/transform"]
        data, ell = group["data"][()], group["Ql"][()]
        group["data"][...], group["Ql"][...] = data[::-1], ell[::-1]
    xr.testing.assert_allclose(read_hkl_volume(tmp_path / "a.nxs", HKL), rising)


def test_a_smaller_block_can_be_asked_for(tmp_path: Path) -> None:
    found = read_hkl_volume(write_volume(tmp_path / "a.nxs"), HKL, (0.2, 0.5, 0.3))
    assert found["intensity"].shape == (5, 11, 7)


def test_nan_is_not_measured_and_errors_of_the_file_are_its_variance(tmp_path: Path) -> None:
    def add(file: h5py.File) -> None:
        group = file["entry/transform"]
        group["data_errors"] = 2 * np.sqrt(group["data"][()])
        group["data"][20, 5, 10] = np.nan

    found = read_hkl_volume(write_volume(tmp_path / "a.nxs", change=add), HKL)
    assert found.attrs["variance_from"] == "errors of the file"
    assert int(found["mask"].sum()) == 1
    measured = found["mask"].values == 0
    assert np.isnan(found["intensity"].values[~measured]).all()
    assert np.allclose(found["variance"].values[measured], 4 * found["intensity"].values[measured])


def test_a_file_made_with_nexusformat_and_the_cell_by_threes_is_read(tmp_path: Path) -> None:
    fields = {name: NXfield(values, name=name.lower()[-1].upper()) for name, values in AXES.items()}
    signal = NXfield(counts_along(*np.meshgrid(*AXES.values(), indexing="ij")), name="counts")
    sample = NXsample(unit_cell_abc=[3.9, 4.0, 8.0], unit_cell_alphabetagamma=[90.0, 90.0, 90.0])
    energy = NXfield(24.8, units="keV")
    entry = NXentry(
        NXdata(signal, list(fields.values()), name="data"),
        sample,
        NXinstrument(NXmonochromator(energy=energy), name="instrument"),
    )
    NXroot(entry).save(tmp_path / "b.nxs")
    found = read_hkl_volume(tmp_path / "b.nxs", HKL)
    assert np.array_equal(
        found["intensity"], read_hkl_volume(write_volume(tmp_path / "a.nxs"), HKL)["intensity"]
    )
    assert float(found["energy"]) == 24.8


def moved(name: str) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        del file[name]

    return change


def unit(name: str, units: str) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        file[name].attrs["units"] = units

    return change


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cell": {"gamma": 120}}, r"unit cell: expected angles of 90 deg"),
        ({"cell": {"a": -1}}, "positive lengths"),
        ({"cell": dict.fromkeys(CELL)}, "unitcell_a: expected the unit cell of the sample"),
        ({"cell": {"beta": None}}, "unitcell_beta: expected to be there"),
        ({"Qh": np.linspace(2.0, 4.0, 21)}, "Qh: expected at least 2 voxels within 0.5 of 1, found 2 to 4"),
        ({"Qh": np.linspace(0.0, 2.0, 22)}, r"Qh: expected shape \(21,\)"),
        ({"Ql": np.linspace(1.0, 5.0, 41) ** 2}, "Ql: expected a uniform axis"),
        ({"data": np.zeros((41, 11, 21))}, "data: expected counts around the reflection"),
        ({"data": np.full((41, 11, 21), np.nan)}, "zero or NaN everywhere"),
        ({"data": np.full((41, 11, 21), -1.0)}, "no negative counts"),
        ({"data": np.ones((41, 11))}, "3 dimensions"),
        ({"wavelength": -1.0}, "a photon energy of 0 to 200 keV"),
        ({"group": "entry/other"}, "NXdata with a signal along Qh, Qk, Ql"),
        ({"change": moved("entry/instrument")}, "photon energy or wavelength"),
        ({"change": moved("entry/transform/Qk")}, "Qk: expected to be there"),
        ({"change": unit("entry/transform/Qh", "1/angstrom")}, "reciprocal lattice units"),
        ({"change": unit("entry/sample/unitcell_a", "nm")}, "angstrom or degree"),
    ],
)
def test_what_is_wrong_with_a_volume_is_said(tmp_path: Path, options: dict, message: str) -> None:
    path = write_volume(tmp_path / "a.nxs", **options)
    with pytest.raises(InputError, match=message):
        read_hkl_volume(path, HKL)
