"""The command `serve`: portal, Dagster's pages and daemon, Data Docs; on this machine only."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

from pipelines.cli.declare import command, flag, option
from pipelines.cli.errors import CommandError
from pipelines.cli.session import Session, unusable
from pipelines.cli.words import _
from pipelines.core.i18n import mark

LOOPBACK = "127.0.0.1"
PORT, PORTAL_PORT = 3000, 8000
LAST_PORT = 65_535
READY_WITHIN_S = 120
LOOK_EVERY_S = 0.3
FIRST_ACCOUNT = "passerelle user add jma.1 --organisation minusca_unpol --role mission_staff"
ENDS_WITHIN_S = 20


@command(
    "serve",
    mark(
        "Open the portal and Dagster on this machine.\n\n"
        "The portal is for everybody who has an account: tables and extracts, deliveries, the "
        "dictionary, the ledger. Dagster is for whoever runs the pipeline: it watches deliveries "
        "come in, starts and schedules work; beside it are the pages that Great Expectations "
        "writes about each audit. All of it listens on this machine only. Ctrl-C ends it."
    ),
    "passerelle serve --portal-port 8000 --port 3000",
)
def serve(
    session: Session,
    port: Annotated[
        int, option("--port", mark("NUMBER"), mark("port of Dagster"), min=1, max=LAST_PORT - 1)
    ] = PORT,
    portal_port: Annotated[
        int,
        option("--portal-port", mark("NUMBER"), mark("port of the portal"), min=1, max=LAST_PORT),
    ] = PORTAL_PORT,
    no_dagster: Annotated[bool, flag("--no-dagster", mark("the portal alone"))] = False,
) -> int:
    _check_tables(session)
    _check_configuration()
    _check_are_free([portal_port] if no_dagster else [portal_port, port, port + 1])
    environment = serving_environment(session, port + 1)
    if not no_dagster:
        environment.setdefault("PASSERELLE_DAGSTER_URL", f"http://{LOOPBACK}:{port}")
    _end_when_asked()
    try:
        with ExitStack() as stack:
            running = [_open_portal(stack, session, environment, portal_port)]
            if not no_dagster:
                running.append(_open_dagster(stack, session, environment, port))
            session.print(_("Ctrl-C ends it."))
            try:
                return _first_to_end(running)
            except KeyboardInterrupt:
                session.print(_("Ending…"))
                raise
    except KeyboardInterrupt:
        return 0


def _check_tables(session: Session) -> None:
    """Raise where a contract cannot be used or the tables are older than theirs."""
    from pipelines.lake.versions import require_current
    from schemas.contract_check import check_all

    check_all()
    require_current(session.settings)  # pages ask for columns that older tables do not have


def _check_configuration() -> None:
    """Raise CommandError where the portal could not start with the settings of its own."""
    from pipelines.portal.configuration import current_configuration

    try:
        current_configuration()
    except ValueError as error:
        raise unusable(error) from None


def _open_portal(
    stack: ExitStack, session: Session, environment: dict[str, str], port: int
) -> subprocess.Popen[Any]:
    log = session.settings.home / "portal.log"
    line = [sys.executable, "-m", "pipelines.portal"]
    listen = {**environment, "PASSERELLE_PORTAL_LISTEN": f"{LOOPBACK}:{port}"}
    portal = stack.enter_context(_running(line, listen, log))
    what = _("Starting the portal")
    if not _is_ready(session, portal, f"http://{LOOPBACK}:{port}/sign-in", what):
        message = _("The portal did not start.")
        raise CommandError("PSL-404", message, _("Its reasons are in {file}.", file=log))
    session.print(_("Portal: {address}", address=f"http://{LOOPBACK}:{port}"))
    if not _has_accounts(session):
        session.print(_("Nobody can sign in yet. Add the first account:"))
        session.print_line(f"  {FIRST_ACCOUNT}")
    return portal


def _open_dagster(
    stack: ExitStack, session: Session, environment: dict[str, str], port: int
) -> subprocess.Popen[Any]:
    log = session.settings.home / "dagster" / "dagster.log"
    dagster = stack.enter_context(_running(_dagster(port), environment, log))
    stack.enter_context(_data_docs(session, port + 1))
    what = _("Starting Dagster")
    if not _is_ready(session, dagster, f"http://{LOOPBACK}:{port}/server_info", what):
        message = _("Dagster did not start.")
        raise CommandError("PSL-404", message, _("Its reasons are in {file}.", file=log))
    session.print(_("Dagster: {address}", address=f"http://{LOOPBACK}:{port}"))
    session.print(_("Audits (Data Docs): {address}", address=f"http://{LOOPBACK}:{port + 1}"))
    session.print(_("What Dagster writes goes to {file}.", file=log))
    return dagster


def _has_accounts(session: Session) -> bool:
    from pipelines.accounts.people import users

    return bool(users(session.settings))


def _first_to_end(running: list[subprocess.Popen[Any]]) -> int:
    """Wait until one of the processes ends, and say how; without it the rest is not wanted."""
    while True:
        for process in running:
            if (code := process.poll()) is not None:
                return code
        time.sleep(LOOK_EVERY_S)


def _end_when_asked() -> None:
    """Take a closed terminal or a service manager's SIGTERM for Ctrl-C: nothing is left running."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.default_int_handler)


