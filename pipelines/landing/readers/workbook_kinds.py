"""What a file is that is called a workbook, and workbooks of other kinds as `.xlsx`.

Not here: the process that converts them (`workbook_conversion`), whether an `.xlsx` may be opened
(`workbook_safety`), reading it (`workbook`).

Excel 97 (`.xls`), Excel's binary form (`.xlsb`) and OpenDocument (`.ods`) are read by the same
library. What a parser makes of them cannot be told from the outside, as it can of an `.xlsx`; so
they are opened in a process of their own, with bounds on memory and time, and written as `.xlsx`.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from pipelines.landing.refuse import MEGABYTE, refusal

ENDINGS = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")
XLSX, XLS, XLSB, ODS = "XLSX", "XLS (Excel 97)", "XLSB", "ODS"
COMPOUND_FILE = bytes.fromhex("d0cf11e0a1b11ae1")  # Word/Excel 97 files, and encrypted ones
BLOCK_BYTES = 1024**2
LARGEST_UNPACKED_BYTES = 512 * MEGABYTE
LARGEST_MEMORY_BYTES = 3 * 1024 * MEGABYTE
LONGEST_S = 300
MOST_CELLS = 6_000_000
CONVERSION = "pipelines.landing.readers.workbook_conversion"  # run as a process, not imported
TOO_LARGE, UNREADABLE, LOCKED = 3, 4, 5  # how the process ends
_STREAMS = {"Workbook": XLS, "Book": XLS, "WordDocument": "DOC (Word 97)"}
_PARTS = {
    "xl/workbook.xml": XLSX,
    "xl/workbook.bin": XLSB,
    "word/document.xml": "DOCX (Word)",
    "ppt/presentation.xml": "PPTX (PowerPoint)",
}
_HEADS = {
    b"%PDF": "PDF",
    b"{\\rtf": "RTF",
    b"\x1f\x8b\x08": "GZIP",
    b"Rar!\x1a": "RAR",
    b"7z\xbc\xaf": "7Z",
}
_MACROS = ("Basic/", "Scripts/")


def kind_of(file: Path) -> str:
    """What a file is by its contents: one of the kinds above, or another name for a person.

    Empty for text that may be anything. Raises OSError.
    """
    with file.open("rb") as stream:
        head = stream.read(4096)
    if head.startswith(COMPOUND_FILE):
        return next(
            (kind for name, kind in _STREAMS.items() if contains(file, name.encode("utf-16-le"))),
            "OLE",
        )
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _kind_of_archive(file)
    if name := next((kind for mark, kind in _HEADS.items() if head.startswith(mark)), ""):
        return name
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith((b"<!doctype html", b"<html", b"<table", b"<head", b"<meta")):
        return "HTML"
    if text.startswith(b"<?xml") or text.startswith(b"<"):
        is_sheet = b"urn:schemas-microsoft-com:office:spreadsheet" in text
        return "XML (Excel 2003)" if is_sheet else "HTML" if b"<html" in text else "XML"
    return ""


def as_xlsx(file: Path, scratch: Path) -> Path:
    """The workbook as `.xlsx`: the file itself, or a copy in `scratch` of one of another kind.

    Raises DeliveryError: DEL-713 for what is no workbook (named for what it is), DEL-710 for one
    with a password, DEL-709 for macros, DEL-708 for what grows too large, DEL-702 for a part.
    """
    kind = kind_of(file)
    if kind not in (XLS, XLSB, ODS):
        if kind in (XLSX, "ZIP"):
            return file
        if kind == "OLE" and contains(file, "EncryptedPackage".encode("utf-16-le")):
            raise refusal("DEL-710", file)
        raise refusal("DEL-713", file, expected=XLSX, found=kind or "TXT")
    _demand_harmless(file, kind)
    target = scratch / f"{file.stem}.converted.xlsx"
    command = [sys.executable, "-m", CONVERSION, str(file), str(target)]
    try:
        done = subprocess.run(  # noqa: S603  (our own module; the file's name is an argument)
            command, capture_output=True, timeout=LONGEST_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise _grows(file) from None
    if done.returncode == LOCKED:
        raise refusal("DEL-710", file)
    if done.returncode == UNREADABLE:
        raise refusal("DEL-702", file)
    if done.returncode:  # also where memory did not suffice, which ends the process
        raise _grows(file)
    return target


def contains(file: Path, wanted: bytes) -> bool:
    """Whether these bytes stand in a file."""
    carry = b""
    with file.open("rb") as stream:
        while block := stream.read(BLOCK_BYTES):
            if wanted in carry + block:
                return True
            carry = block[-len(wanted) :]
    return False


def _kind_of_archive(file: Path) -> str:
    try:
        with zipfile.ZipFile(file) as archive:
            names = set(archive.namelist())
            if "mimetype" in names and archive.getinfo("mimetype").file_size < BLOCK_BYTES:
                mimetype = archive.read("mimetype")
                if mimetype.startswith(b"application/vnd.oasis.opendocument"):
                    return ODS if b".spreadsheet" in mimetype else "OpenDocument"
    except (zipfile.BadZipFile, KeyError, RuntimeError, NotImplementedError, OSError):
        return "ZIP"
    return next((kind for part, kind in _PARTS.items() if part in names), "ZIP")


def _demand_harmless(file: Path, kind: str) -> None:
    """Raise for macros, a password, and what would unpack to more than may be opened."""
    if kind == XLS:
        if contains(file, "_VBA_PROJECT".encode("utf-16-le")):
            raise refusal("DEL-709", file)
        return
    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
        names = [entry.filename for entry in entries]
        if any(name.endswith("vbaProject.bin") or name.startswith(_MACROS) for name in names):
            raise refusal("DEL-709", file)
        if sum(entry.file_size for entry in entries) > LARGEST_UNPACKED_BYTES:
            raise _grows(file)
        manifest = "META-INF/manifest.xml"
        if manifest in names and b"encryption-data" in archive.read(manifest):
            raise refusal("DEL-710", file)


def _grows(file: Path) -> Exception:
    return refusal("DEL-708", file, limit_mb=LARGEST_UNPACKED_BYTES // MEGABYTE)
