"""A file that comes by the web: whole or not at all, bounded, under no name of its sender's."""

from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
import sys
import tracemalloc
from collections import namedtuple
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.core.settings import settings_for
from pipelines.portal.services import uploads
from pipelines.portal.services.upload_errors import UploadError
from pipelines.portal.services.uploads import Limits, display_name, sweep, take_upload

BOUNDARY = "----boundary7d3f"
HEADERS = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}


@pytest.fixture
def settings(tmp_path):
    return settings_for(tmp_path).prepare()


def part(name, body, file_name=None):
    said = f'; filename="{file_name}"' if file_name is not None else ""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{said}\r\n\r\n'
    return head.encode() + body + b"\r\n"


def form(body=b"a;b\r\n1;2\r\n", file_name="mars.csv", feed="caf_police_incidents"):
    end = f"--{BOUNDARY}--\r\n".encode()
    return part("feed", feed.encode()) + part("file", body, file_name) + end


async def pieces(data, size=7, pause_s=0.0):
    for at in range(0, len(data), size):
        await asyncio.sleep(pause_s)
        yield data[at : at + size]


def take(settings, stream, *, headers=HEADERS, limits=None, admit=lambda fields: None, who="one"):
    more = {"limits": limits} if limits else {}
    return asyncio.run(take_upload(stream, headers, settings, sender=who, admit=admit, **more))


def left(settings):
    return sorted(file.name for file in settings.uploads.glob("*"))


def why(settings, stream, **more):
    with pytest.raises(UploadError) as refused:
        take(settings, stream, **more)
    assert left(settings) == [], "something was left of a refused upload"
    return refused.value.case


def test_a_file_arrives_whole_with_its_fields_and_fingerprint(settings):
    body = os.urandom(100_000) + f"\r\n--{BOUNDARY[:-1]}".encode()
    upload = take(settings, pieces(form(body), 4096))
    assert upload.file.read_bytes() == body
    assert upload.sha256 == hashlib.sha256(body).hexdigest()
    assert (upload.bytes, upload.file_name) == (len(body), "mars.csv")
    assert upload.fields == {"feed": "caf_police_incidents"}
    assert upload.file.stat().st_mode & 0o077 == 0
    assert left(settings) == [upload.file.name]
    assert "mars" not in upload.file.name


@pytest.mark.parametrize("size", [1, 2, 3, 64, 10_000])
def test_it_does_not_matter_how_the_bytes_are_cut(settings, size):
    assert take(settings, pieces(form(b"x\r\n--y\r\n"), size)).file.read_bytes() == b"x\r\n--y\r\n"


def test_an_empty_file_is_a_file_and_no_choice_is_none(settings):
    assert take(settings, pieces(form(b""))).bytes == 0
    settings.uploads.joinpath(left(settings)[0]).unlink()
    assert why(settings, pieces(form(b"", file_name=""))) == "no_file"


def test_a_file_beyond_the_limit_is_refused_as_soon_as_it_is(settings):
    small = replace(settings, largest_delivery_bytes=1000)
    assert take(small, pieces(form(b"x" * 1000))).bytes == 1000
    settings.uploads.joinpath(left(settings)[0]).unlink()
    assert why(small, pieces(form(b"x" * 1001), 100)) == "too_large"
    announced = {**HEADERS, "content-length": str(10**6)}
    assert why(small, pieces(form()), headers=announced) == "too_large"


def test_a_full_disk_is_said_before_it_is_full(settings, monkeypatch):
    usage = namedtuple("usage", "total used free")
    full = usage(10**9, 10**9, uploads.RESERVE_BYTES - 1)
    monkeypatch.setattr(uploads.shutil, "disk_usage", lambda _place: full)
    assert why(settings, pieces(form())) == "no_room"
    monkeypatch.setattr(uploads, "LOOK_AT_DISK_EVERY_BYTES", 1000)
    rooms = iter([usage(10**12, 0, 10**12), full])
    monkeypatch.setattr(uploads.shutil, "disk_usage", lambda _place: next(rooms))
    assert why(settings, pieces(form(b"x" * 5000), 1000)) == "no_room"


def test_a_sender_that_stands_still_or_never_ends_is_let_go(settings):
    assert why(settings, pieces(form(), 50, 0.2), limits=Limits(idle_s=0.05)) == "too_slow"
    assert why(settings, pieces(form(), 5, 0.02), limits=Limits(whole_s=0.1)) == "too_slow"


