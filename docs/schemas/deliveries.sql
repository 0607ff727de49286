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
    "as_of" DATE,
    "report_number" VARCHAR,
    "kind" VARCHAR,
    "answered_at" TIMESTAMP,
    "received_by" VARCHAR,
    "encoding" VARCHAR,
    "state" VARCHAR NOT NULL,
    "rows_read" BIGINT,
    "rows_accepted" BIGINT,
    "rows_quarantined" BIGINT,
    "rows_exact_duplicates" BIGINT,
    "rows_held" BIGINT,
    "disagreements" BIGINT,
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
COMMENT ON COLUMN "deliveries"."as_of" IS 'The day as of which the file speaks: as its feed declares, or the latest plausible date among its accepted rows; never after the receipt. | Jour auquel le fichier est arrêté : selon la déclaration du flux, ou la dernière date plausible de ses lignes acceptées ; jamais après la réception.';
COMMENT ON COLUMN "deliveries"."report_number" IS 'Number of our own report that the file was made from; empty for any other file. Such a file is a correction of the rows that the report lists. | Numéro de notre propre rapport à partir duquel le fichier a été établi ; vide pour tout autre fichier. Un tel fichier est un rectificatif des lignes du rapport.';
COMMENT ON COLUMN "deliveries"."kind" IS 'Whether the file is a register (what the source’s book says as of a day) or a correction (a later statement about some rows); empty where nobody said. | Registre (ce que dit le livre du service à un jour donné) ou rectificatif (déclaration ultérieure sur certaines lignes) ; vide si personne ne l’a dit. [codes: statement_kinds]';
COMMENT ON COLUMN "deliveries"."answered_at" IS 'When somebody answered what kind of file it is, in UTC; empty if nobody did. | Moment où quelqu’un a répondu sur la nature du fichier, en UTC ; vide sans réponse.';
COMMENT ON COLUMN "deliveries"."received_by" IS 'Role or account that took the file in; never a private name. | Fonction ou compte qui a reçu le fichier ; jamais un nom privé.';
COMMENT ON COLUMN "deliveries"."encoding" IS 'Character encoding in which the file was read. | Encodage des caractères dans lequel le fichier a été lu.';
COMMENT ON COLUMN "deliveries"."state" IS 'Whether the delivery was accepted or refused as a whole; “held” is accepted, with rows that wait for an answer. | Indique si l’envoi a été accepté ou refusé dans son ensemble ; « held » : accepté, avec des lignes qui attendent une réponse. [codes: delivery_states]';
COMMENT ON COLUMN "deliveries"."rows_read" IS 'Number of data rows in the file; empty where the file could not be read. | Nombre de lignes de données du fichier ; vide si le fichier n’a pas pu être lu. [unit: row]';
COMMENT ON COLUMN "deliveries"."rows_accepted" IS 'Number of rows that passed every rule; empty where the file could not be read. | Nombre de lignes qui respectent toutes les règles ; vide si le fichier n’a pas pu être lu. [unit: row]';
COMMENT ON COLUMN "deliveries"."rows_quarantined" IS 'Number of rows set aside for correction; empty where the file could not be read. | Nombre de lignes mises de côté pour correction ; vide si le fichier n’a pas pu être lu. [unit: row]';
COMMENT ON COLUMN "deliveries"."rows_exact_duplicates" IS 'Number of rows that repeat another row of the file exactly; empty where the file could not be read. | Nombre de lignes qui répètent exactement une autre ligne du fichier. [unit: row]';
COMMENT ON COLUMN "deliveries"."rows_held" IS 'Number of accepted rows that stand in no table, because which version is the latest is being asked; the table “rejections” lists them. | Nombre de lignes acceptées qui ne figurent dans aucune table, parce que la question de la version la plus récente est posée ; la table « rejections » les énumère. [unit: row]';
COMMENT ON COLUMN "deliveries"."disagreements" IS 'Number of its records of which another file says otherwise as of the same moment, so that one of the two versions is not shown (DEL-743, DEL-744); counted for each other file. | Nombre de ses enregistrements dont un autre fichier dit autre chose au même moment, de sorte que l’une des deux versions n’est pas affichée (DEL-743, DEL-744) ; compté pour chaque autre fichier. [unit: record]';
COMMENT ON COLUMN "deliveries"."findings" IS 'Codes found about the file as a whole. | Codes relevés sur le fichier dans son ensemble.';
COMMENT ON COLUMN "deliveries"."program_version" IS 'Version of Passerelle that judged it. | Version de Passerelle qui l’a jugé.';
COMMENT ON COLUMN "deliveries"."feed_version" IS 'Version of the feed’s description. | Version de la description du flux.';
COMMENT ON COLUMN "deliveries"."contract_version" IS 'Version of the table’s contract. | Version du contrat de la table.';
COMMENT ON COLUMN "deliveries"."harmonised_at" IS 'When the delivery was judged, in UTC. | Moment où l’envoi a été jugé, en UTC.';
