from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from nanotexture.engine.durable import read_files
from nanotexture.engine.store import ArtefactStore, StoreError, write_tree_atomically
from nanotexture.schema import MAP, labelled

WRITER = """
import sys
from pathlib import Path
from nanotexture.engine.selftest import Number, empty
from nanotexture.engine.store import ArtefactStore
for n in range(40):
    ArtefactStore(Path(sys.argv[1])).put(f"s-{n}", empty(config=Number(value=n)), identity={})
"""
TREE_WRITER = """
import sys
from pathlib import Path
import numpy as np
import xarray as xr
from nanotexture.engine.store import write_tree_atomically
print("ready", flush=True)
for n in range(100_000):
    texture = xr.Dataset({"u": (("component", "x"), np.full((2, 3), n))})
    write_tree_atomically(xr.DataTree.from_dict({"/texture": texture}), Path(sys.argv[1]))
"""


def python(code: str, path: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE)


def mixed() -> xr.Dataset:
    """Every kind of variable that the schema knows, and the cases that Zarr is known to spoil."""
    return xr.Dataset(
        {
            "text": ("a", np.array(["x", "élongé", ""], dtype=object)),
            "fixed": ("a", np.array(["aa", "b", "c"])),
            "word": ((), np.array("hi", dtype=object)),
            "no_text": ("e", np.array([], dtype=object)),
            "mask": ("a", np.array([0, 1, 255], dtype="u1")),
            "index": ("a", np.array([0, -1, 2])),
            "flag": ("a", np.array([True, False, True])),
            "value": ("a", np.array([1.0, np.nan, -0.0])),
            "single": ("a", np.array([np.nan, np.inf, 0.0], dtype="f4")),
            "field": ("a", np.array([1 + 2j, 0, np.nan])),
            "number": ((), 3.5),
            "count": ((), np.int32(0)),
            "nothing": ("e", np.zeros(0)),
        },
        {"a": ("a", [5, 0, 7]), "z": ("a", np.array(["p", "q", "r"], dtype=object))},
        {"inversion": "resolved", "n": 1, "list": [1, 2.5], "nested": {"a": None}},
    )


def put(store: ArtefactStore, name: str, dataset: xr.Dataset) -> Path:
    return store.put(name, dataset, identity={"stage": "s"}, label="l", seconds=1.0)


def test_what_was_put_comes_back_with_dtypes_order_and_attributes(store: ArtefactStore) -> None:
    put(store, "s-1", mixed())
    found = store.get("s-1")
    expected = mixed().assign(fixed=("a", np.array(["aa", "b", "c"], dtype=object)))
    xr.testing.assert_identical(found, expected)
    assert list(found.variables) == list(expected.variables)
    assert {n: v.dtype for n, v in found.variables.items()} == {
        n: v.dtype for n, v in expected.variables.items()
    }
    assert np.signbit(found["value"].values[2])


def test_a_dimension_named_by_text_comes_back_indexed(store: ArtefactStore) -> None:
    dataset = xr.Dataset({"u": ("component", [1.0, 2.0])}, {"component": ["x", "z"]})
    put(store, "s-1", dataset)
    assert float(store.get("s-1")["u"].sel(component="z")) == 2.0


def test_labelled_data_pass_the_schema_after_a_round_trip(store: ArtefactStore) -> None:
    values = {"qx": np.arange(3.0), "qz": np.arange(2.0), "mask": np.zeros((3, 2), "u1"), "hkl": [0, 0, 2]}
    values |= {name: np.full((3, 2), np.nan) for name in ("intensity", "variance")}
    values |= {name: np.float64(1) for name in ("temperature", "energy", "scale")}
    dataset = labelled(values, MAP)
    put(store, "s-1", dataset)
    xr.testing.assert_identical(store.get("s-1"), dataset)


def test_nothing_is_said_about_unstable_formats(store: ArtefactStore) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        put(store, "s-1", mixed())
        store.get("s-1")


def test_the_same_dataset_gives_the_same_bytes_again_and_after_a_round_trip(store: ArtefactStore) -> None:
    first = put(store, "s-1", mixed())
    second = put(store, "s-2", store.get("s-1"))
    assert read_files(first / "data.zarr") == read_files(second / "data.zarr")
    assert store.manifest("s-1").data_sha256 == store.manifest("s-2").data_sha256


def test_the_data_are_zarr_version_3_that_xarray_opens(store: ArtefactStore) -> None:
    path = put(store, "s-1", mixed().drop_vars("no_text")) / "data.zarr"
    assert json.loads((path / "zarr.json").read_text())["zarr_format"] == 3
    with xr.open_zarr(path, consolidated=False) as opened:
        assert opened["mask"].dtype == np.uint8


