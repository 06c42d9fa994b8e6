-- What is odd about a run, as the guard found it: one JSON object, with a person's word that it is right.
ALTER TABLE records ADD COLUMN alarm TEXT;
