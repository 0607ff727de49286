"""Why an extract is refused or a file is none: codes with sentences, and what to do.

Not here: deciding (`permits.py`, `records.py` and their neighbours; `verify.py`).

REL-1xx: a request that cannot be granted. VER-1xx: a file that is no unchanged extract of ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.core.errors import REFUSED, CodedError, Words, declare
from pipelines.core.i18n import mark

if TYPE_CHECKING:
    from pipelines.release.disclosure.conflict import Conflict

declare(
    {
        "REL-101": mark("There is no organisation “{recipient}”, so nothing can be given to it."),
        "REL-102": mark("There is no purpose “{purpose}”; there are: {known}."),
        "REL-103": mark("There is no table “{table}” that is shared; there are: {known}."),
        "REL-104": mark("The table {table} has no column “{column}”."),
        "REL-105": Words(
            mark("No clause of any agreement gives {table} to {recipient}."),
            mark("Ask the provider for an agreement, or choose another table or purpose."),
        ),
        "REL-105 purpose": mark(
            "No clause gives {table} to {recipient} for this purpose ({purpose}); clauses exist "
            "for: {known}."
        ),
        "REL-105 form": mark(
            "No clause gives {table} to {recipient} in this form ({form}); there are clauses "
            "for: {known}."
        ),
        "REL-105 expired": Words(
            mark("The clause that gave {table} to {recipient}, {clause}, ended on {day}."),
            mark("Its parties can renew it; until then nothing leaves by it."),
        ),
        "REL-105 not_yet": Words(
            mark("The clause that will give {table} to {recipient}, {clause}, begins on {day}."),
            mark("Ask again from that day on."),
        ),
        "REL-105 gone": mark("{recipient} does not exist on {day}, so nothing can be given to it."),
        "REL-105 due_diligence": Words(
            mark(
                "The clause that gives {table} to {recipient}, {clause}, is closed: its "
                "human-rights review does not hold on {day}."
            ),
            mark("The mission’s human-rights component renews the review."),
        ),
        "REL-106": Words(
            mark("Nothing of what was asked may leave: {asked}."),
            mark("Leave the choice of columns open to get all that is permitted."),
        ),
        "REL-107": Words(
            mark(
                "Too few records are alike: after coarsening, no group reaches {k} records, so "
                "none leaves."
            ),
            mark("Ask for a longer period or a larger area, or for counts."),
        ),
        "REL-107 across": Words(
            mark(
                "No record lies wholly within what was asked. Others lie across it: too few were "
                "alike, so they are told more coarsely than the choice."
            ),
            mark(
                "Ask for whole months, for a whole country or for a whole section of offences, or "
                "for all."
            ),
        ),
        "REL-108": Words(
            mark(
                "Together with what was given or shown before, these counts would give away a "
                "number that is hidden."
            ),
            mark(
                "Ask for a coarser form that passes, or have the providers of the data consent in "
                "writing."
            ),
        ),
        "REL-109": Words(
            mark("{rows} rows are too many for the format {format}, which holds {limit}."),
            mark("Choose CSV or Parquet, or a shorter period."),
        ),
        "REL-109 cell": mark(
            "A cell holds {length} characters; the format {format} holds {limit} at most."
        ),
        "REL-110": mark(
            "“{name}” is not a dimension or measure that a clause opens; open: {known}."
        ),
        "REL-111": mark("“{name}” is not known here; there are: {known}."),
        "REL-112": mark("The period ends ({until}) before it begins ({since})."),
        "REL-113": mark("“{name}” is not a code of the list {list}."),
        "REL-114": mark("Nothing is published yet, so nothing can be extracted."),
        "REL-114 outdated": Words(
            mark("The tables are of an older contract, so nothing can be extracted from them."),
            mark("Whoever runs this installation brings them up to date first."),
        ),
        "REL-115": Words(
            mark("The format {format} needs a position, and no clause opens one."),
            mark("Choose CSV, XLSX or Parquet."),
        ),
        "REL-116": Words(
            mark("{cells} counts at once are more than can be checked for what they give away."),
            mark("Ask for fewer dimensions, or for longer periods."),
        ),
        "REL-117": Words(
            mark("{day} is still to come; the delays of the clauses are counted from a day."),
            mark("Leave the day out, or give {last} or an earlier day."),
        ),
        "REL-118": Words(
            mark(
                "Beside all that was given or shown before, these counts are more than can be "
                "checked for what they give away."
            ),
            mark(
                "Ask for fewer dimensions, or for longer periods, or have the providers of the "
                "data consent in writing."
            ),
        ),
        "REL-120": Words(
            mark("No refused counts with the reference {reference} wait for your organisation."),
            mark("“passerelle consent list” shows those that do."),
        ),
        "REL-121": mark(
            "A consent holds from today for a time: until a day from {first} to {last}."
        ),
        "REL-122": mark(
            "Say why in {shortest} to {longest} characters, without a name of a person."
        ),
        "REL-123": mark("Your organisation has no consent {reference} that stands."),
        "REL-124": Words(
            mark(
                "That period lies outside of what is given: the agreements give the months from "
                "{first} to {last}."
            ),
            mark(
                "Check the dates, the year first. The latest months are given once their delay is "
                "over."
            ),
        ),
        "REL-125": Words(
            mark(
                "Nothing of this choice is given under the agreements: either there is none, or "
                "none may leave; which of the two is not told."
            ),
            mark("Ask for a longer period, for more areas, or for all offences."),
        ),
        "REL-126": Words(
            mark("This installation cannot write the format {format}: a package is missing."),
            mark(
                "Choose GeoJSON, which holds the same points, or have whoever runs the "
                "installation add the package: {extra}."
            ),
        ),
        "VER-101": Words(
            mark("This file is not an extract: it has no signature of Passerelle."),
            mark("Ask for the zip as it was made; a file taken out of it has no signature."),
        ),
        "VER-102": Words(
            mark("This file was signed with another key ({signer}) than the one given."),
            mark("Ask the maker for the public key, by another way than the file came."),
        ),
        "VER-103": Words(
            mark("This file was changed after it was signed. Do not use it."),
            mark("Download it again, or ask whoever sent it for the zip as it was made."),
        ),
        "VER-104": Words(
            mark("The files inside do not agree with the manifest. Do not use it."),
            mark("Tell the maker of the extract; the key may be in wrong hands."),
        ),
        "VER-105": Words(
            mark("This extract was made by a later version of Passerelle ({format})."),
            mark("Install that version to read what it says; its signature is right."),
        ),
        "PSL-241": Words(mark("“{file}” holds no Ed25519 public key."), mark("See: {command}")),
        "PSL-412": Words(
            mark("“{file}” holds no Ed25519 private key."),
            mark(
                "Put it back from the backup. If it is lost, move the file away: a new key is "
                "made, and earlier extracts are checked with the earlier public key."
            ),
        ),
    }
)


class ReleaseError(CodedError):
    """A request for an extract that is not granted.

    `conflict` says of counts refused beside earlier ones what stands in the way and what passes.
    """

    kind_status, kind_exit_code = 422, REFUSED
    conflict: Conflict | None = None


class AuthenticityError(CodedError):
    """The file is not an unchanged extract of the holder of the key."""

    kind_status, kind_exit_code = 422, REFUSED


class KeyFileError(CodedError):
    """A file that should hold an Ed25519 key does not: PSL-241 a public, PSL-412 a private one."""

    is_ours = True
