"""The people, as locust users in a process of their own: sign in, browse, download.

Not here: what they do (`visits.py`), starting and watching the portal (`run.py`). It reads what to
do as JSON from its input and prints what came of it as JSON; it stops by itself.
"""

from __future__ import annotations

# ruff: noqa: E402  (gevent goes before everything that opens a connection)
import gevent.monkey

gevent.monkey.patch_all()

import hashlib
import json
import random
import re
import sys
import time
from html import unescape
from typing import Any

import gevent
from gevent.pool import Pool
from locust import FastHttpUser, constant
from locust.env import Environment
from locust.stats import StatsEntry

from benchmarks.load.visits import PREVIEW, VISITS, Visit

TIMEOUT_S = 60.0
THINKING_S = (4.0, 12.0)
BLOCK_BYTES = 256 * 1024
SIGNING_AT_ONCE = 20  # as many people press the button at one moment
LONGEST_JOB_S = 600


class Person(FastHttpUser):
    """Somebody with a browser."""

    abstract = True
    connection_timeout = network_timeout = TIMEOUT_S
    wait_time = constant(0)

    def __init__(self, environment: Environment, account: dict[str, str]) -> None:
        super().__init__(environment)
        self.account, self.found = account, dict[str, str]()

    def open(self, path: str, name: str = "", **sent: Any) -> str:
        """A page; anything but a page counts as a fault."""
        method = "POST" if sent else "GET"
        with self.client.request(
            method, path, name=name or path, catch_response=True, allow_redirects=False, **sent
        ) as answer:
            text = str(answer.text or "")
            if answer.status_code == 200 and "/sign-in" not in answer.headers.get("location", ""):
                answer.success()
            elif answer.status_code == 303 and sent:
                answer.success()
                return str(answer.headers["location"])
            else:
                answer.failure(f"answered {answer.status_code}")
            return text

    def sign_in(self) -> None:
        """As the page asks."""
        secret = csrf_of(self.open("/sign-in"))
        form = {"csrf": secret, "name": self.account["name"], "password": self.account["password"]}
        self.open("/sign-in", "POST /sign-in", data=encoded(form), headers=FORM)

    def do(self, visit: Visit) -> None:
        """One visit."""
        path, start = visit.path, ""
        if visit.start and (visit.sends or visit.start not in self.found):
            start = self.open(visit.start)
        if visit.finding:
            if start:
                match = re.search(visit.finding, start)
                self.found[visit.start] = match[1] if match else ""
            if not self.found[visit.start]:
                return
            path = path.replace("{found}", self.found[visit.start])
        if not visit.sends:
            self.open(path, visit.name)
            return
        form = {**visit.sends, "csrf": csrf_of(start)}
        if chosen := re.search(r'name="way" value="([\w:]+)"|value="(\w+)" selected', start):
            form["way" if chosen[1] else "purpose"] = chosen[1] or chosen[2]
        if visit.sends is PREVIEW:
            offered = set(re.findall(r'name="columns" value="(\w+)"', start))
            form["columns"] = [one for one in form["columns"] if one in offered]
            if not offered:
                return
        shown = self.open(path, visit.name, data=encoded(form), headers=FORM)
        if shown.startswith(f"{path}?"):  # the answer is at an address of its own
            self.open(shown, f"{visit.name}, shown")

    def browse(self, until: float, dice: random.Random) -> None:
        """Pages with time to read them between."""
        visits = VISITS[self.account["role"]]
        weights = [one.weight for one in visits]
        gevent.sleep(dice.uniform(0, THINKING_S[1]))
        while time.monotonic() < until:
            self.do(dice.choices(visits, weights)[0])
            gevent.sleep(dice.uniform(*THINKING_S))

    def tour(self, rounds: int) -> None:
        """Every page of the role, one after the other."""
        for _ in range(rounds):
            for visit in VISITS[self.account["role"]]:
                self.do(visit)

    def download(self, path: str, sha256: str, pace: int, name: str) -> None:
        """A whole file, no faster than `pace` bytes a second (0: as fast as it comes)."""
        began, digest, length = time.monotonic(), hashlib.sha256(), 0
        with self.client.get(path, name=name, catch_response=True, stream=True) as answer:
            if answer.status_code == 200:
                while block := _read(answer):
                    digest.update(block)
                    length += len(block)
                    if pace:
                        gevent.sleep(max(0.0, length / pace - (time.monotonic() - began)))
                    else:
                        gevent.sleep(0)
            if digest.hexdigest() == sha256:
                answer.success()
            else:
                answer.failure(f"{answer.status_code}, {length} bytes, not the file")
        took = time.monotonic() - began
        self.environment.events.request.fire(
            request_type="WHOLE",
            name=name,
            response_time=took * 1000,
            response_length=length,
            exception=None,
            context={},
        )


def _read(answer: Any) -> bytes:
    return bytes(answer.stream.read(BLOCK_BYTES))


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def encoded(form: dict[str, Any]) -> str:
    """The body of a form."""
    from urllib.parse import urlencode

    return urlencode(form, doseq=True)


