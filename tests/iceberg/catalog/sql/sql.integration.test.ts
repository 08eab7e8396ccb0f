import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import pg from 'pg'
import { sqlCatalog } from '../../../../jobs/iceberg/catalog/sql/sql.ts'
import type { Database } from '../../../../jobs/iceberg/catalog/sql/sql-tables.ts'
import { commitSnapshot } from '../../../../jobs/iceberg/snapshot/commit.ts'
import {
  CommitStateUnknownError,
  NameIsViewError,
  NoSuchTableError,
  TableAlreadyExistsError,
} from '../../../../jobs/iceberg/errors.ts'
import { memoryFileIO } from '../../../../jobs/storage/memory.ts'
import { startPostgres, type TestPostgres } from '../../../support/postgres.ts'
import { emptyTable, request, testEffects, webLogs, webLogsSchema, type Lake } from '../../tables.ts'
import { catalogBehaviour } from '../behaviour.ts'

let server: TestPostgres
let pool: pg.Pool
let databases = 0

beforeAll(async () => {
  server = await startPostgres()
}, 60_000)
afterAll(async () => {
  await server.stop()
})

const version0 = `
  CREATE TABLE iceberg_tables (
    catalog_name VARCHAR(255) NOT NULL, table_namespace VARCHAR(255) NOT NULL, table_name VARCHAR(255) NOT NULL,
    metadata_location VARCHAR(1000), previous_metadata_location VARCHAR(1000),
    PRIMARY KEY (catalog_name, table_namespace, table_name));
  CREATE TABLE iceberg_namespace_properties (
    catalog_name VARCHAR(255) NOT NULL, namespace VARCHAR(255) NOT NULL,
    property_key VARCHAR(255), property_value VARCHAR(1000),
    PRIMARY KEY (catalog_name, namespace, property_key));`

let database: string
beforeEach(async () => {
  database = `catalog_${++databases}`
  await server.createDatabase(database)
  // A writer in its turn holds one connection and commits over another: fewer than writers would be a deadlock.
  pool = new pg.Pool({ ...server, database, max: 8 })
  pool.on('error', () => undefined)
})
afterEach(async () => {
  await pool.end()
})

const lakeOn = (db: Database, name = 'local'): Lake => {
  const clock: Lake['clock'] = { ms: Date.parse('2024-05-01T00:00:00Z'), waits: [] }
  const io = memoryFileIO(() => new Date(clock.ms))
  const effects = { ...testEffects(io, clock), random: Math.random }
  return { catalog: sqlCatalog(name, db, 'memory://lake', effects), io, effects, clock }
}

describe('SQL catalog', () => {
  catalogBehaviour(() => Promise.resolve(lakeOn(pool)))
})

describe('SQL catalog of version 0', () => {
  catalogBehaviour(async () => {
    await pool.query(version0)
    return lakeOn(pool)
  })
})

it('who reads while the tables are being made waits for them', async () => {
  let made!: () => void
  const mayMake = new Promise<void>((resolve) => (made = resolve))
  let begun!: () => void
  const beginning = new Promise<void>((resolve) => (begun = resolve))
  const slow: Database = {
    async query(sql, parameters) {
      if (sql.startsWith('CREATE')) {
        begun()
        await mayMake
      }
      return pool.query<Record<string, unknown>>(sql, parameters)
    },
  }
  const { catalog } = lakeOn(slow)
  const creating = catalog.createNamespace(['default'])
  await beginning
  const reading = Promise.all([
    catalog.listNamespaces(),
    catalog.namespaceProperties(['default']).catch((error: unknown) => error),
    catalog.load(webLogs).catch((error: unknown) => error),
  ])
  setTimeout(made, 50)
  const [, , table] = await reading
  expect(table).toBeInstanceOf(NoSuchTableError)
  await creating
})

it('tables of other catalogs and views in the same database keep their folders', async () => {
  await emptyTable(lakeOn(pool, 'theirs'))
  const [first, second] = [lakeOn(pool), lakeOn(pool, 'third')]
  const { metadata } = await emptyTable(first)
  expect(metadata.location).toBe(`memory://lake/default/web_logs-${metadata['table-uuid']}`)
  await pool.query(
    `INSERT INTO iceberg_tables VALUES ('x', 'y', 'z', 'memory://lake/default/v/metadata/1.json', NULL, 'VIEW')`,
  )
  const view = { namespace: ['default'], name: 'v' }
  await second.catalog.createNamespace(['default'])
  expect((await second.catalog.stageCreate(view, { schema: webLogsSchema })).metadata.location).toMatch(
    /v-[-0-9a-f]{36}$/,
  )
})

