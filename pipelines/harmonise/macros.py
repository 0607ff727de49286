"""Readers of single values as DuckDB macros: numbers, truth values, angles, grid references.

Not here: which column uses which reader (`expressions.py`) and dates, which DuckDB reads itself.

A reader gives NULL for what it does not understand; the text is then kept as *unread* and judged.
None of them guesses: `12.7` is not an integer, `61'` is not a minute of arc.
"""

from __future__ import annotations

import re

import duckdb

# A whole number. The first branch is the fast path for clean digits; DuckDB's own TRY_CAST would
# round 12.7 to 13 and read 1e3, both silent changes. 12.0 is 12, but the point of 1.000 may as well
# part thousands. A count stays below a billion, so that a rule can add two of them.
_NUMBERS = r"""
CREATE MACRO read_whole(words) AS CASE
    WHEN TRY_CAST(words AS BIGINT)::VARCHAR = words THEN TRY_CAST(words AS BIGINT)
    WHEN regexp_full_match(words, '[+-]?[0-9]{1,18}([.]0{0,2})?')
        THEN TRY_CAST(TRY_CAST(split_part(words, '.', 1) AS BIGINT) AS BIGINT) END;
CREATE MACRO read_count(words) AS CASE
    WHEN abs(read_whole(words)) < 1000000000 THEN read_whole(words)::INTEGER END;
CREATE MACRO read_number(words) AS CASE
    WHEN regexp_full_match(words, '[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)')
        THEN TRY_CAST(words AS DOUBLE) END;
CREATE MACRO read_truth(words) AS CASE
    WHEN lookup_key(words) IN ('true', 'yes', 'y', '1', 'oui', 'o', 'vrai', 'v', 'x') THEN TRUE
    WHEN lookup_key(words) IN ('false', 'no', 'n', '0', 'non', 'faux', 'f') THEN FALSE END;
"""

# The names of months in both languages, by their numbers; DuckDB itself knows the English ones.
_MONTHS = {
    "01": ("january", "jan", "janvier", "janv"),
    "02": ("february", "feb", "fevrier", "fevr", "fev"),
    "03": ("march", "mar", "mars"),
    "04": ("april", "apr", "avril", "avr"),
    "05": ("may", "mai"),
    "06": ("june", "jun", "juin"),
    "07": ("july", "jul", "juillet", "juil"),
    "08": ("august", "aug", "aout", "aou"),
    "09": ("september", "sept", "sep", "septembre"),
    "10": ("october", "oct", "octobre"),
    "11": ("november", "nov", "novembre"),
    "12": ("december", "dec", "decembre"),
}
_MONTH_OF = ", ".join(f"'{word}': '{n}'" for n, words in _MONTHS.items() for word in words)
_TIMES = rf"""
CREATE MACRO number_month(words) AS regexp_replace(words, '\p{{L}}{{3,}}[.]?', MAP {{{_MONTH_OF}}}[
    lower(strip_accents(regexp_extract(words, '\p{{L}}{{3,}}')))]);
CREATE MACRO cut_fraction(words) AS
    regexp_replace(words, '(:[0-9]{{2}})[.,]([0-9]{{1,6}})[0-9]*', '\1.\2');
"""

# Degrees, minutes, seconds; O is the French Ouest. Only the last number has decimals, and either a
# letter or a sign tells the hemisphere. The S of `4d 21m 36s` alone may be the south or seconds.
_PART = "[ ]*[0-9]{1,2}"
_DECIMALS = "(?:[.,][0-9]+)?[ ]*"
_MINUTES = "[''’′M]"
_DMS = (
    f"[0-9]{{1,3}}(?:{_DECIMALS}[°ºD]?"
    f"|[ ]*[°ºD: ]{_PART}{_DECIMALS}{_MINUTES}?"
    f"|[ ]*[°ºD: ]{_PART}[ ]*(?:{_MINUTES}|[: ]){_PART}{_DECIMALS}(?:[\"”″S]|''''|’’|′′)?)"
)
_ANGLES = rf"""
CREATE MACRO angle_numbers(words) AS
    list_transform(
        regexp_extract_all(replace(words, ',', '.'), '[0-9]+(?:[.][0-9]+)?'), lambda n: n::DOUBLE
    );
CREATE MACRO read_dms(words) AS CASE
    WHEN regexp_full_match(upper(trim(words)),
        '[NSEWO][ ]*{_DMS}|{_DMS}[ ]*[NSEWO]|[+-]?{_DMS}')
    AND NOT regexp_matches(upper(trim(words)), '^[+-].*S$|^[^NSEWO]*M.*[0-9]S$')
    AND coalesce(angle_numbers(words)[2], 0) < 60
    AND coalesce(angle_numbers(words)[3], 0) < 60
    THEN
        CASE WHEN regexp_matches(upper(trim(words)), '^[SWO-]|^[^NSEWO].*[SWO]$') THEN -1 ELSE 1 END
        * (angle_numbers(words)[1]
           + coalesce(angle_numbers(words)[2], 0) / 60
           + coalesce(angle_numbers(words)[3], 0) / 3600)
    END;
"""

