-- next_run_at is when a run is made, next_instant the instant of the timetable that it stands for. Both are there or neither.
-- paused_until and pause_reason are a rest of the schedule that ends by itself. A task with a pool names no node: a column can't lose
-- its NOT NULL here, so the table is made anew. Whatever refers to it is set aside, and ids go on where they were.
CREATE TABLE tasks_anew (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  node_id INTEGER REFERENCES nodes (id),
  spec TEXT NOT NULL,
  enabled INTEGER NOT NULL,
  next_run_at INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  version INTEGER NOT NULL,
  next_instant INTEGER,
  paused_until INTEGER,
  pause_reason TEXT
) STRICT;
INSERT INTO tasks_anew (id, name, node_id, spec, enabled, next_run_at, created_at, updated_at, version, next_instant)
  SELECT id, name, node_id, spec, enabled, next_run_at, created_at, updated_at, version, next_run_at FROM tasks;
DELETE FROM sqlite_sequence WHERE name = 'tasks_anew';
INSERT INTO sqlite_sequence (name, seq) SELECT 'tasks_anew', seq FROM sqlite_sequence WHERE name = 'tasks';
CREATE TABLE task_targets_aside AS SELECT task_id, target_id FROM task_targets;
DELETE FROM task_targets;
DROP TABLE tasks;
ALTER TABLE tasks_anew RENAME TO tasks;
CREATE INDEX tasks_by_node ON tasks (node_id);
CREATE INDEX tasks_due ON tasks (next_run_at, id) WHERE enabled = 1 AND next_run_at IS NOT NULL;
INSERT INTO task_targets (task_id, target_id) SELECT task_id, target_id FROM task_targets_aside;
DROP TABLE task_targets_aside;

-- Which tasks a task waits for. last_event is the last success that counted, fresh whether it came since the task ran for them last.
CREATE TABLE task_upstreams (
  task_id INTEGER NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
  upstream_id INTEGER NOT NULL REFERENCES tasks (id),
  last_event INTEGER NOT NULL,
  fresh INTEGER NOT NULL,
  PRIMARY KEY (task_id, upstream_id)
) STRICT;
CREATE INDEX task_upstreams_by_upstream ON task_upstreams (upstream_id, task_id);

-- A run of a pool has no node (-1) until one takes it.
CREATE INDEX records_in_pools ON records (node_id, id) WHERE state = 'queued';
CREATE INDEX records_load ON records (node_id) WHERE finished_at IS NULL;
