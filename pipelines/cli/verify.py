"""The command `verify`: whether an extract is authentic and unchanged, and what it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pipelines.cli.declare import argument, command, option
from pipelines.cli.errors import CommandError
from pipelines.cli.session import Session
from pipelines.cli.words import _
from pipelines.core.i18n import mark

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


@command(
    "verify",
    mark(
        "Check an extract: is it authentic and unchanged, who made what for whom, by which clause?"
        "\n\n"
        "It needs no network and nothing but the zip and the maker's public key. A zip that was "
        "changed by a single byte is refused (exit code 3). Nothing is unpacked."
    ),
    "passerelle verify incidents_minusca_unpol_2026-11-01_0123456789ab.zip \\\n"
    "  --key passerelle-public-key.pem",
)
def verify(
    session: Session,
    file: Annotated[Path, argument(mark("FILE"), mark("the zip, as it was made"))],
    key: Annotated[
        Path | None,
        option(
            "--key", mark("FILE"), mark("the maker's public key; else that of this installation")
        ),
    ] = None,
) -> int:
    from pipelines.cli.extract_output import show_verified
    from pipelines.release.package.verify import verify as prove

    public = _public_key(session, key)
    show_verified(session, file, prove(file, public))
    return 0


def _public_key(session: Session, key: Path | None) -> Ed25519PublicKey:
    """The key to check with. Raises CommandError where there is none, or the file holds none."""
    from pipelines.release.package.keys import public_key_path, read_public_key

    path = key or public_key_path(session.settings)
    if key is None and not path.is_file():
        message = _("The public key of the maker is needed to check an extract.")
        hint = _(
            "Get it from the maker, by another way than the zip, then add: --key {file}",
            file=path.name,
        )
        raise CommandError("PSL-240", message, hint)
    return read_public_key(path)