# One text that holds both coordinates; each reader gives {latitude_deg, longitude_deg}.
_POSITIONS = r"""
CREATE MACRO pair_of(latitude, longitude) AS CASE
    WHEN latitude IS NOT NULL AND longitude IS NOT NULL
    THEN {'latitude_deg': latitude, 'longitude_deg': longitude} END;
CREATE MACRO read_position_decimal(words) AS pair_of(
    read_number(regexp_extract(words, '^([+-]?[0-9.]+)[,; ]+([+-]?[0-9.]+)$', 1)),
    read_number(regexp_extract(words, '^([+-]?[0-9.]+)[,; ]+([+-]?[0-9.]+)$', 2)));
CREATE MACRO dms_halves(words) AS
    CASE WHEN regexp_matches(upper(words), '^[ ]*[NS]')
    THEN regexp_extract(upper(words), '^[ ]*([NS].*?)[ ,;/]*([EWO].*)$', ['north', 'east'])
    ELSE regexp_extract(upper(words), '^(.*?[NS])[ ,;/]*(.*[EWO])[ ]*$', ['north', 'east']) END;
CREATE MACRO read_position_dms(words) AS
    pair_of(read_dms(dms_halves(words).north), read_dms(dms_halves(words).east));
"""

# Inverse transverse Mercator on WGS 84, Krüger's series to the fourth order (Karney 2011,
# "Transverse Mercator with an accuracy of a few nanometers"): under a millimetre within a zone.
# PROJ does the same, but pyproj called from DuckDB's worker threads crashes (3.7.2, seen). A lambda
# over a list of one gives each intermediate result a name: a macro repeats its arguments instead,
# and nested ones took DuckDB over a second to plan.
_MERCATOR = r"""
CREATE MACRO mercator_xi(x, y) AS y
    - 8.377321640600574e-04 * sin(2*y) * cosh(2*x) - 5.905869567933988e-08 * sin(4*y) * cosh(4*x)
    - 1.673488880354849e-10 * sin(6*y) * cosh(6*x) - 2.167737763022036e-13 * sin(8*y) * cosh(8*x);
CREATE MACRO mercator_eta(x, y) AS x
    - 8.377321640600574e-04 * cos(2*y) * sinh(2*x) - 5.905869567933988e-08 * cos(4*y) * sinh(4*x)
    - 1.673488880354849e-10 * cos(6*y) * sinh(6*x) - 2.167737763022036e-13 * cos(8*y) * sinh(8*x);
CREATE MACRO mercator_latitude(chi) AS degrees(chi
    + 3.356551469125213e-03 * sin(2*chi) + 6.571873083960133e-06 * sin(4*chi)
    + 1.764656400475850e-08 * sin(6*chi) + 5.400482081693544e-11 * sin(8*chi));
CREATE MACRO on_sphere(plane) AS {
    'zone': plane.zone, 'xi': mercator_xi(plane.x, plane.y), 'eta': mercator_eta(plane.x, plane.y)};
CREATE MACRO in_degrees(sphere) AS {
    'latitude_deg': mercator_latitude(asin(sin(sphere.xi) / cosh(sphere.eta))),
    'longitude_deg': 6 * sphere.zone - 183 + degrees(atan2(sinh(sphere.eta), cos(sphere.xi)))};
CREATE MACRO on_plane(grid) AS CASE
    WHEN grid.zone BETWEEN 1 AND 60 AND grid.easting_m >= 100000 AND grid.easting_m < 1000000
        AND grid.northing_m >= 0 AND grid.northing_m < 10000000
    THEN {'zone': grid.zone, 'x': (grid.easting_m - 500000) / 6364902.1661651,
          'y': (grid.northing_m - CASE WHEN grid.is_south THEN 10000000 ELSE 0 END)
               / 6364902.1661651} END;
CREATE MACRO grids_to_position(grids) AS list_transform(list_transform(list_transform(grids,
    lambda grid: on_plane(grid)), lambda plane: on_sphere(plane)),
    lambda sphere: CASE WHEN sphere.xi IS NOT NULL THEN in_degrees(sphere) END)[1];
"""

