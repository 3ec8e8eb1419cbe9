"""Arrays of one crystal from each kind of file; whatever is no such array is refused before it is read."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from nanotexture.errors import InputError
from nanotexture.readers.crystal_array import read_crystal, read_crystal_header, read_mask

SHAPE = (18, 20, 16)
VALUES = np.random.default_rng(0).poisson(5.0, SHAPE)


def npy(path: Path, values: np.ndarray = VALUES) -> Path:
    np.save(path, values, allow_pickle=True)
    return path


def h5(path: Path, **arrays: np.ndarray) -> Path:
    with h5py.File(path, "w") as file:
        for name, values in arrays.items():
            file[name.replace("__", "/")] = values
    return path


@pytest.mark.parametrize("dtype", ["u2", "i4", "f4", ">f8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_npy_file_is_read_whatever_its_numbers(tmp_path: Path, dtype: str, order: str) -> None:
    path = npy(tmp_path / "a.npy", np.asarray(VALUES, dtype=dtype, order=order))
    found = read_crystal(path)
    np.testing.assert_array_equal(found.values, VALUES)
    assert found.masked is None
    assert read_crystal_header(path).shape == SHAPE


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_an_array_of_a_npz_file_is_read_by_its_name(tmp_path: Path, save: Callable) -> None:
    path = tmp_path / "a.npz"
    save(path, counts=VALUES, bad=VALUES > 9)
    found = read_crystal(path, "counts", "bad")
    np.testing.assert_array_equal(found.values, VALUES)
    np.testing.assert_array_equal(found.masked, VALUES > 9)
    with pytest.raises(InputError, match=r"crystal\.array to name one of its arrays, found bad, counts"):
        read_crystal(path)


@pytest.mark.parametrize(
    "name", ["entry_1__data_1__data", "entry_1__image_1__data", "entry__data__data", "data"]
)
def test_hdf5_and_cxi_files_are_read_where_arrays_usually_lie(tmp_path: Path, name: str) -> None:
    path = h5(tmp_path / "a.cxi", **{name: VALUES})
    np.testing.assert_array_equal(read_crystal(path).values, VALUES)


def test_a_named_dataset_with_its_mask(tmp_path: Path) -> None:
    path = h5(tmp_path / "a.h5", scan__counts=VALUES, scan__bad=(VALUES > 9).astype("u1"))
    found = read_crystal(path, "/scan/counts", "/scan/bad")
    np.testing.assert_array_equal(found.masked, VALUES > 9)
    with pytest.raises(InputError, match=r"crystal\.array"):
        read_crystal(path)


def test_a_mask_of_its_own_must_have_the_shape(tmp_path: Path) -> None:
    assert read_mask(npy(tmp_path / "m.npy", VALUES > 5), SHAPE).sum() == (VALUES > 5).sum()
    with pytest.raises(InputError, match="a mask of shape"):
        read_mask(npy(tmp_path / "n.npy", VALUES[1:] > 5), SHAPE)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (VALUES[0], "three dimensions, found shape"),
        (VALUES[None], "three dimensions"),
        (VALUES[:9], "16 to 512 voxels"),
        (VALUES * 1j, "complex numbers"),
        (VALUES > 5, "true and false"),
        (np.array([["a"]], dtype=object), "pickled objects"),
        (np.array("text"), "text"),
    ],
    ids=["2D", "4D", "small", "complex", "bool", "pickle", "text"],
)
def test_arrays_of_the_wrong_kind_are_refused(tmp_path: Path, values: np.ndarray, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_crystal(npy(tmp_path / "a.npy", values))
    with pytest.raises(InputError, match=words):
        read_crystal_header(tmp_path / "a.npy")


@pytest.mark.parametrize("keep", [0, 5, 60, 200, -8])
def test_a_truncated_npy_file_is_refused(tmp_path: Path, keep: int) -> None:
    path = npy(tmp_path / "a.npy")
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError, match="expected"):
        read_crystal(path)


@pytest.mark.parametrize("keep", [0, 100, 3000, -30])
def test_a_truncated_npz_file_is_refused(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "a.npz"
    np.savez_compressed(path, a=VALUES)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError, match="expected"):
        read_crystal(path)


def test_damage_inside_a_npz_file_is_found_by_its_checksum(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, a=VALUES)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(bytes(content))
    with pytest.raises(InputError, match="CRC"):
        read_crystal(path)


def test_a_header_that_promises_more_than_the_file_holds_is_refused(tmp_path: Path) -> None:
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        stream, {"descr": "<f8", "fortran_order": False, "shape": (500, 500, 500)}
    )
    (tmp_path / "a.npy").write_bytes(stream.getvalue())
    with pytest.raises(InputError, match="bytes of values, found a truncated file"):
        read_crystal(tmp_path / "a.npy")
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("a.npy", stream.getvalue())
    with pytest.raises(InputError, match="bytes of values, found a truncated file"):
        read_crystal(tmp_path / "a.npz")


def test_a_huge_array_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.npy", "w") as member:
        np.lib.format.write_array_header_1_0(
            member, {"descr": "|u1", "fortran_order": False, "shape": (30_000, 100, 100)}
        )
        for _ in range(300):
            member.write(bytes(1_000_000))
    assert path.stat().st_size < 1_000_000
    with pytest.raises(InputError, match="16 to 512 voxels"):
        read_crystal(path)


@pytest.mark.parametrize("suffix", [".mat", ".tif", ""])
def test_other_files_are_refused_by_their_type(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"x")
    with pytest.raises(InputError, match=r"file type: expected one of .npy, .npz, .h5"):
        read_crystal(path)


@pytest.mark.parametrize("name", ["missing.npy", "missing.npz", "missing.h5"])
def test_a_file_that_is_not_there_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="expected"):
        read_crystal(tmp_path / name)


def test_a_name_in_a_file_of_one_array_is_refused_and_not_taken_for_that_array(tmp_path: Path) -> None:
    path = npy(tmp_path / "a.npy")
    for told in ({"name": "counts"}, {"mask": "bad"}):
        with pytest.raises(InputError, match=r"a \.npy holds one array"):
            read_crystal(path, **told)


@pytest.mark.parametrize("name", ["/scan/none", "scan/none", "/scan", "none"])
def test_a_dataset_that_is_not_there_is_refused(tmp_path: Path, name: str) -> None:
    path = h5(tmp_path / "a.h5", scan__counts=VALUES)
    with pytest.raises(InputError, match="expected"):
        read_crystal(path, name)


def test_a_truncated_hdf5_file_is_refused(tmp_path: Path) -> None:
    path = h5(tmp_path / "a.h5", data=VALUES)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(InputError, match="complete HDF5"):
        read_crystal(path)
