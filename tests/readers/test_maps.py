"""Map files of the contract, and every way in which they can be wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from nanotexture.errors import InputError
from nanotexture.readers import MapHeader, hdf5_safety, read_map, read_map_header
from nanotexture.schema import MAP, check

from .conftest import write_map

Change = Callable[[h5py.File], None]
DATA = "entry/data"


@pytest.fixture(autouse=True)
def no_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """These files are wrong but whole: no child process has to find out that the library survives them."""
    monkeypatch.setattr(hdf5_safety, "_probed", lambda *_: "")


def replaced(name: str, value: object, units: str | None = None) -> Change:
    """A change that puts another value in a dataset's place, its units kept unless others are given."""

    def change(file: h5py.File) -> None:
        old = dict(file[name].attrs) if name in file else {}
        if name in file:
            del file[name]
        file[name] = value
        file[name].attrs.update(old if units is None else {"units": units})

    return change


def with_units(name: str, units: object) -> Change:
    return lambda file: file[name].attrs.__setitem__("units", units)


def without(name: str) -> Change:
    return lambda file: file.__delitem__(name)


def without_units(name: str) -> Change:
    return lambda file: file[name].attrs.__delitem__("units")


def at(name: str, index: tuple[int, ...], value: float) -> Change:
    return lambda file: file[name].__setitem__(index, value)


def both(*changes: Change) -> Change:
    def change(file: h5py.File) -> None:
        for one in changes:
            one(file)

    return change


def plain(path: Path) -> np.ndarray:
    with h5py.File(path) as file:
        return file[f"{DATA}/intensity"][()]


def test_a_map_is_read_as_it_was_written(tmp_path: Path) -> None:
    found = read_map(write_map(tmp_path / "a.nxs"))
    check(found, MAP)
    assert np.array_equal(found["intensity"], plain(tmp_path / "a.nxs"))
    assert np.array_equal(found["variance"], np.maximum(found["intensity"], 1))
    assert found["hkl"].values.tolist() == [1, 0, 3]
    assert (float(found["temperature"]), float(found["energy"]), float(found["scale"])) == (300.0, 8.048, 1.0)
    assert found.attrs == {"file": "a.nxs", "sample": "film", "summed_over": ""}
    assert not found["mask"].any()


def test_the_header_says_what_the_map_is(tmp_path: Path) -> None:
    header = read_map_header(write_map(tmp_path / "a.nxs"))
    assert header == MapHeader("a.nxs", "film", (1, 0, 3), 300.0, 8.048, 1.0, ("qx", "qz"), (5, 7))


@pytest.mark.parametrize("axes", [("qz", "qx"), ("qx", "qy", "qz"), ("qz", "qy", "qx"), ("qy", "qz", "qx")])
def test_any_order_of_axes_gives_the_same_map(tmp_path: Path, axes: tuple[str, ...]) -> None:
    path = write_map(tmp_path / "a.nxs", axes=axes)
    counts = plain(path).transpose([axes.index(name) for name in ("qx", "qy", "qz") if name in axes])
    expected = counts.sum(axis=1) if counts.ndim == 3 else counts
    found = read_map(path)
    assert np.allclose(found["intensity"], expected)
    assert found["intensity"].dims == ("qx", "qz")
    assert found.attrs["summed_over"] == ("qy" if "qy" in axes else "")


def test_a_descending_axis_is_turned_round(tmp_path: Path) -> None:
    path = write_map(tmp_path / "a.nxs", replaced(f"{DATA}/qz", np.linspace(4.82, 4.7, 7)))
    found = read_map(path)
    assert (np.diff(found["qz"]) > 0).all()
    assert np.array_equal(found["intensity"], plain(path)[:, ::-1])


