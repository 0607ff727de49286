CREATE TABLE "seizures" (
    "record_id" VARCHAR NOT NULL,
    "source" VARCHAR NOT NULL,
    "source_record_id" VARCHAR NOT NULL,
    "country" VARCHAR NOT NULL,
    "admin1_code" VARCHAR,
    "admin2_code" VARCHAR,
    "place_text" VARCHAR,
    "latitude_deg" DOUBLE,
    "longitude_deg" DOUBLE,
    "location_precision" VARCHAR,
    "occurred_on" DATE,
    "occurred_at" TIMESTAMP,
    "occurred_at_precision" VARCHAR,
    "occurred_at_text" VARCHAR,
    "time_zone" VARCHAR,
    "reported_on" DATE,
    "reported_at" TIMESTAMP,
    "border_point_code" VARCHAR,
    "seizure_kind" VARCHAR,
    "item_text" VARCHAR,
    "quantity" DOUBLE,
    "unit" VARCHAR,
    "quantity_kg" DOUBLE,
    "quantity_count" DOUBLE,
    "weapon_kind" VARCHAR,
    "manufacture_country" VARCHAR,
    "cites_appendix" VARCHAR,
    "hs_code" VARCHAR,
    "estimated_value_usd" DOUBLE,
    "suspects_total" INTEGER,
    "seized_by" VARCHAR,
    "circumstance" VARCHAR,
    "outcome" VARCHAR,
    "vehicle_kind" VARCHAR,
    "serial_token" VARCHAR,
    "handling" VARCHAR NOT NULL,
    "is_withdrawn" BOOLEAN NOT NULL,
    "source_revision" BIGINT,
    "received_at" TIMESTAMP NOT NULL,
    "delivery_id" VARCHAR NOT NULL,
    "source_row" BIGINT NOT NULL,
    "quality_flags" VARCHAR[] NOT NULL,
    "revision" INTEGER NOT NULL,
    "known_from" TIMESTAMP NOT NULL,
    "known_to" TIMESTAMP,
    "restated_at" TIMESTAMP,
    "superseded_at" TIMESTAMP,
    "is_latest" BOOLEAN NOT NULL,
    PRIMARY KEY ("record_id")
);
COMMENT ON TABLE "seizures" IS 'Goods, arms, drugs, vehicles and wildlife seized, latest version of each. | Marchandises, armes, stupéfiants, véhicules et espèces sauvages saisis, dans leur version la plus récente.';
COMMENT ON COLUMN "seizures"."record_id" IS 'Identifier of the record across all sources: the code of the source, a colon, and the look-up key of the source’s own record number: its capital letters, figures and signs, without spaces, accents and signs that cannot be seen. So one number written in two ways is one record, which keeps its identifier through every correction. | Identifiant de la fiche parmi tous les services : le code du service, deux-points, puis la clé de recherche du numéro donné par le service : ses lettres en majuscules, ses chiffres et ses signes, sans espaces, accents ni signes invisibles. Un numéro écrit de deux façons désigne ainsi une seule fiche, qui garde son identifiant à travers toutes ses corrections.';
COMMENT ON COLUMN "seizures"."source" IS 'The service that reported the record, as a code of the list of sources. | Service qui a transmis la fiche, selon le code de la liste des services. [codes: sources]';
COMMENT ON COLUMN "seizures"."source_record_id" IS 'The number or reference that the source itself gave to the record, as it was sent. | Numéro ou référence que le service a lui-même donné à la fiche, tel qu’il a été envoyé.';
COMMENT ON COLUMN "seizures"."country" IS 'Country where it happened, as an ISO 3166-1 code of three letters. | Pays où le fait s’est produit, en code ISO 3166-1 à trois lettres. [codes: countries]';
COMMENT ON COLUMN "seizures"."admin1_code" IS 'First administrative level, as a P-code: prefecture (Central African Republic), province (DR Congo), state (South Sudan). | Premier niveau administratif, en P-code : préfecture (République centrafricaine), province (RD Congo), État (Soudan du Sud). [codes: admin_areas]';
COMMENT ON COLUMN "seizures"."admin2_code" IS 'Second administrative level, as a P-code. Filled once the gazetteer of the country has been loaded. | Deuxième niveau administratif, en P-code. Rempli dès que le répertoire géographique du pays a été chargé. [codes: admin_areas]';
COMMENT ON COLUMN "seizures"."place_text" IS 'The place in the source’s own words. | Le lieu dans les mots du service.';
COMMENT ON COLUMN "seizures"."latitude_deg" IS 'Latitude on WGS 84 in decimal degrees, north positive. | Latitude en degrés décimaux (WGS 84), positive au nord. [unit: degree]';
COMMENT ON COLUMN "seizures"."longitude_deg" IS 'Longitude on WGS 84 in decimal degrees, east positive. | Longitude en degrés décimaux (WGS 84), positive à l’est. [unit: degree]';
COMMENT ON COLUMN "seizures"."location_precision" IS 'How exactly the place is known, from a measured point to the country only. | Degré d’exactitude du lieu, du point mesuré au pays seul. [codes: location_precisions]';
COMMENT ON COLUMN "seizures"."occurred_on" IS 'The day on which it happened, by the calendar at the place: count and group by it. Known to a week, a month or a year only, it is the first day of that; read it together with its precision. Always filled unless the record is withdrawn. | Jour du fait, selon le calendrier du lieu : c’est par lui que l’on compte et que l’on regroupe. Si seuls la semaine, le mois ou l’année sont connus, c’en est le premier jour ; à lire avec sa précision. Toujours rempli, sauf si la fiche est retirée.';
COMMENT ON COLUMN "seizures"."occurred_at" IS 'The moment at which it happened, in UTC; empty where no time was given, and then the local date tells all that is known. It can lie on another day than the local date. | Moment du fait, en UTC ; vide si aucune heure n’a été donnée, et la date locale dit alors tout ce qui est connu. Il peut tomber un autre jour que la date locale.';
COMMENT ON COLUMN "seizures"."occurred_at_precision" IS 'How exactly the moment is known: to the minute, the day, the month … | Degré d’exactitude du moment : à la minute, au jour, au mois… [codes: time_precisions]';
COMMENT ON COLUMN "seizures"."occurred_at_text" IS 'The local date and time as the source wrote them. | La date et l’heure locales telles que le service les a écrites.';
COMMENT ON COLUMN "seizures"."time_zone" IS 'The IANA time zone by which the local time became UTC, after the place and the date. | Fuseau horaire IANA qui a servi à passer de l’heure locale à l’UTC, selon le lieu et la date.';
COMMENT ON COLUMN "seizures"."reported_on" IS 'The day on which the source was told or wrote it down, by the calendar at the place. | Jour où le service en a été informé ou l’a consigné, selon le calendrier du lieu.';
COMMENT ON COLUMN "seizures"."reported_at" IS 'When the source was told or wrote it down, in UTC; empty without a time. | Moment où le service en a été informé ou l’a consigné, en UTC ; vide sans heure.';
COMMENT ON COLUMN "seizures"."border_point_code" IS 'Crossing point, as a code of the list of border points. | Point de passage, selon le code de la liste des points frontaliers. [codes: border_points]';
COMMENT ON COLUMN "seizures"."seizure_kind" IS 'Kind of goods, arms, drugs, vehicles or wildlife seized. | Nature des marchandises, armes, stupéfiants, véhicules ou espèces sauvages saisis. [codes: seizure_kinds]';
COMMENT ON COLUMN "seizures"."item_text" IS 'The item in the source’s own words. | L’objet dans les mots du service.';
COMMENT ON COLUMN "seizures"."quantity" IS 'Quantity seized, in the unit of the next column. | Quantité saisie, dans l’unité de la colonne suivante.';
COMMENT ON COLUMN "seizures"."unit" IS 'Unit of the quantity. | Unité de la quantité. [codes: units]';
COMMENT ON COLUMN "seizures"."quantity_kg" IS 'Quantity in kilograms, where the unit is a mass. | Quantité en kilogrammes, si l’unité est une masse. [unit: kg]';
COMMENT ON COLUMN "seizures"."quantity_count" IS 'Quantity in pieces, where the unit is a count. | Quantité en pièces, si l’unité est un comptage. [unit: piece]';
COMMENT ON COLUMN "seizures"."weapon_kind" IS 'Kind of weapon, where arms were seized. | Type d’arme, s’il s’agit d’armes. [codes: weapon_kinds]';
COMMENT ON COLUMN "seizures"."manufacture_country" IS 'Country in which the item was made, as marked on it. | Pays de fabrication, d’après le marquage. [codes: countries]';
COMMENT ON COLUMN "seizures"."cites_appendix" IS 'Appendix of CITES to which the animal or plant belongs. | Annexe de la CITES à laquelle appartient l’animal ou la plante. [codes: cites_appendices]';
COMMENT ON COLUMN "seizures"."hs_code" IS 'Code of the Harmonised System, four to ten figures without dots. | Code du Système harmonisé, quatre à dix chiffres sans points.';
COMMENT ON COLUMN "seizures"."estimated_value_usd" IS 'Value estimated by the source, in US dollars. | Valeur estimée par le service, en dollars des États-Unis. [unit: USD]';
COMMENT ON COLUMN "seizures"."suspects_total" IS 'Number of suspects known to the source. | Nombre de suspects connus de la source. [unit: person]';
COMMENT ON COLUMN "seizures"."seized_by" IS 'Kind of authority that made the seizure. | Type d’autorité qui a procédé à la saisie. [codes: seizing_authorities]';
COMMENT ON COLUMN "seizures"."circumstance" IS 'How the seizure came about: checkpoint, patrol, search … | Circonstance de la saisie : barrage, patrouille, perquisition… [codes: seizure_circumstances]';
COMMENT ON COLUMN "seizures"."outcome" IS 'What became of the seized items: kept as evidence, destroyed, returned … | Ce que la saisie est devenue : mise sous scellés, détruite, restituée… [codes: seizure_outcomes]';
COMMENT ON COLUMN "seizures"."vehicle_kind" IS 'Kind of vehicle, where a vehicle was seized or carried the goods. | Type de véhicule, si un véhicule a été saisi ou transportait les marchandises. [codes: vehicle_kinds]';
COMMENT ON COLUMN "seizures"."serial_token" IS 'The serial number as a keyed token: the same number always gives the same token. The number itself is never kept. | Numéro de série sous forme de jeton à clé : un même numéro donne toujours le même jeton. Le numéro lui-même n’est jamais conservé.';
COMMENT ON COLUMN "seizures"."handling" IS 'Handling level of the record: who may see it and how it may travel. | Niveau de protection de la fiche : qui peut la voir et comment elle peut circuler. [codes: handling_levels]';
COMMENT ON COLUMN "seizures"."is_withdrawn" IS 'True where the source has withdrawn the record: it stays in the history and leaves the published table. | Vrai si le service a retiré la fiche : elle reste dans l’historique et quitte la table publiée.';
COMMENT ON COLUMN "seizures"."source_revision" IS 'Number of the correction as the source states it; empty where the source does not number its corrections. | Numéro de la correction tel que le service l’annonce ; vide si le service ne numérote pas ses corrections.';
COMMENT ON COLUMN "seizures"."received_at" IS 'When the delivery that stated this was received, in UTC. | Réception de l’envoi qui contient cette fiche, en UTC.';
COMMENT ON COLUMN "seizures"."delivery_id" IS 'The delivery that stated this: the feed and the first twelve characters of the file’s fingerprint (SHA-256). | Envoi qui contient cette fiche : le flux et les douze premiers caractères de l’empreinte du fichier (SHA-256).';
COMMENT ON COLUMN "seizures"."source_row" IS 'Number of the row in the file that was sent, counted from 1 over all of its rows, so that it can be found again. | Numéro de la ligne dans le fichier envoyé, compté à partir de 1 sur toutes ses lignes, pour la retrouver.';
COMMENT ON COLUMN "seizures"."quality_flags" IS 'Codes of the warnings that this record raised; an empty list where there were none. | Codes des avertissements relevés sur cette fiche ; liste vide s’il n’y en a pas.';
COMMENT ON COLUMN "seizures"."revision" IS 'Number of the version of this record, from 1; it rises only when the content changes. | Numéro de version de la fiche, à partir de 1 ; il n’augmente que si le contenu change.';
COMMENT ON COLUMN "seizures"."known_from" IS 'From when we have known this version, in UTC. | Moment à partir duquel cette version est connue, en UTC.';
COMMENT ON COLUMN "seizures"."known_to" IS 'When a later version replaced this one, in UTC; empty for the latest. The same moment as “known from” marks a repetition, or news that came after a later version was known. | Moment où une version plus récente l’a remplacée, en UTC ; vide pour la plus récente. Le même moment que « connu depuis » signale une répétition, ou une nouvelle arrivée après une version plus récente.';
COMMENT ON COLUMN "seizures"."restated_at" IS 'When a file about this record was judged again with another result, in UTC: its versions stand as they do from then on. Empty where the first judgements still hold. | Moment, en UTC, où un fichier sur cette fiche a été jugé de nouveau avec un autre résultat : ses versions valent telles quelles depuis lors. Vide si les premiers jugements tiennent.';
COMMENT ON COLUMN "seizures"."superseded_at" IS 'When another judgement of a file took the place of this one, in UTC: what was published until then. Empty for what stands. | Moment, en UTC, où un autre jugement d’un fichier a pris la place de celui-ci : ce qui était publié jusqu’alors. Vide pour ce qui vaut.';
COMMENT ON COLUMN "seizures"."is_latest" IS 'True for the latest version of the record. | Vrai pour la version la plus récente de la fiche.';
