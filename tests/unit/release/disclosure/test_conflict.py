"""Counts beside what was told before, at the doors through which they leave: make and preview.

Not here: the comparison itself (`test_differencing.py`), the command, the pages and the API.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipelines.core import clock
from pipelines.core.settings import Settings
from pipelines.ledger.chain import entries
from pipelines.release.disclosure import deduction
from pipelines.release.disclosure.conflict_words import obstacle_lines
from pipelines.release.disclosure.consents import Consent, consents, give, needs, revoke
from pipelines.release.disclosure.past_disclosures import (
    cells_folder,
    disclosures_by_recipient,
    is_known_to,
)
from pipelines.release.errors import ReleaseError
from pipelines.release.extract import make_extract
from pipelines.release.package.readme import about
from pipelines.release.preview import preview
from pipelines.release.request import Request
from tests.unit.release.home import make_home, publish
from tests.unit.release.world import counts, permit, rows

AS_OF = dt.date(2026, 6, 30)
GENDARMERIE = {"source": "caf_gendarmerie"}
MISSION = {"recipient": "minusca_unpol", "purpose": "joint_planning"}
PUBLIC = {"recipient": "public", "purpose": "public_information"}
TWO = ("0101", "0501")
DPO = {"recipient": "dpo_police_division", "purpose": "reporting_dpo"}


def ask(**changes: Any) -> Request:
    usual = {"table": "incidents", "as_of": AS_OF, "form": "counts", "dimensions": ("country",)}
    return Request(**{**usual, **MISSION, **changes})  # type: ignore[arg-type]


def clauses() -> list[dict[str, Any]]:
    """DPO is told what the police has; the public and the mission, what both services have."""
    both = ["caf_police", "caf_gendarmerie"]
    return [
        counts(recipients=["dpo_police_division"], purposes=["reporting_dpo"]),
        counts(recipients=["public"], purposes=["public_information"], providers=both),
        counts(recipients=["minusca_unpol"], providers=both),
    ]


@pytest.fixture(autouse=True)
def _as_long_as_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.release.disclosure.conflict.TRIED_S", 600.0)


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    """9 incidents of the police and 4 of the gendarmerie."""
    return make_home(tmp_path, rows(*[{}] * 9, *[GENDARMERIE] * 4), clauses())


def refused(home: Settings, request: Request, code: str = "REL-108") -> ReleaseError:
    """The refusal, the same at both doors."""
    with pytest.raises(ReleaseError) as looked:
        preview(home, request)
    with pytest.raises(ReleaseError) as made:
        make_extract(home, request, made_by="desk")
    assert (looked.value.code, made.value.code) == (code, code)
    assert looked.value.conflict == made.value.conflict
    return made.value


def test_the_public_is_told_nothing_that_tells_a_recipient_more(home: Settings) -> None:
    """Nine were told to DPO; the thirteen of everybody would tell it the other four."""
    told = make_extract(home, ask(**DPO), made_by="desk")
    conflict = refused(home, ask(**PUBLIC)).conflict
    assert conflict is not None
    [obstacle] = conflict.obstacles
    assert (obstacle.told.name, obstacle.told.recipient) == (told.extract_id, DPO["recipient"])
    assert conflict.known_to("public") == ()
    assert conflict.known_to("dpo_police_division") == (obstacle,)


def test_what_the_public_was_told_everybody_knows(home: Settings) -> None:
    preview(home, ask(**PUBLIC))
    conflict = refused(home, ask(**DPO)).conflict
    assert conflict is not None
    [obstacle] = conflict.obstacles
    assert obstacle.told.is_preview
    assert conflict.known_to("minusca_unpol") == (obstacle,), "everybody may know of it"
    assert obstacle.differs == ("purpose",)


def test_two_organisations_that_are_told_apart_are_not_compared(home: Settings) -> None:
    make_extract(home, ask(**DPO), made_by="desk")
    assert make_extract(home, ask(**MISSION), made_by="desk").row_count


def test_a_unit_knows_what_its_mission_knows_and_no_other_organisation_does(home: Settings) -> None:
    preview(home, ask(recipient="minusca_unpol_jma"))
    preview(home, ask(**PUBLIC))

    def known(recipient: str) -> list[list[str]]:
        asked = dataclasses.replace(ask(), recipient=recipient)
        return [
            [one.recipient for one in circle.values()]
            for circle in disclosures_by_recipient(home, asked)
        ]

    for recipient in ("minusca_unpol_border", "minusca_unpol"):
        assert sorted(known(recipient)[0]) == ["minusca_unpol_jma", "public"]
    assert known("dpo_police_division") == [["public"]]
    assert sorted(known("public")[0]) == ["minusca_unpol_jma", "public"]
    [told] = [
        one
        for one in disclosures_by_recipient(home, ask())[0].values()
        if one.recipient != "public"
    ]
    assert is_known_to(told, "minusca_unpol")
    assert not is_known_to(told, "dpo_police_division")


def with_records(place: Path, others: int) -> Settings:
    """Where the mission may have the records of the police, and all may have counts of both."""
    both = {"providers": ["caf_police", "caf_gendarmerie"]}
    signed = [*({**one, **both} for one in clauses()), permit(recipients=["minusca_unpol"])]
    place.mkdir(exist_ok=True)
    return make_home(place, rows(*[{}] * 9, *[GENDARMERIE] * others), signed)


RECORDS = {"form": "records", "dimensions": ()}


@pytest.mark.parametrize("way", ["made", "looked"])
@pytest.mark.parametrize("asker", [MISSION, {**MISSION, "recipient": "minusca_unpol_jma"}, PUBLIC])
def test_who_has_the_records_is_not_told_the_few_others_by_counts(
    tmp_path: Path, way: str, asker: dict[str, str]
) -> None:
    """Nine of thirteen left as records, so thirteen would tell the other four."""
    home = with_records(tmp_path, 4)
    if way == "made":
        name = make_extract(home, ask(**RECORDS), made_by="desk").extract_id
    else:
        assert preview(home, ask(**RECORDS)).row_count == 9
        [name] = disclosures_by_recipient(home, ask())[0]
    conflict = refused(home, ask(**asker)).conflict
    assert conflict is not None
    [obstacle] = conflict.obstacles
    assert (obstacle.told.name, obstacle.told.form, obstacle.differs) == (name, "records", ())
    [line] = obstacle_lines(conflict, "en", MISSION["recipient"])
    assert line.startswith("Records, " if way == "made" else "MINUSCA UN Police looked at records")
    assert conflict.need.providers == ("caf_police", "caf_gendarmerie")
    assert make_extract(home, ask(**DPO), made_by="desk").row_count, "who has no records"


def test_records_that_left_before_their_numbers_were_kept_are_known_all_the_same(
    tmp_path: Path,
) -> None:
    home = with_records(tmp_path, 4)
    made = make_extract(home, ask(**RECORDS), made_by="desk")
    kept = cells_folder(home, "incidents", MISSION["recipient"]) / f"{made.extract_id}.parquet"
    before = pq.read_table(kept)
    kept.unlink()
    refused(home, ask())
    assert pq.read_table(kept) == before
    [told] = disclosures_by_recipient(home, ask())[0].values()
    assert (told.form, told.asked) == ("records", {"providers": ["caf_police"]})


def test_counts_of_enough_others_leave_beside_records_and_so_do_counts_of_the_records(
    tmp_path: Path,
) -> None:
    home = with_records(tmp_path, 5)
    make_extract(home, ask(**RECORDS), made_by="desk")
    assert preview(home, ask()).row_count
    home = with_records(tmp_path / "more", 0)
    make_extract(home, ask(**RECORDS), made_by="desk")
    publish(home, rows(*[{}] * 11))
    refused(home, ask())
    make_extract(home, ask(**RECORDS), made_by="desk")
    assert preview(home, ask()).row_count, "the two that came are among the records"


def test_after_a_correction_the_same_question_is_refused_and_coarser_ones_pass(
    home: Settings,
) -> None:
    publish(home, rows(*[{"occurred_at": dt.datetime(2026, 5, 5)}] * 20))
    by_month = ask(dimensions=("country", "month"), until=dt.date(2026, 5, 31))
    make_extract(home, by_month, made_by="desk")
    june = [{"occurred_at": dt.datetime(2026, 6, 5)}] * 9
    publish(home, rows(*[{"occurred_at": dt.datetime(2026, 5, 5)}] * 21, *june))
    conflict = refused(home, by_month).conflict
    assert conflict is not None
    assert conflict.obstacles[0].differs == ("records",)
    assert conflict.coarser
    for form in conflict.coarser:
        assert form != by_month
        assert preview(home, form).row_count
        break


@pytest.mark.parametrize(
    "period", [{"since": dt.date(2026, 5, 1)}, {"until": dt.date(2026, 5, 31)}]
)
def test_another_period_is_named_by_either_of_its_ends(
    tmp_path: Path, period: dict[str, Any]
) -> None:
    edges = [{"occurred_at": dt.datetime(2026, month, 5)} for month in (4, 6)]
    home = make_home(tmp_path, rows(*[{}] * 9, *edges * 3), clauses())
    make_extract(home, ask(), made_by="desk")
    conflict = refused(home, ask(**period)).conflict
    assert conflict is not None
    assert conflict.obstacles[0].differs == ("period",)


def test_a_coarser_form_is_offered_only_where_no_circle_is_told_more_by_it(home: Settings) -> None:
    """The mission may know the thirteen, which would tell DPO the other four."""
    make_extract(home, ask(**DPO), made_by="desk")
    make_extract(home, ask(**MISSION), made_by="desk")
    conflict = refused(home, ask(**PUBLIC, dimensions=("country", "offence_section"))).conflict
    assert conflict is not None
    assert conflict.coarser == ()


def test_a_refusal_is_written_down_with_what_stood_in_the_way(home: Settings) -> None:
    told = make_extract(home, ask(**DPO), made_by="desk")
    refused(home, ask(**PUBLIC))
    entry = entries(home, events=["extract.refused"]).entries[0]
    assert entry.details["code"] == "REL-108"
    assert entry.details["earlier"] == [told.extract_id]
    digests_and_times = {"as_of", "earlier", "reference"}  # which may have a 13 by chance
    told_of = {key: entry.details[key] for key in entry.details.keys() - digests_and_times}
    assert "13" not in str(told_of)


def consent(home: Settings, reference: str, organisation: str, **changes: Any) -> Consent:
    usual = {
        "by": f"{organisation}.data",
        "until": clock.now().date() + dt.timedelta(days=30),
        "reason": "Agreed in the meeting of the steering group",
    }
    return give(home, reference, organisation=organisation, **{**usual, **changes})


def reference_of(home: Settings) -> str:
    conflict = refused(home, ask(**PUBLIC)).conflict
    assert conflict is not None
    assert conflict.need.providers == ("caf_police", "caf_gendarmerie")
    return conflict.need.reference


def test_only_the_written_word_of_all_providers_lets_it_leave(home: Settings) -> None:
    make_extract(home, ask(**DPO), made_by="desk")
    reference = reference_of(home)
    first = consent(home, reference, "caf_police")
    assert reference_of(home) == reference, "one of two is not enough"
    second = consent(home, reference, "caf_gendarmerie")
    assert preview(home, ask(**PUBLIC)).row_count
    made = make_extract(home, ask(**PUBLIC, language="fr"), made_by="desk")
    accepted = made.manifest.accepted_by
    assert {one.consent for one in accepted} == {first.consent_id, second.consent_id}
    assert {one.organisation.code for one in accepted} == {"caf_police", "caf_gendarmerie"}
    said = dict(about(made.manifest))["Risque restant"]
    assert "Accepté par écrit par" in said
    assert "steering group" in said
    assert entries(home, events=["extract.made"]).entries[0].details["consents"]
    for one in (first, second):
        revoke(home, one.consent_id, by="x", organisation=one.organisation)
    again = make_extract(home, ask(**PUBLIC), made_by="desk")
    assert again.manifest.accepted_by == (), "the very same tells nobody anything"


def test_what_is_too_much_to_check_leaves_only_by_the_written_word_of_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds = [{"admin1_code": a, "offence_code": o} for a in ("CF11", "CF71") for o in TWO]
    home = make_home(tmp_path, rows(*kinds * 9), clauses())
    told = make_extract(home, ask(dimensions=("admin1_code",)), made_by="desk")
    by_offence = ask(dimensions=("offence_section",))
    monkeypatch.setattr(deduction, "MOST_WORK", 0)
    conflict = refused(home, by_offence, "REL-118").conflict
    assert conflict is not None
    assert [one.told.name for one in conflict.obstacles] == [told.extract_id]
    assert conflict.obstacles[0].differs == ("admin1_code", "offence_section")
    assert conflict.need.providers == ("caf_police", "caf_gendarmerie")
    consent(home, conflict.need.reference, "caf_police")
    refused(home, by_offence, "REL-118")
    consent(home, conflict.need.reference, "caf_gendarmerie")
    assert preview(home, by_offence).row_count
    made = make_extract(home, by_offence, made_by="desk")
    assert len(made.manifest.accepted_by) == 2, "although a look before told the very same"
    refused(home, ask(dimensions=("country", "offence_section")), "REL-118")


def test_counts_of_which_nobody_wrote_down_whose_data_they_hold_may_hold_anybodys(
    home: Settings,
) -> None:
    preview(home, ask(**PUBLIC))
    [told] = disclosures_by_recipient(home, ask(**DPO))[0].values()
    file = cells_folder(home, "incidents", "public") / f"{told.name}.parquet"
    file.chmod(0o600)
    pq.write_table(told.kept.replace_schema_metadata(None), file)
    conflict = refused(home, ask(**DPO)).conflict
    assert conflict is not None
    assert set(conflict.need.sources) == {"caf_police", "caf_gendarmerie"}


def test_a_consent_is_for_one_question_and_what_stood_in_its_way(home: Settings) -> None:
    make_extract(home, ask(**DPO), made_by="desk")
    reference = reference_of(home)
    for one in ("caf_police", "caf_gendarmerie"):
        consent(home, reference, one)
    refused(home, ask(**PUBLIC, dimensions=("country", "offence_section")))
    make_extract(home, ask(**PUBLIC), made_by="desk")
    publish(home, rows(*[{}] * 9, *[GENDARMERIE] * 5))
    assert reference_of(home) != reference, "what left by it stands in the way of what is new"


def test_a_consent_ends_and_can_be_taken_back_for_later(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_extract(home, ask(**DPO), made_by="desk")
    reference = reference_of(home)
    given = [consent(home, reference, one) for one in ("caf_police", "caf_gendarmerie")]
    later = clock.now() + dt.timedelta(days=31)
    with monkeypatch.context() as patched:
        patched.setattr(clock, "now", lambda: later)
        assert reference_of(home) == reference
    with pytest.raises(ReleaseError, match="REL-123"):
        revoke(home, given[0].consent_id, by="other", organisation="cod_pnc")
    assert not revoke(home, given[0].consent_id, by="x", organisation="caf_police").is_open
    with pytest.raises(ReleaseError, match="REL-123"):
        revoke(home, given[0].consent_id, by="x", organisation="caf_police")
    assert reference_of(home) == reference
    [mine] = consents(home, "caf_police")
    assert mine.revoked_at is not None
    assert [one.event for one in entries(home, subject=reference).entries] == [
        *("consent.revoked", "consent.given", "consent.given", "consent.needed"),
    ]


def test_a_consent_is_refused_to_others_and_without_a_reason_or_an_end(home: Settings) -> None:
    make_extract(home, ask(**DPO), made_by="desk")
    reference = reference_of(home)
    today = clock.now().date()
    for code, organisation, changes in (
        ("REL-120", "cod_pnc", {}),
        ("REL-120", "minusca_unpol", {}),
        ("REL-121", "caf_police", {"until": today - dt.timedelta(days=1)}),
        ("REL-121", "caf_police", {"until": today + dt.timedelta(days=91)}),
        ("REL-122", "caf_police", {"reason": "   "}),
    ):
        with pytest.raises(ReleaseError, match=code):
            consent(home, reference, organisation, **changes)
    with pytest.raises(ReleaseError, match="REL-120"):
        consent(home, "0" * 12, "caf_police")
    assert needs(home, "cod_pnc") == []
    assert [one.reference for one in needs(home, "caf_gendarmerie")] == [reference]
