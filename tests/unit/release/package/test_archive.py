"""The zip itself: the same bytes at any hour, readable by any program, never half in its place."""

from __future__ import annotations

import time
import zipfile

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pipelines.core.files import place
from pipelines.release.package.archive import Part, hashes, write_package

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def test_the_clock_and_the_place_are_not_in_it(tmp_path):
    source = tmp_path / "rows.xlsx"
    source.write_bytes(b"rows" * 1000)
    parts = [Part("é.html", b"<p>" * 500), Part("rows.xlsx", source)]
    first = write_package(tmp_path / "one.zip", parts, KEY)
    time.sleep(2.1)  # a zip knows times to two seconds
    source.touch()
    assert write_package(tmp_path / "two.zip", parts, KEY) == first
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_any_program_reads_it(tmp_path):
    parts = [Part("page.html", b"<p>" * 500), Part("rows.parquet", b"rows" * 1000)]
    write_package(tmp_path / "e.zip", parts, KEY)
    with zipfile.ZipFile(tmp_path / "e.zip") as archive:
        assert archive.testzip() is None
        kinds = {info.filename: info.compress_type for info in archive.infolist()}
        assert kinds == {"page.html": zipfile.ZIP_DEFLATED, "rows.parquet": zipfile.ZIP_STORED}
        assert {info.date_time[0] for info in archive.infolist()} == {1980}
        found = dict(hashes(archive, {part.name: part.size for part in parts}))
        assert found == {part.name: part.sha256() for part in parts}
        short = dict(hashes(archive, {"page.html": 10}))
        assert short["page.html"] == "", "no more is read than was said"


def test_a_file_is_put_in_its_place_whole(tmp_path):
    draft, target = tmp_path / "draft", tmp_path / "new" / "folder" / "file"
    draft.write_bytes(b"all of it")
    place(draft, target)
    assert target.read_bytes() == b"all of it"
    assert not draft.exists()