@pytest.mark.parametrize(
    "change",
    [
        with_units(f"{DATA}/intensity", np.bytes_(b"counts")),
        with_units(f"{DATA}/qx", b"angstrom^-1"),
        replaced("entry/sample/temperature", np.array([300.0])),
        replaced("entry/instrument/beam/incident_energy", np.float32([8.048])),
        replaced("entry/reflection/hkl", np.array([1.0, 0.0, 3.0])),
        lambda file: file[DATA].attrs.__setitem__("axes", [b"qx", b"qz"]),
        lambda file: file[DATA].attrs.__delitem__("signal"),
        replaced(f"{DATA}/qx", (1.5 + 0.01 * np.arange(5)).astype(np.float32)),
    ],
)
def test_spellings_that_mean_the_same_are_accepted(tmp_path: Path, change: Change) -> None:
    found = read_map(write_map(tmp_path / "a.nxs", change))
    plain_map = read_map(write_map(tmp_path / "b.nxs"))
    assert all(np.allclose(found[name], plain_map[name]) for name in MAP if name in found)


def test_optional_fields_have_a_default(tmp_path: Path) -> None:
    change = both(without("entry/sample/temperature"), replaced("entry/reflection/scale", 1.1))
    found = read_map(write_map(tmp_path / "a.nxs", change))
    assert np.isnan(float(found["temperature"]))
    assert float(found["scale"]) == 1.1


def test_what_is_masked_is_nan_and_may_hold_anything(tmp_path: Path) -> None:
    mask = np.zeros((5, 7), np.uint8)
    mask[0, 0], mask[4, 6] = 1, 255
    change = both(
        replaced(f"{DATA}/mask", mask),
        at(f"{DATA}/intensity", (0, 0), np.nan),
        at(f"{DATA}/intensity", (4, 6), -7),
    )
    found = read_map(write_map(tmp_path / "a.nxs", change))
    assert np.array_equal(found["mask"] != 0, mask != 0)
    assert np.array_equal(np.isnan(found["intensity"]), mask != 0)
    assert np.array_equal(np.isnan(found["variance"]), mask != 0)


def test_variance_is_kept_and_zero_variance_becomes_that_of_the_counts(tmp_path: Path) -> None:
    variance = np.full((5, 7), 3.5)
    variance[2, 2] = 0
    found = read_map(write_map(tmp_path / "a.nxs", replaced(f"{DATA}/variance", variance)))
    assert float(found["variance"][0, 0]) == 3.5
    assert float(found["variance"][2, 2]) == float(found["intensity"][2, 2])


def test_a_little_masked_along_qy_is_made_up_for_and_much_is_masked(tmp_path: Path) -> None:
    profile = np.array([5.0, 90.0, 5.0])
    counts = np.broadcast_to(profile[None, :, None], (5, 3, 7)).copy()
    mask = np.zeros(counts.shape, np.uint8)
    mask[1, 0, 1], mask[2, 1, 2] = 1, 1
    change = replaced(f"{DATA}/mask", mask)
    path = write_map(tmp_path / "a.nxs", change, axes=("qx", "qy", "qz"), intensity=counts)
    found = read_map(path)
    assert float(found["intensity"][1, 1]) == pytest.approx(100.0)
    assert float(found["variance"][1, 1]) == pytest.approx(95 / 0.95**2)
    assert np.argwhere(found["mask"].values).tolist() == [[2, 2]]


def huge(file: h5py.File) -> None:
    del file[f"{DATA}/intensity"], file[f"{DATA}/qx"], file[f"{DATA}/qz"]
    for name, shape in (("intensity", (2**20, 2**20)), ("qx", (2**20,)), ("qz", (2**20,))):
        file[DATA].create_dataset(name, shape, dtype="f8", chunks=True)
        file[f"{DATA}/{name}"].attrs["units"] = "count" if name == "intensity" else "1/angstrom"


def external(file: h5py.File) -> None:
    del file[f"{DATA}/intensity"]
    file[f"{DATA}/intensity"] = h5py.ExternalLink("lost.h5", "/data")


