CREATE TABLE "deliveries" (
    "delivery_id" VARCHAR NOT NULL,
    "feed" VARCHAR NOT NULL,
    "table_name" VARCHAR NOT NULL,
    "source" VARCHAR NOT NULL,
    "sha256" VARCHAR NOT NULL,
    "file_name" VARCHAR NOT NULL,
    "origin" VARCHAR,
    "bytes" BIGINT NOT NULL,
    "received_at" TIMESTAMP NOT NULL,
    "received_by" VARCHAR,
    "encoding" VARCHAR,
    "state" VARCHAR NOT NULL,
    "rows_read" BIGINT,
    "rows_accepted" BIGINT,
    "rows_quarantined" BIGINT,
    "rows_exact_duplicates" BIGINT,
    "findings" VARCHAR[] NOT NULL,
    "program_version" VARCHAR NOT NULL,
    "feed_version" VARCHAR NOT NULL,
    "contract_version" VARCHAR NOT NULL,
    "harmonised_at" TIMESTAMP NOT NULL,
    PRIMARY KEY ("delivery_id")
);
COMMENT ON TABLE "deliveries" IS 'Every file that came in, what was found and what became of it. | Tous les fichiers reçus, ce qui y a été relevé et leur suite.';
COMMENT ON COLUMN "deliveries"."delivery_id" IS 'The feed and the first twelve characters of the file’s fingerprint. | Le flux et les douze premiers caractères de l’empreinte du fichier.';
COMMENT ON COLUMN "deliveries"."feed" IS 'The feed to which the file belongs. | Flux auquel le fichier appartient.';
COMMENT ON COLUMN "deliveries"."table_name" IS 'The table that the feed fills. | Table que le flux alimente.';
COMMENT ON COLUMN "deliveries"."source" IS 'The service that sent it. | Service qui l’a envoyé. [codes: sources]';
COMMENT ON COLUMN "deliveries"."sha256" IS 'Fingerprint (SHA-256) of the file as it arrived. | Empreinte (SHA-256) du fichier tel qu’il est arrivé.';
COMMENT ON COLUMN "deliveries"."file_name" IS 'Name of the file as it was sent. | Nom du fichier tel qu’il a été envoyé.';
COMMENT ON COLUMN "deliveries"."origin" IS 'How the file came: folder, upload, address. | Voie d’arrivée du fichier : dossier, dépôt, adresse.';
COMMENT ON COLUMN "deliveries"."bytes" IS 'Size of the file in bytes. | Taille du fichier en octets. [unit: byte]';
COMMENT ON COLUMN "deliveries"."received_at" IS 'When the file was received, in UTC. | Réception du fichier, en UTC.';
COMMENT ON COLUMN "deliveries"."received_by" IS 'Role or account that took the file in; never a private name. | Fonction ou compte qui a reçu le fichier ; jamais un nom privé.';
COMMENT ON COLUMN "deliveries"."encoding" IS 'Character encoding in which the file was read. | Encodage des caractères dans lequel le fichier a été lu.';
COMMENT ON COLUMN "deliveries"."state" IS 'Whether the delivery was accepted or refused as a whole. | Indique si l’envoi a été accepté ou refusé dans son ensemble. [codes: delivery_states]';
COMMENT ON COLUMN "deliveries"."rows_read" IS 'Number of data rows in the file; empty where the file could not be read. | Nombre de lignes de données du fichier ; vide si le fichier n’a pas pu être lu. [unit: row]';
COMMENT ON COLUMN "deliveries"."rows_accepted" IS 'Number of rows that passed every rule; empty where the file could not be read. | Nombre de lignes qui respectent toutes les règles ; vide si le fichier n’a pas pu être lu. [unit: row]';
COMMENT ON COLUMN "deliveries"."rows_quarantined" IS 'Number of rows set aside for correction; empty where the file could not be read. | Nombre de lignes mises de côté pour correction ; vide si le fichier n’a pas pu être lu. [unit: row]';
COMMENT ON COLUMN "deliveries"."rows_exact_duplicates" IS 'Number of rows that repeat another row of the file exactly; empty where the file could not be read. | Nombre de lignes qui répètent exactement une autre ligne du fichier. [unit: row]';
COMMENT ON COLUMN "deliveries"."findings" IS 'Codes found about the file as a whole. | Codes relevés sur le fichier dans son ensemble.';
COMMENT ON COLUMN "deliveries"."program_version" IS 'Version of Passerelle that judged it. | Version de Passerelle qui l’a jugé.';
COMMENT ON COLUMN "deliveries"."feed_version" IS 'Version of the feed’s description. | Version de la description du flux.';
COMMENT ON COLUMN "deliveries"."contract_version" IS 'Version of the table’s contract. | Version du contrat de la table.';
COMMENT ON COLUMN "deliveries"."harmonised_at" IS 'When the delivery was judged, in UTC. | Moment où l’envoi a été jugé, en UTC.';