def serving_environment(session: Session, docs_port: int) -> dict[str, str]:
    """The environment of Dagster's processes: our home, its home under it, our settings of it."""
    settings = session.settings.prepare()
    home = settings.home / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    template = files("assets") / "dagster.yaml"
    (home / "dagster.yaml").write_text(template.read_text(encoding="utf-8"), encoding="utf-8")
    return {
        **os.environ,
        "DAGSTER_HOME": str(home),
        "PASSERELLE_HOME": str(settings.home),
        "PASSERELLE_LANG": settings.language,
        "PASSERELLE_DATA_DOCS_URL": f"http://{LOOPBACK}:{docs_port}",
        "DO_NOT_TRACK": "1",
        "PYTHONWARNINGS": "ignore",  # addressed to developers of Dagster, not to its users
    }


def _dagster(port: int) -> list[str]:
    script = shutil.which("dagster", path=str(Path(sys.executable).parent)) or "dagster"
    where = ["-m", "assets.definitions", "-h", LOOPBACK, "-p", str(port)]
    return [script, "dev", *where, "--log-level", "warning"]


@contextmanager
def _running(
    line: list[str], environment: dict[str, str], log: Path
) -> Iterator[subprocess.Popen[Any]]:
    """A process of its own group, which is asked to end, and made to if it does not."""
    with log.open("w", encoding="utf-8") as stream:
        process = subprocess.Popen(  # noqa: S603  (our own program, our own arguments)
            line,
            env=environment,
            cwd=environment["DAGSTER_HOME"],
            stdout=stream,
            stderr=stream,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            _end(process)


def _end(process: subprocess.Popen[Any]) -> None:
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGINT if os.name == "posix" else signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
        process.wait(ENDS_WITHIN_S)
        return
    if os.name == "posix":
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()


@contextmanager
def _data_docs(session: Session, port: int) -> Iterator[None]:
    """The Data Docs as plain pages on the next port."""
    import threading
    from functools import partial
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing of each page."""

    folder = session.settings.data_docs
    folder.mkdir(parents=True, exist_ok=True)
    server = ThreadingHTTPServer((LOOPBACK, port), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def _check_are_free(ports: list[int]) -> None:
    for port in ports:
        with socket.socket() as probe:
            is_free = probe.connect_ex((LOOPBACK, port)) != 0
        if not is_free or ports.count(port) > 1:
            other = f"passerelle serve --portal-port {PORTAL_PORT + 100} --port {PORT + 100}"
            message = _("Port {port} is in use.", port=port)
            raise CommandError("PSL-403", message, _("Try: {command}", command=other))


def _is_ready(session: Session, process: subprocess.Popen[Any], address: str, what: str) -> bool:
    """Wait until `address` answers; False where the process ends before, or takes too long."""
    with session.progress(what) as advance:
        end_s = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < end_s and process.poll() is None:
            advance(0, 1)
            with suppress(OSError), urllib.request.urlopen(address, timeout=2):  # noqa: S310
                return True
            time.sleep(LOOK_EVERY_S)
    return False
