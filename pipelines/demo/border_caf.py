"""The border police of the Central African Republic: a register typed in French.

Not here: who crossed (`border_travellers.py`).
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from pipelines.demo.border import BorderFeed, labels
from pipelines.demo.border_crossing_defects import crossing_defects
from pipelines.demo.border_travellers import crossings
from pipelines.demo.delivery import Defect
from pipelines.demo.files import delimited, first_rows
from pipelines.demo.incidents import Written
from pipelines.demo.world import World

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

ROWS_AT_SCALE_1 = 4000
POSTS = {
    "CAF-COD-ZONGO": ("Port Beach de Bangui", "BEACH"),
    "CAF-COD-LIBENGE": ("Mongoumba", "MONG"),
    "CAF-COD-MOBAYE": ("Mobaye", "MOBA"),
    "CAF-COD-NDU": ("Bangassou", "BANG"),
    "CAF-COD-YAKOMA": ("Limassa", "LIMA"),
    "CAF-COD-ZAPAY": ("Zemio", "ZEMI"),
    "CAF-COG-BETOU": ("Bétou", "BETO"),
    "CAF-COG-BAYANGA": ("Bayanga", "BAYA"),
    "CAF-CMR-BELOKO": ("Béloko", "BELO"),
    "CAF-CMR-GAMBOULA": ("Gamboula", "GAMB"),
    "CAF-TCD-SIDO": ("Moyenne-Sido", "SIDO"),
    "CAF-SDN-AMDAFOK": ("Am Dafok", "AMDA"),
    "CAF-SSD-BAMBOUTI": ("Bambouti", "BAMB"),
    "CAF-SSD-OBO": ("Obo", "OBO"),
    "CAF-SSD-RAJA": ("Raja", "RAJA"),
    "CAF-AIR-MPOKO": ("Aéroport M'Poko", "MPOK"),
}


class CafBorderCrossings(BorderFeed):
    """Semicolons, cp1252, CRLF; days first, decimal commas, hours with a colon or an h."""

    feed = "caf_border_crossings"
    country = "CAF"
    day_format = "%d/%m/%Y"
    can_lose_post = False  # the post is part of the record's number
    unreadable_moments: ClassVar[list[str]] = ["31/02/2026", "hier", "avant-hier soir"]
    file_names = (
        "registre_frontieres_mai-octobre_2026.csv",
        "registre_frontieres_rectificatif_novembre_2026.csv",
    )
    withdrawn_words = ("Valide", "Annulée")
    columns: ClassVar[dict[str, str]] = {
        "border_point_code": "Poste",
        "admin1_code": "Préfecture",
        "direction": "Sens",
        "crossing_mode": "Moyen de passage",
        "traveller_kind": "Voyageur",
        "group_size": "Nombre de personnes",
        "sex": "Sexe",
        "age_years": "Âge",
        "nationality": "Nationalité",
        "origin_country": "Provenance",
        "destination_country": "Destination",
        "travel_reason": "Motif",
        "document_type": "Pièce présentée",
        "document_issuer": "Délivrée par",
        "document_number": "N° de la pièce",
        "document_expires_on": "Expire le",
        "vehicle_kind": "Véhicule",
        "vehicle_plate": "Immatriculation",
        "source_revision": "Version",
    }

    @cached_property
    def words(self) -> dict[str, Any]:
        """The register's words: the labels of the lists, and the usual short forms."""
        lists = {"nationality": "document_issuers", "document_issuer": "document_issuers"}
        lists |= {"origin_country": "countries", "destination_country": "countries"}
        lists |= {"travel_reason": "travel_reasons", "document_type": "document_types"}
        lists |= {"vehicle_kind": "vehicle_kinds", "crossing_mode": "crossing_modes"}
        lists |= {"traveller_kind": "traveller_kinds", "admin1_code": "admin_areas"}
        words = {column: labels(name, "fr") for column, name in lists.items()}
        words["border_point_code"] = {code: (post,) for code, (post, _) in POSTS.items()}
        words["direction"] = {"entry": ("Entrée", "E"), "exit": ("Sortie", "S")}
        words["direction"]["transit"] = ("Transit",)
        words["sex"] = {"male": ("M", "Homme"), "female": ("F", "Femme")}
        words["crossing_mode"] |= {"canoe": ("Pirogue",), "foot": ("À pied", "piéton")}
        words["document_type"] |= {"identity_card": ("CNI", "Carte d'identité")}
        words["nationality"] |= {"CAF": ("Centrafricaine", "RCA")}
        return words

    def compose(self, world: World) -> pd.DataFrame:
        """Crossings at the country's posts, numbered by post, with ages."""
        records = crossings(world, "CAF", world.count(ROWS_AT_SCALE_1), self.feed)
        post = records["border_point_code"].map(lambda code: POSTS[code][0])
        prefix = records["border_point_code"].map(lambda code: POSTS[code][1])
        order = records.groupby("border_point_code").cumcount() + 1
        records["number"] = prefix + "-26-" + order.astype(str).str.zfill(5)
        records["source_record_id"] = post + "/" + records["number"]
        records["occurred_at_precision"] = "minute"
        return records

    def own_cells(self, records: pd.DataFrame) -> dict[str, Any]:
        """The number, times and position; placeholders where the register holds names."""
        return {
            "N°": records["number"],
            **self.time_cells("occurred", records["occurred_local"], records),
            **self.time_cells("reported", records["reported_local"], records),
            **self.position_cells(records["latitude_deg"], records["longitude_deg"]),
            "Nom et prénoms": "VOYAGEUR " + (records.index + 1).astype(str).str.zfill(4),
            "Agent": "AGENT " + (records.index % 37 + 1).astype(str).str.zfill(2),
            "Observations": None,
        }

    def time_columns(self, what: str) -> list[str]:
        """The cells of a time, the one with the date first."""
        return ["Date", "Heure"] if what == "occurred" else ["Saisi le"]

    def time_cells(self, what: str, local: pd.Series, records: pd.DataFrame) -> dict[str, Any]:
        """Day and hour of crossing in two cells; the moment of registration in one."""
        if what == "reported":
            return {"Saisi le": local.dt.strftime("%d/%m/%Y %H:%M")}
        with_h = records["border_point_code"].isin(["CAF-COD-NDU", "CAF-COD-ZAPAY"])
        hour = local.dt.strftime("%H:%M").mask(with_h, local.dt.strftime("%Hh%M"))
        return {"Date": local.dt.strftime("%d/%m/%Y"), "Heure": hour}

    def position_cells(self, latitude_deg: pd.Series, longitude_deg: pd.Series) -> dict[str, Any]:
        """Decimal commas."""
        named = {"Latitude": latitude_deg, "Longitude": longitude_deg}
        return {
            name: values.map(lambda v: f"{v:.4f}".replace(".", ","), na_action="ignore")
            for name, values in named.items()
        }

    def defects(self) -> list[Defect]:
        """Those of any crossing."""
        return crossing_defects(self)

    def correct(self, rng: np.random.Generator, records: pd.DataFrame) -> pd.DataFrame:
        """The reason was written wrong: it was trade, which fits either direction."""
        del rng
        return records.assign(travel_reason="trade")

    def write(self, cells: pd.DataFrame) -> Written:
        """Semicolons, cp1252, CRLF."""
        content = delimited(cells, delimiter=";", encoding="cp1252", newline="\r\n")
        return Written(content, first_rows(len(cells), 2))
