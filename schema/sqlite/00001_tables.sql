-- +goose Up
-- Values that must outlive the process: the key of the API key digests, the
-- highest run id ever given out.
CREATE TABLE secret (
  name TEXT NOT NULL PRIMARY KEY,
  value BLOB NOT NULL
) STRICT;

CREATE TABLE counter (
  name TEXT NOT NULL PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT;

CREATE TABLE organization (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT,
  domain TEXT,
  address1 TEXT,
  address2 TEXT,
  zipcode TEXT,
  country TEXT,
  public_key BLOB
) STRICT;
CREATE INDEX organization_name ON organization (name);
CREATE INDEX organization_country ON organization (country);

CREATE TABLE collaboration (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT UNIQUE,
  encrypted INTEGER NOT NULL DEFAULT 1,
  -- kept by the triggers of the next migration, so that a page needs no count
  task_count INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE member (
  organization_id INTEGER NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
  collaboration_id INTEGER NOT NULL REFERENCES collaboration (id) ON DELETE CASCADE,
  PRIMARY KEY (organization_id, collaboration_id)
) STRICT;
CREATE INDEX member_collaboration ON member (collaboration_id, organization_id);

-- Users and nodes share one id sequence; an id is never used again.
CREATE TABLE authenticatable (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  type TEXT NOT NULL,
  ip TEXT,
  last_seen TEXT,
  status TEXT,
  -- refresh tokens carry refresh_generation, access tokens access_era
  refresh_generation INTEGER NOT NULL DEFAULT 0,
  access_era INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX authenticatable_status ON authenticatable (status);
CREATE INDEX authenticatable_last_seen ON authenticatable (last_seen);

CREATE TABLE "user" (
  id INTEGER PRIMARY KEY REFERENCES authenticatable (id) ON DELETE CASCADE,
  username TEXT UNIQUE,
  password TEXT,
  firstname TEXT,
  lastname TEXT,
  email TEXT UNIQUE,
  organization_id INTEGER REFERENCES organization (id) ON DELETE SET NULL,
  failed_login_attempts INTEGER DEFAULT 0,
  last_login_attempt TEXT,
  otp_secret TEXT,
  -- true while the password is the one that everybody knows
  initial_password INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX user_organization ON "user" (organization_id);

CREATE TABLE node (
  id INTEGER PRIMARY KEY REFERENCES authenticatable (id) ON DELETE CASCADE,
  name TEXT,
  api_key TEXT UNIQUE,
  collaboration_id INTEGER REFERENCES collaboration (id) ON DELETE SET NULL,
  organization_id INTEGER REFERENCES organization (id) ON DELETE SET NULL,
  UNIQUE (organization_id, collaboration_id)
) STRICT;
CREATE INDEX node_collaboration ON node (collaboration_id);

CREATE TABLE nodeconfig (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  node_id INTEGER NOT NULL REFERENCES node (id) ON DELETE CASCADE,
  key TEXT,
  value TEXT
) STRICT;
CREATE INDEX nodeconfig_node ON nodeconfig (node_id);

CREATE TABLE role (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT,
  description TEXT,
  -- no cascade: a role that lost its organization would be a role of everybody
  organization_id INTEGER REFERENCES organization (id)
) STRICT;
CREATE INDEX role_organization ON role (organization_id);
CREATE INDEX role_name ON role (name);

CREATE TABLE rule (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  operation TEXT NOT NULL CHECK (operation IN ('VIEW', 'EDIT', 'CREATE', 'DELETE')),
  scope TEXT NOT NULL CHECK (scope IN ('OWN', 'ORGANIZATION', 'COLLABORATION', 'GLOBAL')),
  description TEXT NOT NULL DEFAULT '',
  UNIQUE (name, scope, operation)
) STRICT;

CREATE TABLE user_role (
  user_id INTEGER NOT NULL REFERENCES "user" (id) ON DELETE CASCADE,
  role_id INTEGER NOT NULL REFERENCES role (id) ON DELETE CASCADE,
  PRIMARY KEY (user_id, role_id)
) STRICT;
CREATE INDEX user_role_role ON user_role (role_id, user_id);

CREATE TABLE user_rule (
  user_id INTEGER NOT NULL REFERENCES "user" (id) ON DELETE CASCADE,
  rule_id INTEGER NOT NULL REFERENCES rule (id) ON DELETE CASCADE,
  PRIMARY KEY (user_id, rule_id)
) STRICT;
CREATE INDEX user_rule_rule ON user_rule (rule_id, user_id);

CREATE TABLE role_rule (
  role_id INTEGER NOT NULL REFERENCES role (id) ON DELETE CASCADE,
  rule_id INTEGER NOT NULL REFERENCES rule (id) ON DELETE CASCADE,
  PRIMARY KEY (role_id, rule_id)
) STRICT;
CREATE INDEX role_rule_rule ON role_rule (rule_id, role_id);

CREATE TABLE task (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT,
  description TEXT,
  image TEXT,
  collaboration_id INTEGER REFERENCES collaboration (id) ON DELETE SET NULL,
  run_id INTEGER,
  parent_id INTEGER REFERENCES task (id) ON DELETE SET NULL,
  database TEXT,
  initiator_id INTEGER REFERENCES organization (id) ON DELETE SET NULL,
  init_user_id INTEGER REFERENCES "user" (id) ON DELETE SET NULL,
  created_at TEXT
) STRICT;
CREATE INDEX task_collaboration ON task (collaboration_id, id);
CREATE INDEX task_run ON task (run_id, id);
CREATE INDEX task_parent ON task (parent_id, id);
CREATE INDEX task_initiator ON task (initiator_id, id);
CREATE INDEX task_init_user ON task (init_user_id, id);

CREATE TABLE result (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  task_id INTEGER REFERENCES task (id) ON DELETE SET NULL,
  organization_id INTEGER REFERENCES organization (id) ON DELETE SET NULL,
  assigned_at TEXT,
  started_at TEXT,
  finished_at TEXT,
  status TEXT
) STRICT;
CREATE INDEX result_task ON result (task_id, id);
CREATE INDEX result_organization ON result (organization_id, id);
CREATE INDEX result_open ON result (organization_id, id) WHERE finished_at IS NULL;
CREATE INDEX result_assigned ON result (assigned_at);
CREATE INDEX result_started ON result (started_at) WHERE started_at IS NOT NULL;
CREATE INDEX result_finished ON result (finished_at);

-- Large texts lie apart from the rows that lists and counts read.
CREATE TABLE payload (
  result_id INTEGER PRIMARY KEY REFERENCES result (id) ON DELETE CASCADE,
  input TEXT,
  result TEXT,
  log TEXT
) STRICT;

CREATE TABLE algorithmport (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  port INTEGER,
  result_id INTEGER REFERENCES result (id) ON DELETE SET NULL,
  label TEXT
) STRICT;
CREATE INDEX algorithmport_result ON algorithmport (result_id, id);
CREATE INDEX algorithmport_port ON algorithmport (port);

-- +goose Down
DROP TABLE algorithmport;
DROP TABLE payload;
DROP TABLE result;
DROP TABLE task;
DROP TABLE role_rule;
DROP TABLE user_rule;
DROP TABLE user_role;
DROP TABLE rule;
DROP TABLE role;
DROP TABLE nodeconfig;
DROP TABLE node;
DROP TABLE "user";
DROP TABLE authenticatable;
DROP TABLE member;
DROP TABLE collaboration;
DROP TABLE organization;
DROP TABLE counter;
DROP TABLE secret;