it('tables of one name that two catalogs make at once lie apart, or one of them is refused', async () => {
  const lakes = [lakeOn(pool), lakeOn(pool, 'theirs')]
  for (const { catalog } of lakes) await catalog.createNamespace(['default'])
  const name = { namespace: ['default'], name: 'web_logs' }
  const staged = await Promise.all(
    lakes.map(({ catalog }) => catalog.stageCreate(name, { schema: webLogsSchema })),
  )
  const results = await Promise.allSettled(
    lakes.map(({ catalog }, index) => catalog.inTurn(name, () => catalog.create(staged[index]!, []))),
  )
  expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  expect(results.find((result) => result.status === 'rejected')?.reason).toMatchObject({ code: 'conflict' })
})

describe('the rows', () => {
  const rows = async (): Promise<unknown[]> =>
    (await pool.query<Record<string, unknown>>('SELECT * FROM iceberg_tables ORDER BY table_name')).rows

  it('are what Java and PyIceberg write', async () => {
    const lake = lakeOn(pool)
    const first = await emptyTable(lake)
    expect(await rows()).toEqual([
      {
        catalog_name: 'local',
        table_namespace: 'default',
        table_name: 'web_logs',
        metadata_location: first.metadataLocation,
        previous_metadata_location: null,
        iceberg_type: 'TABLE',
      },
    ])
    const second = await lake.catalog.commit(webLogs, [], [{ action: 'set-properties', updates: { a: '1' } }])
    expect(await rows()).toMatchObject([
      { metadata_location: second.metadataLocation, previous_metadata_location: first.metadataLocation },
    ])
  })

  it('of type NULL are tables, of type VIEW are never touched', async () => {
    const lake = lakeOn(pool)
    await emptyTable(lake)
    await pool.query('UPDATE iceberg_tables SET iceberg_type = NULL')
    await lake.catalog.commit(webLogs, [], [{ action: 'set-properties', updates: { a: '1' } }])
    await pool.query("UPDATE iceberg_tables SET iceberg_type = 'VIEW'")
    const before = await rows()
    await expect(lake.catalog.load(webLogs)).rejects.toBeInstanceOf(NameIsViewError)
    await expect(lake.catalog.drop(webLogs)).rejects.toBeInstanceOf(NoSuchTableError)
    await expect(lake.catalog.rename(webLogs, { ...webLogs, name: 'b' })).rejects.toBeInstanceOf(
      NoSuchTableError,
    )
    expect(await lake.catalog.listTables(['default'])).toEqual([])
    const staged = await lake.catalog.stageCreate(webLogs, { schema: webLogsSchema })
    await expect(lake.catalog.create(staged, [])).rejects.toBeInstanceOf(TableAlreadyExistsError)
    await expect(
      commitSnapshot(lake.catalog, staged, request(staged, {}), lake.effects),
    ).rejects.toBeInstanceOf(NameIsViewError)
    expect(await rows()).toEqual(before)
  })

  it('belong to the catalog’s name', async () => {
    await emptyTable(lakeOn(pool))
    const other = lakeOn(pool, 'other')
    await expect(other.catalog.load(webLogs)).rejects.toBeInstanceOf(NoSuchTableError)
    expect(await other.catalog.listNamespaces()).toEqual([])
  })

  it('are not made by whoever only looks', async () => {
    const { catalog } = lakeOn(pool)
    await expect(catalog.load(webLogs)).rejects.toBeInstanceOf(NoSuchTableError)
    const { rows: made } = await pool.query(`SELECT FROM pg_class WHERE relname LIKE 'iceberg%'`)
    expect(made).toEqual([])
  })

  it('are found where another schema has a table of the same name and other columns', async () => {
    await pool.query('CREATE SCHEMA other; CREATE TABLE other.iceberg_tables (iceberg_type text)')
    await pool.query(version0)
    const lake = lakeOn(pool)
    await emptyTable(lake)
    expect((await lake.catalog.load(webLogs)).metadata.location).toBe('memory://lake/default/web_logs')
  })

  it('are made by many first users at once', async () => {
    const lakes = Array.from({ length: 4 }, () => lakeOn(pool))
    expect(await Promise.all(lakes.map((lake) => lake.catalog.listNamespaces()))).toEqual([[], [], [], []])
  })
})

it('a signal that comes while the connection for the queue is made ends the wait in it', async () => {
  const stop = new AbortController()
  const connect = async (): Promise<pg.PoolClient> => {
    const client = await pool.connect()
    stop.abort(new Error('stopped'))
    return client
  }
  const lake = lakeOn({ query: (sql, parameters) => pool.query(sql, parameters), connect })
  const name = 'lakejobs commit default.web_logs'
  const holder = await pool.connect()
  await holder.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [name])
  try {
    let isBegun = false
    const begin = (): Promise<void> => {
      isBegun = true
      return Promise.resolve()
    }
    // The turn is held until this is over.
    await expect(lake.catalog.inTurn(webLogs, begin, stop.signal)).rejects.toThrow('stopped')
    expect(isBegun).toBe(false)
  } finally {
    holder.release(true)
  }
})

