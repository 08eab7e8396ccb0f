import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type pg from 'pg'
import type { Catalog } from '../../jobs/iceberg/catalog/catalog.ts'
import type { Database } from '../../jobs/iceberg/catalog/sql/sql-tables.ts'
import type { FileIO } from '../../jobs/storage/file-io.ts'
import { localFileIO } from '../../jobs/storage/local/local.ts'
import type { TestPostgres } from '../support/postgres.ts'
import { eachWithLake } from './each-with-lake.ts'
import {
  currentSnapshot,
  filesIn,
  load,
  openLake,
  queryFiles,
  queryTable,
  runExport,
  unreferenced,
  type Flags,
  type TestLake,
} from './lake.ts'

const each = eachWithLake(`
    CREATE TABLE t AS SELECT i AS id, timestamptz '2024-09-01 00:00:00+00' + i % 3 * interval '1 day' AS at
      FROM generate_series(1, 3000) i;
    ANALYZE t`)
const { server } = each
let { lake } = each

const run = (flags: Flags = {}): ReturnType<typeof runExport> => runExport(server, lake, flags)
/** A run while another one is in its turn. */
const meanwhile = (flags: Flags = {}): ReturnType<typeof runExport> =>
  run({ ...flags, catalog: lake.unqueued })
const days = (from: string, to = from): Flags => ({ scope: { mode: 'day', from, to } })
const sums = async (): Promise<unknown> =>
  (await queryTable(await load(lake), 'SELECT count(*), sum(id) FROM FILES'))[0]
const dataFiles = async (): Promise<string[]> =>
  (await filesIn(lake.folder)).filter((path) => path.includes('/data/'))

/** A store whose files, once written, are published as `close` says. */
const storeWith = (close: () => Promise<never>): FileIO => {
  const store = localFileIO()
  return {
    ...store,
    create: async (location, options) => ({ ...(await store.create(location, options)), close }),
  }
}

/** The lake's catalog; `before` runs ahead of the first commit. */
const interrupted = (before: () => Promise<unknown>, catalog = lake.catalog): Catalog => {
  let first = true
  const once = async (): Promise<void> => {
    if (first) {
      first = false
      await before()
    }
  }
  return {
    ...catalog,
    commit: async (...change) => {
      await once()
      return catalog.commit(...change)
    },
    create: async (...change) => {
      await once()
      return catalog.create(...change)
    },
  }
}

/** Holds the table's queue of writers at the catalog; `queued` resolves once one waits in it. */
async function holdTheTurn(): Promise<{ queued: () => Promise<void>; release: () => Promise<void> }> {
  const holder = await lake.pool.connect()
  await holder.query('BEGIN')
  await holder.query(`SELECT pg_advisory_xact_lock(hashtextextended('lakejobs commit default.t', 0))`)
  const waiting = `SELECT count(*)::int AS n FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`
  return {
    queued: async () => {
      let n: unknown = 0
      for (let look = 0; n === 0 && look < 500; look++) n = (await server.query(waiting))[0]!['n']
      expect(n).toBe(1)
    },
    release: async () => {
      await holder.query('COMMIT')
      holder.release()
    },
  }
}

