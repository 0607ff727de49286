"""The commands `key …`: the public half of the key with which extracts are signed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pipelines.cli.declare import argument, command, noun
from pipelines.cli.session import Session
from pipelines.cli.words import _
from pipelines.core.i18n import mark


@command(
    "show",
    mark(
        "Show the public key with which extracts of this installation are checked.\n\n"
        "Read its fingerprint out by telephone to whoever has a copy: both must be the same."
    ),
    "passerelle key show",
)
def show_key(session: Session) -> None:
    from pipelines.release.package.keys import (
        fingerprint,
        public_key_path,
        public_pem,
        signing_key,
        spoken,
    )

    key = signing_key(session.settings).public_key()
    pem = public_pem(key).decode("ascii")
    if session.is_json:
        place = str(public_key_path(session.settings))
        session.print_json({"fingerprint": fingerprint(key), "file": place, "pem": pem})
        return
    session.print(_("Fingerprint: {fingerprint}", fingerprint=spoken(fingerprint(key))))
    session.print_line(_("File: {file}", file=public_key_path(session.settings)))
    session.print()
    session.print(pem.rstrip())


@command(
    "export",
    mark("Write the public key to a file, to hand to those who check extracts."),
    "passerelle key export passerelle-public-key.pem",
)
def export_key(
    session: Session, file: Annotated[Path, argument(mark("FILE"), mark("where to write it"))]
) -> None:
    from pipelines.release.package.keys import fingerprint, public_pem, signing_key, spoken

    key = signing_key(session.settings).public_key()
    file.write_bytes(public_pem(key))
    said = spoken(fingerprint(key))
    if session.is_json:
        session.print_json({"fingerprint": fingerprint(key), "file": str(file)})
    session.print(_("Public key {fingerprint} in {file}.", fingerprint=said, file=file))


NOUN = noun(
    "key",
    mark("The key with which extracts are signed: show and hand out its public half."),
    show_key,
    export_key,
)
