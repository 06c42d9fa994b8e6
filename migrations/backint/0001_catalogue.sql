-- The catalogue of Backint objects. Storage is the truth: a file that is lost is made anew from it.
CREATE TABLE objects (
    place        TEXT   NOT NULL,
    location     TEXT   NOT NULL,
    ebid         TEXT   NOT NULL,
    user_id      TEXT   NOT NULL,
    name         TEXT   NOT NULL,
    size         BIGINT NOT NULL,
    stored_bytes BIGINT NOT NULL,
    sha256       TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    PRIMARY KEY (place, location)
);
CREATE INDEX objects_by_ebid ON objects (place, ebid);

-- What a process is writing, so that the next one can remove what a killed one left.
CREATE TABLE begun (
    place    TEXT NOT NULL,
    location TEXT NOT NULL,
    host     TEXT NOT NULL,
    process  TEXT NOT NULL,
    PRIMARY KEY (place, location)
);