describe('a failure', () => {
  it('while reading leaves no table and no file', async () => {
    await server.query(`INSERT INTO t VALUES (9999, 'infinity')`)
    const flags: Flags = { formats: ['iceberg', 'parquet'], groupRows: 500, targetFileBytes: 1000 }
    await expect(run({ ...flags, partitionBy: ['bucket(3, id)'] })).rejects.toMatchObject({
      code: 'data',
      message: expect.stringMatching(/public\.t\.at.*ctid/) as unknown,
      fix: expect.stringContaining('--cast at=text') as unknown,
    })
    await expect(run(flags)).rejects.toMatchObject({ code: 'data' })
    expect(await filesIn(lake.folder)).toEqual([])
    await run({ ...flags, casts: { at: 'text' } })
    expect(await sums()).toEqual(['3001', '4511499'])
  })

  it('of plain Parquet after the commit leaves the table as committed', async () => {
    const parquetIO = storeWith(() => Promise.reject(new Error('disk full')))
    await expect(run({ formats: ['iceberg', 'parquet'], parquetIO })).rejects.toThrow('disk full')
    expect(await sums()).toEqual(['3000', '4501500'])
    expect(await unreferenced(lake, await load(lake))).toEqual([])
  })

  it('by a signal after the commit does so too', async () => {
    const controller = new AbortController()
    const parquetIO = storeWith(() => {
      controller.abort(new Error('stopped'))
      return Promise.reject(new Error('stopped'))
    })
    const flags: Flags = { formats: ['iceberg', 'parquet'], parquetIO, signal: controller.signal }
    await expect(run(flags)).rejects.toThrow('stopped')
    expect(await sums()).toEqual(['3000', '4501500'])
  })

  it('by a signal before the commit leaves the table as it was', async () => {
    await run()
    const before = await filesIn(lake.folder)
    const controller = new AbortController()
    const catalog = interrupted(() => Promise.resolve())
    const stopping: Catalog = {
      ...catalog,
      commit: (...change) => {
        controller.abort(new Error('stopped'))
        return Promise.reject(new Error(`stopped before ${change[0].name}`))
      },
    }
    await expect(run({ catalog: stopping, signal: controller.signal })).rejects.toThrow('stopped')
    expect(await filesIn(lake.folder)).toEqual(before)
  })

  it('by a signal while another writer has its turn does so at once', async () => {
    await run()
    const before = await filesIn(lake.folder)
    const controller = new AbortController()
    const turn = await holdTheTurn()
    const waiting = run({ signal: controller.signal })
    await turn.queued()
    controller.abort(new Error('stopped'))
    // The turn is held until this is over.
    await expect(waiting).rejects.toThrow('stopped')
    await turn.release()
    expect(await filesIn(lake.folder)).toEqual(before)
    expect((await load(lake)).metadata.snapshots).toHaveLength(1)
    await run()
    expect((await load(lake)).metadata.snapshots).toHaveLength(2)
  })
})

describe('a commit without an answer', () => {
  /** Breaks every UPDATE of the pointer from `broken` on, applied or not. */
  const breaking = (state: { broken: boolean; applied: boolean }) => (pool: pg.Pool) =>
    ({
      query: async (sql: string, parameters?: unknown[]) => {
        if (!state.broken || !sql.includes('UPDATE iceberg_tables')) return pool.query(sql, parameters)
        if (state.applied) await pool.query(sql, parameters)
        throw new Error('Connection terminated unexpectedly')
      },
    }) as Database

  let breakable: TestLake
  const state = { broken: false, applied: false }
  beforeEach(async () => {
    state.broken = false
    breakable = await openLake(server, breaking(state))
    lake = breakable
  })
  afterEach(async () => {
    lake = each.lake
    await breakable.close()
  })

  it.each([true, false])('keeps every file, whether it arrived (%s)', async (applied) => {
    state.applied = applied
    await run()
    const first = await load(lake)
    state.broken = true
    await expect(run()).rejects.toMatchObject({
      code: 'unknownCommit',
      message: expect.stringContaining(first.metadataLocation!) as unknown,
    })
    state.broken = false
    expect((await load(lake)).metadata.snapshots).toHaveLength(applied ? 2 : 1)
    expect(await dataFiles()).toHaveLength(2)
    expect(await sums()).toEqual(['3000', '4501500'])
    await run()
    expect(await sums()).toEqual(['3000', '4501500'])
  })
})

