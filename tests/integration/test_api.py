"""The API end to end: who may do what with which token; an extract and a delivery, all the way."""

from __future__ import annotations

import hashlib
import os
import re
import shutil

import pytest

from pipelines.accounts.permissions import ROLES
from pipelines.core.settings import Settings, settings_for
from pipelines.jobs import worker
from pipelines.lake.publish import write_catalogue
from pipelines.ledger.chain import entries
from pipelines.release.package import keys
from pipelines.release.package.verify import verify
from schemas.feed import load_feed
from tests.integration.releasing import home_beside
from tests.portal import Browser, token_of

pytestmark = pytest.mark.usefixtures("day_of_the_demo")


@pytest.fixture(scope="module")
def settings(demo_home: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home of the module's own, with tables of its own: a delivery is published in it."""
    home = home_beside(demo_home, tmp_path_factory.mktemp("api") / "home").home
    shutil.copytree(demo_home.lake, home / "lake", copy_function=os.link)
    settings = settings_for(home).prepare()
    write_catalogue(settings)
    return settings


BASE = "/api/v1"
WANTED = {"table": "incidents", "purpose": "joint_planning", "language": "fr"}


class Program(Browser):
    """A program with a token; what it asks for is below the base of the API."""

    def __init__(self, app, role: str = "", organisation: str = "", **more) -> None:
        super().__init__(app)
        if role:
            more |= {"organisation": organisation}
            self.headers.update(token_of(app.state.settings, role, **more))

    def ask(self, method: str, path: str, **more):
        return self.request(method, f"{BASE}{path}", **more)


@pytest.fixture(scope="module")
def mission(app, settings):
    return Program(app, "mission_staff")


def test_it_says_whose_token_it_is(mission):
    said = mission.ask("GET", "/me").json()
    assert said["organisation"] == "minusca_unpol"
    assert "account.own" not in said["scopes"]
    assert set(said["scopes"]) <= ROLES["mission_staff"] | {"dictionary.read", "file.verify"}


def test_sentences_are_in_the_language_that_is_asked_for(app, settings):
    program = Program(app)
    french = program.ask("GET", "/me", headers={"Accept-Language": "fr"}).json()
    assert "jeton" in french["detail"]
    assert french["code"] == "WEB-401"


def test_an_extract_from_the_menu_to_the_verified_file(app, settings, mission):
    [offer, *_rest] = [o for o in mission.ask("GET", "/tables").json() if o["form"] == "records"]
    assert offer["table"] == "incidents" and "joint_planning" in offer["purposes"]
    menu = mission.ask("GET", "/tables/incidents", params={"purpose": "joint_planning"}).json()
    columns = [one["code"] for one in menu["columns"]][:6]
    wanted = WANTED | {"columns": columns}
    seen = mission.ask("POST", "/previews", json=wanted).json()
    assert seen["row_count"] > 0 and seen["rows"]

    asked = mission.ask("POST", "/extracts", json=wanted)
    assert asked.status_code == 202
    place = asked.headers["location"].removeprefix(BASE)
    assert mission.ask("GET", place).json()["state"] == "queued"
    assert mission.ask("GET", f"{place}/file").status_code == 404
    assert worker.run_next(settings, "here/0")
    job = mission.ask("GET", place).json()
    assert job["state"] == "done" and job["percent"] in (100, None)
    assert job["result"]["rows"] == seen["row_count"]

    whole = mission.get(job["file"])
    assert hashlib.sha256(whole.content).hexdigest() == job["result"]["sha256"]
    part = mission.get(job["file"], headers={"Range": "bytes=100-"})
    assert part.status_code == 206 and part.content == whole.content[100:]
    assert mission.get(job["file"], headers={"Range": "bytes=99999999-"}).status_code == 416
    file = settings.scratch / "fetched.zip"
    file.write_bytes(whole.content)
    assert verify(file, keys.public_key_path(settings)).manifest.recipient.code == "minusca_unpol"
    taken = entries(settings, events=["extract.downloaded"], subject=job["result"]["extract_id"])
    assert taken.total == 1, "a part of one download is not another download"
    listed = mission.ask("GET", "/extracts").json()
    assert job["id"] in [one["id"] for one in listed["items"]]

    stranger = Program(app, "mission_staff", "iom", name="test.stranger")
    assert stranger.ask("GET", place).status_code == 404
    assert stranger.get(job["file"]).status_code == 404
    assert stranger.ask("DELETE", place).status_code == 404


def test_an_extract_can_be_stopped_once(mission):
    place = mission.ask("POST", "/extracts", json=WANTED).headers["location"].removeprefix(BASE)
    assert mission.ask("DELETE", place).status_code == 204
    again = mission.ask("DELETE", place)
    assert again.status_code == 409 and again.json()["code"] == "WEB-409"


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"purpose": "public_information"}, "body.purpose"),
        ({"columns": ["document_token"]}, "body.columns"),
        ({"areas": ["nowhere"]}, "body.areas"),
        ({"since": "2026-13-01"}, "body.since"),
        ({"since": 0}, "body.since"),
        ({"since": "2026-02-02", "until": "2026-01-01"}, "body.until"),
        ({"format": "docx"}, "body.format"),
        ({"recipient": "iom"}, "body.recipient"),
    ],
)
def test_what_cannot_be_granted_is_said_field_by_field(mission, change, where):
    for path in ("/previews", "/extracts"):
        answer = mission.ask("POST", path, json=WANTED | change)
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        assert where in [fault["where"] for fault in answer.json()["faults"]]


