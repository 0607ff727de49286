CREATE TABLE "incidents" (
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
    "ended_on" DATE,
    "occurred_until" TIMESTAMP,
    "offence_code" VARCHAR,
    "offence_text" VARCHAR,
    "incident_status" VARCHAR,
    "weapon_kind" VARCHAR,
    "perpetrator_kind" VARCHAR,
    "victims_total" INTEGER,
    "victims_female" INTEGER,
    "victims_male" INTEGER,
    "victims_children" INTEGER,
    "killed_total" INTEGER,
    "killed_low" INTEGER,
    "killed_high" INTEGER,
    "injured_total" INTEGER,
    "suspects_total" INTEGER,
    "arrested_total" INTEGER,
    "is_sensitive" BOOLEAN NOT NULL,
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
COMMENT ON TABLE "incidents" IS 'Incidents reported by a service, latest version of each. | Incidents signalés par un service, dans leur version la plus récente.';
COMMENT ON COLUMN "incidents"."record_id" IS 'Identifier of the record across all sources: the code of the source, a colon, and the look-up key of the source’s own record number: its capital letters, figures and signs, without spaces, accents and signs that cannot be seen. So one number written in two ways is one record, which keeps its identifier through every correction. | Identifiant de la fiche parmi tous les services : le code du service, deux-points, puis la clé de recherche du numéro donné par le service : ses lettres en majuscules, ses chiffres et ses signes, sans espaces, accents ni signes invisibles. Un numéro écrit de deux façons désigne ainsi une seule fiche, qui garde son identifiant à travers toutes ses corrections.';
COMMENT ON COLUMN "incidents"."source" IS 'The service that reported the record, as a code of the list of sources. | Service qui a transmis la fiche, selon le code de la liste des services. [codes: sources]';
COMMENT ON COLUMN "incidents"."source_record_id" IS 'The number or reference that the source itself gave to the record, as it was sent. | Numéro ou référence que le service a lui-même donné à la fiche, tel qu’il a été envoyé.';
COMMENT ON COLUMN "incidents"."country" IS 'Country where it happened, as an ISO 3166-1 code of three letters. | Pays où le fait s’est produit, en code ISO 3166-1 à trois lettres. [codes: countries]';
COMMENT ON COLUMN "incidents"."admin1_code" IS 'First administrative level, as a P-code: prefecture (Central African Republic), province (DR Congo), state (South Sudan). | Premier niveau administratif, en P-code : préfecture (République centrafricaine), province (RD Congo), État (Soudan du Sud). [codes: admin_areas]';
COMMENT ON COLUMN "incidents"."admin2_code" IS 'Second administrative level, as a P-code. Filled once the gazetteer of the country has been loaded. | Deuxième niveau administratif, en P-code. Rempli dès que le répertoire géographique du pays a été chargé. [codes: admin_areas]';
COMMENT ON COLUMN "incidents"."place_text" IS 'The place in the source’s own words. | Le lieu dans les mots du service.';
COMMENT ON COLUMN "incidents"."latitude_deg" IS 'Latitude on WGS 84 in decimal degrees, north positive. | Latitude en degrés décimaux (WGS 84), positive au nord. [unit: degree]';
COMMENT ON COLUMN "incidents"."longitude_deg" IS 'Longitude on WGS 84 in decimal degrees, east positive. | Longitude en degrés décimaux (WGS 84), positive à l’est. [unit: degree]';
COMMENT ON COLUMN "incidents"."location_precision" IS 'How exactly the place is known, from a measured point to the country only. | Degré d’exactitude du lieu, du point mesuré au pays seul. [codes: location_precisions]';
COMMENT ON COLUMN "incidents"."occurred_on" IS 'The day on which it happened, by the calendar at the place: count and group by it. Known to a week, a month or a year only, it is the first day of that; read it together with its precision. Always filled unless the record is withdrawn. | Jour du fait, selon le calendrier du lieu : c’est par lui que l’on compte et que l’on regroupe. Si seuls la semaine, le mois ou l’année sont connus, c’en est le premier jour ; à lire avec sa précision. Toujours rempli, sauf si la fiche est retirée.';
COMMENT ON COLUMN "incidents"."occurred_at" IS 'The moment at which it happened, in UTC; empty where no time was given, and then the local date tells all that is known. It can lie on another day than the local date. | Moment du fait, en UTC ; vide si aucune heure n’a été donnée, et la date locale dit alors tout ce qui est connu. Il peut tomber un autre jour que la date locale.';
COMMENT ON COLUMN "incidents"."occurred_at_precision" IS 'How exactly the moment is known: to the minute, the day, the month … | Degré d’exactitude du moment : à la minute, au jour, au mois… [codes: time_precisions]';
COMMENT ON COLUMN "incidents"."occurred_at_text" IS 'The local date and time as the source wrote them. | La date et l’heure locales telles que le service les a écrites.';
COMMENT ON COLUMN "incidents"."time_zone" IS 'The IANA time zone by which the local time became UTC, after the place and the date. | Fuseau horaire IANA qui a servi à passer de l’heure locale à l’UTC, selon le lieu et la date.';
COMMENT ON COLUMN "incidents"."reported_on" IS 'The day on which the source was told or wrote it down, by the calendar at the place. | Jour où le service en a été informé ou l’a consigné, selon le calendrier du lieu.';
COMMENT ON COLUMN "incidents"."reported_at" IS 'When the source was told or wrote it down, in UTC; empty without a time. | Moment où le service en a été informé ou l’a consigné, en UTC ; vide sans heure.';
COMMENT ON COLUMN "incidents"."ended_on" IS 'The last day of an incident that lasted, by the calendar at the place; empty for one moment. | Dernier jour d’un incident qui a duré, selon le calendrier du lieu ; vide pour un fait ponctuel.';
COMMENT ON COLUMN "incidents"."occurred_until" IS 'End of an incident that lasted, in UTC; empty for one moment or without a time. | Fin d’un incident qui a duré, en UTC ; vide pour un fait ponctuel.';
COMMENT ON COLUMN "incidents"."offence_code" IS 'Offence by the International Classification of Crime for Statistical Purposes, digits without dots, as precise as the source allows. Always filled unless the record is withdrawn. | Infraction selon la Classification internationale des infractions à des fins statistiques, chiffres sans points, aussi précise que la source le permet. Toujours remplie, sauf si la fiche est retirée. [codes: offences]';
COMMENT ON COLUMN "incidents"."offence_text" IS 'The source’s own category, in its own words. | Catégorie du service, dans ses propres mots.';
COMMENT ON COLUMN "incidents"."incident_status" IS 'How far the case has come: reported, under investigation, before a court, closed … | Avancement de l’affaire : signalée, en cours d’enquête, devant le tribunal, close… [codes: incident_statuses]';
COMMENT ON COLUMN "incidents"."weapon_kind" IS 'Main kind of weapon used. | Principal type d’arme employée. [codes: weapon_kinds]';
COMMENT ON COLUMN "incidents"."perpetrator_kind" IS 'Kind of person or group suspected; never a name. | Type de personne ou de groupe soupçonné ; jamais un nom. [codes: perpetrator_kinds]';
COMMENT ON COLUMN "incidents"."victims_total" IS 'Number of victims in all. Empty where not known; 0 only where none was counted. | Nombre total de victimes. Vide si inconnu ; 0 seulement si l’on n’en a compté aucune. [unit: person]';
COMMENT ON COLUMN "incidents"."victims_female" IS 'Number of women and girls among the victims. | Nombre de femmes et de filles parmi les victimes. [unit: person]';
COMMENT ON COLUMN "incidents"."victims_male" IS 'Number of men and boys among the victims. | Nombre d’hommes et de garçons parmi les victimes. [unit: person]';
COMMENT ON COLUMN "incidents"."victims_children" IS 'Number of victims under 18 years of age; they are also counted as girls or boys. | Nombre de victimes de moins de 18 ans ; elles sont aussi comptées parmi les filles ou les garçons. [unit: person]';
COMMENT ON COLUMN "incidents"."killed_total" IS 'Number of persons killed: the source’s best figure. | Nombre de personnes tuées : meilleur chiffre de la source. [unit: person]';
COMMENT ON COLUMN "incidents"."killed_low" IS 'Lowest figure that the source gives for the persons killed. | Chiffre le plus bas que la source donne pour les personnes tuées. [unit: person]';
COMMENT ON COLUMN "incidents"."killed_high" IS 'Highest figure that the source gives for the persons killed. | Chiffre le plus haut que la source donne pour les personnes tuées. [unit: person]';
COMMENT ON COLUMN "incidents"."injured_total" IS 'Number of persons injured and not killed. | Nombre de personnes blessées, sans les personnes tuées. [unit: person]';
COMMENT ON COLUMN "incidents"."suspects_total" IS 'Number of suspects known to the source. | Nombre de suspects connus de la source. [unit: person]';
COMMENT ON COLUMN "incidents"."arrested_total" IS 'Number of suspects arrested. | Nombre de suspects arrêtés. [unit: person]';
COMMENT ON COLUMN "incidents"."is_sensitive" IS 'True for sexual violence and for child victims: places finer than the prefecture, province or state are then withheld. | Vrai pour les violences sexuelles et les victimes enfants : tout lieu plus précis que la préfecture, la province ou l’État est alors masqué.';
COMMENT ON COLUMN "incidents"."handling" IS 'Handling level of the record: who may see it and how it may travel. | Niveau de protection de la fiche : qui peut la voir et comment elle peut circuler. [codes: handling_levels]';
COMMENT ON COLUMN "incidents"."is_withdrawn" IS 'True where the source has withdrawn the record: it stays in the history and leaves the published table. | Vrai si le service a retiré la fiche : elle reste dans l’historique et quitte la table publiée.';
COMMENT ON COLUMN "incidents"."source_revision" IS 'Number of the correction as the source states it; empty where the source does not number its corrections. | Numéro de la correction tel que le service l’annonce ; vide si le service ne numérote pas ses corrections.';
COMMENT ON COLUMN "incidents"."received_at" IS 'When the delivery that stated this was received, in UTC. | Réception de l’envoi qui contient cette fiche, en UTC.';
COMMENT ON COLUMN "incidents"."delivery_id" IS 'The delivery that stated this: the feed and the first twelve characters of the file’s fingerprint (SHA-256). | Envoi qui contient cette fiche : le flux et les douze premiers caractères de l’empreinte du fichier (SHA-256).';
COMMENT ON COLUMN "incidents"."source_row" IS 'Number of the row in the file that was sent, counted from 1 over all of its rows, so that it can be found again. | Numéro de la ligne dans le fichier envoyé, compté à partir de 1 sur toutes ses lignes, pour la retrouver.';
COMMENT ON COLUMN "incidents"."quality_flags" IS 'Codes of the warnings that this record raised; an empty list where there were none. | Codes des avertissements relevés sur cette fiche ; liste vide s’il n’y en a pas.';
COMMENT ON COLUMN "incidents"."revision" IS 'Number of the version of this record, from 1; it rises only when the content changes. | Numéro de version de la fiche, à partir de 1 ; il n’augmente que si le contenu change.';
COMMENT ON COLUMN "incidents"."known_from" IS 'From when we have known this version, in UTC. | Moment à partir duquel cette version est connue, en UTC.';
COMMENT ON COLUMN "incidents"."known_to" IS 'When a later version replaced this one, in UTC; empty for the latest. The same moment as “known from” marks a repetition, or news that came after a later version was known. | Moment où une version plus récente l’a remplacée, en UTC ; vide pour la plus récente. Le même moment que « connu depuis » signale une répétition, ou une nouvelle arrivée après une version plus récente.';
COMMENT ON COLUMN "incidents"."restated_at" IS 'When a file about this record was judged again with another result, in UTC: its versions stand as they do from then on. Empty where the first judgements still hold. | Moment, en UTC, où un fichier sur cette fiche a été jugé de nouveau avec un autre résultat : ses versions valent telles quelles depuis lors. Vide si les premiers jugements tiennent.';
COMMENT ON COLUMN "incidents"."superseded_at" IS 'When another judgement of a file took the place of this one, in UTC: what was published until then. Empty for what stands. | Moment, en UTC, où un autre jugement d’un fichier a pris la place de celui-ci : ce qui était publié jusqu’alors. Vide pour ce qui vaut.';
COMMENT ON COLUMN "incidents"."is_latest" IS 'True for the latest version of the record. | Vrai pour la version la plus récente de la fiche.';
