"""The `passerelle` command: start, language, and the one place where an error becomes a sentence.

Not here: what a command does (one module a subject beside this one) and any work on data.

Exit codes: 0 done (rows may have been rejected: that is a result, not an error) · 2 the command
was not understood, or names something that does not exist · 3 a delivery was refused, or a check
that was asked for did not pass · 4 a place could not be reached or written: try again · 5 an error
inside Passerelle · 130 stopped with Ctrl-C.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence

from pipelines.cli.stops import Stop, report


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code. No stack trace is printed without `--debug`."""
    from pipelines.cli.everywhere import Everywhere, take_everywhere
    from pipelines.cli.session import Session
    from pipelines.cli.words import use

    for stream in (sys.stdout, sys.stderr):  # a terminal that lacks a sign shows another
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    session = Session(Everywhere("en"))
    try:
        everywhere, rest = take_everywhere(sys.argv[1:] if arguments is None else arguments)
        use(everywhere.language)
        session = Session(everywhere)
        from pipelines.cli.app import run

        return run(rest, session)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output has had enough (`| head`)
        sys.stderr.close()
        return 0
    except (Stop, Exception) as error:
        return report(error, session)
