import type { Day } from '../calendar.ts'
import type { Connection } from './connection/connect.ts'
import { demoMark } from './demo-table.ts'

/** The schema of the demo's other tables: customers, orders and their items. */
const demoShop = 'shop'

const tablesSql = `CREATE SCHEMA shop;
COMMENT ON SCHEMA shop IS '${demoMark}';
CREATE TABLE shop.customers (
  id BIGINT PRIMARY KEY,
  email TEXT NOT NULL,
  country CHAR(2) NOT NULL,
  created_at TIMESTAMPTZ NOT NULL
);
CREATE TABLE shop.orders (
  id BIGINT PRIMARY KEY,
  customer_id BIGINT NOT NULL REFERENCES shop.customers,
  status TEXT NOT NULL,
  total NUMERIC(12,2) NOT NULL,
  created_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX orders_created_at_idx ON shop.orders (created_at);
CREATE TABLE shop.order_items (
  order_id BIGINT NOT NULL REFERENCES shop.orders,
  line INTEGER NOT NULL,
  product TEXT NOT NULL,
  quantity INTEGER NOT NULL,
  price NUMERIC(10,2) NOT NULL,
  PRIMARY KEY (order_id, line)
);`

/**
 * Makes the schema with its tables in the caller's transaction. One of that name without lakejobs' mark is somebody's own, and
 * is left as it is; so is a database in which the role may make none.
 */
export async function makeDemoShop(
  connection: Connection,
): Promise<'made' | 'was there' | 'foreign' | 'not allowed'> {
  const [row] = await connection.query(
    `SELECT to_regnamespace('shop') IS NOT NULL AS found,
       coalesce(obj_description(to_regnamespace('shop'), 'pg_namespace'), '') AS comment,
       has_database_privilege(current_database(), 'CREATE') AS allowed`,
  )
  if (row?.['found'] === true) return String(row['comment']).includes(demoMark) ? 'was there' : 'foreign'
  if (row?.['allowed'] !== true) return 'not allowed'
  await connection.query(tablesSql, [], demoShop)
  return 'made'
}

/** A number below 2^28, the same for the same words wherever it is asked. */
const draw = (words: string): string => `('x' || left(md5(${words}), 7))::bit(28)::int`

/**
 * Fills the days from `first` to `last` (UTC) with 20 to 40 orders each, and makes 500 customers: always the same rows for one
 * `seed`, so that days that have theirs stay as they are. Returns the number of orders that are new.
 */
export async function fillDemoShop(
  connection: Connection,
  { first, last, seed }: { readonly first: Day; readonly last: Day; readonly seed: number },
): Promise<number> {
  await connection.query(
    `INSERT INTO shop.customers
     SELECT id, 'user' || id || '@example.com', (ARRAY['DE', 'FR', 'IT', 'PL', 'SE'])[1 + ${draw("'country' || id")} % 5],
       timestamptz '2024-01-01 00:00:00Z' + id * interval '7 hours'
     FROM generate_series(1, 500) AS id ON CONFLICT DO NOTHING`,
    [],
    'shop.customers',
  )
  const [counted] = await connection.query(
    `WITH lines AS (
       SELECT day, 1000 * (day - date '2000-01-01')::bigint + number AS id, line
       FROM (SELECT date '${first}' + i AS day FROM generate_series(0, date '${last}' - date '${first}') AS i) AS days,
         LATERAL generate_series(1, 20 + ${draw(`'orders ${seed} ' || day`)} % 21) AS number,
         LATERAL generate_series(1, 1 + ${draw(`'lines ${seed} ' || day || number`)} % 4) AS line
     ), items AS (
       SELECT id, day, line, 'product ' || (1 + ${draw(`'product ${seed} ' || id || ' ' || line`)} % 50) AS product,
         1 + ${draw(`'quantity ${seed} ' || id || ' ' || line`)} % 3 AS quantity,
         (100 + ${draw(`'price ${seed} ' || id || ' ' || line`)} % 9900) / 100::numeric(10,2) AS price
       FROM lines
     ), placed AS (
       INSERT INTO shop.orders
       SELECT id, 1 + ${draw(`'customer ${seed} ' || id`)} % 500,
         (ARRAY['paid', 'paid', 'shipped', 'cancelled'])[1 + ${draw(`'status ${seed} ' || id`)} % 4], sum(quantity * price),
         (day::timestamp AT TIME ZONE 'UTC') + ${draw(`'second ${seed} ' || id`)} % 86400 * interval '1 second'
       FROM items GROUP BY id, day ON CONFLICT DO NOTHING RETURNING id
     ), itemised AS (
       INSERT INTO shop.order_items
       SELECT id, line, product, quantity, price FROM items JOIN placed USING (id) RETURNING order_id
     )
     SELECT count(*) AS orders FROM placed`,
    [],
    'shop.orders',
  )
  return Number(counted?.['orders'])
}
