"""Generations on the disk: names, the pointer, the lock, and what a manifest guards."""

import json
import os
import shutil
from dataclasses import replace

import pytest

from index.errors import IndexBusy, IndexDamaged, IndexMismatch, IndexMissing, IndexUnwritable
from index.generations import Generations, number
from index.manifest import MANIFEST, Manifest, check_files, sums


def put(root, name, text="content", **changes):
    """A complete generation that holds one file."""
    folder = root / name
    folder.mkdir(parents=True)
    (folder / "part").mkdir()
    (folder / "part" / "file").write_text(text)
    manifest = Manifest(
        generation=name,
        model="m",
        model_digest="d",
        dimension=3,
        splitter="1",
        chroma="1.5.9",
        counts={"documents": 0, "passages": 0, "sentences": 0, "questions": 0},
        documents={},
        files=sums(folder),
    )
    replace(manifest, **changes).save(folder)
    return folder


@pytest.fixture
def root(tmp_path):
    """Three generations, the second of which is current."""
    for name in ("gen-000001", "gen-000002", "gen-000010"):
        put(tmp_path / "index", name)
    (tmp_path / "index" / "CURRENT").write_text("gen-000002\n")
    return tmp_path / "index"


def test_order_is_by_number_whatever_the_clock_says(root):
    for age, name in enumerate(("gen-000001", "gen-000002", "gen-000010")):
        os.utime(root / name, (2_000_000_000 - age, 2_000_000_000 - age))
    assert Generations(root).names() == ["gen-000010", "gen-000002", "gen-000001"]
    assert number("gen-000010") == 10
    put(root, "gen-1000000")
    assert Generations(root).names()[0] == "gen-1000000"


def test_the_pointer_decides(root):
    newest = Generations(root).newest()
    assert (newest.path.name, newest.degraded) == ("gen-000002", "")


def _absent(root):
    (root / "CURRENT").unlink()


def _text(text):
    return lambda root: (root / "CURRENT").write_text(text)


def _symlink_pointer(root):
    _absent(root)
    (root / "elsewhere").write_text("gen-000001")
    (root / "CURRENT").symlink_to(root / "elsewhere")


def _symlink_generation(root):
    outside = root.parent / "outside"
    shutil.move(root / "gen-000002", outside)
    (root / "gen-000002").symlink_to(outside)


def _folder_pointer(root):
    _absent(root)
    (root / "CURRENT").mkdir()


def _pipe_pointer(root):
    _absent(root)
    os.mkfifo(root / "CURRENT")


@pytest.mark.parametrize(
    "spoil",
    [
        _absent,
        _text(""),
        _text("../.."),
        _text("/etc"),
        _text("gen-000002.tmp"),
        _text("gen-000077"),
        _text("gen-000002\ngen-000001"),
        _text("\x00\xff" * 4000),
        _symlink_pointer,
        _symlink_generation,
        _folder_pointer,
        _pipe_pointer,
        lambda root: (root / "gen-000002" / MANIFEST).unlink(),
        lambda root: (root / "gen-000002" / "part" / "file").unlink(),
        lambda root: (root / "gen-000002" / "part" / "file").write_text("contenT"),
        lambda root: (root / "gen-000002" / MANIFEST).write_text("[]"),
        lambda root: (root / "gen-000002" / MANIFEST).write_bytes(b"\xff\x00"),
    ],
)
def test_a_bad_pointer_or_generation_leads_to_the_newest_whole_one(root, spoil):
    spoil(root)
    newest = Generations(root).newest()
    assert newest.path == root / "gen-000010"
    assert "gen-000010 is used instead" in newest.degraded


def test_nothing_whole_is_said(root):
    for folder in root.glob("gen-*"):
        (folder / "part" / "file").unlink()
    with pytest.raises(IndexMissing, match="is whole: The file gen-000002/part/file is missing"):
        Generations(root).newest()


def test_no_index_names_the_command(tmp_path):
    with pytest.raises(IndexMissing, match="rapporteur index"):
        Generations(tmp_path / "nowhere").newest()
    assert not (tmp_path / "nowhere").exists()


def test_a_newer_format_is_a_mismatch(root):
    shutil.rmtree(root / "gen-000002")
    put(root, "gen-000002", format=99)
    with pytest.raises(IndexMismatch, match=r"format 99.*rapporteur index"):
        Generations(root).newest()


def test_a_changed_manifest_is_noticed(root):
    path = root / "gen-000002" / MANIFEST
    body = json.loads(path.read_text())
    body["model_digest"] = "other"
    path.write_text(json.dumps(body))
    with pytest.raises(IndexDamaged, match="was changed"):
        Manifest.load(root / "gen-000002")


def test_a_manifest_of_another_generation_is_noticed(root):
    shutil.copytree(root / "gen-000001", root / "gen-000003")
    with pytest.raises(IndexDamaged, match="another generation"):
        Generations(root).check("gen-000003")


@pytest.mark.parametrize("name", ["../outside", "/etc/hostname", "part/../../x"])
def test_a_manifest_names_no_file_outside(root, name):
    manifest = Manifest.load(root / "gen-000001")
    changed = replace(manifest, files={name: manifest.files["part/file"]})
    with pytest.raises(IndexDamaged, match="outside"):
        check_files(root / "gen-000001", changed)


def test_one_builder_at_a_time(root):
    with (
        Generations(root).building(),
        pytest.raises(IndexBusy, match="Another process"),
        Generations(root).building(),
    ):
        pass
    with Generations(root).building():
        pass


def test_leftovers_are_removed_by_the_next_builder_only(root):
    put(root, "gen-000011.tmp")
    put(root, "gen-000012.0f3a.tmp")
    (root / "CURRENT.tmp").write_text("gen-0")
    (root / "notes.tmp").write_text("the user's own")
    Generations(root).newest()
    assert (root / "gen-000011.tmp").exists()
    with Generations(root).building():
        assert {path.name for path in root.glob("*.tmp")} == {"notes.tmp"}


def test_publishing_and_pruning(root):
    generations = Generations(root)
    with generations.building():
        folder = generations.begin()
        assert folder.name.startswith("gen-000011.") and folder.suffix == ".tmp"
        put(root, folder.name, generation="gen-000011")
        name = generations.complete(folder)
        assert generations.newest().path.name == "gen-000002"
        generations.publish(generations.stage(name))
        assert generations.newest().path.name == "gen-000011"
        generations.prune()
    assert generations.names() == ["gen-000011", "gen-000010"]


def test_pruning_keeps_the_current_one(root):
    (root / "CURRENT").write_text("gen-000001\n")
    Generations(root).prune()
    put(root, "gen-000011")
    Generations(root).prune()
    assert Generations(root).names() == ["gen-000011", "gen-000010", "gen-000001"]


def test_too_little_space_is_said_before_anything_is_built(root):
    with (root / "gen-000010" / "part" / "sparse").open("wb") as stream:
        stream.truncate(shutil.disk_usage(root).free)
    with Generations(root).building(), pytest.raises(IndexUnwritable, match="free space"):
        Generations(root).begin()


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(IndexUnwritable, match="can't be written"),
        Generations(tmp_path / "file" / "index").building(),
    ):
        pass
