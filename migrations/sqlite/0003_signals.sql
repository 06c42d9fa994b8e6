-- Wake-ups between masters that reach Postgres through a pooler, where nobody can listen. A SQLite file has one master; it leaves none here.
CREATE TABLE signals (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  sender TEXT NOT NULL,
  topic TEXT NOT NULL
) STRICT;
