CREATE TABLE "deployments" (
    "record_id" VARCHAR NOT NULL,
    "source" VARCHAR NOT NULL,
    "source_record_id" VARCHAR NOT NULL,
    "mission_code" VARCHAR,
    "contributing_country" VARCHAR,
    "police_function" VARCHAR,
    "reporting_month" DATE,
    "sex" VARCHAR,
    "personnel_count" INTEGER,
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
COMMENT ON TABLE "deployments" IS 'Uniformed police in missions by contributing country, function, month and sex, latest version of each number. | Personnel de police en tenue dans les missions, par pays contributeur, fonction, mois et sexe, dernière version de chaque nombre.';
COMMENT ON COLUMN "deployments"."record_id" IS 'Identifier of the record across all sources: the code of the source, a colon, and the look-up key of the source’s own record number: its capital letters, figures and signs, without spaces, accents and signs that cannot be seen. So one number written in two ways is one record, which keeps its identifier through every correction. | Identifiant de la fiche parmi tous les services : le code du service, deux-points, puis la clé de recherche du numéro donné par le service : ses lettres en majuscules, ses chiffres et ses signes, sans espaces, accents ni signes invisibles. Un numéro écrit de deux façons désigne ainsi une seule fiche, qui garde son identifiant à travers toutes ses corrections.';
COMMENT ON COLUMN "deployments"."source" IS 'The service that reported the record, as a code of the list of sources. | Service qui a transmis la fiche, selon le code de la liste des services. [codes: sources]';
COMMENT ON COLUMN "deployments"."source_record_id" IS 'The number or reference that the source itself gave to the record, as it was sent. | Numéro ou référence que le service a lui-même donné à la fiche, tel qu’il a été envoyé.';
COMMENT ON COLUMN "deployments"."mission_code" IS 'United Nations mission, by its usual acronym. | Mission des Nations Unies, par son sigle usuel. [codes: missions]';
COMMENT ON COLUMN "deployments"."contributing_country" IS 'Country that contributes the personnel or the capability, as an ISO 3166-1 code of three letters. | Pays qui fournit le personnel ou la capacité, en code ISO 3166-1 à trois lettres. [codes: countries]';
COMMENT ON COLUMN "deployments"."police_function" IS 'As what the persons serve: individual police officers, formed police units, specialized police teams, justice and corrections personnel. | À quel titre les personnes servent : policiers hors unités constituées, unités de police constituées, équipes de police spécialisées, personnel de la justice et des prisons. [codes: police_functions]';
COMMENT ON COLUMN "deployments"."reporting_month" IS 'Month at the end of which the persons were counted, as its first day. | Mois à la fin duquel les personnes ont été comptées, par son premier jour.';
COMMENT ON COLUMN "deployments"."sex" IS 'Sex counted in this row; “total” where the row counts all. | Sexe compté dans cette ligne ; « total » si la ligne compte tout le monde. [codes: sexes]';
COMMENT ON COLUMN "deployments"."personnel_count" IS 'Number of persons deployed at the end of the month, of this sex. | Nombre de personnes déployées à la fin du mois, de ce sexe. [unit: person]';
COMMENT ON COLUMN "deployments"."handling" IS 'Handling level of the record: who may see it and how it may travel. | Niveau de protection de la fiche : qui peut la voir et comment elle peut circuler. [codes: handling_levels]';
COMMENT ON COLUMN "deployments"."is_withdrawn" IS 'True where the source has withdrawn the record: it stays in the history and leaves the published table. | Vrai si le service a retiré la fiche : elle reste dans l’historique et quitte la table publiée.';
COMMENT ON COLUMN "deployments"."source_revision" IS 'Number of the correction as the source states it; empty where the source does not number its corrections. | Numéro de la correction tel que le service l’annonce ; vide si le service ne numérote pas ses corrections.';
COMMENT ON COLUMN "deployments"."received_at" IS 'When the delivery that stated this was received, in UTC. | Réception de l’envoi qui contient cette fiche, en UTC.';
COMMENT ON COLUMN "deployments"."delivery_id" IS 'The delivery that stated this: the feed and the first twelve characters of the file’s fingerprint (SHA-256). | Envoi qui contient cette fiche : le flux et les douze premiers caractères de l’empreinte du fichier (SHA-256).';
COMMENT ON COLUMN "deployments"."source_row" IS 'Number of the row in the file that was sent, counted from 1 over all of its rows, so that it can be found again. | Numéro de la ligne dans le fichier envoyé, compté à partir de 1 sur toutes ses lignes, pour la retrouver.';
COMMENT ON COLUMN "deployments"."quality_flags" IS 'Codes of the warnings that this record raised; an empty list where there were none. | Codes des avertissements relevés sur cette fiche ; liste vide s’il n’y en a pas.';
COMMENT ON COLUMN "deployments"."revision" IS 'Number of the version of this record, from 1; it rises only when the content changes. | Numéro de version de la fiche, à partir de 1 ; il n’augmente que si le contenu change.';
COMMENT ON COLUMN "deployments"."known_from" IS 'From when we have known this version, in UTC. | Moment à partir duquel cette version est connue, en UTC.';
COMMENT ON COLUMN "deployments"."known_to" IS 'When a later version replaced this one, in UTC; empty for the latest. The same moment as “known from” marks a repetition, or news that came after a later version was known. | Moment où une version plus récente l’a remplacée, en UTC ; vide pour la plus récente. Le même moment que « connu depuis » signale une répétition, ou une nouvelle arrivée après une version plus récente.';
COMMENT ON COLUMN "deployments"."restated_at" IS 'When a file about this record was judged again with another result, in UTC: its versions stand as they do from then on. Empty where the first judgements still hold. | Moment, en UTC, où un fichier sur cette fiche a été jugé de nouveau avec un autre résultat : ses versions valent telles quelles depuis lors. Vide si les premiers jugements tiennent.';
COMMENT ON COLUMN "deployments"."superseded_at" IS 'When another judgement of a file took the place of this one, in UTC: what was published until then. Empty for what stands. | Moment, en UTC, où un autre jugement d’un fichier a pris la place de celui-ci : ce qui était publié jusqu’alors. Vide pour ce qui vaut.';
COMMENT ON COLUMN "deployments"."is_latest" IS 'True for the latest version of the record. | Vrai pour la version la plus récente de la fiche.';
