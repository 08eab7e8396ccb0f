-- Measurements as Timescale has them: one large parent whose chunks are children in a schema of their own, aggregates beside it.
CREATE SCHEMA _chunks;
CREATE TABLE conditions (time timestamptz NOT NULL, device text NOT NULL, temperature double precision, humidity numeric, location point)
  PARTITION BY RANGE (time);
CREATE TABLE _chunks._hyper_1_1 PARTITION OF conditions FOR VALUES FROM ('2024-09-01Z') TO ('2024-09-08Z');
CREATE TABLE _chunks._hyper_1_2 PARTITION OF conditions FOR VALUES FROM ('2024-09-08Z') TO ('2024-09-15Z');
CREATE INDEX ON conditions (time DESC);
INSERT INTO conditions SELECT timestamptz '2024-09-01Z' + i * interval '10 minutes', 'd' || i % 5, i / 3.0, i / 8.0, point(i, 1)
  FROM generate_series(1, 1500) i;
CREATE TABLE metrics (id int, at timestamp, value float8) ; CREATE TABLE metrics_2024 () INHERITS (metrics);
INSERT INTO metrics VALUES (1, '2023-01-01', 'NaN'); INSERT INTO metrics_2024 VALUES (2, '2024-01-01', 'Infinity');
CREATE TABLE devices (mac macaddr PRIMARY KEY, ip cidr, firmware bit(4), lsn pg_lsn, name name, "offset" oid);
INSERT INTO devices VALUES ('08:00:2b:01:02:03', '10.0.0.0/8', B'0101', '0/1', 'n', 7);
CREATE UNLOGGED TABLE staging (raw json); INSERT INTO staging VALUES ('{"b":1, "a":2}');
