"""The `passerelle` command: start, language, and the one place where an error becomes a sentence.

Exit codes: 0 done (rows may have been rejected: that is a result, not an error) · 2 the command
was not understood, or names something that does not exist · 3 a delivery was refused, or a check
that was asked for did not pass · 4 a place could not be reached or written: try again · 5 an error
inside Passerelle · 130 stopped with Ctrl-C. A reader that has
had enough (`| head`) is no fault: 0.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

from pipelines.cli.common_options import CommonOptions, take_common_options
from pipelines.cli.errors import CommandError
from pipelines.cli.failures import report
from pipelines.cli.session import Session
from pipelines.cli.words import use
from pipelines.core.ownership import keep_private


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code. No stack trace is printed without `--debug`."""
    keep_private()
    for stream in (sys.stdout, sys.stderr):  # a terminal that lacks a sign shows another
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    session = Session(CommonOptions("en"))
    try:
        options, rest = take_common_options(sys.argv[1:] if arguments is None else arguments)
        use(options.language)
        session = Session(options)
        from pipelines.cli.app import run

        code = run(rest, session)
        sys.stdout.flush()  # what cannot be written is found out here, not after the last line
        return code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output has had enough (`| head`)
        return 0
    except SystemExit as ended:  # as which the parser and the printer pass the same on
        if isinstance(ended.__context__, BrokenPipeError):
            return 0
        raise
    except (CommandError, Exception) as error:
        return report(error, session)
    finally:
        _let_go_of_output()


def _let_go_of_output() -> None:
    """Drop what cannot be written: Python would try again as it ends, and print a trace."""
    try:
        sys.stdout.flush()
    except OSError:
        with suppress(OSError, ValueError):  # not a file where a test reads it
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