def csrf_of(text: str) -> str:
    """The secret in the form of a page."""
    found = re.search(r'name="csrf" value="([^"]+)"', text)
    return unescape(found[1]) if found else ""


def ask_for_extract(person: Person) -> dict[str, str]:
    """Have the large extract made, through the pages; its address and what the file must be.

    One of an earlier run that is still there is taken instead.
    """
    listed = re.findall(r'href="(/extracts/[\w-]{20,})"', person.open("/extracts"))
    for place in dict.fromkeys(listed):
        if found := _finished(person, place):
            return found
    menu = person.open("/tables/incidents?form=records&purpose=joint_planning")
    form: dict[str, Any] = {
        "csrf": csrf_of(menu),
        "table": "incidents",
        "form": "records",
        "purpose": "joint_planning",
        "columns": re.findall(r'name="columns" value="(\w+)"', menu),
        "format": "csv",
        "language": "en",
    }
    place = person.open("/extracts", "POST /extracts", data=encoded(form), headers=FORM)
    for _ in range(LONGEST_JOB_S * 2):
        if found := _finished(person, place):
            return found
        gevent.sleep(0.5)
    raise SystemExit("the extract was not made")


def _finished(person: Person, place: str) -> dict[str, str]:
    """The file of a finished extract and its SHA-256, both from its page."""
    shown = person.open(place, "/extracts/…")
    sha256 = re.search(r"\b[0-9a-f]{64}\b", shown)
    if f"{place}/file" not in shown or not sha256:
        return {}
    return {"file": f"{place}/file", "sha256": sha256[0]}


def run(asked: dict[str, Any]) -> dict[str, Any]:
    """Everything, in turns: sign in, alone, all together, with downloads."""
    environment = Environment(user_classes=[Person], host=asked["host"], catch_exceptions=False)
    environment.create_local_runner()  # without one nothing is counted
    Person.host = asked["host"]
    browsers = [Person(environment, one) for one in asked["browsers"]]
    colleagues = [Person(environment, one) for one in asked["downloaders"]]
    told: dict[str, Any] = {}
    began = time.monotonic()
    pool = Pool(SIGNING_AT_ONCE)
    for person in [*browsers, *colleagues]:
        pool.spawn(person.sign_in)
    pool.join()
    told["sign_in"] = _take(environment, began, "sign_in")
    began = time.monotonic()
    extract = ask_for_extract(colleagues[0])
    told["asking"] = _take(environment, began, "asking")
    began = time.monotonic()
    alone = {one.account["role"]: one for one in reversed(browsers)}
    for person in alone.values():
        person.tour(1)  # the first look at each page fills what is kept in memory
    told["first"] = _take(environment, began, "first")
    began = time.monotonic()
    for person in alone.values():
        person.tour(asked["rounds"])
    told["idle"] = _take(environment, began, "idle")
    for phase in asked["phases"]:
        began = time.monotonic()
        until = began + phase["seconds"]
        dice = [random.Random(number) for number in range(len(browsers))]  # noqa: S311
        busy = [gevent.spawn(one.browse, until, d) for one, d in zip(browsers, dice, strict=True)]
        name, pace = "/extracts/…/file", phase["pace"]
        if phase["downloads"]:
            gevent.sleep(phase["seconds"] / 6)
            at_once = [
                gevent.spawn(one.download, extract["file"], extract["sha256"], pace, name)
                for one in colleagues
            ]
            from_here = time.monotonic()
            gevent.joinall(at_once)
            told[f"{phase['name']} downloads_s"] = time.monotonic() - from_here
        gevent.joinall(busy)
        told[phase["name"]] = _take(environment, began, phase["name"])
    told["extract"] = extract
    return told


def _take(environment: Environment, began: float, phase: str) -> dict[str, Any]:
    """What was counted since the last time, and begin anew."""
    stats = environment.stats
    took = time.monotonic() - began
    pages = {
        f"{kind} {name}" if kind == "WHOLE" else name: {
            "count": one.num_requests,
            "faults": one.num_failures,
            "p50": one.get_response_time_percentile(0.5) or 0,
            "p95": one.get_response_time_percentile(0.95) or 0,
            "most": one.max_response_time,
            "bytes": one.total_content_length,
        }
        for (name, kind), one in stats.entries.items()
    }
    of_pages = [one for (name, kind), one in stats.entries.items() if not name.endswith("/file")]
    everything = StatsEntry(stats, "all", "")
    for one in of_pages:
        everything.extend(one)
    shares = {"p50": 0.5, "p95": 0.95}
    overall = {
        name: everything.get_response_time_percentile(share) or 0 for name, share in shares.items()
    }
    faults = [f"{one.name}: {one.error} × {one.occurrences}" for one in stats.errors.values()]
    all_ = stats.total
    whole = {"count": all_.num_requests, "faults": all_.num_failures, "seconds": took}
    stats.clear_all()
    print(f"phase {phase} {took:.0f} s", file=sys.stderr, flush=True)
    ended = time.time()
    whole |= {"began": ended - took, "ended": ended}
    return {"pages": pages, "errors": faults, "all": overall, **whole}


if __name__ == "__main__":
    print(json.dumps(run(json.load(sys.stdin))))
