-- A backup that is found in storage is looked for by its folder, lest it become a second record.
CREATE INDEX records_by_location ON records (location, created_at);
