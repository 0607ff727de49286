"""The three fences of the SQL box, each alone: what is refused, what is bounded, what passes."""

from __future__ import annotations

import itertools
import json

import duckdb
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pipelines.core.errors import WORDS
from pipelines.core.settings import settings_for
from pipelines.ledger.chain import entries
from pipelines.portal.sql import engine_reading, fence, run, worker
from pipelines.portal.sql.errors import SqlError
from pipelines.portal.sql.functions import FUNCTIONS, OPERATORS

RELATIONS = ("incidents", "code_labels")
CANARY = "canary-must-not-be-seen"

# {file} is a readable CSV file beside the boxes, {folder} its folder.
ESCAPES = [
    "SELECT * FROM read_csv('{file}')",
    "SELECT * FROM read_csv_auto(['{file}'])",
    "SELECT * FROM read_text('{file}')",
    "SELECT * FROM read_blob('{file}')",
    "SELECT * FROM parquet_scan('{folder}/*.parquet')",
    "SELECT * FROM read_json('{file}')",
    "SELECT * FROM sniff_csv('{file}')",
    "SELECT * FROM glob('{folder}/*')",
    "SELECT * FROM '{file}'",
    'SELECT * FROM "{file}"',
    "FROM '{file}'",
    "FROM read_text('{file}')",
    "TABLE '{file}'",
    "SELECT * FROM incidents JOIN '{file}' ON TRUE",
    "SELECT * FROM incidents, LATERAL (FROM read_text('{file}'))",
    "SELECT (SELECT content FROM read_text('{file}'))",
    "SELECT 1 FROM incidents WHERE EXISTS (FROM read_text('{file}'))",
    "WITH a AS (FROM read_text('{file}')) SELECT * FROM a",
    "WITH a AS MATERIALIZED (SELECT * FROM '{file}') FROM a",
    "WITH RECURSIVE a AS (SELECT 1 UNION SELECT 2 FROM '{file}') FROM a",
    "SELECT 1 UNION ALL SELECT content FROM read_text('{file}')",
    "SELECT 1 ORDER BY (SELECT content FROM read_text('{file}'))",
    "SELECT 1 LIMIT (SELECT 1 FROM '{file}')",
    "SELECT * FROM query('SELECT * FROM read_text(''{file}'')')",
    "SELECT * FROM query_table('{file}')",
    "SELECT * FROM json_execute_serialized_sql('{{}}')",
    "SELECT json_serialize_sql('SELECT 1')",
    "SELECT * FROM read_text/**/('{file}')",
    "SELECT * FROM read_text -- comment\n('{file}')",
    "SELECT * FROM/**/'{file}'",
    "SELECT * FROM \u00a0read_text('{file}')",
    "SELECT * FROM \"read_text\"('{file}')",
    "SELECT * FROM system.main.read_text('{file}')",
    "SELECT * FROM READ_TEXT('{file}')",
    "WITH \"{file}\" AS (SELECT 1) FROM incidents, (SELECT * FROM '{file}')",
    "SELECT getenv('PASSERELLE_SECRET')",
    "SELECT GETENV('PASSERELLE_SECRET')",
    "SELECT \"getenv\"('PASSERELLE_SECRET')",
    "SELECT main.getenv('PASSERELLE_SECRET')",
    "SELECT system.main.getenv('PASSERELLE_SECRET')",
    "SELECT 'PASSERELLE_SECRET'.getenv()",
    "SELECT list_transform(['PASSERELLE_SECRET'], x -> getenv(x))",
    "SELECT list_transform(['PASSERELLE_SECRET'], lambda x: getenv(x))",
    "SELECT [getenv(x) FOR x IN ['PASSERELLE_SECRET']]",
    "SELECT count(*) FILTER (WHERE getenv('PASSERELLE_SECRET') = '') FROM incidents",
    "SELECT sum(1) OVER (PARTITION BY getenv('PASSERELLE_SECRET')) FROM incidents",
    "SELECT 1 FROM incidents QUALIFY row_number() OVER (ORDER BY getenv('A')) = 1",
    "SELECT 1 FROM incidents GROUP BY getenv('A') HAVING getenv('B') = ''",
    "SELECT COLUMNS(c -> getenv(c) = '') FROM incidents",
    "SELECT * REPLACE (getenv('A') AS country) FROM incidents",
    "SELECT 1 FROM incidents PIVOT (max(getenv('A')) FOR country IN ('CAF'))",
    "SELECT CASE WHEN TRUE THEN getenv('A') END",
    "SELECT {{'a': getenv('A')}}",
    "SELECT current_setting('secret_directory')",
    "SELECT getvariable('x')",
    "SELECT write_log('x')",
    "SELECT nextval('s')",
    "SELECT pg_sleep(60)",
    "SELECT sleep_ms(60000)",
    "SELECT current_query()",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM duckdb_databases()",
    "SELECT * FROM duckdb_secrets()",
    "SELECT * FROM duckdb_tables",
    "SELECT * FROM duckdb_views()",
    "SELECT * FROM pragma_database_list",
    "SELECT * FROM pragma_database_list()",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM pg_catalog.pg_tables",
    "SELECT * FROM sqlite_master",
    "SELECT * FROM duckdb_logs",
    "WITH duckdb_settings AS (SELECT 1) FROM incidents, duckdb_settings",
    "SELECT * FROM box_incidents.rows",
    "SELECT * FROM memory.main.incidents",
    "SELECT * FROM range(1000000000000)",
    "SELECT * FROM generate_series(1, 1000000000000)",
    "SELECT * FROM repeat_row(1, num_rows = 1000000000)",
    "SELECT * FROM test_all_types()",
    "ATTACH '{folder}/other.db'",
    "ATTACH ':memory:' AS x; SELECT 1",
    "DETACH box_incidents",
    "COPY incidents TO '{folder}/out.csv'",
    "COPY (SELECT 1) TO '{folder}/out.csv'",
    "COPY incidents FROM '{file}'",
    "EXPORT DATABASE '{folder}/out'",
    "IMPORT DATABASE '{folder}'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "FORCE INSTALL httpfs",
    "SET lock_configuration = false",
    "SET enable_external_access = true",
    "SET GLOBAL memory_limit = '100GB'",
    "RESET memory_limit",
    "SET VARIABLE x = 1",
    "PRAGMA database_list",
    "PRAGMA enable_external_access = true",
    "CALL pragma_version()",
    "CALL query('SELECT 1')",
    "EXPLAIN SELECT 1",
    "EXPLAIN ANALYZE SELECT * FROM read_text('{file}')",
    "CREATE TABLE x AS SELECT 1",
    "CREATE TEMP TABLE x AS FROM '{file}'",
    "CREATE VIEW x AS SELECT 1",
    "CREATE MACRO x() AS getenv('A')",
    "CREATE FUNCTION x(a) AS TABLE FROM read_text(a)",
    "CREATE SECRET s (TYPE s3)",
    "CREATE SEQUENCE s",
    "CREATE TYPE t AS ENUM (SELECT content FROM read_text('{file}'))",
    "INSERT INTO incidents SELECT 1",
    "UPDATE incidents SET country = 'X'",
    "DELETE FROM incidents",
    "MERGE INTO incidents USING incidents AS x ON TRUE WHEN MATCHED THEN DELETE",
    "TRUNCATE incidents",
    "DROP VIEW incidents",
    "ALTER VIEW incidents RENAME TO x",
    "COMMENT ON VIEW incidents IS 'x'",
    "BEGIN",
    "COMMIT",
    "CHECKPOINT",
    "VACUUM",
    "ANALYZE",
    "USE memory",
    "PREPARE p AS SELECT 1",
    "EXECUTE p",
    "DEALLOCATE p",
    "SHOW TABLES",
    "SHOW ALL TABLES",
    "DESCRIBE incidents",
    "SUMMARIZE incidents",
    "SELECT * FROM (SHOW TABLES)",
    "SELECT * FROM (DESCRIBE incidents)",
    "SELECT * FROM (SUMMARIZE '{file}')",
    "PIVOT '{file}' ON country USING count(*)",
    "SELECT 1 INTO x",
    "SELECT * FROM incidents FOR UPDATE",
    "SELECT * FROM incidents AT (VERSION => 1)",
    "WITH x AS (DELETE FROM incidents RETURNING *) FROM x",
    "SELECT $1",
    "SELECT ?",
    "SELECT 1; SELECT 2",
    "SELECT 1;; COPY incidents TO '{folder}/out.csv'",
    "SELECT 1 -- ;\n; SELECT getenv('A')",
    "SELECT 1 /* ; */ ; ATTACH 'x'",
    "/* SELECT 1 */ ATTACH 'x'",
    "SELECT error('x')",
    "SELECT * FROM histogram_values('{file}', 'x')",
    "SELECT * FROM 'https://127.0.0.1:9/x.csv'",
    "SELECT * FROM read_parquet('s3://bucket/x.parquet')",
    "SELECT * FROM sqlite_scan('{file}', 't')",
    "SELECT * FROM enable_logging()",
    "SELECT * FROM seq_scan(incidents)",
]
QUESTIONS = [
    "SELECT count(*) FROM incidents",
    "FROM incidents",
    "SELECT * FROM incidents;",
    "-- a comment; with a sign\nSELECT 1 /* and; another */",
    "from Incidents select OFFENCE_CODE, count(*) group by all order by 2 desc limit 3;\n",
    "SELECT label('offences', offence_code, lang := 'fr') AS o, count(*) FROM incidents GROUP BY 1",
    "SELECT date_trunc('month', occurred_at) AS m, count(*) FROM incidents GROUP BY m ORDER BY m",
    "SELECT country, sum(victims_total) FILTER (WHERE TRUE) FROM incidents GROUP BY ALL",
    "WITH a AS (SELECT country, count(*) AS n FROM incidents GROUP BY 1) SELECT max(n) FROM a",
    "SELECT i.country, label_fr FROM incidents i LEFT JOIN code_labels ON code = i.offence_code",
    "SELECT * EXCLUDE (country) FROM incidents QUALIFY row_number() OVER (ORDER BY country) = 1",
    "SELECT lag(victims_total) OVER (PARTITION BY country ORDER BY occurred_at) FROM incidents",
    "SELECT COLUMNS('.*_total') FROM incidents",
    "SELECT * FROM incidents PIVOT (count(*) FOR country IN ('CAF', 'COD') GROUP BY offence_code)",
    "SELECT 'CAF' IN (SELECT country FROM incidents), EXISTS (FROM incidents)",
    "SELECT count(*) FROM incidents WHERE occurred_at >= DATE '2026-01-01' - INTERVAL 3 MONTH",
    "SELECT strftime(occurred_at, '%Y-%m'), extract(year FROM occurred_at) FROM incidents",
    "SELECT unnest(range(3)), list_transform([1, 2], x -> x + 1)",
    "SELECT country FROM incidents UNION SELECT code FROM code_labels ORDER BY 1",
    "SELECT regexp_matches(offence_code, '^01'), offence_code LIKE '01%' FROM incidents",
    "WITH RECURSIVE d AS (SELECT DATE '2026-01-01' AS d UNION ALL SELECT d + 1 FROM d "
    "WHERE d < DATE '2026-01-05') SELECT count(*) FROM d",
    "SELECT quantile_cont(victims_total, 0.5), string_agg(DISTINCT country, ', ') FROM incidents",
    "(SELECT 1 AS x) UNION ALL (SELECT 2) LIMIT 1",
    "SELECT 'DROP TABLE incidents; read_csv(''x'')' AS words",
]
BOMBS = [
    "SELECT len(range(1000000000000))",
    "SELECT unnest(range(1000000000))",
    "SELECT length(repeat('x', 4000000000))",
    "SELECT list(a.country || b.country) FROM incidents a, incidents b, incidents c, incidents d, "
    "incidents e, incidents f, incidents g, incidents h, incidents i, incidents j",
    "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT max(n) FROM t",
    "WITH RECURSIVE t AS (SELECT [1] AS n UNION ALL SELECT n || n FROM t) SELECT count(*) FROM t",
    "SELECT count(*) FROM " + ", ".join(f"incidents i{n}" for n in range(12)),
]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with two boxes, and beside it a file that nobody may read."""
    folder = tmp_path_factory.mktemp("boxes")
    with duckdb.connect(str(folder / "incidents.duckdb")) as box:
        box.execute(
            "CREATE TABLE rows AS SELECT ['CAF', 'COD', 'SSD'][1 + i % 3] AS country, "
            "'010' || (1 + i % 4) AS offence_code, "
            "TIMESTAMP '2026-01-01' + to_days((i % 90)::INTEGER) AS occurred_at, "
            "(i % 5)::INTEGER AS victims_total FROM range(200) AS r(i)"
        )
    with duckdb.connect(str(folder / "code_labels.duckdb")) as box:
        box.execute(
            "CREATE TABLE rows AS SELECT 'offences' AS list, '0101' AS code, NULL::VARCHAR AS "
            "parent, 'Intentional homicide' AS label_en, 'Homicide intentionnel' AS label_fr"
        )
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret.csv").write_text(f"a\n{CANARY}\n")
    return folder, outside


@pytest.fixture
def boxes(place):
    return {relation: place[0] / f"{relation}.duckdb" for relation in RELATIONS}


@pytest.fixture
def task(boxes):
    def make(question: str, **limits):
        files = {relation: str(file) for relation, file in boxes.items()}
        return worker.Task(question=question, boxes=files, **({"most_rows": 1000} | limits))

    return make


def asked(settings, question, boxes, **limits):
    """Ask as the page does, with boxes that are there already."""
    about = {"actor": "an", "organisation": "o", "purpose": "p"}
    return run.ask(settings, question, tuple(boxes), lambda _used: boxes, **about, **limits)


def filled(statement: str, outside) -> str:
    return statement.format(file=outside / "secret.csv", folder=outside)


@pytest.mark.parametrize("statement", ESCAPES)
def test_the_first_reading_refuses_every_way_out(statement, place):
    with pytest.raises(SqlError) as refused:
        fence.read(filled(statement, place[1]), RELATIONS)
    assert refused.value.code.startswith("SQL-1")
    assert CANARY not in refused.value.text("fr")


@pytest.mark.parametrize("statement", ESCAPES)
def test_the_second_reading_refuses_it_without_the_first(statement, place):
    with duckdb.connect() as connection, pytest.raises(SqlError) as refused:
        engine_reading.read(connection, filled(statement, place[1]), RELATIONS)
    assert refused.value.code.startswith("SQL-1")


# Those that ask for time rather than data have no answer to look into; BOMBS are about time.
OF_DATA = [s for s in ESCAPES if "sleep" not in s and "000000000" not in s]


@pytest.mark.parametrize("statement", OF_DATA)
def test_a_locked_connection_gives_nothing_away_without_either_reading(statement, place, task):
    before = sorted(place[1].iterdir())
    with worker.locked_connection(task("SELECT 1")) as connection:
        try:
            said = repr(connection.execute(filled(statement, place[1])).fetchmany(1000))
        except (duckdb.Error, RuntimeError):
            said = ""
        assert CANARY not in said
    assert sorted(place[1].iterdir()) == before, "it wrote a file"
    assert duckdb.connect(task("").boxes["incidents"], read_only=True).sql(
        "SELECT count(*) FROM rows"
    ).fetchone() == (200,)


def test_a_locked_connection_stays_locked(task):
    with worker.locked_connection(task("SELECT 1")) as connection:
        for statement in (
            "SET enable_external_access = true",
            "SET lock_configuration = false",
            "SET allowed_directories = ['/']",
            "SET memory_limit = '100GB'",
            "RESET memory_limit",
            "INSTALL httpfs",
            "LOAD httpfs",
            "ATTACH '/etc/hostname'",
        ):
            with pytest.raises(duckdb.Error):
                connection.execute(statement)


@pytest.mark.parametrize("question", QUESTIONS)
def test_an_ordinary_question_is_answered(question, task, boxes):
    text = fence.read(question, boxes).text
    said = worker.answer(task(text))
    assert said.code == "", WORDS[said.code]
    assert said.columns
    assert all(len(row) == len(said.columns) for row in said.rows)


def test_what_is_read_is_what_the_answer_names(task):
    said = worker.answer(task("WITH code_labels AS (SELECT 1) FROM incidents, code_labels"))
    assert set(said.relations) <= set(RELATIONS)
    assert "incidents" in said.relations


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_ends_at_its_limits(bomb, boxes, tmp_path):
    settings = settings_for(tmp_path).prepare()
    with pytest.raises(SqlError) as refused:
        said = asked(settings, bomb, boxes, seconds=0.5)
        assert said.is_cut  # a long list of rows is cut, which is a bound too
        raise SqlError("SQL-203", seconds=0)
    assert refused.value.code in ("SQL-203", "SQL-204", "SQL-208")
    assert run._TURNS._value == run.AT_ONCE, "a turn was not given back"


def test_a_question_sees_nothing_of_our_environment(boxes, tmp_path, monkeypatch):
    monkeypatch.setenv("PASSERELLE_SECRET", CANARY)
    assert CANARY not in json.dumps(run._environment())


def test_the_answer_is_bounded_in_rows_and_characters(task):
    many = worker.answer(task("SELECT unnest(range(5000))"))
    assert (len(many.rows), many.is_cut) == (1000, True)
    wide = worker.answer(task("SELECT repeat('é', 1000) FROM incidents a, incidents b"))
    assert max(len(row[0]) for row in wide.rows) <= worker.LONGEST_CELL
    assert (len(wide.rows), wide.is_cut) == (1000, True)  # as many as the page promises
    widest = ", ".join(f"repeat('é', 300) AS c{n}" for n in range(300))
    bounded = worker.answer(task(f"SELECT {widest} FROM incidents"))
    assert sum(len(cell) for row in bounded.rows for cell in row) <= 5_000_000
    assert bounded.is_cut


def test_numbers_are_shown_whole(task):
    said = worker.answer(task("SELECT 12345678912.345::DOUBLE, 0.1 + 0.2::DOUBLE, 3::DOUBLE"))
    assert said.rows == [["12345678912.345", "0.30000000000000004", "3"]]


@pytest.mark.parametrize(
    ("question", "code", "named"),
    [
        ("", "SQL-101", ""),
        ("SELECT 1\x00; ATTACH 'x'", "SQL-111", "9"),
        ("  ;; ", "SQL-101", ""),
        ("SELECT " + "1," * 6000 + "1", "SQL-102", ""),
        ("SELECT * FROM incidants", "SQL-110", "incidents"),
        ("SELECT * FROM nothing_like_it", "SQL-106", "nothing_like_it"),
        ("SELECT countri FROM incidents", "SQL-202", "country"),
        ("SELECT zzz FROM incidents", "SQL-201", "zzz"),
        ("SELECT FROM WHERE", "SQL-103", ""),
        ("SELECT country, count(*) FROM incidents", "SQL-213", "country"),
        ("SELECT CAST(country AS INTEGER) FROM incidents", "SQL-205", ""),
        ("SELECT sum(country) FROM incidents", "SQL-214", ""),
        ("SELECT country FROM incidents a, incidents b", "SQL-212", "country"),
        ("SELECT " + "(" * 900 + "1" + ")" * 900, "SQL-109", ""),
    ],
)
def test_what_is_wrong_is_said_in_words(question, code, named, task, boxes):
    try:
        said = worker.answer(task(fence.read(question, boxes).text))
        refused = SqlError(said.code, **said.values)
    except SqlError as error:
        refused = error
    assert refused.code == code
    for language in ("en", "fr"):
        text = refused.text(language)
        assert named in text
        assert "{" not in text and "/" not in text.replace("SELECT", "")
    assert "CAF" not in refused.text(), "a value of a row is in the sentence"


def test_the_ledger_has_the_hash_of_a_question_and_not_its_text(boxes, tmp_path):
    settings = settings_for(tmp_path).prepare()
    asked(settings, "SELECT count(*) FROM incidents", boxes)
    with pytest.raises(SqlError):
        asked(settings, "SELECT getenv('A')", boxes)
    refused, answered = entries(settings, events=["sql.run"]).entries
    assert answered.details["outcome"] == "answered"
    assert refused.details["outcome"] == "SQL-107"
    assert "getenv" not in str(refused)
    assert len(answered.details["sha256"]) == 64
    assert answered.details["characters"] == 30


def test_one_question_at_a_time(boxes, tmp_path):
    settings = settings_for(tmp_path).prepare()
    with run._one_at_a_time(settings, "an"), pytest.raises(SqlError) as refused:
        asked(settings, "SELECT 1", boxes)
    assert refused.value.code == "SQL-206"


def test_every_function_offered_exists_and_none_reaches_out():
    with duckdb.connect() as connection:
        known = {
            name
            for (name,) in connection.execute(
                "SELECT DISTINCT function_name FROM duckdb_functions()"
            ).fetchall()
        }
    parsed = {"coalesce", "if", "ifnull", "label", "extract"}  # by the parser, or a macro of ours
    assert FUNCTIONS - known - parsed == set()
    reaching = (
        "read_",
        "write",
        "getenv",
        "setting",
        "secret",
        "query",
        "sleep",
        "pragma",
        "duckdb",
    )
    assert not [name for name in FUNCTIONS if any(word in name for word in reaching)]
    assert not OPERATORS & FUNCTIONS


PIECES = [
    *("SELECT", "FROM", "WITH a AS (", ")", "(", ",", ";", "*", "'x.csv'", '"x.csv"', "incidents"),
    *("read_text('x')", "getenv('A')", "lower('A')", "UNION", "JOIN", "ON TRUE", "LATERAL", "--\n"),
    *("/*", "*/", "COPY", "TO", "SET", "x", "=", "1", ".", "::", "->", "PIVOT", "AS", "WHERE"),
    *("duckdb_settings()", "query('SELECT 1')", "VALUES (1)", "TABLE", "ORDER BY", "unnest([1])"),
]


@hypothesis_settings(deadline=None)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=14).map(" ".join))
def test_whatever_both_readings_let_pass_names_only_what_is_known(question):
    with duckdb.connect() as connection:
        try:
            text = fence.read(question, RELATIONS).text
            used = engine_reading.read(connection, text, RELATIONS)
        except SqlError as refused:
            assert refused.text("fr")
            return
        read = connection.get_table_names(text)
    assert {name.lower() for name in read} <= {*RELATIONS, "a"}
    assert set(used) <= set(RELATIONS)
    assert "getenv('A')" not in _without_comments(text)


def _without_comments(text: str) -> str:
    kept = []
    for line in text.split("\n"):
        before, mark, _after = line.partition("--")
        kept.append(before if mark else line)
    joined = "\n".join(kept)
    while "/*" in joined and "*/" in joined.split("/*", 1)[1]:
        head, tail = joined.split("/*", 1)
        joined = head + tail.split("*/", 1)[1]
    return joined


@hypothesis_settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_answered_with_a_code(text):
    try:
        fence.read(text, RELATIONS)
    except SqlError as refused:
        assert refused.code in WORDS


def test_forms_do_not_let_a_new_statement_in():
    for left, right in itertools.product(("SELECT 1", "FROM incidents"), ESCAPES[-40:]):
        with pytest.raises(SqlError):
            fence.read(f"{left}; {right}", RELATIONS)
