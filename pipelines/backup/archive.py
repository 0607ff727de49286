"""One compressed tar: written in one pass with the hash of each file, read without trusting it.

Not here: what goes into it (`contents.py`) and where it comes back to (`restore.py`).

The last member is the manifest: a file that broke off has none, and is no backup.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any

from pipelines.backup.errors import BackupError

FORMAT = "passerelle-backup v1"
MANIFEST = "manifest.json"
ENDINGS = (".tar.zst", ".tar.gz")
BLOCK_BYTES = 1 << 20
OWNER_ONLY = 0o600
LARGEST_MANIFEST_BYTES = 512 * 1024**2


class Hashing(io.RawIOBase):
    """Reads a file for the tar and hashes what it reads."""

    def __init__(self, stream: IO[bytes]) -> None:
        """Begin with nothing read."""
        self.stream, self.digest = stream, hashlib.sha256()

    def readable(self) -> bool:
        """Yes."""
        return True

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        data = self.stream.read(size)
        self.digest.update(data)
        return data


class Archive:
    """A backup while it is written."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        """Begin with no file."""
        self.tar = tar
        self.files: list[dict[str, Any]] = []

    def add(self, name: str, source: Path) -> bool:
        """Put a file in under `name`; False where it is gone meanwhile."""
        try:
            stream = source.open("rb")
        except FileNotFoundError:
            return False
        with stream:
            known = os.fstat(stream.fileno())
            member = tarfile.TarInfo(name)
            member.size, member.mtime = known.st_size, int(known.st_mtime)
            member.mode = known.st_mode & 0o777  # analysts with accounts of their own read the lake
            reader = Hashing(stream)
            self.tar.addfile(member, reader)
        digest = reader.digest.hexdigest()
        self.files.append({"path": name, "bytes": known.st_size, "sha256": digest})
        return True

    def finish(self, said: dict[str, Any]) -> dict[str, Any]:
        """Put the manifest in, as the last."""
        manifest = {"format": FORMAT, **said, "files": self.files}
        text = json.dumps(manifest, ensure_ascii=False, indent=1).encode()
        member = tarfile.TarInfo(MANIFEST)
        member.size, member.mtime, member.mode = len(text), int(time.time()), OWNER_ONLY
        self.tar.addfile(member, io.BytesIO(text))
        return manifest


@contextmanager
def writing(target: Path) -> Iterator[Archive]:
    """A new backup, which has its name once it is whole and on the disk. Raises BackupError."""
    if not target.name.endswith(ENDINGS):
        raise BackupError("BAK-201")
    if target.exists():
        raise BackupError("BAK-202", file=str(target))
    for litter in target.parent.glob(f".{target.name}.part-*"):
        litter.unlink(missing_ok=True)
    draft = target.with_name(f".{target.name}.part-{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    try:
        with os.fdopen(descriptor, "wb") as raw:
            with (
                _compressed(raw, target.name) as stream,
                tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as tar,
            ):
                yield Archive(tar)
            raw.flush()
            os.fsync(raw.fileno())
        os.link(draft, target)  # refuses what appeared meanwhile, as `rename` would not
        _sync(target.parent)
    except FileExistsError:
        raise BackupError("BAK-202", file=str(target)) from None
    finally:
        draft.unlink(missing_ok=True)


def unpack(source: Path, folder: Path) -> dict[str, Any]:
    """Unpack a backup into an empty folder and compare every file with its hash; the manifest.

    Raises BackupError, and leaves what it unpacked to the caller.
    """
    try:
        with (
            source.open("rb") as raw,
            _decompressed(raw, source.name) as stream,
            tarfile.open(fileobj=stream, mode="r|") as tar,
        ):
            for member in tar:
                _take(tar, member, folder)
    except (tarfile.TarError, EOFError, gzip.BadGzipFile) as error:
        raise BackupError("BAK-301", file=source.name) from error
    except OSError as error:
        if error.errno is None:  # of the decompressor, not of the disk
            raise BackupError("BAK-301", file=source.name) from error
        raise
    manifest = _manifest(folder, source)
    listed = {str(one["path"]): one for one in manifest["files"]}
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    if stranger := sorted(found - listed.keys()):
        raise BackupError("BAK-303", path=stranger[0])
    for path, said in sorted(listed.items()):
        if path not in found or _sha256(folder / path) != said["sha256"]:
            raise BackupError("BAK-302", path=path)
    return manifest


def file_sha256(file: Path) -> str:
    """The fingerprint of a whole backup, to be kept beside it."""
    return _sha256(file)


def _take(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    name = PurePosixPath(member.name)
    is_inside = not name.is_absolute() and ".." not in name.parts
    if not (member.isreg() and is_inside) or (folder / name).exists():
        raise BackupError("BAK-303", path=member.name)
    try:
        tar.extract(member, folder, filter="data")
    except tarfile.FilterError:
        raise BackupError("BAK-303", path=member.name) from None


def _manifest(folder: Path, source: Path) -> dict[str, Any]:
    file = folder / MANIFEST
    try:
        if file.stat().st_size > LARGEST_MANIFEST_BYTES:
            raise BackupError("BAK-301", file=source.name)
        manifest: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        if manifest["format"] != FORMAT or not isinstance(manifest["files"], list):
            raise BackupError("BAK-301", file=source.name)
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        raise BackupError("BAK-301", file=source.name) from None
    file.unlink()
    return manifest


@contextmanager
def _compressed(raw: IO[bytes], name: str) -> Iterator[Any]:
    if name.endswith(".gz"):
        with gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=6) as stream:
            yield stream
        return
    import pyarrow

    twin = os.fdopen(os.dup(raw.fileno()), "wb")  # Arrow closes what it is given
    with pyarrow.CompressedOutputStream(pyarrow.PythonFile(twin, "w"), "zstd") as stream:
        yield stream


@contextmanager
def _decompressed(raw: IO[bytes], name: str) -> Iterator[Any]:
    if name.endswith(".gz"):
        with gzip.GzipFile(fileobj=raw, mode="rb") as stream:
            yield stream
        return
    import pyarrow

    with pyarrow.CompressedInputStream(pyarrow.PythonFile(raw, "r"), "zstd") as stream:
        yield stream


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _sync(folder: Path) -> None:
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
