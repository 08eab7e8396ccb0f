-- Every type of the contract (docs: design, types) with its extremes. Queries of the tests compare these rows with
-- what a reader sees, so the values are chosen for being lost or bent easily.
CREATE TYPE mood AS ENUM ('happy', 'trüb', '😀');

CREATE TABLE all_types (
  id INTEGER PRIMARY KEY,
  bool BOOLEAN,
  int2 SMALLINT,
  int4 INTEGER,
  int8 BIGINT,
  float4 REAL,
  float8 DOUBLE PRECISION,
  dec9 NUMERIC(9, 2),
  dec18 NUMERIC(18, 6),
  dec38 NUMERIC(38, 10),
  dec_integer NUMERIC(38, 0),
  dec_fraction NUMERIC(3, 3),
  text TEXT,
  varchar VARCHAR(40),
  char CHAR(5),
  mood MOOD,
  json JSON,
  jsonb JSONB,
  bytea BYTEA,
  uuid UUID,
  date DATE,
  time TIME,
  timestamp TIMESTAMP,
  timestamptz TIMESTAMPTZ,
  ints INT[],
  texts TEXT[],
  decs NUMERIC(20, 2)[],
  dates DATE[]
);

INSERT INTO all_types VALUES
  (1, false, -32768, -2147483648, -9223372036854775808, '-3.4028235e38', '-1.7976931348623157e308',
   -9999999.99, -999999999999.999999, -9999999999999999999999999999.9999999999,
   -99999999999999999999999999999999999999, -0.999,
   '', '', '', 'happy', '{}', '{}', '', '00000000-0000-0000-0000-000000000000',
   '0001-01-01', '00:00:00', '0001-01-01 00:00:00', '0001-01-01 00:00:00+00'),
  (2, true, 32767, 2147483647, 9223372036854775807, '3.4028235e38', '1.7976931348623157e308',
   9999999.99, 999999999999.999999, 9999999999999999999999999999.9999999999,
   99999999999999999999999999999999999999, 0.999,
   repeat('x', 100000), repeat('é', 40), 'abcde', '😀', '{"a":  1}', '{"b": [1, null]}',
   decode(repeat('00ff', 5000), 'hex'), 'ffffffff-ffff-ffff-ffff-ffffffffffff',
   '9999-12-31', '23:59:59.999999', '9999-12-31 23:59:59.999999', '9999-12-31 23:59:59.999999+00'),
  (3, true, -1, -1, -1, '-1e-45', '5e-324',
   -0.01, -0.000001, -0.0000000001, -1, -0.001,
   '😀 𝄞 ​ é é', E'tab\tline\nquote"''', 'ab', 'trüb', '[]', '"😀"', '\x00', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
   '1969-12-31', '12:34:56.789012', '1969-12-31 23:59:59.999999', '1969-12-31 23:59:59.999999+00'),
  (4, false, 0, 0, 0, 'NaN', 'NaN',
   0, 0, 0, 0, 0,
   'NULL', 'null', '     ', 'happy', 'null', 'null', '\x0a', '12345678-1234-5678-1234-567812345678',
   '1970-01-01', '00:00:00.000001', '1970-01-01 00:00:00', '1970-01-01 00:00:00+00'),
  (5, true, 1, 1, 1, 'Infinity', '-Infinity',
   1, 1, 1, 1, 0.5,
   'a text of more than sixteen code points 😀', 'x', '😀', 'happy', '1', '1', '\xdeadbeef',
   '7fffffff-ffff-ffff-8000-000000000000',
   '2024-02-29', '23:59:59', '2024-02-29 12:00:00.000001', '2024-02-29 12:00:00.000001+05:30'),
  (6, false, 2, 2, 2, '-0', '-0',
   0.10, 0.1, 0.1, 2, 0.1,
   'b', 'b', 'b', 'trüb', '{}', '{}', '\xff', '80000000-0000-0000-0000-000000000000',
   '1600-02-29', '00:00:01', '1582-10-10 00:00:00', '1582-10-10 00:00:00+00'),
  (7, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
   NULL, NULL, NULL, NULL, NULL);

-- Lists: empty, NULL, NULL elements, extremes.
UPDATE all_types t SET ints = l.ints, texts = l.texts, decs = l.decs, dates = l.dates
FROM (VALUES
  (1, '{}'::int[], '{}'::text[], '{}'::numeric[], '{}'::date[]),
  (2, '{NULL}', '{NULL,"NULL",""}', '{NULL,1}', '{0001-01-01,NULL}'),
  (3, '{-2147483648,2147483647,NULL}', '{😀,"a,b"}', '{-999999999999999999.99,0.01}', '{1969-12-31,9999-12-31}'),
  (4, '{1,1,1}', '{x}', '{0}', '{1970-01-01}'),
  (5, NULL, '{a}', NULL, '{}'),
  (6, '{7}', NULL, '{1.50,NULL,2}', NULL)
) l (id, ints, texts, decs, dates) WHERE l.id = t.id;
