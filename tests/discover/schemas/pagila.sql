-- A shop of films: enum, domain, arrays, tsvector, partitions, views, a materialized view.
CREATE TYPE mpaa_rating AS ENUM ('G', 'PG', 'R');
CREATE DOMAIN year AS integer CHECK (VALUE BETWEEN 1901 AND 2155);
CREATE DOMAIN bigid AS bigint;
CREATE TABLE film (
  film_id serial PRIMARY KEY, title text NOT NULL, release_year year, rental_rate numeric(4,2) DEFAULT 4.99 NOT NULL,
  rating mpaa_rating DEFAULT 'G', last_update timestamptz DEFAULT now() NOT NULL, special_features text[], fulltext tsvector NOT NULL,
  revenue_projection numeric(5,2) GENERATED ALWAYS AS (rental_rate * 10) STORED
);
INSERT INTO film (title, release_year, special_features, fulltext)
  VALUES ('ACADEMY', 2006, '{Trailers,"Deleted Scenes"}', to_tsvector('academy dinosaur')), ('ACE', NULL, '{}', ''), ('NULLS', NULL, NULL, '');
CREATE TABLE staff (
  staff_id bigid PRIMARY KEY, first_name text, email text, username text, password text, picture bytea, active boolean
);
INSERT INTO staff VALUES (1, 'Mike', 'mike@example.com', 'Mike', 'geheim-8cb2237d', '\x89504e', true);
CREATE TABLE payment (
  payment_id bigint NOT NULL, customer_id int NOT NULL, amount numeric(5,2) NOT NULL, payment_date timestamptz NOT NULL,
  PRIMARY KEY (payment_date, payment_id)
) PARTITION BY RANGE (payment_date);
CREATE TABLE payment_p2022_01 PARTITION OF payment FOR VALUES FROM ('2022-01-01') TO ('2022-02-01');
CREATE TABLE payment_p2022_02 PARTITION OF payment FOR VALUES FROM ('2022-02-01') TO ('2022-03-01');
INSERT INTO payment SELECT i, i % 7, 2.99, timestamptz '2022-01-01Z' + i * interval '1 hour' FROM generate_series(1, 1000) i;
CREATE VIEW film_list AS SELECT film_id, title FROM film;
CREATE MATERIALIZED VIEW rental_by_category AS SELECT rating, count(*) AS total FROM film GROUP BY rating WITH NO DATA;
