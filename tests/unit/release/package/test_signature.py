"""Any changed byte of an extract is refused, and so is anything that was never one."""

from __future__ import annotations

import random
import shutil
import zipfile

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pipelines.core.settings import settings_for
from pipelines.release.errors import AuthenticityError
from pipelines.release.package.archive import Part, write_package
from pipelines.release.package.keys import (
    public_key_path,
    read_public_key,
    signing_key,
)
from pipelines.release.package.signature import (
    COMMENT_BYTES,
    PLACEHOLDER,
    check_file,
    sign_file,
)

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
PARTS = [
    Part("data.csv", b"a,b\r\n1,2\r\n" * 200),
    Part("manifest.json", b"{}"),
    Part("manifest.json.sig", KEY.sign(b"{}")),
]


@pytest.fixture
def signed(tmp_path):
    path = tmp_path / "extract.zip"
    write_package(path, PARTS, KEY)
    return path


def test_what_was_signed_is_accepted_wherever_it_lies(signed, tmp_path):
    moved = shutil.copy(signed, tmp_path / "renamed.bin")
    assert check_file(moved, KEY.public_key()) == check_file(signed, KEY.public_key())
    assert zipfile.ZipFile(signed).testzip() is None


def test_every_changed_byte_is_refused(signed):
    """All of the file's ends and headers, and bytes from everywhere between."""
    content = signed.read_bytes()
    everywhere = random.Random(7).sample(range(len(content)), min(len(content), 400))
    ends = [*range(120), *range(len(content) - COMMENT_BYTES - 400, len(content))]
    for position in sorted({*everywhere, *(one for one in ends if one >= 0)}):
        for change in (0x01, 0x20, 0x80):
            damaged = bytearray(content)
            damaged[position] ^= change
            signed.write_bytes(damaged)
            with pytest.raises(AuthenticityError):
                check_file(signed, KEY.public_key())


@pytest.mark.parametrize("cut", [1, 2, 21, 22, COMMENT_BYTES, COMMENT_BYTES + 22, 1000, 10**9])
def test_a_cut_file_is_refused(signed, cut):
    content = signed.read_bytes()
    signed.write_bytes(content[: max(0, len(content) - cut)])
    with pytest.raises(AuthenticityError):
        check_file(signed, KEY.public_key())


@pytest.mark.parametrize("more", [b"\0", b"\n", b"x" * 5000, PLACEHOLDER])
def test_a_longer_file_is_refused(signed, more):
    content = signed.read_bytes()
    for damaged in (content + more, more + content):
        signed.write_bytes(damaged)
        with pytest.raises(AuthenticityError):
            check_file(signed, KEY.public_key())


def test_a_file_put_in_beside_the_others_is_refused(signed):
    comment = zipfile.ZipFile(signed).comment
    with zipfile.ZipFile(signed, "a") as archive:
        archive.writestr("more.csv", "a")
    assert zipfile.ZipFile(signed).comment == comment
    with pytest.raises(AuthenticityError, match="VER-103"):
        check_file(signed, KEY.public_key())


def test_the_signature_of_another_extract_does_not_serve(signed, tmp_path):
    other = tmp_path / "other.zip"
    write_package(other, [Part("data.csv", b"b"), *PARTS[1:]], KEY)
    signature = other.read_bytes()[-COMMENT_BYTES:]
    signed.write_bytes(signed.read_bytes()[:-COMMENT_BYTES] + signature)
    with pytest.raises(AuthenticityError, match="VER-103"):
        check_file(signed, KEY.public_key())


def test_another_key_is_told_apart_from_a_changed_file(signed):
    with pytest.raises(AuthenticityError, match="VER-102"):
        check_file(signed, OTHER.public_key())
    shutil.copy(signed, signed.with_suffix(".again"))
    with zipfile.ZipFile(signed, "a") as archive:
        archive.comment = PLACEHOLDER
    sign_file(signed, OTHER)
    with pytest.raises(AuthenticityError, match="VER-102"):
        check_file(signed, KEY.public_key())


@pytest.mark.parametrize("content", [b"", b"PK", b"\0" * 4000, b"a,b\r\n" * 4000, PLACEHOLDER * 2])
def test_what_was_never_an_extract_has_no_signature(tmp_path, content):
    path = tmp_path / "other"
    path.write_bytes(content)
    with pytest.raises(AuthenticityError, match="VER-101"):
        check_file(path, KEY.public_key())


def test_a_key_is_made_once_for_its_owner_alone(tmp_path):
    settings = settings_for(tmp_path / "home")
    key = signing_key(settings)
    again = signing_key(settings)
    assert key.private_bytes_raw() == again.private_bytes_raw()
    file = settings.secrets / "release_ed25519.pem"
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(settings.secrets.iterdir()) == [file]
    published = read_public_key(public_key_path(settings))
    assert published.public_bytes_raw() == key.public_key().public_bytes_raw()
    assert b"PRIVATE" not in public_key_path(settings).read_bytes()
