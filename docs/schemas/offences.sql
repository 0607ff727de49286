CREATE TABLE "offences" (
    "code" VARCHAR NOT NULL,
    "parent" VARCHAR,
    "label_en" VARCHAR NOT NULL,
    "label_fr" VARCHAR NOT NULL,
    "valid_from" DATE,
    "valid_to" DATE,
    "aliases" VARCHAR,
    "level" INTEGER NOT NULL,
    "is_sexual" BOOLEAN NOT NULL,
    PRIMARY KEY ("code")
);
COMMENT ON TABLE "offences" IS 'The offences of the International Classification of Crime for Statistical Purposes (ICCS) at four levels, in English and French. Our own compilation, not the official text. | Infractions de la Classification internationale des infractions à des fins statistiques (ICCS), sur quatre niveaux, en anglais et en français. Compilation propre, et non le texte officiel.';
COMMENT ON COLUMN "offences"."code" IS 'Code, as other tables use it. | Code, tel que les autres tables l’emploient.';
COMMENT ON COLUMN "offences"."parent" IS 'The broader category; empty at the top. | Catégorie plus large ; vide au sommet.';
COMMENT ON COLUMN "offences"."label_en" IS 'Name in English. | Nom en anglais.';
COMMENT ON COLUMN "offences"."label_fr" IS 'Name in French. | Nom en français.';
COMMENT ON COLUMN "offences"."valid_from" IS 'First day on which the entry is valid; empty where it always was. | Premier jour de validité ; vide si l’entrée a toujours été valable.';
COMMENT ON COLUMN "offences"."valid_to" IS 'Last day on which the entry is valid; empty where it still is. | Dernier jour de validité ; vide si l’entrée est toujours valable.';
COMMENT ON COLUMN "offences"."aliases" IS 'Other names and known spellings in either language, separated by |. | Autres noms et orthographes connues, dans les deux langues, séparés par |.';
COMMENT ON COLUMN "offences"."level" IS 'Depth in the classification, from 1 (broad) to 4 (precise). | Profondeur dans la classification, de 1 (large) à 4 (précis).';
COMMENT ON COLUMN "offences"."is_sexual" IS 'True for sexual violence and exploitation: such records are shown with the coarsest place. | Vrai pour les violences et l’exploitation sexuelles : ces fiches sont montrées avec le lieu le plus grossier.';
