"""The rows on which rules are tried: a sound row of each table; by rule, a bad row and a near miss.

Not here: trying them (`test_rules.py`).

A case changes the sound row in as few cells as make the point. Rules about unreadable text and
values outside a code list need no case: they all have one form.
"""

from __future__ import annotations

from typing import Any

Cells = dict[str, Any]

TOLD: Cells = {
    "source_record_id": "BBO/2026/0153",
    "received_at": "2026-03-09 08:12:44",
    "is_withdrawn": False,
}
COMMON: Cells = TOLD | {
    "country": "CAF",
    "admin1_code": "CF62",
    "admin1_country": "CAF",
    "latitude_deg": 4.74,
    "longitude_deg": 22.82,
    "is_inside_country": True,
    "is_inside_admin1": True,
    "occurred_on": "2026-03-05",
    "occurred_at": "2026-03-05 13:30:00",
    "reported_on": "2026-03-05",
    "reported_at": "2026-03-05 16:00:00",
    "feed_starts": "2021-03-09",
}
POINT: Cells = {
    "border_point_code": "CAF-CMR-BELOKO",
    "border_point_country_a": "CAF",
    "border_point_country_b": "CMR",
}
SUPPORT: Cells = {
    "source_record_id": "O-2026-0042",
    "support_kind": "mobile_training_team",
    "kind_parent": "training",
    "support_topic": "community_oriented_policing",
    "topic_parent": "training",
    "party_kind": "host_state",
    "party_country": "SSD",
    "country": "SSD",
    "language_code": "eng",
    "capacity_persons": 50,
    "capacity_women": 20,
    "declared_on": "2026-03-02",
    "available_from": "2026-04-01",
    "available_until": "2026-12-31",
    "support_state": "matched",
    "state_on": "2026-03-05",
    "received_at": "2026-03-09 08:12:44",
    "is_withdrawn": False,
}
SOUND: dict[str, Cells] = {
    "incidents": COMMON | {"offence_code": "0501", "is_sensitive": False},
    "border_crossings": COMMON
    | POINT
    | {
        "direction": "entry",
        "traveller_kind": "person",
        "sex": "female",
        "document_type": "passport",
        "document_token": "7d0a",
    },
    "border_flows": COMMON
    | POINT
    | {
        "occurred_on": "2026-03-01",
        "occurred_at": None,
        "period_start": "2026-03-01",
        "period_end": "2026-03-07",
        "direction": "entry",
        "sex": "total",
        "travellers_count": 182,
        "observed_h": 56.0,
        "observed_days": 7,
    },
    "support_offers": SUPPORT,
    "support_needs": SUPPORT | {"need_priority": "high"},
    "seizures": COMMON
    | {
        "seizure_kind": "firearms",
        "seizure_parent": "arms",
        "seizure_unit_kinds": "count",
        "weapon_kind": "rifle",
        "quantity": 2,
        "unit": "piece",
        "unit_kind": "count",
        "quantity_count": 2,
        "seized_by": "police",
    },
}
SOUND["deployments"] = TOLD | {
    "mission_code": "MINUSCA",
    "mission_opens": "2014-04-10",
    "feed_starts": "2021-03-09",
    "contributing_country": "RWA",
    "police_function": "formed_police_unit",
    "reporting_month": "2026-02-01",
    "sex": "total",
    "personnel_count": 160,
    "personnel_by_sex": 160,
    "sexes_told": 2,
}
SOUND["capability_pledges"] = TOLD | {
    "contributing_country": "RWA",
    "pledge_event": "uncops_2024",
    "event_opens": "2024-06-26",
    "declared_on": "2024-06-26",
    "capability_kind": "formed_police_unit",
    "units_count": 1,
    "readiness_level": "level_2",
    "is_rapidly_deployable": False,
    "available_from": "2025-01-15",
    "available_until": "2027-01-14",
    "pledge_state": "registered",
    "state_on": "2025-02-10",
}

