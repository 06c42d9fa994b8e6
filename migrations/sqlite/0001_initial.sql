-- Integers only: ids, counts, 0/1 for no/yes, times as microseconds since 1970-01-01 UTC. JSON is text.
-- migrations/postgres carries the same numbers and the same logical schema.

CREATE TABLE settings (
  key TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;

CREATE TABLE answers (
  key TEXT NOT NULL PRIMARY KEY,
  request_hash TEXT NOT NULL,
  status INTEGER NOT NULL,
  body TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX answers_by_age ON answers (created_at);

CREATE TABLE users (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  username TEXT NOT NULL,
  -- The lower-case form, made by the program so that every engine compares alike.
  username_key TEXT NOT NULL UNIQUE,
  password_hash TEXT NOT NULL,
  role TEXT NOT NULL,
  disabled INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  version INTEGER NOT NULL
) STRICT;

-- AUTOINCREMENT matters here: a signed token names its session, so an id must never come back.
CREATE TABLE sessions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id INTEGER NOT NULL REFERENCES users (id),
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  revoked_at INTEGER
) STRICT;
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);
CREATE INDEX sessions_by_revocation ON sessions (revoked_at) WHERE revoked_at IS NOT NULL;

CREATE TABLE api_keys (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  key_hash TEXT NOT NULL,
  role TEXT NOT NULL,
  user_id INTEGER NOT NULL REFERENCES users (id),
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  last_used_at INTEGER
) STRICT;
CREATE INDEX api_keys_by_hash ON api_keys (key_hash);
CREATE INDEX api_keys_by_user ON api_keys (user_id);

