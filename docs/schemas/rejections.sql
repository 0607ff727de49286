CREATE TABLE "rejections" (
    "delivery_id" VARCHAR NOT NULL,
    "feed" VARCHAR NOT NULL,
    "table_name" VARCHAR NOT NULL,
    "source_row" BIGINT,
    "rule_code" VARCHAR NOT NULL,
    "severity" VARCHAR NOT NULL,
    "column_name" VARCHAR
);
COMMENT ON TABLE "rejections" IS 'Which rules each row of a delivery did not meet, without any value of a cell. | Règles que chaque ligne d’un envoi ne respecte pas, sans aucune valeur de cellule.';
COMMENT ON COLUMN "rejections"."delivery_id" IS 'The delivery that holds the row. | Envoi qui contient la ligne.';
COMMENT ON COLUMN "rejections"."feed" IS 'The feed of the delivery. | Flux de l’envoi.';
COMMENT ON COLUMN "rejections"."table_name" IS 'The table that the row was meant for. | Table à laquelle la ligne était destinée.';
COMMENT ON COLUMN "rejections"."source_row" IS 'Number of the row in the file that was sent; empty for a finding about the file as a whole. | Numéro de la ligne dans le fichier envoyé ; vide pour un constat sur le fichier entier.';
COMMENT ON COLUMN "rejections"."rule_code" IS 'Code of the rule that the row does not meet. | Code de la règle que la ligne ne respecte pas.';
COMMENT ON COLUMN "rejections"."severity" IS '“error” where the row was set aside, “warning” where it was kept. | « error » si la ligne a été mise de côté, « warning » si elle a été conservée.';
COMMENT ON COLUMN "rejections"."column_name" IS 'The column to look at first; empty for a finding about the file as a whole. | Colonne à regarder en premier ; vide pour un constat sur le fichier entier.';
