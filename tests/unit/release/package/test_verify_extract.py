"""What is proved of a zip beyond its bytes: the manifest and the files agree, nothing is besides.

Not here: changed bytes (`test_signature.py`). These zips are signed with the right key, as a
maker's mistake or a stolen key would have it.
"""

from __future__ import annotations

import datetime as dt
import json
import zipfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pipelines.release.errors import AuthenticityError, KeyFileError
from pipelines.release.package.archive import (
    MANIFEST,
    MANIFEST_SIGNATURE,
    Part,
    write_package,
)
from pipelines.release.package.keys import fingerprint, public_pem
from pipelines.release.package.manifest import (
    FileOut,
    Handling,
    Manifest,
    ManifestRequest,
    Named,
    parse,
)
from pipelines.release.package.signature import PLACEHOLDER, sign_file
from pipelines.release.package.verify import verify
from schemas.text import Bilingual

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
WORDS = Bilingual(en="Word", fr="Mot")
NAMED = Named(code="word", label=WORDS)
DATA = Part("incidents.csv", b"a\r\n1\r\n")


def manifest(*parts: Part, **changes: object) -> Manifest:
    files = tuple(FileOut(name=one.name, bytes=one.size, sha256=one.sha256()) for one in parts)
    usual: dict[str, object] = {
        "issuer": NAMED,
        "program_version": "0",
        "key_fingerprint": fingerprint(KEY.public_key()),
        "recipient": NAMED,
        "purpose": NAMED,
        "table": "incidents",
        "title": WORDS,
        "contract_version": "1.0.0",
        "form": "records",
        "file_format": "csv",
        "language": "en",
        "as_of": dt.date(2026, 11, 30),
        "asked": ManifestRequest(),
        "handling": Handling(level="CONFIDENTIAL", tlp="TLP:AMBER", label=WORDS),
        "agreements": (),
        "clauses": (),
        "table_versions": {},
        "row_count": 1,
        "columns": (),
        "query": "SELECT 1",
        "content_hash": "1",
    }
    return Manifest(**{**usual, **changes}).named().model_copy(update={"files": files})


def packed(path: Path, stated: bytes, *parts: Part, signature: bytes | None = None) -> Path:
    signed = Part(MANIFEST_SIGNATURE, KEY.sign(stated) if signature is None else signature)
    write_package(path, [*parts, Part(MANIFEST, stated), signed], KEY)
    return path


def refused(path: Path) -> str:
    with pytest.raises(AuthenticityError) as found:
        verify(path, KEY.public_key())
    return found.value.code


def test_an_extract_says_what_it_is(tmp_path):
    said = manifest(DATA)
    path = packed(tmp_path / "e.zip", said.as_bytes(), DATA)
    key_file = tmp_path / "key.pem"
    key_file.write_bytes(public_pem(KEY.public_key()))
    verified = verify(path, key_file)
    assert verified.manifest == said
    assert verified.bytes == path.stat().st_size
    assert verified.key_fingerprint == fingerprint(KEY.public_key())


def test_a_file_that_the_manifest_does_not_say_is_refused(tmp_path):
    said = manifest(DATA).as_bytes()
    other = Part("incidents.csv", b"a\r\n2\r\n")
    longer = Part("incidents.csv", b"a\r\n1\r\n" * 1000)
    assert refused(packed(tmp_path / "swapped.zip", said, other)) == "VER-104"
    assert refused(packed(tmp_path / "longer.zip", said, longer)) == "VER-104"
    assert refused(packed(tmp_path / "missing.zip", said)) == "VER-104"
    assert refused(packed(tmp_path / "extra.zip", said, DATA, Part("x", b""))) == "VER-104"
    assert refused(packed(tmp_path / "twice.zip", said, DATA, DATA)) == "VER-104"


def test_a_manifest_that_was_not_signed_is_refused(tmp_path):
    said = manifest(DATA).as_bytes()
    for at, signature in enumerate((b"", bytes(64), KEY.sign(b"other"))):
        path = packed(tmp_path / f"{at}.zip", said, DATA, signature=signature)
        assert refused(path) == "VER-104"


@pytest.mark.parametrize(
    "stated", [b"", b"[]", b"{}", b"\xff", b'{"format": "passerelle-extract/1"}']
)
def test_what_is_no_manifest_is_refused(tmp_path, stated):
    assert refused(packed(tmp_path / "e.zip", stated, DATA)) in ("VER-104", "VER-105")


def test_a_later_format_is_said_to_be_one_and_a_later_field_is_read_over(tmp_path):
    later = json.loads(manifest(DATA).as_bytes())
    path = packed(
        tmp_path / "e.zip", json.dumps({**later, "format": "passerelle-extract/2"}).encode()
    )
    assert refused(path) == "VER-105"
    more = json.dumps({**later, "colour": "blue"}).encode()
    assert verify(packed(tmp_path / "m.zip", more, DATA), KEY.public_key()).manifest.table


def test_a_signed_zip_that_is_none_is_refused(tmp_path):
    path = tmp_path / "none.zip"
    path.write_bytes(b"x" * 500 + PLACEHOLDER)
    sign_file(path, KEY)
    assert refused(path) == "VER-101"
    with zipfile.ZipFile(path, "w") as archive:
        archive.comment = PLACEHOLDER
        for number in range(40):
            archive.writestr(f"../{number}", b"")
    sign_file(path, KEY)
    assert refused(path) == "VER-104"


@pytest.mark.parametrize(
    "pem", [b"", b"no key", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"]
)
def test_a_file_without_a_key_is_no_key(tmp_path, pem):
    key_file = tmp_path / "key.pem"
    key_file.write_bytes(pem)
    with pytest.raises(KeyFileError):
        verify(packed(tmp_path / "e.zip", manifest(DATA).as_bytes(), DATA), key_file)


def test_the_name_of_an_extract_follows_from_all_that_it_says():
    one = manifest(DATA)
    assert one.extract_id == manifest(DATA).extract_id
    assert len(one.extract_id) == 12
    for changes in ({"as_of": dt.date(2026, 12, 1)}, {"query": "SELECT 2"}, {"content_hash": "2"}):
        assert manifest(DATA, **changes).extract_id != one.extract_id
    assert parse(one.as_bytes()) == one
