CREATE TABLE "border_points" (
    "code" VARCHAR NOT NULL,
    "parent" VARCHAR,
    "label_en" VARCHAR NOT NULL,
    "label_fr" VARCHAR NOT NULL,
    "valid_from" DATE,
    "valid_to" DATE,
    "aliases" VARCHAR,
    "country_a" VARCHAR NOT NULL,
    "country_b" VARCHAR,
    "admin1_a" VARCHAR,
    "admin1_b" VARCHAR,
    "kind" VARCHAR,
    "river" VARCHAR,
    "latitude_deg" DOUBLE,
    "longitude_deg" DOUBLE,
    "evidence" VARCHAR,
    PRIMARY KEY ("code")
);
COMMENT ON TABLE "border_points" IS 'Crossing points between the three countries and their neighbours, each with the two countries that it joins. | Points de passage entre les trois pays et leurs voisins, chacun avec les deux pays qu’il relie.';
COMMENT ON COLUMN "border_points"."code" IS 'Code, as other tables use it. | Code, tel que les autres tables l’emploient.';
COMMENT ON COLUMN "border_points"."parent" IS 'The larger point of which it is a part, if any. | Point plus grand dont il fait partie, s’il y en a un.';
COMMENT ON COLUMN "border_points"."label_en" IS 'Name in English. | Nom en anglais.';
COMMENT ON COLUMN "border_points"."label_fr" IS 'Name in French. | Nom en français.';
COMMENT ON COLUMN "border_points"."valid_from" IS 'First day on which the entry is valid; empty where it always was. | Premier jour de validité ; vide si l’entrée a toujours été valable.';
COMMENT ON COLUMN "border_points"."valid_to" IS 'Last day on which the entry is valid; empty where it still is. | Dernier jour de validité ; vide si l’entrée est toujours valable.';
COMMENT ON COLUMN "border_points"."aliases" IS 'Other names and known spellings in either language, separated by |. | Autres noms et orthographes connues, dans les deux langues, séparés par |.';
COMMENT ON COLUMN "border_points"."country_a" IS 'One of the two countries. | L’un des deux pays. [codes: countries]';
COMMENT ON COLUMN "border_points"."country_b" IS 'The other of the two countries; empty for an airport. | L’autre pays ; vide pour un aéroport. [codes: countries]';
COMMENT ON COLUMN "border_points"."admin1_a" IS 'Prefecture, province or state on the side of country A. | Préfecture, province ou État du côté du pays A. [codes: admin_areas]';
COMMENT ON COLUMN "border_points"."admin1_b" IS 'Prefecture, province or state on the side of country B. | Préfecture, province ou État du côté du pays B. [codes: admin_areas]';
COMMENT ON COLUMN "border_points"."kind" IS 'Kind of crossing: road, river, airport … | Type de passage : route, fleuve, aéroport…';
COMMENT ON COLUMN "border_points"."river" IS 'River that is crossed, if any. | Cours d’eau franchi, s’il y en a un.';
COMMENT ON COLUMN "border_points"."latitude_deg" IS 'Latitude on WGS 84 in decimal degrees, north positive; about five kilometres exact. | Latitude en degrés décimaux (WGS 84), positive au nord ; exacte à environ cinq kilomètres. [unit: degree]';
COMMENT ON COLUMN "border_points"."longitude_deg" IS 'Longitude on WGS 84 in decimal degrees, east positive; about five kilometres exact. | Longitude en degrés décimaux (WGS 84), positive à l’est ; exacte à environ cinq kilomètres. [unit: degree]';
COMMENT ON COLUMN "border_points"."evidence" IS 'What stands behind the entry: a public source, or general knowledge. | Ce sur quoi l’entrée repose : une source publique, ou la connaissance générale.';
