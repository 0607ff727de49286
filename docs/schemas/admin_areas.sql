CREATE TABLE "admin_areas" (
    "code" VARCHAR NOT NULL,
    "parent" VARCHAR,
    "label_en" VARCHAR NOT NULL,
    "label_fr" VARCHAR NOT NULL,
    "valid_from" DATE,
    "valid_to" DATE,
    "aliases" VARCHAR,
    "country" VARCHAR NOT NULL,
    "level" INTEGER NOT NULL,
    "iso3166_2" VARCHAR,
    "time_zone" VARCHAR,
    "split_from" VARCHAR,
    PRIMARY KEY ("code")
);
COMMENT ON TABLE "admin_areas" IS 'Prefectures, provinces and states of the three countries and their neighbours, with the period in which each exists. Second levels are added when a gazetteer is loaded. | Préfectures, provinces et États des trois pays et de leurs voisins, avec la période d’existence de chacun. Le deuxième niveau s’ajoute quand un répertoire géographique est chargé.';
COMMENT ON COLUMN "admin_areas"."code" IS 'Code, as other tables use it. | Code, tel que les autres tables l’emploient.';
COMMENT ON COLUMN "admin_areas"."parent" IS 'The area or country of which it is a part. | Zone ou pays dont elle fait partie.';
COMMENT ON COLUMN "admin_areas"."label_en" IS 'Name in English. | Nom en anglais.';
COMMENT ON COLUMN "admin_areas"."label_fr" IS 'Name in French. | Nom en français.';
COMMENT ON COLUMN "admin_areas"."valid_from" IS 'First day on which the entry is valid; empty where it always was. | Premier jour de validité ; vide si l’entrée a toujours été valable.';
COMMENT ON COLUMN "admin_areas"."valid_to" IS 'Last day on which the entry is valid; empty where it still is. | Dernier jour de validité ; vide si l’entrée est toujours valable.';
COMMENT ON COLUMN "admin_areas"."aliases" IS 'Other names and known spellings in either language, separated by |. | Autres noms et orthographes connues, dans les deux langues, séparés par |.';
COMMENT ON COLUMN "admin_areas"."country" IS 'Country, as an ISO 3166-1 code of three letters. | Pays, en code ISO 3166-1 à trois lettres. [codes: countries]';
COMMENT ON COLUMN "admin_areas"."level" IS '1 for a prefecture, province or state; 2 for what lies within. | 1 pour une préfecture, une province ou un État ; 2 pour ce qu’ils contiennent.';
COMMENT ON COLUMN "admin_areas"."iso3166_2" IS 'Code of ISO 3166-2 where there is one. | Code ISO 3166-2 s’il existe.';
COMMENT ON COLUMN "admin_areas"."time_zone" IS 'IANA time zone, at level 1. | Fuseau horaire IANA, au niveau 1.';
COMMENT ON COLUMN "admin_areas"."split_from" IS 'The area out of which it was cut, where the map has changed. | Zone dont elle est issue, si le découpage a changé. [codes: admin_areas]';