def virtual(name: str, inside: str) -> Change:
    def change(file: h5py.File) -> None:
        del file[f"{DATA}/intensity"]
        layout = h5py.VirtualLayout((5, 7), dtype="f8")
        layout[:] = h5py.VirtualSource(name, inside, shape=(5, 7))
        file[DATA].create_virtual_dataset("intensity", layout)
        file[f"{DATA}/intensity"].attrs["units"] = "count"

    return change


def raw(file: h5py.File) -> None:
    del file[f"{DATA}/intensity"]
    file[DATA].create_dataset("intensity", (5, 7), dtype="f8", external=[("lost.raw", 0, 280)])
    file[f"{DATA}/intensity"].attrs["units"] = "count"


ENERGY, HKL = "entry/instrument/beam/incident_energy", "entry/reflection/hkl"
TEMPERATURE, INTENSITY = "entry/sample/temperature", f"{DATA}/intensity"
BENT = 1.5 + np.array([0, 0.01, 0.02, 0.03, 0.041])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without("entry"), "/entry: expected to be there"),
        (without("entry/data"), "/entry/data: expected to be there, found no 'data' in /entry"),
        (without("entry/reflection"), "/entry/reflection/hkl: expected to be there"),
        (without(INTENSITY), "/entry/data/intensity: expected to be there"),
        (without(f"{DATA}/qz"), "/entry/data/qz: expected to be there"),
        (without(ENERGY), "/entry/instrument/beam/incident_energy: expected to be there"),
        (with_units(INTENSITY, "count/s"), "intensity: expected intensity in 'count', found units 'count/s'"),
        (with_units(INTENSITY, "1"), "found units '1'"),
        (without_units(INTENSITY), "intensity in 'count', found no units"),
        (with_units(f"{DATA}/qx", "1/nm"), "/entry/data/qx: expected qx in '1/angstrom', found units '1/nm'"),
        (without_units(f"{DATA}/qz"), "/entry/data/qz: expected qz in '1/angstrom', found no units"),
        (with_units(f"{DATA}/qz", "banana"), "found units 'banana'"),
        (with_units(ENERGY, "eV"), "incident_energy in 'keV', found units 'eV'"),
        (with_units(TEMPERATURE, "degC"), "temperature in 'K', found units 'degC'"),
        (replaced(ENERGY, 8048.0), r"0 to 200 keV, found 8048 \(eV\?\)"),
        (replaced(ENERGY, 0.0), "0 to 200 keV, found 0"),
        (replaced(ENERGY, np.nan), "0 to 200 keV, found nan"),
        (replaced(ENERGY, [8.0, 8.1]), r"one number, found shape \(2,\)"),
        (replaced(ENERGY, "8 keV"), "numbers, found dtype object"),
        (replaced(TEMPERATURE, -10.0), "above 0 K, found -10"),
        (replaced("entry/reflection/scale", 0.0), "a positive factor, found 0"),
        (replaced(HKL, [0, 0, 0]), "not all 0"),
        (replaced(HKL, [1, 0]), "3 integers"),
        (replaced(HKL, [1.0, 0.0, 3.5]), r"found \[1.0, 0.0, 3.5\]"),
        (replaced(HKL, [1, np.nan, 3]), "3 integers"),
        (replaced(f"{DATA}/qx", BENT), "/entry/data/qx: expected a uniform axis, found steps from 0.01"),
        (replaced(f"{DATA}/qx", np.full(5, 1.5)), "a uniform axis"),
        (replaced(f"{DATA}/qx", np.array([1.5, 1.51, np.nan, 1.53, 1.54])), "finite numbers"),
        (replaced(f"{DATA}/qx", np.arange(4.0)), r"shape \(5,\), found shape \(4,\)"),
        (replaced(f"{DATA}/qz", 470 + np.arange(7.0)), r"\|Q\| up to 8.157 1/angstrom at 8.048 keV"),
        (at(INTENSITY, (1, 2), np.nan), "finite counts wherever mask is 0, found 1 of NaN"),
        (at(INTENSITY, (1, 2), np.inf), "found 1 of NaN or infinity"),
        (at(INTENSITY, (1, 2), -3.0), "no negative counts, found -3"),
        (replaced(INTENSITY, np.zeros((5, 7))), "counts, found zero everywhere"),
        (replaced(INTENSITY, np.ones((5, 7, 2))), "2 dimensions as axes="),
        (replaced(INTENSITY, np.ones((5, 7), complex)), "numbers, found dtype complex128"),
        (replaced(INTENSITY, np.full((5, 7), b"9")), "numbers, found dtype"),
        (
            replaced(f"{DATA}/mask", np.ones((5, 7), np.uint8)),
            "at least one measured voxel, found all masked",
        ),
        (replaced(f"{DATA}/mask", np.ones((7, 5), np.uint8)), r"/entry/data/mask: expected shape \(5, 7\)"),
        (replaced(f"{DATA}/variance", np.ones((5, 6))), r"/entry/data/variance: expected shape \(5, 7\)"),
        (
            replaced(f"{DATA}/variance", np.full((5, 7), -1.0)),
            "/entry/data/variance: expected finite, not neg",
        ),
        (lambda file: file[DATA].attrs.__setitem__("axes", ["qx", "qx"]), "/entry/data@axes"),
        (lambda file: file[DATA].attrs.__delitem__("axes"), r"/entry/data@axes: .* found \[\]"),
        (lambda file: file[DATA].attrs.__setitem__("signal", "rate"), "/entry/data@signal"),
        (both(without(INTENSITY), lambda file: file.create_group(INTENSITY)), "a dataset, found a group"),
        (huge, r"at most 200000000 values, found shape \(1048576, 1048576\)"),
        (external, "its source file 'lost.h5' beside it, found no such file"),
        (virtual("lost.h5", "/data"), "its source file 'lost.h5' beside it"),
        (virtual(".", "/nowhere"), "its source dataset /nowhere in ., found it is not there"),
        (raw, "its source file 'lost.raw' beside it"),
    ],
)
def test_what_is_wrong_is_named_with_its_field(tmp_path: Path, change: Change, message: str) -> None:
    path = write_map(tmp_path / "a.nxs", change)
    with pytest.raises(InputError, match=message) as caught:
        read_map(path)
    assert str(caught.value).startswith(str(path))