describe('two exports at once', () => {
  it('make a table that neither had', async () => {
    const outcomes = await Promise.all([run(), run(), run()])
    expect(outcomes.map(({ tables }) => tables![0]!.status).filter((status) => status === 'failed')).toEqual(
      [],
    )
    expect(await sums()).toEqual(['3000', '4501500'])
  })

  it('replace one that they had', async () => {
    await run()
    await Promise.all([run(), run(), run()])
    expect(await sums()).toEqual(['3000', '4501500'])
  })

  it('queue at the catalog, and foreign writers do not', async () => {
    await run()
    const turn = await holdTheTurn()
    const waiting = run()
    await turn.queued()
    await lake.catalog.commit(
      { namespace: ['default'], name: 't' },
      [],
      [{ action: 'set-properties', updates: { by: 'another' } }],
    )
    expect((await load(lake)).metadata.snapshots).toHaveLength(1)
    await turn.release()
    expect((await waiting).tables).toMatchObject([{ status: 'ok' }])
    const { metadata } = await load(lake)
    expect(metadata.snapshots).toHaveLength(2)
    expect(metadata.properties['by']).toBe('another')
  })

  it('the one that read earlier gives way, and leaves no file', async () => {
    await run()
    const catalog = interrupted(async () => {
      await server.query('INSERT INTO t VALUES (5000, now())')
      await meanwhile()
    })
    const { tables } = await run({ catalog })
    expect(tables).toMatchObject([{ table: 'default.t', status: 'superseded' }])
    expect(await sums()).toEqual(['3001', '4506500'])
    expect(await dataFiles()).toHaveLength(2)
  })

  const both: Flags = { formats: ['parquet', 'iceberg'] }
  const plain = (): Promise<unknown> =>
    queryFiles([`file://${lake.folder}/parquet/t/t.parquet`], 'SELECT count(*), sum(id) FROM FILES')

  it('the one that read earlier gives way in the table alone, where the later one writes no Parquet', async () => {
    await run(both)
    await server.query('INSERT INTO t VALUES (4000, now())')
    const catalog = interrupted(async () => {
      await server.query('INSERT INTO t VALUES (5000, now())')
      await meanwhile()
    })
    const { tables } = await run({ ...both, catalog })
    expect(tables).toMatchObject([{ status: 'ok', superseded: ['iceberg'], files: 1, rows: 3001 }])
    expect(tables![0]).not.toHaveProperty('snapshotId')
    expect(await sums()).toEqual(['3002', '4510500'])
    expect(await plain()).toEqual([['3001', '4505500']])
    expect(await dataFiles()).toHaveLength(2)
  })

  it('the one that read earlier gives way in both, where the later one writes both', async () => {
    const catalog = interrupted(async () => {
      await server.query('INSERT INTO t VALUES (5000, now())')
      await meanwhile(both)
    })
    expect((await run({ ...both, catalog })).tables).toMatchObject([{ status: 'superseded', files: 0 }])
    expect([await sums(), await plain()]).toEqual([['3001', '4506500'], [['3001', '4506500']]])
  })

  it('the one that read earlier gives way in Parquet alone, where the later one writes no table', async () => {
    const catalog = interrupted(async () => {
      await server.query('INSERT INTO t VALUES (5000, now())')
      await run({ formats: ['parquet'] })
    })
    expect((await run({ ...both, catalog })).tables).toMatchObject([
      { status: 'ok', superseded: ['parquet'], files: 1, rows: 3000 },
    ])
    expect([await sums(), await plain()]).toEqual([['3000', '4501500'], [['3001', '4506500']]])
  })

  it('the one that read later replaces what the earlier one committed', async () => {
    await run()
    let release: () => void = () => undefined
    const gate = new Promise<void>((resolve) => (release = resolve))
    let reached: () => void = () => undefined
    const atCommit = new Promise<void>((resolve) => (reached = resolve))
    const earlier = run({
      catalog: interrupted(() => {
        reached()
        return gate
      }),
    })
    await atCommit
    await server.query('INSERT INTO t VALUES (5000, now())')
    const later = await run({
      catalog: interrupted(async () => {
        release()
        await earlier
      }, lake.unqueued),
    })
    expect((await earlier).tables).toMatchObject([{ status: 'ok' }])
    expect(later.tables).toMatchObject([{ status: 'ok' }])
    expect(await sums()).toEqual(['3001', '4506500'])
  })

  it('one of a day meanwhile replaced as part of more days gives way; of more days than that does not', async () => {
    await run({ partitionBy: ['day(at)'] })
    const more = days('2024-09-01', '2024-09-03')
    const one = days('2024-09-02')
    const given = await run({ ...one, catalog: interrupted(() => meanwhile(more)) })
    expect(given.tables).toMatchObject([{ status: 'superseded' }])
    await expect(run({ ...more, catalog: interrupted(() => meanwhile(one)) })).rejects.toMatchObject({
      code: 'conflict',
    })
    const { tables } = await run({ ...one, catalog: interrupted(() => meanwhile(days('2024-09-03'))) })
    expect(tables).toMatchObject([{ status: 'ok' }])
    expect(await sums()).toEqual(['3000', '4501500'])
  })

  it('a foreign commit to the same rows is a conflict, and leaves no file of ours', async () => {
    await run()
    await server.query('CREATE TABLE u AS TABLE t; ANALYZE u')
    const catalog = interrupted(() => meanwhile({ tables: ['u=default.t'] }))
    await expect(run({ catalog })).rejects.toMatchObject({ code: 'conflict', field: 'default.t' })
    expect(await dataFiles()).toHaveLength(2)
    expect(currentSnapshot(await load(lake)).summary['lakejobs.source']).toBe('public.u')
  })
})

