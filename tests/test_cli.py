"""The command line: what goes to stdout and stderr, which exit status ends a command, which commands there are."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from nanotexture.data import MANIFEST

from .conftest import Finished
from .recipes_pruned import RECIPES, arguments, changes, files, nanotexture


def test_help_lists_exactly_the_commands_that_there_are() -> None:
    from nanotexture.cli import app

    ended = nanotexture("--help")
    listed = set(re.findall(r"^[\s│|]*([a-z]+)  +\S", ended.out, re.MULTILINE))
    there = {one.name or one.callback.__name__ for one in app.registered_commands if one.callback}
    assert ended.status == 0
    assert listed == there | {group.name for group in app.registered_groups}


def test_check_prints_the_plan_and_computes_nothing(tmp_path: Path) -> None:
    ended = nanotexture("check", RECIPES / "quickstart.toml", "--out", tmp_path, *changes("quickstart"))
    assert ended.status == 0
    rows = dict(re.findall(r"^(\w+) +(\d+) +\d+$", ended.out, re.MULTILINE))
    assert rows["simulate_map"] == "3"
    assert rows["invert"] == "2"
    assert sum(int(n) for name, n in rows.items() if name != "all") == int(rows["all"])
    assert re.search(r"estimated memory of a worker: \d+ MiB", ended.out)
    assert files(tmp_path) == {}


def test_check_says_what_is_left_to_run(quickstart: Finished) -> None:
    recipe = RECIPES / "quickstart.toml"
    ended = nanotexture("check", recipe, "--out", quickstart.out, *changes("quickstart"))
    assert re.search(r"^all +30 +0$", ended.out, re.MULTILINE)
    more = nanotexture(
        "check", recipe, "--out", quickstart.out, *changes("quickstart"), "--set", "invert.starts=6"
    )
    assert re.search(r"^invert +3 +1$", more.out, re.MULTILINE)


def test_run_json_ends_stdout_with_one_object_and_reports_progress_on_stderr(
    quickstart: Finished, no_report: None
) -> None:
    ended = nanotexture(*arguments("quickstart", quickstart.out))
    assert ended.status == 0
    assert ended.out.count("\n") == 1
    found = ended.last_json
    assert {"result", "report", "seconds", "tasks", "tasks_reused"} <= set(found)
    assert Path(found["result"]) == quickstart.out / "quickstart" / "result.zarr"
    assert Path(found["report"]).is_file()
    assert found["tasks_reused"] == found["tasks"] == quickstart.said["tasks"]
    assert quickstart.said["tasks_reused"] == 0
    assert found["seconds"] > 0


def test_run_without_json_says_where_the_result_is(quickstart: Finished, no_report: None) -> None:
    told = [word for word in arguments("quickstart", quickstart.out) if word != "--json"]
    ended = nanotexture(*told)
    assert f"result {quickstart.result}" in ended.out
    assert "30 tasks, 30 reused" in ended.out


def test_a_set_change_reaches_the_recipe(quickstart: Finished) -> None:
    root = json.loads((quickstart.result / "zarr.json").read_text())["attributes"]
    assert "invert.starts=4" in json.loads(root["changes"])


def test_report_is_written_again_beside_the_result(quickstart: Finished) -> None:
    page = quickstart.result.parent / "report.html"
    page.unlink()
    ended = nanotexture("report", quickstart.result)
    assert ended.status == 0
    assert ended.out == f"report {page}\n"
    assert "<html" in page.read_text(encoding="utf-8")


def test_report_of_something_else_is_refused(tmp_path: Path) -> None:
    ended = nanotexture("report", tmp_path)
    assert ended.status == 2
    assert ended.err == f"nanotexture: {tmp_path}: result: expected a result.zarr folder, found none\n"


def test_a_defect_ends_with_1_and_a_traceback_that_names_the_stage(tmp_path: Path) -> None:
    program = (
        "import sys, nanotexture.simulate.stripes as s\n"
        "def broken(**_): raise ZeroDivisionError('planted')\n"
        "s.stripe_displacement = broken\n"
        "from nanotexture.cli import main\n"
        "main()\n"
    )
    told = arguments("quickstart", tmp_path)
    ended = subprocess.run(
        [sys.executable, "-c", program, *told], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert re.search(
        r"StageError: stage simulate_\w+ \(.*\) failed: ZeroDivisionError: planted\s*$", ended.stderr
    )
    assert not list(tmp_path.rglob("result.zarr"))


def _manifest(folder: Path, content: bytes) -> None:
    folder.mkdir()
    digest = hashlib.sha256(content).hexdigest()
    (folder / "tiny.toml").write_text(
        'name = "tiny"\ndescription = "two lines"\ninstrument = "none"\nlicence = "CC0"\nredistribute = true\n'
        f'[[files]]\nname = "a.asc"\norigin = "here"\nbytes = {len(content)}\nsha256 = "{digest}"\n'
    )


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A manifest of one dataset and a mirror that holds its file."""
    _manifest(tmp_path / "manifest", b"1\n2\n")
    place = tmp_path / "mirror" / "tiny"
    place.mkdir(parents=True)
    (place / "a.asc").write_bytes(b"1\n2\n")
    monkeypatch.setenv(MANIFEST, str(tmp_path / "manifest"))
    monkeypatch.setenv("NANOTEXTURE_MIRROR", str(tmp_path / "mirror"))
    return place / "a.asc"


def test_data_list_names_the_datasets_with_size_and_licence(tiny: Path) -> None:
    ended = nanotexture("data", "list")
    assert ended.status == 0
    assert re.fullmatch(r"tiny +1 files +0\.0 MB +CC0 +two lines\n", ended.out)


def test_data_fetch_finds_the_mirror(tiny: Path) -> None:
    assert nanotexture("data", "fetch", "tiny").out == f"{tiny}\n"


def test_data_verify_passes_and_then_finds_a_changed_byte(tiny: Path) -> None:
    good = nanotexture("data", "verify")
    assert (good.status, good.out.split()) == (0, ["ok", "tiny/a.asc"])
    tiny.write_bytes(b"1\n3\n")
    bad = nanotexture("data", "verify", "tiny")
    assert bad.status == 2
    assert "wrong checksum" in bad.out
    assert "tiny/a.asc" in bad.err


def test_data_verify_of_a_file_that_is_not_here_is_no_error(tiny: Path) -> None:
    tiny.unlink()
    ended = nanotexture("data", "verify")
    assert (ended.status, ended.out.split()) == (0, ["missing", "tiny/a.asc"])


def test_data_of_an_unknown_name_names_the_nearest(tiny: Path) -> None:
    ended = nanotexture("data", "fetch", "tinny")
    assert ended.status == 2
    assert "did you mean 'tiny'?" in ended.err