def test_sources_that_are_there_are_followed(tmp_path: Path) -> None:
    counts = np.arange(35.0).reshape(5, 7)
    with h5py.File(tmp_path / "found.h5", "w") as file:
        file["data"] = counts
    found = read_map(write_map(tmp_path / "a.nxs", virtual("found.h5", "/data")))
    assert np.array_equal(found["intensity"], counts)


@pytest.mark.parametrize("content", [b"", b"not HDF5 at all", b"\x89HDF\r\n\x1a\n" + bytes(40)])
def test_what_is_not_hdf5_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.nxs").write_bytes(content)
    with pytest.raises(InputError, match="HDF5 file"):
        read_map(tmp_path / "a.nxs")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_truncated_map_is_refused(tmp_path: Path, share: float) -> None:
    path = write_map(tmp_path / "a.nxs")
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(InputError, match="a complete HDF5 file"):
        read_map(path)


def test_a_map_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a readable file"):
        read_map(tmp_path / "a.nxs")
    with pytest.raises(InputError, match=r"one of \.nxs"):
        read_map(tmp_path / "a.txt")


def test_the_real_file_whose_frames_are_missing_is_refused_and_the_frames_are_named(mirror: Path) -> None:
    with pytest.raises(InputError, match=r"scan0020/mpx1x4_0000\.h5"):
        read_map(mirror / "id01_missing_frames/PTO_STO_SL_0001.h5")
