CREATE TABLE "border_flows" (
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
    "period_start" DATE,
    "period_end" DATE,
    "direction" VARCHAR,
    "sex" VARCHAR,
    "age_group" VARCHAR,
    "nationality" VARCHAR,
    "origin_country" VARCHAR,
    "destination_country" VARCHAR,
    "crossing_mode" VARCHAR,
    "travel_reason" VARCHAR,
    "travellers_count" INTEGER,
    "observed_h" DOUBLE,
    "observed_days" INTEGER,
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
COMMENT ON TABLE "border_flows" IS 'Counts of travellers at a point, in a period, by direction and category, latest version of each. | Comptages de voyageurs à un point, pour une période, par sens et par catégorie, dans leur version la plus récente.';
COMMENT ON COLUMN "border_flows"."record_id" IS 'Identifier of the record across all sources: the code of the source, a colon, and the look-up key of the source’s own record number: its capital letters, figures and signs, without spaces, accents and signs that cannot be seen. So one number written in two ways is one record, which keeps its identifier through every correction. | Identifiant de la fiche parmi tous les services : le code du service, deux-points, puis la clé de recherche du numéro donné par le service : ses lettres en majuscules, ses chiffres et ses signes, sans espaces, accents ni signes invisibles. Un numéro écrit de deux façons désigne ainsi une seule fiche, qui garde son identifiant à travers toutes ses corrections.';
COMMENT ON COLUMN "border_flows"."source" IS 'The service that reported the record, as a code of the list of sources. | Service qui a transmis la fiche, selon le code de la liste des services. [codes: sources]';
COMMENT ON COLUMN "border_flows"."source_record_id" IS 'The number or reference that the source itself gave to the record, as it was sent. | Numéro ou référence que le service a lui-même donné à la fiche, tel qu’il a été envoyé.';
COMMENT ON COLUMN "border_flows"."country" IS 'Country where it happened, as an ISO 3166-1 code of three letters. | Pays où le fait s’est produit, en code ISO 3166-1 à trois lettres. [codes: countries]';
COMMENT ON COLUMN "border_flows"."admin1_code" IS 'First administrative level, as a P-code: prefecture (Central African Republic), province (DR Congo), state (South Sudan). | Premier niveau administratif, en P-code : préfecture (République centrafricaine), province (RD Congo), État (Soudan du Sud). [codes: admin_areas]';
COMMENT ON COLUMN "border_flows"."admin2_code" IS 'Second administrative level, as a P-code. Filled once the gazetteer of the country has been loaded. | Deuxième niveau administratif, en P-code. Rempli dès que le répertoire géographique du pays a été chargé. [codes: admin_areas]';
COMMENT ON COLUMN "border_flows"."place_text" IS 'The place in the source’s own words. | Le lieu dans les mots du service.';
COMMENT ON COLUMN "border_flows"."latitude_deg" IS 'Latitude on WGS 84 in decimal degrees, north positive. | Latitude en degrés décimaux (WGS 84), positive au nord. [unit: degree]';
COMMENT ON COLUMN "border_flows"."longitude_deg" IS 'Longitude on WGS 84 in decimal degrees, east positive. | Longitude en degrés décimaux (WGS 84), positive à l’est. [unit: degree]';
COMMENT ON COLUMN "border_flows"."location_precision" IS 'How exactly the place is known, from a measured point to the country only. | Degré d’exactitude du lieu, du point mesuré au pays seul. [codes: location_precisions]';
COMMENT ON COLUMN "border_flows"."occurred_on" IS 'The day on which it happened, by the calendar at the place: count and group by it. Known to a week, a month or a year only, it is the first day of that; read it together with its precision. Always filled unless the record is withdrawn. | Jour du fait, selon le calendrier du lieu : c’est par lui que l’on compte et que l’on regroupe. Si seuls la semaine, le mois ou l’année sont connus, c’en est le premier jour ; à lire avec sa précision. Toujours rempli, sauf si la fiche est retirée.';
COMMENT ON COLUMN "border_flows"."occurred_at" IS 'The moment at which it happened, in UTC; empty where no time was given, and then the local date tells all that is known. It can lie on another day than the local date. | Moment du fait, en UTC ; vide si aucune heure n’a été donnée, et la date locale dit alors tout ce qui est connu. Il peut tomber un autre jour que la date locale.';
COMMENT ON COLUMN "border_flows"."occurred_at_precision" IS 'How exactly the moment is known: to the minute, the day, the month … | Degré d’exactitude du moment : à la minute, au jour, au mois… [codes: time_precisions]';
COMMENT ON COLUMN "border_flows"."occurred_at_text" IS 'The local date and time as the source wrote them. | La date et l’heure locales telles que le service les a écrites.';
COMMENT ON COLUMN "border_flows"."time_zone" IS 'The IANA time zone by which the local time became UTC, after the place and the date. | Fuseau horaire IANA qui a servi à passer de l’heure locale à l’UTC, selon le lieu et la date.';
COMMENT ON COLUMN "border_flows"."reported_on" IS 'The day on which the source was told or wrote it down, by the calendar at the place. | Jour où le service en a été informé ou l’a consigné, selon le calendrier du lieu.';
COMMENT ON COLUMN "border_flows"."reported_at" IS 'When the source was told or wrote it down, in UTC; empty without a time. | Moment où le service en a été informé ou l’a consigné, en UTC ; vide sans heure.';
COMMENT ON COLUMN "border_flows"."border_point_code" IS 'Crossing point, as a code of the list of border points. | Point de passage, selon le code de la liste des points frontaliers. [codes: border_points]';
COMMENT ON COLUMN "border_flows"."period_start" IS 'First day of the period of observation, local. | Premier jour de la période d’observation, date locale.';
COMMENT ON COLUMN "border_flows"."period_end" IS 'Last day of the period of observation, local; the same day for a count of one day. | Dernier jour de la période d’observation, date locale ; le même jour pour un comptage d’une journée.';
COMMENT ON COLUMN "border_flows"."direction" IS 'Entry into the country, exit from it, or transit. | Entrée dans le pays, sortie du pays, ou transit. [codes: directions]';
COMMENT ON COLUMN "border_flows"."sex" IS 'Sex counted in this row; “total” where the row counts all. | Sexe compté dans cette ligne ; « total » si la ligne compte tout le monde. [codes: sexes]';
COMMENT ON COLUMN "border_flows"."age_group" IS 'Age group counted in this row; “total” where the row counts all. | Tranche d’âge comptée dans cette ligne ; « total » si la ligne compte tout le monde. [codes: age_groups]';
COMMENT ON COLUMN "border_flows"."nationality" IS 'Nationality, by the codes of travel documents (ICAO 9303); it has codes for refugees and stateless persons. | Nationalité, selon les codes des documents de voyage (OACI 9303) ; ils couvrent aussi les réfugiés et les apatrides. [codes: document_issuers]';
COMMENT ON COLUMN "border_flows"."origin_country" IS 'Country in which the journey began. | Pays où le voyage a commencé. [codes: countries]';
COMMENT ON COLUMN "border_flows"."destination_country" IS 'Country to which the journey leads. | Pays où le voyage conduit. [codes: countries]';
COMMENT ON COLUMN "border_flows"."crossing_mode" IS 'How the border was crossed: on foot, by road, by river, by air … | Façon de franchir la frontière : à pied, par la route, par le fleuve, par avion… [codes: crossing_modes]';
COMMENT ON COLUMN "border_flows"."travel_reason" IS 'Main reason for crossing, as stated. | Principal motif du passage, tel que déclaré. [codes: travel_reasons]';
COMMENT ON COLUMN "border_flows"."travellers_count" IS 'Number of travellers counted in the period. 0 means that somebody watched and saw nobody. | Nombre de voyageurs comptés pendant la période. 0 signifie que l’on a observé et que personne n’est passé. [unit: person]';
COMMENT ON COLUMN "border_flows"."observed_h" IS 'Hours during which the point was watched in the period. Counts are compared by hour watched, never as they stand. | Nombre d’heures pendant lesquelles le point a été observé. Les chiffres se comparent par heure d’observation, jamais bruts. [unit: hour]';
COMMENT ON COLUMN "border_flows"."observed_days" IS 'Days of the period on which the point was watched. | Nombre de jours de la période pendant lesquels le point a été observé. [unit: day]';
COMMENT ON COLUMN "border_flows"."handling" IS 'Handling level of the record: who may see it and how it may travel. | Niveau de protection de la fiche : qui peut la voir et comment elle peut circuler. [codes: handling_levels]';
COMMENT ON COLUMN "border_flows"."is_withdrawn" IS 'True where the source has withdrawn the record: it stays in the history and leaves the published table. | Vrai si le service a retiré la fiche : elle reste dans l’historique et quitte la table publiée.';
COMMENT ON COLUMN "border_flows"."source_revision" IS 'Number of the correction as the source states it; empty where the source does not number its corrections. | Numéro de la correction tel que le service l’annonce ; vide si le service ne numérote pas ses corrections.';
COMMENT ON COLUMN "border_flows"."received_at" IS 'When the delivery that stated this was received, in UTC. | Réception de l’envoi qui contient cette fiche, en UTC.';
COMMENT ON COLUMN "border_flows"."delivery_id" IS 'The delivery that stated this: the feed and the first twelve characters of the file’s fingerprint (SHA-256). | Envoi qui contient cette fiche : le flux et les douze premiers caractères de l’empreinte du fichier (SHA-256).';
COMMENT ON COLUMN "border_flows"."source_row" IS 'Number of the row in the file that was sent, counted from 1 over all of its rows, so that it can be found again. | Numéro de la ligne dans le fichier envoyé, compté à partir de 1 sur toutes ses lignes, pour la retrouver.';
COMMENT ON COLUMN "border_flows"."quality_flags" IS 'Codes of the warnings that this record raised; an empty list where there were none. | Codes des avertissements relevés sur cette fiche ; liste vide s’il n’y en a pas.';
COMMENT ON COLUMN "border_flows"."revision" IS 'Number of the version of this record, from 1; it rises only when the content changes. | Numéro de version de la fiche, à partir de 1 ; il n’augmente que si le contenu change.';
COMMENT ON COLUMN "border_flows"."known_from" IS 'From when we have known this version, in UTC. | Moment à partir duquel cette version est connue, en UTC.';
COMMENT ON COLUMN "border_flows"."known_to" IS 'When a later version replaced this one, in UTC; empty for the latest. The same moment as “known from” marks a repetition, or news that came after a later version was known. | Moment où une version plus récente l’a remplacée, en UTC ; vide pour la plus récente. Le même moment que « connu depuis » signale une répétition, ou une nouvelle arrivée après une version plus récente.';
COMMENT ON COLUMN "border_flows"."restated_at" IS 'When a file about this record was judged again with another result, in UTC: its versions stand as they do from then on. Empty where the first judgements still hold. | Moment, en UTC, où un fichier sur cette fiche a été jugé de nouveau avec un autre résultat : ses versions valent telles quelles depuis lors. Vide si les premiers jugements tiennent.';
COMMENT ON COLUMN "border_flows"."superseded_at" IS 'When another judgement of a file took the place of this one, in UTC: what was published until then. Empty for what stands. | Moment, en UTC, où un autre jugement d’un fichier a pris la place de celui-ci : ce qui était publié jusqu’alors. Vide pour ce qui vaut.';
COMMENT ON COLUMN "border_flows"."is_latest" IS 'True for the latest version of the record. | Vrai pour la version la plus récente de la fiche.';