def test_a_large_array_and_a_lazy_array_come_back(store: ArtefactStore) -> None:
    values = np.random.default_rng(0).normal(size=(1500, 1200))
    put(store, "s-1", xr.Dataset({"v": (("a", "b"), values)}).chunk(a=170))
    np.testing.assert_array_equal(store.get("s-1")["v"].values, values)


def test_an_object_that_is_not_text_is_refused_and_leaves_nothing(store: ArtefactStore) -> None:
    with pytest.raises(TypeError, match="expected text or numbers, found dict"):
        put(store, "s-1", xr.Dataset({"v": ("a", np.array([{}], dtype=object))}))
    assert not store.has("s-1")


def test_the_second_writer_of_a_key_leaves_the_first_ones_artefact(store: ArtefactStore) -> None:
    put(store, "s-1", mixed())
    before = (store.path("s-1") / "manifest.json").stat().st_ino
    put(store, "s-1", mixed())
    assert (store.path("s-1") / "manifest.json").stat().st_ino == before
    assert not list((store.root / ".unfinished").iterdir())


def test_writers_of_the_same_keys_at_the_same_time_do_no_harm(store: ArtefactStore) -> None:
    writers = [python(WRITER, store.root) for _ in range(2)]
    assert [writer.wait() for writer in writers] == [0, 0]
    assert all(float(store.get(f"s-{n}")["value"]) == n for n in range(40))
    assert not list((store.root / ".unfinished").iterdir())


def test_a_half_written_artefact_is_not_there_and_is_replaced(store: ArtefactStore) -> None:
    path = put(store, "s-1", mixed())
    (path / "manifest.json").unlink()
    assert not store.has("s-1")
    with pytest.raises(StoreError, match="expected a manifest"):
        store.get("s-1")
    put(store, "s-1", mixed())
    assert store.has("s-1")


@pytest.mark.parametrize("text", ["", '{"name": "s-1"'])
def test_a_torn_manifest_is_none(store: ArtefactStore, text: str) -> None:
    (put(store, "s-1", mixed()) / "manifest.json").write_text(text)
    assert not store.has("s-1")


def test_an_artefact_under_another_name_is_none(store: ArtefactStore) -> None:
    put(store, "s-1", mixed()).rename(store.path("s-2"))
    assert not store.has("s-2")


def test_a_lost_chunk_is_an_error_and_not_a_fill_value(store: ArtefactStore) -> None:
    path = put(store, "s-1", mixed())
    next((path / "data.zarr" / "value").rglob("c/*")).unlink()
    with pytest.raises(StoreError, match="damaged, removed; run again"):
        store.get("s-1")
    assert not store.has("s-1")


def test_what_a_dead_writer_left_is_removed_and_what_a_living_one_writes_is_not(store: ArtefactStore) -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    host, unfinished = socket.gethostname(), store.root / ".unfinished"
    names = [f"{host}+{dead.pid}+a", f"{host}+{os.getpid()}+b", "another-host+1+c", "another-host+1+old"]
    for name in names:
        (unfinished / name / "data.zarr").mkdir(parents=True)
    os.utime(unfinished / names[3], (0, 0))
    store.prepare()
    assert sorted(p.name for p in unfinished.iterdir()) == sorted(names[1:3])


def tree(value: float) -> xr.DataTree:
    texture = xr.Dataset({"u": (("component", "x"), np.full((2, 3), value))}, {"component": ["x", "z"]})
    texture["outcome"] = ("component", np.array(["converged", "stalled"], dtype=object))
    return xr.DataTree.from_dict({"/": xr.Dataset(attrs={"contract": 1}), "/texture": texture})


def test_a_tree_replaces_the_one_before_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "out" / "result.zarr"
    for value in (1.0, 2.0):
        write_tree_atomically(tree(value), path)
        with xr.open_datatree(path, engine="zarr", consolidated=False) as found:
            assert found.attrs == {"contract": 1}
            assert (found["texture/u"] == value).all()
            assert list(found["texture/outcome"].values) == ["converged", "stalled"]
    assert [p.name for p in path.parent.iterdir()] == ["result.zarr"]


def test_the_same_tree_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.zarr", "b.zarr"):
        write_tree_atomically(tree(1.0), tmp_path / name)
    assert read_files(tmp_path / "a.zarr") == read_files(tmp_path / "b.zarr")


def test_a_killed_writer_of_a_tree_leaves_a_whole_one_or_none(tmp_path: Path) -> None:
    path = tmp_path / "result.zarr"
    for n in range(4):
        writer = python(TREE_WRITER, path)
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(0.1 + 0.013 * n)
        writer.kill()
        writer.communicate()
        if path.exists():
            with xr.open_datatree(path, engine="zarr", consolidated=False) as found:
                assert len(np.unique(found["texture/u"].values)) == 1
    write_tree_atomically(tree(3.0), path)
    assert [p.name for p in tmp_path.iterdir()] == ["result.zarr"]