CREATE TABLE sign_in_failures (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  key TEXT NOT NULL,
  failed_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sign_in_failures_by_key ON sign_in_failures (key, failed_at);
CREATE INDEX sign_in_failures_by_age ON sign_in_failures (failed_at);

CREATE TABLE nodes (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  labels TEXT NOT NULL,
  facts TEXT,
  token_hash TEXT,
  previous_token_hash TEXT,
  previous_token_until INTEGER,
  created_at INTEGER NOT NULL,
  version INTEGER NOT NULL
) STRICT;
CREATE INDEX nodes_by_token ON nodes (token_hash);
CREATE INDEX nodes_by_previous_token ON nodes (previous_token_hash);

CREATE TABLE targets (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  config TEXT NOT NULL,
  secrets TEXT,
  last_test TEXT,
  created_at INTEGER NOT NULL,
  version INTEGER NOT NULL
) STRICT;

-- The spec is the truth about a task; name, node and targets stand beside it for what the database has to hold.
CREATE TABLE tasks (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  node_id INTEGER NOT NULL REFERENCES nodes (id),
  spec TEXT NOT NULL,
  enabled INTEGER NOT NULL,
  next_run_at INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  version INTEGER NOT NULL
) STRICT;
CREATE INDEX tasks_by_node ON tasks (node_id);
CREATE INDEX tasks_due ON tasks (next_run_at, id) WHERE enabled = 1 AND next_run_at IS NOT NULL;

CREATE TABLE task_targets (
  task_id INTEGER NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
  target_id INTEGER NOT NULL REFERENCES targets (id),
  PRIMARY KEY (task_id, target_id)
) STRICT;
CREATE INDEX task_targets_by_target ON task_targets (target_id);

-- No reference to tasks and nodes: a record outlives both. finished_at is set exactly when the state is final.
CREATE TABLE records (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  task_id INTEGER NOT NULL,
  task TEXT NOT NULL,
  node_id INTEGER NOT NULL,
  cause TEXT NOT NULL,
  state TEXT NOT NULL,
  lease INTEGER NOT NULL,
  location TEXT NOT NULL,
  progress TEXT NOT NULL,
  counts TEXT NOT NULL,
  failure TEXT,
  lock TEXT,
  streams TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  finished_at INTEGER,
  cancel_requested_at INTEGER
) STRICT;
-- At most one waiting run per task. A run whose hand-out was lost (lease above zero) is not a new one: it may wait again beside it.
CREATE UNIQUE INDEX records_one_waiting ON records (task_id) WHERE state = 'queued' AND lease = 0;
CREATE INDEX records_queued ON records (task_id, id) WHERE state = 'queued';
CREATE INDEX records_by_task ON records (task_id, id);
CREATE INDEX records_by_node ON records (node_id, id);
CREATE INDEX records_by_state ON records (state, id);
CREATE INDEX records_unfinished ON records (id) WHERE finished_at IS NULL;

CREATE TABLE record_copies (
  record_id INTEGER NOT NULL REFERENCES records (id) ON DELETE CASCADE,
  target_id INTEGER NOT NULL,
  position INTEGER NOT NULL,
  target_name TEXT NOT NULL,
  state TEXT NOT NULL,
  stored_bytes INTEGER NOT NULL,
  manifest_sha256 TEXT,
  error TEXT,
  verified_at INTEGER,
  PRIMARY KEY (record_id, target_id)
) STRICT;
CREATE INDEX record_copies_by_target ON record_copies (target_id, state);
CREATE INDEX record_copies_by_state ON record_copies (state, record_id);

CREATE TABLE operations (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  record_id INTEGER NOT NULL,
  node_id INTEGER NOT NULL,
  kind TEXT NOT NULL,
  spec TEXT NOT NULL,
  state TEXT NOT NULL,
  lease INTEGER NOT NULL,
  progress TEXT NOT NULL,
  report TEXT,
  failure TEXT,
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  finished_at INTEGER,
  cancel_requested_at INTEGER
) STRICT;
CREATE INDEX operations_by_record ON operations (record_id, id);
CREATE INDEX operations_by_kind ON operations (kind, id);
CREATE INDEX operations_by_state ON operations (state, id);
CREATE INDEX operations_unfinished ON operations (id) WHERE finished_at IS NULL;

CREATE TABLE log_lines (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  subject TEXT NOT NULL,
  lease INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  said_at INTEGER NOT NULL,
  level TEXT NOT NULL,
  message TEXT NOT NULL,
  UNIQUE (subject, lease, seq)
) STRICT;
CREATE INDEX log_lines_by_subject ON log_lines (subject, id);

CREATE TABLE events (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  happened_at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  taken_until INTEGER NOT NULL,
  handled_at INTEGER
) STRICT;
CREATE INDEX events_unhandled ON events (id) WHERE handled_at IS NULL;
CREATE INDEX events_handled ON events (happened_at) WHERE handled_at IS NOT NULL;

-- Queue and presence may live elsewhere (Redis), so nothing here refers to other tables and nothing refers to them.
-- alive_at is the last sign of life of a claimed command, its claim included.
CREATE TABLE commands (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  subject TEXT NOT NULL UNIQUE,
  node_id INTEGER NOT NULL,
  lane TEXT NOT NULL,
  spec TEXT NOT NULL,
  state TEXT NOT NULL,
  lease INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  not_before INTEGER NOT NULL,
  expires_at INTEGER,
  claimed_at INTEGER,
  seen_at INTEGER,
  alive_at INTEGER,
  acknowledged INTEGER NOT NULL,
  cancel_requested_at INTEGER,
  outcome TEXT,
  finished_at INTEGER
) STRICT;
CREATE INDEX commands_pending ON commands (node_id, lane, id) WHERE state = 'pending';
CREATE INDEX commands_expiring ON commands (expires_at) WHERE state = 'pending' AND expires_at IS NOT NULL;
CREATE INDEX commands_claimed ON commands (node_id, id) WHERE state = 'claimed';
CREATE INDEX commands_silent ON commands (alive_at) WHERE state = 'claimed';
CREATE INDEX commands_finished ON commands (finished_at) WHERE finished_at IS NOT NULL;

CREATE TABLE presence (
  node_id INTEGER NOT NULL PRIMARY KEY,
  seen_at INTEGER NOT NULL,
  online INTEGER NOT NULL
) STRICT;
CREATE INDEX presence_online ON presence (seen_at) WHERE online = 1;
