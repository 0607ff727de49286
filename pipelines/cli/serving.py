"""The command `serve`: Dagster's web pages and daemon, and the Data Docs, on this machine only.

Not here: what Dagster shows (`assets`).
"""

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
from contextlib import contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines.cli.declare import command, session_of
from pipelines.cli.session import Session
from pipelines.cli.stops import Stop
from pipelines.cli.words import _, mark

LOOPBACK = "127.0.0.1"
PORT = 3000
READY_WITHIN_S = 120
ENDS_WITHIN_S = 20


@command(
    "serve",
    mark(
        "Open Dagster: watch deliveries come in, start and schedule work.\n\n"
        "It listens on this machine only. It also shows the pages that Great Expectations writes "
        "about each audit. Ctrl-C ends it."
    ),
    "passerelle serve --port 3000",
)
def serve(
    context: typer.Context,
    port: Annotated[
        int, typer.Option("--port", metavar=mark("NUMBER"), help=mark("port of the web pages"))
    ] = PORT,
) -> int:
    """Serve until Ctrl-C."""
    session = session_of(context)
    for wanted in (port, port + 1):
        if not _is_free(wanted):
            message = _("Port {port} is in use.", port=wanted)
            raise Stop(
                "PSL-403", message, _("Try: {command}", command="passerelle serve --port 3100")
            )
    environment = serving_environment(session, port + 1)
    _end_when_asked()
    log = _log_file(session)
    with _running(_dagster(port), environment, log) as dagster, _data_docs(session, port + 1):
        _wait_until_ready(session, dagster, port)
        session.print(_("Dagster: {address}", address=f"http://{LOOPBACK}:{port}"))
        session.print(_("Audits (Data Docs): {address}", address=f"http://{LOOPBACK}:{port + 1}"))
        session.print(_("What Dagster writes goes to {file}.", file=_log_file(session)))
        session.print(_("Ctrl-C ends it."))
        try:
            return dagster.wait()
        except KeyboardInterrupt:
            session.print(_("Ending…"))
            return 0


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


def _log_file(session: Session) -> Path:
    return session.settings.home / "dagster" / "dagster.log"


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


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) != 0


def _wait_until_ready(session: Session, process: subprocess.Popen[Any], port: int) -> None:
    with session.progress(_("Starting Dagster")) as advance:
        end_s = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < end_s:
            advance(0, 1)
            if process.poll() is not None:
                break
            with (
                suppress(OSError),
                urllib.request.urlopen(f"http://{LOOPBACK}:{port}/server_info", timeout=2),
            ):
                return
            time.sleep(0.3)
    message = _("Dagster did not start.")
    raise Stop("PSL-404", message, _("Its reasons are in {file}.", file=_log_file(session)))
