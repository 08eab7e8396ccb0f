import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, summaryOf, type Ran } from '../support/cli.ts'
import type { Fault } from '../support/faulty-proxy.ts'
import type { StatementFault } from './postgres-proxy.ts'
import { exportsOn, namedIn, type Exports } from './exports.ts'
import { catalogDatabase, sourceDatabase, startStores, type Stores } from './stores.ts'

let stores: Stores
let cwd: string
let exports: Exports
let table: string
let tables = 0
beforeAll(async () => {
  build()
  stores = await startStores()
  cwd = await mkdtemp(join(tmpdir(), 'lakejobs-fail-'))
  exports = exportsOn(stores, cwd)
}, 300_000)
afterAll(async () => {
  await stores.stop()
  await rm(cwd, { recursive: true, force: true })
})
beforeEach(async () => {
  table = `t${++tables}`
  await exports.makeSource(table)
})
afterEach(() => {
  stores.store.plan(() => false, [])
  stores.postgres.plan(() => false, [])
  stores.postgres.watch(() => true)
})

const source = (text: string): Promise<unknown> => stores.server.query(text, [], sourceDatabase)

/** A run that has to end with this status: with the source's rows, or with an error that names what to do. */
async function ends(ran: Ran, exit: number, before?: string): Promise<void> {
  const summary = summaryOf(ran)
  expect([summary.exit, summary.error]).toEqual([exit, exit === 0 ? undefined : expect.anything()])
  for (const secret of stores.secrets) expect(ran.stdout + ran.stderr).not.toContain(secret)
  if (exit === 0) await exports.checkRerun(table, 'full', namedIn(ran))
  else {
    expect(summary.error).toMatchObject({ message: expect.any(String), fix: expect.any(String) })
    await exports.checkBroken(table, before, namedIn(ran))
    stores.store.plan(() => false, [])
    stores.postgres.plan(() => false, [])
    await exports.checkRerun(table, 'full', namedIn(ran))
  }
}

const slowDown: Fault = { status: 503, code: 'SlowDown' }
const expired: Fault = { status: 403, code: 'ExpiredToken' }

describe('the object store', () => {
  it.each<[string, readonly Fault[], boolean, number]>([
    ['says SlowDown once', [slowDown], false, 0],
    ['says SlowDown four times', [slowDown, slowDown, slowDown, slowDown], false, 0],
    ['says SlowDown for ever', [slowDown], true, 1],
    ['is slow', [{ slowMs: 1500 }], false, 0],
    ['resets connections', ['reset', 'none', 'reset', 'none', 'reset'], false, 0],
    ['resets connections in the middle of bodies', ['cut during', 'none', 'cut during'], false, 0],
    ['loses the answers of what it did (its own 412)', ['lose answer', 'none', 'lose answer'], false, 0],
    ['has a conflicting write under way', [{ status: 409, code: 'ConditionalRequestConflict' }], false, 0],
    ['finds the credentials expired', [expired], true, 2],
  ])('%s, while files are written', async (_what, faults, forever, exit) => {
    stores.store.plan(({ method }) => method === 'PUT', faults, forever)
    const ran = await exports.export(table, 'full')
    expect(stores.store.met()).toBeGreaterThanOrEqual(faults.length)
    await ends(ran, exit)
    if (exit === 2) expect(summaryOf(ran).error?.fix).toContain('Renew')
  })

  it.each<[string, readonly Fault[], boolean, number]>([
    ['cuts answers short', [{ bytes: 10 }, { bytes: 100 }], false, 0],
    ['cuts every answer short', [{ bytes: 10 }], true, 1],
    ['says SlowDown once', [slowDown], false, 0],
    ['finds the credentials expired', [expired], true, 2],
  ])('%s, while metadata is read', async (_what, faults, forever, exit) => {
    await exports.checkRerun(table, 'full', [])
    const before = await exports.stateText(table)
    await exports.change(table)
    stores.store.plan(
      ({ method, url }) => method === 'GET' && url?.includes('/metadata/') === true,
      faults,
      forever,
    )
    await ends(await exports.export(table, 'full'), exit, before)
  })
})

