CREATE TABLE "support_offers" (
    "record_id" VARCHAR NOT NULL,
    "source" VARCHAR NOT NULL,
    "source_record_id" VARCHAR NOT NULL,
    "support_kind" VARCHAR,
    "support_topic" VARCHAR,
    "support_text" VARCHAR,
    "party_kind" VARCHAR,
    "party_country" VARCHAR,
    "mission_code" VARCHAR,
    "country" VARCHAR,
    "place_text" VARCHAR,
    "language_code" VARCHAR,
    "second_language_code" VARCHAR,
    "capacity_persons" INTEGER,
    "capacity_women" INTEGER,
    "capacity_units" INTEGER,
    "estimated_value_usd" DOUBLE,
    "declared_on" DATE,
    "available_from" DATE,
    "available_until" DATE,
    "condition_kind" VARCHAR,
    "condition_text" VARCHAR,
    "support_state" VARCHAR,
    "state_on" DATE,
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
COMMENT ON TABLE "support_offers" IS 'Training, equipment, funding, infrastructure and measures for the deployment of women that are offered for UN Police and host-state police, latest version of each. | Formations, équipements, financements, infrastructures et mesures pour le déploiement de femmes offerts pour la Police des Nations Unies et les polices des États hôtes, dans leur version la plus récente.';
COMMENT ON COLUMN "support_offers"."record_id" IS 'Identifier of the record across all sources: the code of the source, a colon, and the look-up key of the source’s own record number: its capital letters, figures and signs, without spaces, accents and signs that cannot be seen. So one number written in two ways is one record, which keeps its identifier through every correction. | Identifiant de la fiche parmi tous les services : le code du service, deux-points, puis la clé de recherche du numéro donné par le service : ses lettres en majuscules, ses chiffres et ses signes, sans espaces, accents ni signes invisibles. Un numéro écrit de deux façons désigne ainsi une seule fiche, qui garde son identifiant à travers toutes ses corrections.';
COMMENT ON COLUMN "support_offers"."source" IS 'The service that reported the record, as a code of the list of sources. | Service qui a transmis la fiche, selon le code de la liste des services. [codes: sources]';
COMMENT ON COLUMN "support_offers"."source_record_id" IS 'The number or reference that the source itself gave to the record, as it was sent. | Numéro ou référence que le service a lui-même donné à la fiche, tel qu’il a été envoyé.';
COMMENT ON COLUMN "support_offers"."support_kind" IS 'Kind of support: training (for a post, by a mobile team, of institutions), equipment, funding, infrastructure, deployment of women. | Nature de l’appui : formation (à un poste, par une équipe mobile, des institutions), équipement, financement, infrastructure, déploiement de femmes. [codes: support_kinds]';
COMMENT ON COLUMN "support_offers"."support_topic" IS 'What the support is about: a topic of UN Police training, a kind of equipment or building, a measure for women. | Objet de l’appui : un thème de formation de la Police des Nations Unies, un type d’équipement ou de bâtiment, une mesure en faveur des femmes. [codes: support_topics]';
COMMENT ON COLUMN "support_offers"."support_text" IS 'The support in the words of whoever offers it or asks for it. | L’appui dans les mots de la partie qui l’offre ou le demande.';
COMMENT ON COLUMN "support_offers"."party_kind" IS 'What kind of party offers the support or asks for it. | Type de partie qui offre l’appui ou le demande. [codes: support_parties]';
COMMENT ON COLUMN "support_offers"."party_country" IS 'The country that offers or asks, as an ISO 3166-1 code of three letters. | Pays qui offre ou demande, en code ISO 3166-1 à trois lettres. [codes: countries]';
COMMENT ON COLUMN "support_offers"."mission_code" IS 'United Nations mission, by its usual acronym. | Mission des Nations Unies, par son sigle usuel. [codes: missions]';
COMMENT ON COLUMN "support_offers"."country" IS 'Country in which the support can be given; empty where that is free. | Pays où l’appui peut être donné ; vide si le lieu est libre. [codes: countries]';
COMMENT ON COLUMN "support_offers"."place_text" IS 'The place in the source’s own words. | Le lieu dans les mots du service.';
COMMENT ON COLUMN "support_offers"."language_code" IS 'Language, as an ISO 639-3 code of three letters. | Langue, en code ISO 639-3 à trois lettres. [codes: languages]';
COMMENT ON COLUMN "support_offers"."second_language_code" IS 'Another language that will do, as an ISO 639-3 code of three letters. | Autre langue possible, en code ISO 639-3 à trois lettres. [codes: languages]';
COMMENT ON COLUMN "support_offers"."capacity_persons" IS 'Number of persons who can be trained or deployed, or have to be. | Nombre de personnes pouvant ou devant être formées ou déployées. [unit: person]';
COMMENT ON COLUMN "support_offers"."capacity_women" IS 'Number of women among the persons. | Nombre de femmes parmi les personnes. [unit: person]';
COMMENT ON COLUMN "support_offers"."capacity_units" IS 'Number of units: vehicles, sets, buildings, courses, teams. | Nombre d’unités : véhicules, lots, bâtiments, stages, équipes. [unit: piece]';
COMMENT ON COLUMN "support_offers"."estimated_value_usd" IS 'Value of the offer as the party estimates it, in US dollars. | Valeur de l’offre estimée par la partie, en dollars des États-Unis. [unit: USD]';
COMMENT ON COLUMN "support_offers"."declared_on" IS 'Day on which it was offered or asked for. | Jour où l’appui a été offert ou demandé.';
COMMENT ON COLUMN "support_offers"."available_from" IS 'First day on which the support can be given or is needed. | Premier jour où l’appui peut être donné ou devient nécessaire.';
COMMENT ON COLUMN "support_offers"."available_until" IS 'Last day on which the support can be given or is needed. | Dernier jour où l’appui peut être donné ou reste nécessaire.';
COMMENT ON COLUMN "support_offers"."condition_kind" IS 'Main condition on which the support depends. | Principale condition dont dépend l’appui. [codes: support_conditions]';
COMMENT ON COLUMN "support_offers"."condition_text" IS 'The conditions in the words of the party. | Les conditions dans les mots de la partie.';
COMMENT ON COLUMN "support_offers"."support_state" IS 'Whether the offer or the need is open, matched, closed or withdrawn. | Indique si l’offre ou le besoin est ouvert, apparié, clos ou retiré. [codes: support_states]';
COMMENT ON COLUMN "support_offers"."state_on" IS 'Day on which it came into this state. | Jour où cet état a commencé.';
COMMENT ON COLUMN "support_offers"."handling" IS 'Handling level of the record: who may see it and how it may travel. | Niveau de protection de la fiche : qui peut la voir et comment elle peut circuler. [codes: handling_levels]';
COMMENT ON COLUMN "support_offers"."is_withdrawn" IS 'True where the source has withdrawn the record: it stays in the history and leaves the published table. | Vrai si le service a retiré la fiche : elle reste dans l’historique et quitte la table publiée.';
COMMENT ON COLUMN "support_offers"."source_revision" IS 'Number of the correction as the source states it; empty where the source does not number its corrections. | Numéro de la correction tel que le service l’annonce ; vide si le service ne numérote pas ses corrections.';
COMMENT ON COLUMN "support_offers"."received_at" IS 'When the delivery that stated this was received, in UTC. | Réception de l’envoi qui contient cette fiche, en UTC.';
COMMENT ON COLUMN "support_offers"."delivery_id" IS 'The delivery that stated this: the feed and the first twelve characters of the file’s fingerprint (SHA-256). | Envoi qui contient cette fiche : le flux et les douze premiers caractères de l’empreinte du fichier (SHA-256).';
COMMENT ON COLUMN "support_offers"."source_row" IS 'Number of the row in the file that was sent, counted from 1 over all of its rows, so that it can be found again. | Numéro de la ligne dans le fichier envoyé, compté à partir de 1 sur toutes ses lignes, pour la retrouver.';
COMMENT ON COLUMN "support_offers"."quality_flags" IS 'Codes of the warnings that this record raised; an empty list where there were none. | Codes des avertissements relevés sur cette fiche ; liste vide s’il n’y en a pas.';
COMMENT ON COLUMN "support_offers"."revision" IS 'Number of the version of this record, from 1; it rises only when the content changes. | Numéro de version de la fiche, à partir de 1 ; il n’augmente que si le contenu change.';
COMMENT ON COLUMN "support_offers"."known_from" IS 'From when we have known this version, in UTC. | Moment à partir duquel cette version est connue, en UTC.';
COMMENT ON COLUMN "support_offers"."known_to" IS 'When a later version replaced this one, in UTC; empty for the latest. The same moment as “known from” marks a repetition, or news that came after a later version was known. | Moment où une version plus récente l’a remplacée, en UTC ; vide pour la plus récente. Le même moment que « connu depuis » signale une répétition, ou une nouvelle arrivée après une version plus récente.';
COMMENT ON COLUMN "support_offers"."restated_at" IS 'When a file about this record was judged again with another result, in UTC: its versions stand as they do from then on. Empty where the first judgements still hold. | Moment, en UTC, où un fichier sur cette fiche a été jugé de nouveau avec un autre résultat : ses versions valent telles quelles depuis lors. Vide si les premiers jugements tiennent.';
COMMENT ON COLUMN "support_offers"."superseded_at" IS 'When another judgement of a file took the place of this one, in UTC: what was published until then. Empty for what stands. | Moment, en UTC, où un autre jugement d’un fichier a pris la place de celui-ci : ce qui était publié jusqu’alors. Vide pour ce qui vaut.';
COMMENT ON COLUMN "support_offers"."is_latest" IS 'True for the latest version of the record. | Vrai pour la version la plus récente de la fiche.';