describe('a connection that breaks around the compare-and-set', () => {
  /** Calls `interfere` instead of the first `times` statements that begin with `verb`. */
  const breaking = (
    verb: string,
    times: number,
    interfere: (run: () => Promise<unknown>) => Promise<void>,
  ): Database => {
    let left = times
    return {
      query: async (sql, parameters) => {
        if (!sql.trimStart().startsWith(verb) || left-- <= 0) return pool.query(sql, parameters)
        await interfere(() => pool.query(sql, parameters))
        throw new Error('Connection terminated unexpectedly')
      },
    }
  }
  const update = (lake: Lake, value: string): ReturnType<Lake['catalog']['commit']> =>
    lake.catalog.commit(webLogs, [], [{ action: 'set-properties', updates: { a: value } }])
  const filesOf = async (lake: Lake): Promise<number> => {
    const files: string[] = []
    for await (const { location } of lake.io.list('memory://lake')) files.push(location)
    return files.length
  }
  /** The same tables through connections that hold. */
  const another = (lake: Lake): Lake => ({
    ...lake,
    catalog: sqlCatalog('local', pool, 'memory://lake', lake.effects),
  })
  const nothing = (): Promise<void> => Promise.resolve()
  const applied = async (run: () => Promise<unknown>): Promise<void> => {
    await run()
  }

  it('before the UPDATE arrived: it is sent again', async () => {
    const lake = lakeOn(breaking('UPDATE iceberg_tables', 2, nothing))
    await emptyTable(lake)
    const table = await update(lake, '1')
    expect((await lake.catalog.load(webLogs)).metadataLocation).toBe(table.metadataLocation)
    expect(lake.clock.waits).toEqual([1000, 2000])
  })

  it('after it: the second answer, 0 rows, is known to be ours', async () => {
    const lake = lakeOn(breaking('UPDATE iceberg_tables', 1, applied))
    await emptyTable(lake)
    const table = await update(lake, '1')
    expect((await lake.catalog.load(webLogs)).metadataLocation).toBe(table.metadataLocation)
  })

  it('after it, and somebody committed upon ours since: found in the metadata log', async () => {
    const lake: Lake = lakeOn(
      breaking('UPDATE iceberg_tables', 1, async (run) => {
        await run()
        await update(other, 'theirs')
      }),
    )
    const other = another(lake)
    await emptyTable(lake)
    await update(lake, 'ours')
    const { metadata } = await lake.catalog.load(webLogs)
    expect(metadata.properties['a']).toBe('theirs')
    expect(metadata['metadata-log']).toHaveLength(2)
    expect(await filesOf(lake)).toBe(3)
  })

  it('before it, and somebody else committed instead: lost for certain, own file removed', async () => {
    const lake: Lake = lakeOn(
      breaking('UPDATE iceberg_tables', 1, async () => {
        await update(other, 'theirs')
      }),
    )
    const other = another(lake)
    await emptyTable(lake)
    await expect(update(lake, 'ours')).rejects.toMatchObject({ code: 'conflict' })
    expect(await filesOf(lake)).toBe(2)
  })

  it('for good: the state is unknown, nothing is deleted, both locations are named', async () => {
    const lake = lakeOn(breaking('UPDATE iceberg_tables', 99, nothing))
    const { metadataLocation } = await emptyTable(lake)
    const error: unknown = await update(lake, 'ours').catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(CommitStateUnknownError)
    expect(error).toMatchObject({
      code: 'unknownCommit',
      message: expect.stringContaining(metadataLocation!),
    })
    expect((error as Error).message).toMatch(/00001-[-0-9a-f]+\.metadata\.json/)
    expect(await filesOf(lake)).toBe(2)
  })

  it('after the INSERT of a create: the second answer, taken, is known to be ours', async () => {
    const lake = lakeOn(breaking('INSERT INTO iceberg_tables', 1, applied))
    const table = await emptyTable(lake)
    expect((await lake.catalog.load(webLogs)).metadataLocation).toBe(table.metadataLocation)
  })

  it('and one that is really cut by the server', async () => {
    const lake = lakeOn(
      breaking('UPDATE iceberg_tables', 1, async () => {
        await server.query(
          'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()',
          [database],
        )
      }),
    )
    await emptyTable(lake)
    const table = await update(lake, '1')
    expect((await lake.catalog.load(webLogs)).metadataLocation).toBe(table.metadataLocation)
  })

  it('but an answer of the server that refuses the statement is final', async () => {
    const lake = lakeOn(pool)
    await emptyTable(lake)
    await pool.query('ALTER TABLE iceberg_tables ADD CHECK (previous_metadata_location IS NULL)')
    await expect(update(lake, '1')).rejects.toMatchObject({ code: '23514' })
    expect(await filesOf(lake)).toBe(1)
    expect(lake.clock.waits).toEqual([])
  })
})
