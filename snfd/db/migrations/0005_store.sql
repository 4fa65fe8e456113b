-- Object storage (accounts, containers, objects, versions, maps, blocks) and
-- the image registry. An account is a project: a user's own account has the
-- uuid of the user, which is that of the user's system project too.

CREATE SCHEMA store;

CREATE TABLE store.account(
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  uuid uuid NOT NULL UNIQUE REFERENCES identity.project(uuid),
  meta jsonb NOT NULL DEFAULT '{}',
  created timestamptz NOT NULL DEFAULT now(),
  mtime timestamptz NOT NULL DEFAULT now());

CREATE TABLE store.container(
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  account_id bigint NOT NULL REFERENCES store.account(id),
  name text COLLATE "C" NOT NULL
    CHECK (length(name) BETWEEN 1 AND 256 AND position('/' IN name) = 0),
  project uuid NOT NULL REFERENCES identity.project(uuid),   -- is charged
  quota bigint NOT NULL DEFAULT 0 CHECK (quota >= 0),        -- bytes; 0: none
  versioning text NOT NULL CHECK (versioning IN ('auto', 'none')),
  meta jsonb NOT NULL DEFAULT '{}',
  created timestamptz NOT NULL DEFAULT now(),
  mtime timestamptz NOT NULL DEFAULT now(),
  n_cur bigint NOT NULL DEFAULT 0 CHECK (n_cur >= 0),        -- current objects
  b_cur bigint NOT NULL DEFAULT 0 CHECK (b_cur >= 0),        -- and their bytes
  n_hist bigint NOT NULL DEFAULT 0 CHECK (n_hist >= 0),
  b_hist bigint NOT NULL DEFAULT 0 CHECK (b_hist >= 0),
  UNIQUE (account_id, name));

-- content ------------------------------------------------------------------

CREATE TABLE store.block(              -- immutable, named by its sha256
  digest bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
  gen int NOT NULL DEFAULT 0,          -- which writing of it is the valid one
  len int NOT NULL CHECK (len > 0),    -- most bytes it can have
  refs bigint NOT NULL DEFAULT 0 CHECK (refs >= 0),          -- maps that use it
  state smallint NOT NULL DEFAULT 1,   -- 0 being written, 1 live, 2 dying
  touched timestamptz NOT NULL DEFAULT now());
CREATE INDEX block_dead ON store.block(touched) WHERE refs = 0;

CREATE TABLE store.claim(              -- accounts that have shown the content
  account_id bigint NOT NULL REFERENCES store.account(id) ON DELETE CASCADE,
  digest bytea NOT NULL REFERENCES store.block(digest) ON DELETE CASCADE,
  PRIMARY KEY (account_id, digest));
CREATE INDEX claim_digest ON store.claim(digest);

CREATE TABLE store.map(                -- ordered list of blocks; frozen, shared
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  size bigint NOT NULL CHECK (size >= 0),
  block_size int NOT NULL CHECK (block_size > 0),
  algo text NOT NULL DEFAULT 'sha256',
  root bytea,                          -- NULL: not hashed yet
  md5 bytea,                           -- NULL: not known yet
  refs bigint NOT NULL DEFAULT 0 CHECK (refs >= 0),          -- versions, images
  zero_since timestamptz,
  created timestamptz NOT NULL DEFAULT now());
CREATE UNIQUE INDEX map_content ON store.map(root, size, block_size, algo)
  WHERE root IS NOT NULL;
CREATE INDEX map_dead ON store.map(zero_since) WHERE refs = 0;

CREATE TABLE store.map_page(           -- 256 slots a page
  map_id bigint NOT NULL REFERENCES store.map(id) ON DELETE CASCADE,
  page int NOT NULL,
  slots bytea NOT NULL,                -- 32 bytes a slot; all zero: a hole
  PRIMARY KEY (map_id, page));
ALTER TABLE store.map_page ALTER COLUMN slots SET STORAGE EXTERNAL;

-- names and versions -------------------------------------------------------

