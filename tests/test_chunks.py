"""A chunk that is lost is refused, since Zarr would read it as what is not determined; stores of others are left alone."""

import json

import numpy as np
import pytest
import xarray as xr
from nanotexture.chunks import ALL_WRITTEN, refuse_lost_chunks
from nanotexture.engine.store import write_tree_atomically
from nanotexture.errors import InputError
from nanotexture.report.result import open_result
from nanotexture.scoring import open_scored


@pytest.fixture
def store(tmp_path):
    texture = xr.Dataset(
        {
            "displacement": (("x", "z"), np.ones((4, 5))),
            "polarization": (("x", "z"), np.full((4, 5), np.nan)),
            "cost": 1.0,
        }
    )
    write_tree_atomically(
        xr.DataTree.from_dict({"/": xr.Dataset(attrs=dict(ALL_WRITTEN)), "/texture": texture}),
        tmp_path / "result.zarr",
    )
    return tmp_path / "result.zarr"


@pytest.mark.parametrize("name", ["displacement/c/0/0", "polarization/c/0/0", "cost/c"])
@pytest.mark.parametrize("opened", [refuse_lost_chunks, open_result, open_scored])
def test_a_lost_chunk_is_named_even_where_all_its_values_were_nan(store, name, opened):
    refuse_lost_chunks(store)
    (store / "texture" / name).unlink()
    with pytest.raises(InputError, match=f"result.zarr.*texture/{name}"):
        opened(store)


def test_a_store_of_which_empty_chunks_were_never_written_is_read(store):
    (store / "texture/polarization/c/0/0").unlink()
    meta = json.loads((store / "zarr.json").read_text())
    del meta["attributes"]["chunks"]
    (store / "zarr.json").write_text(json.dumps(meta))
    assert np.isnan(open_result(store).texture["polarization"]).all()


def test_damaged_metadata_is_named(store):
    (store / "texture/cost/zarr.json").write_text("{")
    with pytest.raises(InputError, match=r"zarr\.json"):
        refuse_lost_chunks(store)