@pytest.mark.parametrize(
    "cut",
    [
        form()[:-8],
        form()[:60],
        b"",
        b"no form at all",
        part("feed", b"x" * 5000) + form(),
        b"".join(part(f"field{i}", b"x") for i in range(20)) + form(),
        part("file", b"1", "a.csv") + form(),
    ],
)
def test_what_is_no_whole_form_leaves_nothing(settings, cut):
    assert why(settings, pieces(cut)) == "broken"


def test_another_kind_of_body_is_refused(settings):
    assert why(settings, pieces(form()), headers={"content-type": "text/csv"}) == "broken"
    assert why(settings, pieces(form()), headers={}) == "broken"


def test_what_the_form_does_not_permit_keeps_no_byte(settings):
    def admit(fields):
        assert fields == {"feed": "other"}
        raise UploadError("not_permitted", fields)

    with pytest.raises(UploadError) as refused:
        take(settings, pieces(form(feed="other")), admit=admit)
    assert (refused.value.case, refused.value.fields) == ("not_permitted", {"feed": "other"})
    assert not settings.uploads.exists() or left(settings) == []


def test_a_connection_that_breaks_leaves_nothing(settings):
    async def broken():
        yield form(b"x" * 10_000)[:5000]
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        take(settings, broken())
    assert left(settings) == []


def test_only_so_many_at_once(settings):
    async def two():
        slow = take_upload(
            pieces(form(), 20, 0.02), HEADERS, settings, sender="one", admit=lambda _fields: None
        )
        first = asyncio.create_task(slow)
        await asyncio.sleep(0.05)
        with pytest.raises(UploadError) as refused:
            await take_upload(
                pieces(form()),
                HEADERS,
                settings,
                sender="one",
                admit=lambda _fields: None,
                limits=Limits(at_once_each=1),
            )
        assert refused.value.case == "too_many"
        await first

    asyncio.run(two())
    assert take(settings, pieces(form()), limits=Limits(at_once_each=1)).bytes


def test_memory_does_not_grow_with_the_file(settings):
    block = b"x" * (1 << 16)
    size = 64 << 20

    async def long():
        head, tail = form(b"?").split(b"?")
        yield head
        for _ in range(size // len(block)):
            yield block
        yield tail

    tracemalloc.start()
    upload = take(settings, long())
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert upload.bytes == size
    assert peak < 8 << 20


def test_names_are_words_and_never_paths():
    assert display_name("../../etc/passwd") == "passwd"
    assert display_name("C:\\Users\\x\\main courante.xlsx") == "main courante.xlsx"
    assert display_name(".ssh") == "ssh"
    assert display_name("envoi\u202excod.slx") == "envoixcod.slx"
    assert display_name("a\x00b\nc.csv") == "abc.csv"
    assert display_name("Préfecture Ouham — mars.csv") == "Préfecture Ouham — mars.csv"
    assert display_name("..") == ""
    assert display_name("é" * 400 + ".csv").endswith(".csv")


@given(st.text())
def test_no_name_escapes(name):
    shown = display_name(name)
    assert "/" not in shown and "\\" not in shown and "\x00" not in shown
    assert not shown.startswith(".")
    assert len(shown.encode()) <= 255


def test_what_a_killed_process_left_is_swept_and_what_is_written_is_not(settings):
    settings.uploads.mkdir()
    script = (
        "import sys,time\nfrom pathlib import Path\nfrom pipelines.portal.services import uploads\n"
        "from pipelines.core.settings import settings_for\n"
        "file = uploads._File(settings_for(sys.argv[1]), {})\n"
        "file.add(b'half'); file.write_out(); file.stream.flush(); print('ready', flush=True)\n"
        "time.sleep(60)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(settings.home)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    [part_file] = settings.uploads.glob("*.part")
    os.utime(part_file, (0, 0))
    assert sweep(settings) == 0, "it is still being written"
    process.kill()
    process.wait()
    os.utime(part_file, (0, 0))
    assert sweep(settings) == 1
    assert left(settings) == []


def test_a_whole_file_that_no_job_took_goes_after_a_week(settings):
    settings.uploads.mkdir()
    young, old = settings.uploads / "a.whole", settings.uploads / "b.whole"
    for file in (young, old):
        file.write_bytes(b"x")
    os.utime(old, (0, 0))
    assert sweep(settings) == 1
    assert left(settings) == ["a.whole"]
