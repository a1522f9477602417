/**
 * The tables, as statements that made each version of the one before: one that was ever released is never
 * changed. Times are milliseconds since 1970; repositories are owner and name; comments and pull requests have
 * the forge's own numbers.
 */
export const tables: readonly string[] = [
  `
  -- When we first listened ('first'), up to where the forge was asked what is new ('search'), and from where on a
  -- repository is to be read yet ('owed' and its name).
  CREATE TABLE cursors (name TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT;

  -- Comments, and pull requests with a push, that we were told of and have not looked at. Told of again, a row has
  -- another id.
  CREATE TABLE nudges (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    repository TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('comment', 'push')),
    number INTEGER NOT NULL,
    UNIQUE (repository, kind, number)
  ) STRICT;

  -- Comments that are for us: each once, for as long as it is remembered.
  CREATE TABLE commands (
    comment INTEGER PRIMARY KEY,
    repository TEXT NOT NULL,
    pull INTEGER NOT NULL,
    author INTEGER NOT NULL,
    login TEXT NOT NULL,
    text TEXT NOT NULL,
    written_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    judged_at INTEGER,
    verdict TEXT
  ) STRICT;
  CREATE INDEX commands_to_judge ON commands (judged_at, seen_at);
  CREATE INDEX commands_of_pull ON commands (repository, pull, author, verdict, judged_at);

  -- Tests that were accepted, up to their end and after it.
  CREATE TABLE requests (
    id TEXT PRIMARY KEY,
    comment INTEGER NOT NULL UNIQUE,
    repository TEXT NOT NULL,
    pull INTEGER NOT NULL,
    author INTEGER NOT NULL,
    recipe TEXT NOT NULL,
    head TEXT NOT NULL,
    quick INTEGER NOT NULL,
    named INTEGER NOT NULL,
    written_at INTEGER NOT NULL,
    phase TEXT NOT NULL CHECK (phase IN ('accepted', 'asking', 'building', 'ended')),
    accepted_at INTEGER NOT NULL,
    asked_at INTEGER,
    ci_commit TEXT,
    in_doubt INTEGER NOT NULL DEFAULT 0,
    build INTEGER,
    begun_at INTEGER,
    place INTEGER,
    queue INTEGER,
    ending TEXT,
    outcome TEXT,
    reason TEXT,
    stages TEXT,
    ended_at INTEGER
  ) STRICT;
  CREATE INDEX requests_going_on ON requests (phase);
  CREATE INDEX requests_in_doubt ON requests (in_doubt);
  CREATE INDEX requests_of_pull ON requests (repository, pull, accepted_at);
  CREATE INDEX requests_of_author ON requests (author, accepted_at);

  -- Answers to one comment, each posted once. Where that was tried, it may be there without our knowing.
  CREATE TABLE replies (
    comment INTEGER PRIMARY KEY,
    repository TEXT NOT NULL,
    pull INTEGER NOT NULL,
    written_at INTEGER NOT NULL,
    body TEXT NOT NULL,
    tried_at INTEGER,
    posted INTEGER
  ) STRICT;
  CREATE INDEX replies_to_post ON replies (posted);

  -- Our one reaction to a comment: the one that it should have, and the one that it has.
  CREATE TABLE reactions (
    comment INTEGER PRIMARY KEY,
    repository TEXT NOT NULL,
    wanted TEXT NOT NULL,
    given TEXT
  ) STRICT;
  CREATE INDEX reactions_to_give ON reactions (given, wanted);

  -- Pull requests with a test, each with the comment that tells of it, a digest of what that says, and which
  -- change it was that was told last.
  CREATE TABLE pulls (
    repository TEXT NOT NULL,
    pull INTEGER NOT NULL,
    head TEXT NOT NULL,
    comment INTEGER,
    said TEXT,
    changed_at INTEGER NOT NULL,
    told_at INTEGER,
    PRIMARY KEY (repository, pull)
  ) STRICT;

  -- What did not succeed yet, and when it is tried again; parked: no more.
  CREATE TABLE attempts (
    duty TEXT NOT NULL,
    item TEXT NOT NULL,
    tries INTEGER NOT NULL,
    noes INTEGER NOT NULL,
    since INTEGER NOT NULL,
    next_at INTEGER NOT NULL,
    trouble TEXT NOT NULL,
    parked INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (duty, item)
  ) STRICT;
  `,
];