CREATE SEQUENCE store.version_serial;

CREATE TABLE store.object(
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  container_id bigint NOT NULL REFERENCES store.container(id),
  name text COLLATE "C" NOT NULL
    CHECK (octet_length(name) BETWEEN 1 AND 4096 AND length(name) <= 1024),
  uuid uuid NOT NULL,
  payer uuid NOT NULL REFERENCES identity.app_user(uuid),  -- user whose holding carries the bytes
  cur bigint,                          -- serial; NULL: deleted
  UNIQUE (container_id, name));
CREATE UNIQUE INDEX object_uuid ON store.object(uuid) WHERE cur IS NOT NULL;

CREATE TABLE store.version(
  serial bigint PRIMARY KEY DEFAULT nextval('store.version_serial'),
  object_id bigint NOT NULL REFERENCES store.object(id) ON DELETE CASCADE,
  cluster smallint NOT NULL,           -- 0 current, 1 history, 2 deleted
  uuid uuid NOT NULL,
  map_id bigint REFERENCES store.map(id),
  size bigint NOT NULL,
  ctype text NOT NULL DEFAULT '',
  mtime timestamptz NOT NULL,
  muser uuid NOT NULL REFERENCES identity.app_user(uuid),
  source bigint,                       -- serial that this one was made from
  avail smallint NOT NULL DEFAULT 1,   -- -1 error, 0 pending, 1 ready
  kind smallint NOT NULL DEFAULT 0,    -- 0 file, 1 snapshot, 2 DLO, 3 SLO
  expires timestamptz,
  meta jsonb NOT NULL DEFAULT '{}');   -- domain -> {key: value}
CREATE INDEX version_hist ON store.version(object_id, mtime DESC, serial DESC);
CREATE UNIQUE INDEX version_cur ON store.version(object_id) WHERE cluster = 0;
CREATE INDEX version_map ON store.version(map_id);
CREATE INDEX version_exp ON store.version(expires)
  WHERE cluster = 0 AND expires IS NOT NULL;
ALTER TABLE store.object ADD FOREIGN KEY (cur) REFERENCES store.version(serial)
  DEFERRABLE INITIALLY DEFERRED;

-- images -------------------------------------------------------------------

CREATE TABLE store.image(              -- its data is an object with its uuid
  id uuid PRIMARY KEY,
  project uuid NOT NULL REFERENCES identity.project(uuid),
  owner uuid NOT NULL REFERENCES identity.app_user(uuid),  -- who registered it
  name text NOT NULL CHECK (length(name) <= 255),
  status text NOT NULL CHECK (status IN ('queued', 'saving', 'active', 'killed')),
  visibility text NOT NULL
    CHECK (visibility IN ('public', 'private', 'shared', 'community')),
  protected boolean NOT NULL DEFAULT false,
  hidden boolean NOT NULL DEFAULT false,
  disk_format text,
  container_format text,
  min_disk int NOT NULL DEFAULT 0 CHECK (min_disk >= 0),     -- GiB
  min_ram int NOT NULL DEFAULT 0 CHECK (min_ram >= 0),       -- MiB
  properties jsonb NOT NULL DEFAULT '{}',
  tags text[] NOT NULL DEFAULT '{}',
  object_id bigint UNIQUE REFERENCES store.object(id),
  map_id bigint REFERENCES store.map(id),    -- pinned: holds one of its refs
  size bigint,
  checksum bytea,                      -- md5
  sha256 bytea,                        -- of the whole body
  sha512 bytea,
  upload uuid,                         -- the upload that may fill it
  saving_since timestamptz,
  created timestamptz NOT NULL,
  updated timestamptz NOT NULL,
  CHECK ((status = 'active') = (map_id IS NOT NULL)));
CREATE INDEX image_created ON store.image(created DESC, id DESC);
CREATE INDEX image_project ON store.image(project);
CREATE INDEX image_public ON store.image(created DESC, id DESC)
  WHERE visibility IN ('public', 'community');