# Rule number → (cells that make the row fail, cells of a near miss that passes).
SHARED: dict[int, tuple[Cells, Cells]] = {
    101: ({"source_record_id": None}, {"source_record_id": "1"}),
    102: ({"country": None}, {"country": None, "country__unread": "Wakanda"}),
    103: ({"occurred_on": None}, {"occurred_on": None, "is_withdrawn": True}),
    208: ({"source_record_id": "---"}, {"source_record_id": "n° ٧"}),
    209: ({"source_record_id": "x" * 121}, {"source_record_id": "x" * 120}),
    220: ({"source_record_id": "2.02607E+17/1"}, {"source_record_id": "PV 2E17+3"}),
    401: ({"country": "FRA"}, {"country": "SSD"}),
    402: ({"latitude_deg": 90.01}, {"latitude_deg": -90.0}),
    403: ({"longitude_deg": -228.2}, {"longitude_deg": 180.0}),
    404: ({"latitude_deg": 0, "longitude_deg": 0}, {"latitude_deg": 0, "longitude_deg": 18.9}),
    405: ({"is_inside_country": False}, {"is_inside_country": None}),
    406: (
        {"is_inside_admin1": False},
        {"is_inside_admin1": False, "is_inside_country": False},
    ),
    407: ({"occurred_on": "1989-12-31"}, {"occurred_on": "1990-01-01"}),
    408: (
        {"admin1_valid_from": "2026-03-06"},
        {"admin1_valid_from": "2026-03-01", "admin1_valid_to": "2026-03-05"},
    ),
    501: (
        {"reported_on": "2026-02-27"},
        {"occurred_on": "2026-03-06", "reported_on": "2026-03-05"},
    ),
    502: ({"occurred_on": "2026-03-11"}, {"occurred_on": "2026-03-10"}),
    503: ({"reported_on": "2026-03-11"}, {"reported_on": "2026-03-10"}),
    504: ({"longitude_deg": None}, {"latitude_deg": None, "longitude_deg": None}),
    505: ({"admin1_country": "COD"}, {"admin1_country": None}),
    506: ({"admin2_admin1": "CF61"}, {"admin2_admin1": "CF62"}),
}
OTHER_COUNTRY: tuple[Cells, Cells] = ({"country": "SSD"}, {"country": "CAF"})
OUTSIDE_PERIOD: tuple[Cells, Cells] = (
    {"occurred_on": "2021-03-08"},
    {"occurred_on": "2021-03-09"},
)
AIRPORT: Cells = {"border_point_country_b": None}
AGAINST: tuple[Cells, Cells] = (
    {"travel_reason_direction": "exit"},
    {"travel_reason_direction": "any"},
)
ROUND_TRIP: tuple[Cells, Cells] = (
    {"origin_country": "CMR", "destination_country": "CMR"},
    {"origin_country": "CMR", "destination_country": "CMR", "direction": "transit"},
)
# Code → more such pairs: rules of which a part of a sum or of a range may be missing.
FURTHER: dict[str, list[tuple[Cells, Cells]]] = {
    "PLE-515": [
        (
            {"capability_kind": "support_without_unit", "medical_level": "none"},
            {"capability_kind": "support_without_unit", "medical_level": "level_1"},
        ),
        (
            {"capability_kind": "support_without_unit", "has_training": False},
            {"capability_kind": "support_without_unit", "has_environment": True},
        ),
    ],
    "DEP-512": [({"mission_opens": "2026-03-01"}, {"mission_opens": "2026-02-28"})],
    "DEP-602": [
        ({"personnel_by_sex": 159}, {"personnel_by_sex": 161, "sex": "female"}),
        ({"personnel_by_sex": 161, "sexes_told": 1}, {"personnel_by_sex": None, "sexes_told": 0}),
    ],
    "INC-511": [
        (
            {"victims_total": 4, "victims_female": 9},
            {"victims_total": 4, "victims_female": 4},
        ),
        ({"victims_total": 4, "victims_male": 9}, {"victims_total": -1}),
    ],
    "INC-515": [
        ({"victims_total": 3, "injured_total": 4}, {"victims_total": 3, "injured_total": 3}),
        ({"victims_total": 3, "injured_total": 4}, {"killed_total": 3, "injured_total": 4}),
    ],
    "INC-413": [({"occurred_on": "1990-01-01"}, {"occurred_on": "1989-12-31"})],
    "INC-510": [({"ended_on": "2026-03-04"}, {"ended_on": "2026-03-05"})],
    "INC-517": [
        ({"killed_total": 1, "killed_low": 2}, {"killed_total": 2, "killed_low": 2}),
        ({"killed_total": 3, "killed_high": 2}, {"killed_total": 2, "killed_high": 2}),
    ],
}
SUPPORT: Cells = {"capability_kind": "support_without_unit"}
OWN: dict[str, tuple[Cells, Cells]] = {
    # --- incidents -----------------------------------------------------------------------------
    "INC-104": ({"admin1_code": None}, {"admin1_code": None, "location_precision": "country"}),
    "INC-105": ({"offence_code": None}, {"offence_code": None, "offence_code__unread": "Sorcier"}),
    "INC-106": ({"victims_female": 1}, {"victims_female": 0}),
    "INC-409": ({"injured_total": -1}, {"injured_total": 0}),
    "INC-410": ({"victims_total": 1001}, {"victims_total": 1000}),
    "INC-411": ({"arrested_total": 501}, {"arrested_total": 500}),
    "INC-412": ({"ended_on": "2027-03-07"}, {"ended_on": "2027-03-06"}),
    "INC-413": OUTSIDE_PERIOD,
    "BXC-415": OUTSIDE_PERIOD,
    "BFL-416": OUTSIDE_PERIOD,
    "SEI-415": OUTSIDE_PERIOD,
    "INC-510": (
        {"occurred_until": "2026-03-05 13:00:00", "ended_on": "2026-03-06"},
        {"occurred_until": "2026-03-05 13:30:00", "ended_on": "2026-03-05"},
    ),
    "INC-511": (
        {"victims_total": 2, "victims_female": 2, "victims_male": 1},
        {"victims_total": 3, "victims_female": 2, "victims_male": 1},
    ),
    "INC-512": (
        {"victims_total": 4, "victims_female": 2, "victims_male": 1},
        {"victims_total": 4, "victims_female": 2},
    ),
    "INC-513": ({"victims_total": 1, "victims_children": 2}, {"victims_children": 2}),
    "INC-514": ({"victims_total": 1, "killed_total": 2}, {"victims_total": 2, "killed_total": 2}),
    "INC-515": (
        {"victims_total": 3, "killed_total": 2, "injured_total": 2},
        {"victims_total": 4, "killed_total": 2, "injured_total": 2},
    ),
    "INC-516": ({"killed_low": 3, "killed_high": 2}, {"killed_low": 2, "killed_high": 2}),
    "INC-517": (
        {"killed_total": 5, "killed_low": 1, "killed_high": 4},
        {"killed_total": 4, "killed_low": 1, "killed_high": 4},
    ),
    "INC-518": ({"suspects_total": 1, "arrested_total": 2}, {"suspects_total": 2}),
    "INC-519": (
        {"offence_code": "0101", "killed_total": 0},
        {"offence_code": "0102", "killed_total": 0},
    ),
    "INC-520": (
        {"location_precision": "exact", "latitude_deg": None, "longitude_deg": None},
        {"location_precision": "exact", "latitude_deg": None, "is_sensitive": True},
    ),
    "INC-602": ({"same_event_records": 2}, {"same_event_records": 1}),
    # --- border_crossings ----------------------------------------------------------------------
    "BXC-104": ({"border_point_code": None}, {"border_point_code": None, "is_withdrawn": True}),
    "BXC-105": ({"direction": None}, {"direction": None, "direction__unread": "N/S"}),
    "BXC-106": ({"traveller_kind": None}, {"traveller_kind": "group"}),
    "BXC-107": (
        {"document_type": None, "document_token": None},
        {"document_type": None, "document_token": None, "traveller_kind": "vehicle"},
    ),
    "BXC-108": ({"sex": None}, {"sex": None, "traveller_kind": "group"}),
    "BXC-109": ({"traveller_kind": "group"}, {"traveller_kind": "group", "group_size": 4}),
    "BXC-410": ({"age_years": 121}, {"age_years": 0}),
    "BXC-411": ({"group_size": 0}, {"group_size": 5000}),
    "BXC-412": ({"group_size": 501}, {"group_size": 500}),
    "BXC-413": ({"document_expires_on": "2062-01-01"}, {"document_expires_on": "2036-01-01"}),
    "BXC-414": ({"document_expires_on": "0030-07-07"}, {"document_expires_on": "1900-01-01"}),
    "BXC-507": OTHER_COUNTRY,
    "BXC-508": AGAINST,
    "BXC-509": ROUND_TRIP,
    "BXC-510": (
        {"age_years": 12, "age_group_min_years": 18},
        {"age_years": 18, "age_group_min_years": 18, "age_group_max_years": 59},
    ),
    "BXC-511": (
        {"traveller_kind": "vehicle", "vehicle_kind": "none"},
        {"traveller_kind": "vehicle", "vehicle_kind": "truck"},
    ),
    "BXC-512": ({"document_type": None}, {"document_type": None, "document_token": None}),
    "BXC-513": ({"document_type": "none"}, {"document_type": "none", "document_token": None}),
    "BXC-514": ({"document_expires_on": "2026-03-04"}, {"document_expires_on": "2026-03-05"}),
    "BXC-515": (
        {"origin_country": "CAF", "destination_country": "CMR"},
        {"origin_country": "CMR", "destination_country": "CAF"},
    ),
    "BXC-516": (
        {"direction": "exit", "origin_country": "CMR", "destination_country": "CAF"},
        {"direction": "exit", "origin_country": "CAF", "destination_country": "CMR"},
    ),
    "BXC-517": ({"group_size": 2}, {"group_size": 1}),
    "BXC-518": (
        {"traveller_kind": "vehicle", "crossing_mode": "foot"},
        {"traveller_kind": "group", "crossing_mode": "foot"},
    ),
    "BXC-519": ({"sex": "total"}, {"sex": "total", "traveller_kind": "group"}),
    "BXC-602": ({"same_crossing_records": 2}, {"same_crossing_records": 1}),
    "BXC-603": ({"document_has_two_sexes": True}, {"document_has_two_sexes": None}),
    # --- border_flows --------------------------------------------------------------------------
    "BFL-104": ({"border_point_code": None}, {"border_point_code": None, "is_withdrawn": True}),
    "BFL-105": ({"direction": None}, {"direction": "transit"}),
    "BFL-106": ({"travellers_count": None}, {"travellers_count": 0}),
    "BFL-107": ({"period_start": None}, {"period_start": None, "period_start__unread": "mars"}),
    "BFL-108": ({"period_end": None}, {"period_end": None, "is_withdrawn": True}),
    "BFL-109": ({"observed_h": None}, {"observed_h": 0}),
    "BFL-409": ({"travellers_count": -1}, {"travellers_count": 0}),
    "BFL-410": ({"travellers_count": 350001}, {"travellers_count": 350000}),
    "BFL-411": ({"observed_h": -0.5}, {"observed_h": 0.0}),
    "BFL-412": ({"observed_h": 168.5}, {"observed_h": 168.0}),
    "BFL-413": ({"observed_days": -1}, {"observed_days": 0}),
    "BFL-414": ({"observed_days": 8}, {"observed_days": 7}),
    "BFL-415": ({"period_end": "2027-03-07"}, {"period_end": "2027-02-28"}),
    "BFL-507": OTHER_COUNTRY,
    "BFL-508": AGAINST,
    "BFL-509": ROUND_TRIP,
    "BFL-510": ({"period_end": "2026-02-28"}, {"period_end": "2026-03-01"}),
    "BFL-511": ({"period_end": "2026-03-15"}, {"period_end": "2026-03-10"}),
    "BFL-512": ({"observed_h": 0}, {"observed_h": 0, "travellers_count": 0}),
    "BFL-513": ({"observed_days": 0}, {"observed_days": 0, "travellers_count": 0}),
    "BFL-514": ({"observed_h": 56, "observed_days": 2}, {"observed_h": 48, "observed_days": 2}),
    "BFL-515": ({"period_start": "2026-03-03"}, {"period_start": "2026-02-28"}),
    "BFL-602": ({"travellers_by_sex": 183}, {"travellers_by_sex": 182}),
    "BFL-603": ({"travellers_by_age": 183}, {"travellers_by_age": 182}),
    "BFL-604": ({"travellers_by_sex": 181}, {"travellers_by_sex": None}),
    "BFL-605": ({"same_cell_records": 2}, {"same_cell_records": 1}),
    # --- seizures ------------------------------------------------------------------------------
    "SEI-104": (
        {"admin1_code": None},
        {"admin1_code": None, "border_point_code": "SSD-UGA-NIMULE"},
    ),
    "SEI-105": ({"seizure_kind": None}, {"seizure_kind": None, "seizure_kind__unread": "divers"}),
    "SEI-106": ({"quantity": None}, {"quantity": 1}),
    "SEI-107": ({"unit": None}, {"unit": None, "quantity": None}),
    "SEI-108": ({"seized_by": None}, {"seized_by": "unknown"}),
    "SEI-213": ({"hs_code": "2402.20"}, {"hs_code": "240220"}),
    "SEI-409": ({"quantity": 0}, {"quantity": 0.01}),
    "SEI-410": ({"quantity_kg": 50001}, {"quantity_kg": 50000}),
    "SEI-411": ({"quantity_count": 1000001}, {"quantity_count": 1000000}),
    "SEI-412": ({"estimated_value_usd": -1}, {"estimated_value_usd": 0}),
    "SEI-413": ({"estimated_value_usd": 5.1e7}, {"estimated_value_usd": 5e7}),
    "SEI-414": ({"suspects_total": -1}, {"suspects_total": 0}),
    "SEI-507": (POINT | {"country": "SSD"}, POINT | AIRPORT),
    "SEI-508": ({"unit_kind": "mass"}, {"unit_kind": "mass", "seizure_unit_kinds": "count|mass"}),
    "SEI-509": ({"quantity_count": 2.5}, {"quantity_count": 6.0}),
    "SEI-510": ({"weapon_kind": None}, {"weapon_kind": None, "seizure_kind": "weapon_parts"}),
    "SEI-511": ({"seizure_kind": "vehicles"}, {"seizure_kind": "cars"}),
    "SEI-512": ({"cites_appendix": "I"}, {"cites_appendix": "I", "seizure_parent": "wildlife"}),
    "SEI-513": (
        {"seizure_parent": "wildlife"},
        {"seizure_parent": "wildlife", "cites_appendix": "not_listed"},
    ),
    "SEI-514": (
        {"serial_token": "04be", "quantity_count": 2},
        {"serial_token": "04be", "quantity_count": 1},
    ),
    "SEI-515": ({"seizure_parent": "drugs"}, {"seizure_parent": "ammunition"}),
    "SEI-602": ({"same_serial_records": 2}, {"same_serial_records": 1}),
    "SEI-603": ({"same_seizure_records": 2}, {"same_seizure_records": 1}),
    # --- deployments ---------------------------------------------------------------------------
    "DEP-110": ({"mission_code": None}, {"mission_code": None, "is_withdrawn": True}),
    "DEP-111": (
        {"contributing_country": None},
        {"contributing_country": None, "contributing_country__unread": "Ruritania"},
    ),
    "DEP-112": ({"police_function": None}, {"police_function": "justice_corrections"}),
    "DEP-113": ({"reporting_month": None}, {"reporting_month": None, "is_withdrawn": True}),
    "DEP-114": ({"sex": None}, {"sex": "unknown"}),
    "DEP-115": ({"personnel_count": None}, {"personnel_count": 0, "sex": "female"}),
    "DEP-410": ({"personnel_count": -1}, {"personnel_count": 0}),
    "DEP-411": ({"personnel_count": 2001}, {"personnel_count": 2000}),
    "DEP-412": ({"reporting_month": "1989-12-01"}, {"reporting_month": "1990-01-01"}),
    "DEP-413": ({"reporting_month": "2021-03-01"}, {"reporting_month": "2021-04-01"}),
    "DEP-510": ({"reporting_month": "2026-03-01"}, {"reporting_month": "2026-02-01"}),
    "DEP-511": ({"reporting_month": "2026-02-02"}, {"reporting_month": "2026-02-01"}),
    "DEP-512": (
        {"mission_closes": "2026-01-31"},
        {"mission_closes": "2026-02-01"},
    ),
    "DEP-602": ({"personnel_by_sex": 161}, {"personnel_by_sex": 159, "sexes_told": 1}),
    "DEP-603": ({"same_cell_records": 2}, {"same_cell_records": 1}),
    # --- support_needs -------------------------------------------------------------------------
    "SUN-110": ({"need_priority": None}, {"need_priority": None, "need_priority__unread": "P0"}),
    "SUN-510": ({"country": "UGA"}, {"country": "UGA", "party_kind": "un_mission"}),
    # --- capability_pledges --------------------------------------------------------------------
    "PLE-110": ({"contributing_country": None}, {"contributing_country": "SEN"}),
    "PLE-111": ({"capability_kind": None}, {"capability_kind": None, "is_withdrawn": True}),
    "PLE-112": ({"declared_on": None}, {"declared_on": None, "declared_on__unread": "juin"}),
    "PLE-113": ({"pledge_state": None}, {"pledge_state": "withdrawn"}),
    "PLE-114": ({"state_on": None}, {"state_on": None, "is_withdrawn": True}),
    "PLE-115": ({"pledge_event": None}, {"pledge_event": "other"}),
    "PLE-116": ({"units_count": None}, {"units_count": None, **SUPPORT, "has_training": True}),
    "PLE-117": ({"readiness_level": None}, {"readiness_level": None, "pledge_state": "pledged"}),
    "PLE-118": (
        {"pledge_state": "deployed"},
        {"pledge_state": "deployed", "mission_code": "UNMISS"},
    ),
    "PLE-410": ({"units_count": -1}, {"units_count": 0}),
    "PLE-411": ({"units_count": 101}, {"units_count": 100}),
    "PLE-412": ({"declared_on": "1989-12-31"}, {"declared_on": "1990-01-01"}),
    "PLE-510": ({"declared_on": "2026-03-11"}, {"declared_on": "2026-03-10"}),
    "PLE-511": ({"state_on": "2026-03-11"}, {"state_on": "2026-03-10"}),
    "PLE-512": ({"state_on": "2024-06-24"}, {"state_on": "2024-06-25"}),
    "PLE-513": ({"available_until": "2025-01-14"}, {"available_until": "2025-01-15"}),
    "PLE-514": (
        {"readiness_level": "rapid_deployment"},
        {"readiness_level": "rapid_deployment", "is_rapidly_deployable": True},
    ),
    "PLE-515": (SUPPORT, SUPPORT | {"has_technology": True}),
    "PLE-516": ({"declared_on": "2024-06-25"}, {"declared_on": "2024-06-25", "event_opens": None}),
    "PLE-603": ({"same_pledge_records": 2}, {"same_pledge_records": 1}),
}
# Rule number → such a pair, for the tables of what is offered and of what is needed.
OF_SUPPORT: dict[int, tuple[Cells, Cells]] = {
    150: ({"support_kind": None}, {"support_kind": None, "support_kind__unread": "aide"}),
    151: ({"support_topic": None}, {"support_topic": None, "support_topic__unread": "divers"}),
    152: ({"party_kind": None}, {"party_kind": None, "is_withdrawn": True}),
    153: ({"party_country": None}, {"party_country": None, "party_kind": "un_mission"}),
    154: ({"party_kind": "un_mission"}, {"party_kind": "un_mission", "mission_code": "UNMISS"}),
    155: ({"declared_on": None}, {"declared_on": None, "declared_on__unread": "mars"}),
    156: ({"support_state": None}, {"support_state": None, "support_state__unread": "?"}),
    157: ({"state_on": None}, {"state_on": None, "support_state": "open"}),
    158: (
        {"capacity_persons": None},
        {"capacity_persons": None, "estimated_value_usd": 40000},
    ),
    159: (
        {"language_code": None},
        {"language_code": None, "kind_parent": None, "support_kind": "equipment"},
    ),
    450: ({"capacity_persons": -1}, {"capacity_persons": 0}),
    451: ({"capacity_women": -1}, {"capacity_women": 0}),
    452: ({"capacity_units": -1}, {"capacity_units": 0}),
    453: ({"estimated_value_usd": -1}, {"estimated_value_usd": 0}),
    454: ({"capacity_persons": 5001}, {"capacity_persons": 5000}),
    455: ({"capacity_units": 10001}, {"capacity_units": 10000}),
    456: ({"estimated_value_usd": 5.1e7}, {"estimated_value_usd": 5e7}),
    457: ({"declared_on": "2009-12-31"}, {"declared_on": "2010-01-01"}),
    550: ({"declared_on": "2026-03-11"}, {"declared_on": "2026-03-10"}),
    551: ({"state_on": "2026-03-11"}, {"state_on": "2026-03-10"}),
    552: ({"capacity_women": 51}, {"capacity_women": 50}),
    553: ({"available_until": "2026-03-31"}, {"available_until": "2026-04-01"}),
    554: ({"state_on": "2026-03-01"}, {"state_on": "2026-03-02"}),
    555: (
        {"support_topic": "vehicles", "topic_parent": "equipment"},
        {"support_topic": "other", "topic_parent": None},
    ),
    556: (
        {"support_state": "open", "available_until": "2026-03-08"},
        {"support_state": "open", "available_until": "2026-03-09"},
    ),
    651: ({"same_support_records": 2}, {"same_support_records": 1}),
}
OWN |= {f"{codes}-{n}": pair for codes in ("SUO", "SUN") for n, pair in OF_SUPPORT.items()}