def test_a_table_that_is_not_open_is_not_there(mission):
    for table in ("border_crossings", "nothing", "deliveries"):
        assert mission.ask("GET", f"/tables/{table}").status_code == 404
        assert mission.ask("POST", "/previews", json=WANTED | {"table": table}).status_code == 404


def test_sql_by_the_same_fences(app, settings):
    program = Program(app, "analyst", "minusca_unpol_jma")
    asked = {"purpose": "joint_planning", "question": "SELECT count(*) AS n FROM incidents"}
    good = program.ask("POST", "/sql", json=asked).json()
    assert good["columns"] == ["n"] and int(good["rows"][0][0]) > 0
    assert good["handling"] == "CONFIDENTIAL"
    bad = program.ask("POST", "/sql", json=asked | {"question": "SELECT getenv('HOME')"})
    assert bad.status_code == 422
    assert bad.json()["code"] == "SQL-107"
    assert bad.json()["faults"][0]["where"] == "body.question"
    names = [one["name"] for one in program.ask("GET", "/sql/tables?purpose=joint_planning").json()]
    assert names[0] == "incidents" and "code_labels" in names


def test_a_delivery_from_the_upload_to_its_report(app, settings):
    feed = load_feed("caf_gendarmerie_incidents")
    [file, *_more] = [path for path, _code in feed.counterexamples().items()]
    program = Program(app, "provider", "caf_gendarmerie")
    files = {"file": (file.name, file.read_bytes())}
    sent = program.ask("POST", f"/deliveries?feed={feed.feed}", files=files)
    assert sent.status_code == 202, sent.text
    job = sent.json()
    assert job["state"] == "queued" and not job["is_known"]
    assert worker.run_next(settings, "here/0")
    done = program.ask("GET", f"/deliveries/jobs/{job['id']}").json()
    assert done["state"] == "done"
    report = program.ask("GET", f"/deliveries/{job['delivery_id']}").json()
    codes = {one["code"] for one in [*report["rejections"], *report["findings"]]}
    codes |= {one["code"] for one in report["warnings"]}
    assert feed.counterexamples()[file] in codes
    book = program.ask("GET", f"/deliveries/{job['delivery_id']}/rejections.xlsx")
    assert book.status_code == 200 and book.content[:2] == b"PK"

    other = Program(app, "provider", "caf_police", name="test.police")
    assert other.ask("GET", f"/deliveries/{job['delivery_id']}").status_code == 404
    assert other.ask("POST", f"/deliveries?feed={feed.feed}", files=files).status_code == 404
    desk = Program(app, "data_specialist", feeds=[feed.feed])
    every = desk.ask("GET", "/all-deliveries").json()["items"]
    assert job["delivery_id"] in [one["delivery_id"] for one in every]
    assert desk.ask("GET", f"/all-deliveries/{job['delivery_id']}").status_code == 200
    [health] = [f for f in desk.ask("GET", "/feeds").json() if f["feed"] == feed.feed]
    assert health["deliveries"] >= 1


def test_a_body_that_is_no_form_is_refused_and_nothing_kept(app, settings):
    police = Program(app, "provider", "caf_police", name="test.police")
    answer = police.ask("POST", "/deliveries?feed=caf_police_incidents", content=b"\x00" * 100)
    assert answer.status_code == 400
    assert not list(settings.uploads.glob("*.part"))


def test_the_dictionary_by_a_source_s_own_words(app, settings):
    program = Program(app, "provider", "caf_police", name="test.police")
    found = program.ask("POST", "/dictionary/searches", json={"q": "Nature des faits"}).json()
    assert found["items"][0]["column"] == "offence_code"
    assert found["items"][0]["sources"][0]["feed"] == "caf_police_incidents"
    table = program.ask("GET", "/dictionary/incidents").json()
    assert {one["name"] for one in table["columns"]} >= {"record_id", "offence_code"}
    assert program.ask("GET", "/codelists/offences").json()["total"] > 100
    page = program.ask("POST", "/codelists/offences/searches", json={"q": "homicide"}).json()
    assert page["total"] >= 3


def test_oversight_reads_the_ledger_and_who_holds_a_record(app, settings, mission):
    program = Program(app, "oversight")
    first = program.ask("GET", "/ledger").json()
    assert first["items"][0]["seq"] >= first["total"] > 0, "those that concern them"
    assert program.ask("POST", "/ledger/checks").json()["faults"] == []
    stands = {one["agreement"]: one for one in program.ask("GET", "/agreements").json()}
    assert stands["caf_minusca"]["state"] == "in_force"
    said = program.ask("GET", "/agreements/caf_minusca").json()
    assert said["permits"][0]["in_words"]
    assert program.ask("POST", "/holders", json={"record_id": "x:y"}).json() == []


def test_the_description_is_whole_and_its_page_loads_nothing_from_elsewhere(app):
    document = Program(app).ask("GET", "/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    for path, methods in document["paths"].items():
        for method, said in methods.items():
            assert said["description"] and said["security"] == [{"token": []}], (path, method)
            assert said["x-scope"] in said["description"]
            assert {"401", "404", "422", "429"} <= set(said["responses"])
    for name, schema in document["components"]["schemas"].items():
        assert schema.get("description"), name
    page = Program(app).ask("GET", "")
    assert page.status_code == 200
    assert "<script" not in page.text
    assert not re.search(r'(?:src|href)="https?:', page.text)
