-- Orders and what they consist of: small types, blobs, composite keys, money-like reals, names with blanks.
CREATE TABLE customers (customer_id char(5) PRIMARY KEY, company_name varchar(40) NOT NULL, phone varchar(24));
INSERT INTO customers VALUES ('ALFKI', 'Alfreds Futterkiste', '030-0074321'), ('ANA', 'Ana Trujillo', NULL);
CREATE TABLE orders (
  order_id smallint PRIMARY KEY, customer_id char(5) REFERENCES customers, order_date date, required_date date, shipped_date date, freight real
);
CREATE INDEX ON orders (order_date);
INSERT INTO orders VALUES (10248, 'ALFKI', '1996-07-04', '1996-08-01', NULL, 32.38), (10249, 'ANA', NULL, NULL, NULL, NULL);
CREATE TABLE order_details (
  order_id smallint REFERENCES orders, product_id smallint, unit_price money, discount real, quantity numeric, PRIMARY KEY (order_id, product_id)
);
INSERT INTO order_details VALUES (10248, 11, 14, 0.15, 12.5), (10248, 42, 9.8, 0, 10);
CREATE SCHEMA "Sales Data";
CREATE TABLE "Sales Data"."Order: details, 1996" ("Order ID" int PRIMARY KEY, "a=b,c" numeric, "Ünit ""Price""" money, "when ${x}" date);
INSERT INTO "Sales Data"."Order: details, 1996" VALUES (1, 0.12345678901, 5, '1996-07-04');
CREATE TABLE "Sales Data"."null" (id int, "true" boolean, "on" timestamp);
INSERT INTO "Sales Data"."null" VALUES (1, true, '2024-01-01'), (2, NULL, NULL);
CREATE TABLE nothing ();
