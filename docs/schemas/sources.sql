CREATE TABLE "sources" (
    "code" VARCHAR NOT NULL,
    "parent" VARCHAR,
    "label_en" VARCHAR NOT NULL,
    "label_fr" VARCHAR NOT NULL,
    "valid_from" DATE,
    "valid_to" DATE,
    "aliases" VARCHAR,
    "organisation" VARCHAR NOT NULL,
    "organisation_type" VARCHAR,
    "country" VARCHAR,
    "mission" VARCHAR,
    "language" VARCHAR,
    PRIMARY KEY ("code")
);
COMMENT ON TABLE "sources" IS 'The services that send data. | Services qui transmettent des données.';
COMMENT ON COLUMN "sources"."code" IS 'Code, as other tables use it. | Code, tel que les autres tables l’emploient.';
COMMENT ON COLUMN "sources"."parent" IS 'The service of which it is a part, if any. | Service dont il fait partie, s’il y en a un.';
COMMENT ON COLUMN "sources"."label_en" IS 'Name in English. | Nom en anglais.';
COMMENT ON COLUMN "sources"."label_fr" IS 'Name in French. | Nom en français.';
COMMENT ON COLUMN "sources"."valid_from" IS 'First day on which the entry is valid; empty where it always was. | Premier jour de validité ; vide si l’entrée a toujours été valable.';
COMMENT ON COLUMN "sources"."valid_to" IS 'Last day on which the entry is valid; empty where it still is. | Dernier jour de validité ; vide si l’entrée est toujours valable.';
COMMENT ON COLUMN "sources"."aliases" IS 'Other names and known spellings in either language, separated by |. | Autres noms et orthographes connues, dans les deux langues, séparés par |.';
COMMENT ON COLUMN "sources"."organisation" IS 'Full name of the organisation. | Nom complet de l’organisation.';
COMMENT ON COLUMN "sources"."organisation_type" IS 'National police, border service, UN mission, international organisation or research. | Police nationale, service frontalier, mission de l’ONU, organisation internationale ou recherche.';
COMMENT ON COLUMN "sources"."country" IS 'Country of the service, where it belongs to one. | Pays du service, s’il relève d’un pays. [codes: countries]';
COMMENT ON COLUMN "sources"."mission" IS 'UN mission of the service, where it belongs to one. | Mission de l’ONU dont relève le service, s’il y en a une.';
COMMENT ON COLUMN "sources"."language" IS 'Language in which the service works. | Langue de travail du service.';
