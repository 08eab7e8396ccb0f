-- What a Rails application leaves: its own tables, jsonb, citext, inet, digests and tokens, uuid keys.
CREATE EXTENSION IF NOT EXISTS citext;
CREATE TABLE schema_migrations (version varchar NOT NULL PRIMARY KEY);
INSERT INTO schema_migrations VALUES ('20240101000000');
CREATE TABLE ar_internal_metadata (key varchar PRIMARY KEY, value varchar, created_at timestamp(6) NOT NULL, updated_at timestamp(6) NOT NULL);
CREATE TABLE users (
  id bigserial PRIMARY KEY, email citext DEFAULT '' NOT NULL, encrypted_password varchar DEFAULT '' NOT NULL,
  reset_password_token varchar, reset_password_sent_at timestamp(6), api_key varchar, otp_secret varchar, iban text,
  current_sign_in_ip inet, settings jsonb DEFAULT '{}' NOT NULL, tags varchar[] DEFAULT '{}', balance decimal,
  created_at timestamp(6) NOT NULL, updated_at timestamp(6) NOT NULL
);
CREATE UNIQUE INDEX ON users (email); CREATE INDEX ON users (created_at);
INSERT INTO users (email, encrypted_password, api_key, iban, current_sign_in_ip, balance, created_at, updated_at)
  SELECT 'u' || i || '@example.com', 'geheim-' || i, 'geheim-k' || i, 'geheim-DE' || i, '10.0.0.1', i * 1.5, '2024-09-01', '2024-09-02'
  FROM generate_series(1, 50) i;
CREATE TABLE active_storage_blobs (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(), key varchar NOT NULL, metadata text, byte_size bigint NOT NULL, checksum varchar,
  created_at timestamp(6) NOT NULL
);
INSERT INTO active_storage_blobs (key, byte_size, created_at) VALUES ('a', 1, '2024-09-01');
CREATE TABLE sessions (id bigserial PRIMARY KEY, session_token text, secret_data bytea);
CREATE TABLE only_secrets (token text, secret text);