describe('the source', () => {
  it.each<[string, RegExp, StatementFault, number]>([
    ['cut ahead of the lock', /^LOCK/, 'cut before', 1],
    ['cut after the snapshot was exported', /pg_export_snapshot/, 'lose answer', 1],
    ['cut ahead of a COPY', /^COPY/, 'cut before', 1],
    ['cut at the first byte of a COPY', /^COPY/, { answerBytes: 1 }, 1],
    ['cut at byte 4,000 of a COPY', /^COPY/, { answerBytes: 4000 }, 1],
    ['cut when a COPY has ended', /^COPY/, 'cut after answer', 1],
  ])('%s', async (_what, statement, fault, exit) => {
    stores.postgres.plan(
      ({ sql, database }) => database === sourceDatabase && statement.test(sql.trim()),
      [fault],
    )
    const ran = await exports.export(table, 'full')
    expect(stores.postgres.met()).toBeGreaterThan(0)
    // Behind the COPY nothing of the connection is needed any more.
    await ends(ran, fault === 'cut after answer' ? summaryOf(ran).exit : exit)
  })

  /** Once, when a statement comes by: what another session does meanwhile. */
  const meanwhile = (statement: RegExp, act: () => Promise<unknown>): { done: () => Promise<unknown> } => {
    let acted: Promise<unknown> | undefined
    stores.postgres.watch(({ sql }) => {
      if (statement.test(sql)) acted ??= act().catch((error: unknown) => error)
      return true
    })
    return { done: () => Promise.resolve(acted) }
  }

  it.each([
    ['dropped', (name: string) => `DROP TABLE ${name}`],
    ['altered', (name: string) => `ALTER TABLE ${name} ALTER COLUMN id TYPE bigint`],
    ['emptied', (name: string) => `TRUNCATE ${name}`],
  ])('is %s ahead of the lock, or waits until it has been read', async (what, statement) => {
    await exports.checkRerun(table, 'full', [])
    const before = await exports.stateText(table)
    const early = meanwhile(/^\s*LOCK/, () => source(statement(table)))
    const ran = await exports.export(table, 'full')
    await early.done()
    const { exit, error } = summaryOf(ran)
    // 1: the readers found the table locked.
    expect([0, 1, 2, 3]).toContain(exit)
    if (exit !== 0)
      expect([what, error]).toEqual([what, expect.objectContaining({ fix: expect.any(String) })])
    // Whichever of them was first: the table is whole, and never empty because of it.
    expect(await exports.stateText(table)).toBe(before)
  })

  it.each(['DROP TABLE', 'TRUNCATE'])('%s during the read waits for it: every row arrives', async (verb) => {
    await exports.export(table, 'full')
    await exports.change(table)
    const rows = await source(`SELECT count(*)::int AS n, sum(v)::int AS v FROM ${table}`)
    expect(rows).toEqual([{ n: 600, v: 600 }])
    const late = meanwhile(/^\s*COPY/, () => source(`${verb} ${table}`))
    const ran = await exports.export(table, 'full')
    await late.done()
    expect(summaryOf(ran)).toMatchObject({ exit: 0, rows: 600 })
    const sum = (600n * 601n * 1_000_003n) / 2n + 600n
    expect(await exports.stateText(table)).toBe(`600 rows, sum ${sum}`)
  })
})

describe('the catalog', () => {
  it.each<[string, RegExp, readonly StatementFault[], boolean, number]>([
    ['cut ahead of the first look', /SELECT metadata_location/, ['cut before'], false, 1],
    ['cut ahead of the INSERT', /^INSERT INTO iceberg_tables/, ['cut before'], false, 0],
    ['cut behind the INSERT', /^INSERT INTO iceberg_tables/, ['lose answer'], false, 0],
    ['cut at every INSERT', /^INSERT INTO iceberg_tables/, ['cut before'], true, 4],
  ])('%s', async (_what, statement, faults, forever, exit) => {
    stores.postgres.plan(
      ({ sql, database }) => database === catalogDatabase && statement.test(sql.trim()),
      faults,
      forever,
    )
    await ends(await exports.export(table, 'full'), exit)
  })

  it('has its row changed by another between load and commit: both are there', async () => {
    await exports.checkRerun(table, 'full', [])
    await exports.change(table)
    let changed: Promise<unknown> | undefined
    stores.postgres.watch(({ sql }) => {
      if (/^\s*COPY/.test(sql))
        changed ??= stores.catalog.commit(
          { namespace: ['default'], name: table },
          [],
          [{ action: 'set-properties', updates: { by: 'another' } }],
        )
      return true
    })
    const ran = await exports.export(table, 'full')
    await changed
    await ends(ran, 0)
    const { metadata } = await stores.catalog.load({ namespace: ['default'], name: table })
    expect(metadata.properties['by']).toBe('another')
  })

  it('has its server restarted at the commit', async () => {
    let restarted: Promise<unknown> | undefined
    stores.postgres.watch(({ sql }) => {
      if (!/^\s*INSERT INTO iceberg_tables/.test(sql) || restarted !== undefined) return true
      stores.postgres.away(true)
      restarted = stores.server
        .query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1', [
          'lakejobs',
        ])
        .finally(() =>
          setTimeout(() => {
            stores.postgres.away(false)
          }, 1500),
        )
      return false
    })
    const ran = await exports.export(table, 'full')
    expect(restarted).toBeDefined()
    await ends(ran, 0)
  })
})