# A UTM reference: zone, hemisphere or latitude band, easting, northing. N and S are hemispheres
# when a source writes them so; the other letters are bands, and those before N lie south.
# An MGRS reference names a square of 100 km by two letters, whose sets repeat every three zones
# (columns) and every second zone (rows), and whose rows repeat every 2,000 km: the band tells
# which repetition. Source of the scheme: NGA.STND.0037, Universal Grids. A shortened reference
# means a square of 10 km … 1 m; its centre is taken.
_GRIDS = r"""
CREATE MACRO utm_parts(words) AS regexp_extract(
    upper(trim(words)),
    '^([0-9]{1,2})[ ]*([A-Z]?)[ ,;]+([0-9]{5,7}(?:[.][0-9]+)?)[ ]*M?E?[ ,;]+'
    || '([0-9]{1,8}(?:[.][0-9]+)?)[ ]*M?N?$',
    ['zone', 'band', 'easting', 'northing']);
CREATE MACRO utm_grid(part) AS {
    'zone': TRY_CAST(part.zone AS INTEGER),
    'is_south': part.band = 'S' OR (part.band BETWEEN 'C' AND 'M'),
    'easting_m': TRY_CAST(part.easting AS DOUBLE), 'northing_m': TRY_CAST(part.northing AS DOUBLE)};
CREATE MACRO read_position_utm(words) AS
    grids_to_position(list_transform([utm_parts(words)], lambda part: utm_grid(part)));
CREATE MACRO mgrs_parts(words) AS regexp_extract(
    replace(upper(words), ' ', ''),
    '^([0-9]{1,2})([C-HJ-NP-X])([A-HJ-NP-Z])([A-HJ-NP-V])((?:[0-9]{2}){0,5})$',
    ['zone', 'band', 'column_letter', 'row_letter', 'digits']);
CREATE MACRO mgrs_column(zone, letter) AS strpos(
    CASE zone % 3 WHEN 1 THEN 'ABCDEFGH' WHEN 2 THEN 'JKLMNPQR' ELSE 'STUVWXYZ' END, letter);
CREATE MACRO mgrs_row(zone, letter) AS strpos(
    CASE zone % 2 WHEN 1 THEN 'ABCDEFGHJKLMNPQRSTUV' ELSE 'FGHJKLMNPQRSTUVABCDE' END, letter) - 1;
CREATE MACRO mgrs_band_floor_m(band) AS
    [1100000, 2000000, 2800000, 3700000, 4600000, 5500000, 6400000, 7300000, 8200000, 9100000,
     0, 800000, 1700000, 2600000, 3500000, 4400000, 5300000, 6200000, 7000000, 7900000][
        strpos('CDEFGHJKLMNPQRSTUVWX', band)];
CREATE MACRO mgrs_digits_m(digits, is_northing) AS
    CASE len(digits) WHEN 0 THEN 50000
    ELSE (substr(digits, CASE WHEN is_northing THEN len(digits) // 2 ELSE 0 END + 1,
                 len(digits) // 2)::INTEGER
          + CASE len(digits) WHEN 10 THEN 0 ELSE 0.5 END) * power(10, 5 - len(digits) // 2) END;
CREATE MACRO mgrs_square(part, zone) AS {
    'zone': zone, 'band': part.band, 'column': mgrs_column(zone, part.column_letter),
    'row_m': mgrs_row(zone, part.row_letter) * 100000, 'floor_m': mgrs_band_floor_m(part.band),
    'east_m': mgrs_digits_m(part.digits, FALSE), 'north_m': mgrs_digits_m(part.digits, TRUE)};
CREATE MACRO mgrs_grid(square) AS CASE WHEN square.column > 0 THEN {
    'zone': square.zone, 'is_south': square.band < 'N',
    'easting_m': square.column * 100000 + square.east_m,
    'northing_m': square.row_m + square.north_m
        + 2000000 * greatest(0, ceil((square.floor_m - square.row_m - 99999) / 2000000))} END;
CREATE MACRO read_position_mgrs(words) AS grids_to_position(list_transform(list_transform(
    [mgrs_parts(words)], lambda part: mgrs_square(part, TRY_CAST(part.zone AS INTEGER))),
    lambda square: mgrs_grid(square)));
"""

# A number that identifies something has a digit, and is more than zeros: `???`, `illisible` and `0`
# would give all who bear them one token. Nor has it passed through Excel's 1,23457E+15.
#
# HMAC-SHA-256 (RFC 2104) over the session's two pads (`tokens.py`), cut to 128 bits. The kind keeps
# the tokens of documents, plates and serial numbers apart; spelling (spaces, case) does not count.
_TOKENS = r"""
CREATE MACRO read_identifier(words) AS CASE
    WHEN regexp_matches(words, '\p{N}') AND regexp_matches(words, '\p{L}|[^\P{N}0٠۰०]')
        AND NOT is_rounded_number(words)
    THEN words END;
CREATE MACRO token_message(kind, words) AS
    encode(kind || ':' || regexp_replace(upper(strip_accents(words)), '[^\p{L}\p{N}]+', '', 'g'));
CREATE MACRO keyed_token(kind, words) AS CASE WHEN words IS NOT NULL THEN
    left(sha256(getvariable('token_outer')
        || unhex(sha256(getvariable('token_inner') || token_message(kind, words)))), 32) END;
"""


_GROUPS = (_NUMBERS, _TIMES, _ANGLES, _POSITIONS, _MERCATOR, _GRIDS, _TOKENS)
_NAME = re.compile(r"CREATE MACRO (\w+)\(")


def install_macros(connection: duckdb.DuckDBPyConnection, used_by: str | None = None) -> None:
    """Define every reader in `connection`, which has `lookup_key` already.

    With `used_by`, only the groups whose readers that SQL calls, directly or not: a grid reference
    takes the engine longer to define than a small delivery takes to read.
    """
    groups = list(_GROUPS)
    if used_by is not None:
        groups = []
        for statements in reversed(_GROUPS):  # a group calls earlier ones only
            if any(f"{macro}(" in used_by for macro in _NAME.findall(statements)):
                groups.insert(0, statements)
                used_by += statements
    for statements in groups:
        connection.execute(statements)
