import { describe, expect, it } from '@jest/globals'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { JobError } from '../../../jobs/errors.ts'
import { currentSchema } from '../../../jobs/iceberg/metadata/metadata.ts'
import { outcomeOf } from '../../../jobs/summary.ts'
import { results } from '../../verify/verify-lake.ts'
import { eachWithLake } from '../each-with-lake.ts'
import { filesIn, load, runExport, type Flags } from '../lake.ts'

const { server, lake } = eachWithLake(
  `CREATE TABLE t (id int, name text); INSERT INTO t VALUES (1, 'a'), (2, 'b'); ANALYZE t`,
)

const run = (flags: Flags = {}): ReturnType<typeof runExport> => runExport(server, lake, flags)
const failure = (flags: Flags): Promise<JobError> =>
  run(flags).then(
    () => {
      throw new Error('it was exported')
    },
    (error: unknown) => error as JobError,
  )
const names = async (): Promise<string[]> =>
  currentSchema((await load(lake)).metadata).fields.map(({ name }) => name)
const grow = (): Promise<unknown> =>
  server.query(`ALTER TABLE t ADD password text DEFAULT 'geheim-9', ADD more int, ADD odd point`)

describe('--new-columns', () => {
  it('warn leaves them out with a word, whatever their type, and verify agrees', async () => {
    await run({ newColumns: 'warn' })
    await grow()
    const lines: string[] = []
    const { tables } = await run({ newColumns: 'warn', onLog: (line) => lines.push(line) })
    expect(tables).toMatchObject([{ status: 'ok', rows: 2 }])
    expect(tables?.[0]?.warnings).toEqual(
      ['password', 'more', 'odd'].map((name) =>
        expect.stringContaining(`column ${name} is new at the source`),
      ),
    )
    expect(lines.join()).toContain('column more is new at the source')
    expect(await names()).toEqual(['id', 'name'])
    expect(await results(server, lake, { strict: true })).toMatchObject({
      code: 'ok',
      found: { all: 'match' },
    })
    const told = [JSON.stringify(tables), ...lines]
    for (const file of await filesIn(lake.folder))
      told.push(await readFile(join(lake.folder, file), 'latin1'))
    expect(told.join().includes('geheim-9')).toBe(false)
    const plan = await run({ newColumns: 'warn', dryRun: true })
    expect(JSON.stringify(plan)).not.toContain('geheim-9')
    expect(plan.tables?.[0]?.plan).toMatchObject({ columns: [{ name: 'id' }, { name: 'name' }] })
  })

  it('what --columns names is wanted', async () => {
    await run()
    await grow()
    await run({ newColumns: 'warn', columns: ['id', 'name', 'more'] })
    expect(await names()).toEqual(['id', 'name', 'more'])
  })

  it('fail is exit 3 and names all; what is excluded is not new; a new table has no new columns', async () => {
    await run({ newColumns: 'fail' })
    await grow()
    const refused = await failure({ newColumns: 'fail' })
    expect(refused).toMatchObject({
      code: 'data',
      field: '--new-columns',
      message: 'public.t has new columns: password, more, odd',
    })
    await run({ newColumns: 'fail', excluded: ['PASS*', 'odd', 'm*'] })
    expect(await names()).toEqual(['id', 'name'])
  })

  it('add takes them, says so in log and summary, but never what is excluded', async () => {
    await run()
    await grow()
    const lines: string[] = []
    const { tables } = await run({ excluded: ['*password*', 'odd'], onLog: (line) => lines.push(line) })
    expect(tables).toMatchObject([{ changes: ['add column more int'] }])
    expect(
      lines.some(
        (line) => line.includes('"level":40') && line.includes('the table changes: add column more'),
      ),
    ).toBe(true)
    for (const file of await filesIn(lake.folder))
      expect((await readFile(join(lake.folder, file), 'latin1')).includes('geheim-9')).toBe(false)
  })

  it('a renamed column is none', async () => {
    await run()
    await server.query('ALTER TABLE t RENAME name TO title')
    await run({ newColumns: 'fail', renames: { name: 'title' } })
    expect(await names()).toEqual(['id', 'title'])
  })

  it('goes by the Iceberg table: plain Parquet alone is refused', async () => {
    expect(await failure({ newColumns: 'warn', formats: ['parquet'] })).toMatchObject({
      code: 'usage',
      field: '--new-columns',
    })
  })
})

describe('--new-tables', () => {
  it('warn leaves a table out that the lake has not, and takes it once it has', async () => {
    const before = await run({ newTables: 'warn', tables: ['t'] })
    expect(before.tables).toMatchObject([
      { table: 'default.t', status: 'skipped', warnings: [expect.stringContaining('public.t is new')] },
    ])
    await expect(load(lake)).rejects.toThrow()
    await run()
    expect((await run({ newTables: 'warn' })).tables).toMatchObject([{ status: 'ok' }])
  })

  it('fail is exit 3 of that table alone', async () => {
    await run()
    await server.query('CREATE TABLE u (id int, odd point); ANALYZE u')
    const error = await failure({ newTables: 'fail', tables: ['t', 'u'] })
    expect(error).toMatchObject({ code: 'data' })
    expect(error.message).toContain('public.u is new and is refused by --new-tables fail')
    expect(outcomeOf(error).tables).toMatchObject([{ status: 'ok' }, { status: 'failed' }])
  })
})