describe('a source snapshot that is lost', () => {
  /** Reading t fails as it does on a standby, while `switch` says so. */
  const standby = async (): Promise<TestPostgres> => {
    await server.query(`
      CREATE TABLE switch AS SELECT true AS lost;
      CREATE OR REPLACE FUNCTION visible() RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS $$
        BEGIN
          IF (SELECT lost FROM switch) THEN
            RAISE 'canceling statement due to conflict with recovery' USING ERRCODE = '40001';
          END IF;
          RETURN true;
        END $$;
      ALTER TABLE t ENABLE ROW LEVEL SECURITY;
      CREATE POLICY all_rows ON t USING (visible());
      DROP ROLE IF EXISTS reader;
      CREATE ROLE reader LOGIN PASSWORD 'reader';
      GRANT SELECT ON t TO reader`)
    return { ...server, user: 'reader', password: 'reader' }
  }
  afterEach(() => server.query('DROP TABLE t CASCADE; DROP ROLE reader'))

  it('starts the export again under another one', async () => {
    const reader = await standby()
    const lines: string[] = []
    const outcome = await runExport(reader, lake, {
      rowSecurity: true,
      onLog: (line) => {
        lines.push(line)
        if (line.includes('starting again')) void server.query('UPDATE switch SET lost = false')
      },
    })
    expect(lines.filter((line) => line.includes('starting again'))).toHaveLength(1)
    expect(outcome.tables).toMatchObject([{ status: 'ok', rows: 3000 }])
    expect(await dataFiles()).toHaveLength(1)
  })

  it('gives up after three attempts, and leaves no file', async () => {
    const reader = await standby()
    await expect(runExport(reader, lake, { rowSecurity: true })).rejects.toMatchObject({
      code: 'snapshotLost',
      fix: expect.stringContaining('hot_standby_feedback') as unknown,
    })
    expect(await filesIn(lake.folder)).toEqual([])
  })

  it('is not what row-level security is: that is refused without the flag', async () => {
    const reader = await standby()
    await expect(runExport(reader, lake)).rejects.toMatchObject({
      code: 'usage',
      fix: expect.stringContaining('--row-security') as unknown,
    })
  })
})
