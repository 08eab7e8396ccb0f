import { describe, expect, it } from '@jest/globals'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { append, replaceFiles } from '../../jobs/iceberg/snapshot/operations.ts'
import { isLive, readManifest, readManifestList } from '../../jobs/iceberg/manifest/table-files.ts'
import { parquetFolder } from '../lake/parquet-folder.ts'
import { eachWithLake } from '../export/each-with-lake.ts'
import { currentSnapshot, dataFilesOf, load, runExport, type Flags } from '../export/lake.ts'
import { commit, falsify, results, runVerify, type VerifyFlags, threeDays } from './verify-lake.ts'

const { server, lake } = eachWithLake(threeDays)

const byDay: Flags = { partitionBy: ['day(at)'] }
const run = (flags: Flags = {}): ReturnType<typeof runExport> => runExport(server, lake, flags)
const day = (from: string, to = from): Flags => ({ scope: { mode: 'day', from, to } })
const verified = (flags: VerifyFlags = {}): ReturnType<typeof results> => results(server, lake, flags)
const pathOf = (location: string): string => location.replace(/^file:\/\//, '')
const [first, second, third] = ['2024-09-01', '2024-09-02', '2024-09-03'] as const
const allMatch = { [first]: 'match', [second]: 'match', [third]: 'match', null: 'match' }

/** The lake has what the source had after `sql`, under the summary of the export before; the source is as before. */
async function delivered(sql: string): Promise<void> {
  await run()
  await server.query(`CREATE TABLE kept AS SELECT * FROM t; ${sql}; ANALYZE t`)
  await run({ tables: ['public.t=default.other'] })
  const [other] = await dataFilesOf(await load(lake, 'other'))
  await falsify(lake, await load(lake), () => other!)
  await server.query('TRUNCATE t; INSERT INTO t SELECT * FROM kept; DROP TABLE kept; ANALYZE t')
}

describe('what is as it was written', () => {
  it('matches, day by day, with and without the source, whole and in days', async () => {
    await run(byDay)
    const { code, found, table } = await verified()
    expect([code, found]).toEqual(['ok', allMatch])
    expect(table).toMatchObject({
      rows: 310,
      files: 4,
      verified: { against: 'source', columns: 5, match: 4 },
    })
    expect((await verified({ against: 'written' })).found).toEqual(allMatch)
    expect((await verified({ counts: true })).found).toEqual(allMatch)
    expect((await verified({ days: { from: second, to: third } })).found).toEqual({
      [second]: 'match',
      [third]: 'match',
    })
  })

  it('matches after days were exported again and columns were added, renamed and widened', async () => {
    await run(byDay)
    await server.query(`ALTER TABLE t ADD more text DEFAULT 'x'; ALTER TABLE t RENAME url TO link;
                        ALTER TABLE t ALTER id TYPE bigint; ANALYZE t`)
    await run({ ...day(second), renames: { url: 'link' } })
    expect(await verified()).toMatchObject({
      code: 'ok',
      found: { [first]: 'changed', [second]: 'match', [third]: 'changed', null: 'changed' },
    })
    expect((await verified({ against: 'written' })).found).toEqual(allMatch)
  })

  it('matches after a compaction, and where the table has no days', async () => {
    await run()
    const table = await load(lake)
    const [manifest] = await readManifestList(table.io, currentSnapshot(table))
    const entries = (await readManifest(table.io, table.metadata, manifest!)).filter(isLive)
    const [file] = entries.map(({ dataFile }) => dataFile)
    const copy = file!.filePath.replace('.parquet', '-copy.parquet')
    await table.io.write(copy, await table.io.read(file!.filePath))
    await commit(
      lake,
      table,
      replaceFiles({ metadata: table.metadata }, entries, [{ ...file!, filePath: copy }]),
    )
    expect(await verified()).toMatchObject({ code: 'ok', found: { all: 'match' } })
  })

  it('matches for every type, with NULLs, casts and decimals', async () => {
    await server.query(
      `
      DROP TABLE t;
      CREATE TABLE t (b boolean, i2 smallint, i8 bigint, f4 real, f8 float8, n2 numeric(3,1), n9 numeric(9,2), n18 numeric(18,3),
                      n38 numeric(38,10), wide numeric, s text, by bytea, u uuid, d date, ti time, ts timestamp, tz timestamptz,
                      span interval);
      INSERT INTO t SELECT i % 2 = 0, i, -i::bigint * 4294967296, i / 7.0, -i / 7.0, i % 100 / 10.0, -i / 100.0, i * 1000.001,
        i * -12345678901234567.0123456789, i * 1.5, repeat('ż' || i, i % 40), decode(repeat('00ff', i % 20), 'hex'),
        md5(i::text)::uuid, date '1960-01-01' + i * 100, time '00:00:00.000001' * 1 + i * interval '1 minute',
        timestamp '1950-01-01 00:00:00.000001' + i * interval '1 day', timestamptz '2024-01-01 00:00:00+00' + i * interval '1 hour',
        i * interval '1 day' FROM generate_series(1, 300) i;
      INSERT INTO t (b) SELECT NULL FROM generate_series(1, 5000);
      INSERT INTO t (f4, f8, s, by) VALUES ('NaN', 'NaN', '', ''), ('-0', '-0', 'NULL', '\\x00'), ('Infinity', '-Infinity', '\\x', NULL);
      ANALYZE t`.replace("time '00:00:00.000001' * 1 + i", "time '00:00:00.000001' + i"),
    )
    await run({ casts: { span: 'text' }, decimals: { wide: { precision: 38, scale: 9 } }, groupRows: 1000 })
    const { code, found, table } = await verified()
    expect([code, found]).toEqual(['ok', { all: 'match' }])
    expect(table.verified).toMatchObject({ columns: 18 })
  })
})

describe('a source that changed since', () => {
  it('is said, and no fault unless strict', async () => {
    await run(byDay)
    await server.query(
      `DELETE FROM t WHERE at < '${second}'; UPDATE t SET url = 'x' WHERE id = 1 + 3 * 10 + 1`,
    )
    expect(await verified()).toMatchObject({
      code: 'ok',
      found: { ...allMatch, [first]: 'changed', [third]: 'changed' },
    })
    expect((await verified({ strict: true })).code).toBe('data')
    expect((await verified({ strict: true, against: 'written' })).code).toBe('ok')
  })
})

describe('rows that are not those that were written', () => {
  it.each([
    ['one changed cell', `UPDATE t SET price = price + 0.01 WHERE id = 7`],
    ['a row gone', 'DELETE FROM t WHERE id = 7'],
    ['a row doubled', 'INSERT INTO t SELECT * FROM t WHERE id = 7'],
    ['two changes that keep each column’s sum', 'UPDATE t SET id = 15 - id WHERE id IN (7, 8)'],
    ['NULL in place of a text', `UPDATE t SET url = NULL WHERE id = 8`],
    ['an empty string in place of NULL', `UPDATE t SET url = '' WHERE id = 7`],
    ['one microsecond', `UPDATE t SET at = at + interval '1 microsecond' WHERE id = 7`],
    ['negative zero', `UPDATE t SET ratio = '-0' WHERE id = 7`],
  ])('%s', async (_, sql) => {
    if (sql.includes("'-0'")) await server.query('UPDATE t SET ratio = 0 WHERE id = 7')
    await delivered(sql)
    expect(await verified()).toMatchObject({ code: 'data', found: { all: 'mismatch' } })
    expect(await verified({ against: 'written' })).toMatchObject({ code: 'data', found: { all: 'mismatch' } })
  })

  it('a day that is gone, in the day alone', async () => {
    await run(byDay)
    const table = await load(lake)
    const files = await dataFilesOf(table)
    const ofSecond = files.find(({ filePath }) => filePath.includes(second))!
    const other = files.find(({ filePath }) => filePath.includes(third))!
    await falsify(lake, table, (file) => (file.filePath === ofSecond.filePath ? other : file))
    expect((await verified({ against: 'written' })).found).toEqual({
      ...allMatch,
      [second]: 'mismatch',
      [third]: 'mismatch',
    })
  })
})

describe('files that are not what the manifest says', () => {
  it('one that is gone, or of another size, leaves its day incomplete and the others verified', async () => {
    await run(byDay)
    const [file] = (await dataFilesOf(await load(lake))).filter(({ filePath }) => filePath.includes(second))
    const path = pathOf(file!.filePath)
    const bytes = readFileSync(path)
    const footer = bytes.length - 8 - bytes.readUInt32LE(bytes.length - 8)
    for (const damage of [
      () => {
        rmSync(path)
      },
      () => {
        writeFileSync(path, bytes.subarray(0, bytes.length - 1))
      },
      () => {
        writeFileSync(path, Buffer.concat([bytes, Buffer.from('1')]))
      },
      () => {
        writeFileSync(path, Buffer.from(bytes).fill(0xff, footer, footer + 20))
      },
    ]) {
      damage()
      const { code, found, table } = await verified({ against: 'written' })
      expect([code, found]).toEqual(['data', { ...allMatch, [second]: 'incomplete' }])
      expect(table.verified?.intervals[0]?.reason).toContain(path)
      expect((await verified({ counts: true })).found).toEqual({ ...allMatch, [second]: 'incomplete' })
      writeFileSync(path, bytes)
    }
    expect((await verified()).code).toBe('ok')
  })

  it('a changed byte of a data page', async () => {
    await run({ codec: 'none' })
    const [file] = await dataFilesOf(await load(lake))
    const path = pathOf(file!.filePath)
    const bytes = readFileSync(path)
    const at = bytes.indexOf('longer than twelve')
    expect(at).toBeGreaterThan(0)
    bytes[at]! ^= 1
    writeFileSync(path, bytes)
    expect(await verified()).toMatchObject({ code: 'data', found: { all: 'mismatch' } })
  })

  it.each([
    ['lower bound of an integer', 'id', 'lowerBounds', Buffer.of(2, 0, 0, 0), /column id .* below/],
    ['upper bound of a time', 'at', 'upperBounds', Buffer.alloc(8), /column at .* above/],
    ['lower bound of a text', 'url', 'lowerBounds', Buffer.from('/b'), /column url .* below/],
    ['upper bound of a decimal', 'price', 'upperBounds', Buffer.of(1, 0), /column price .* above/],
    ['upper bound of a double', 'ratio', 'upperBounds', Buffer.alloc(8), /column ratio .* above/],
    ['number of NULLs', 'url', 'nullValueCounts', 3, /column url has \d+ NULLs, the manifest says 3/],
    ['number of values', 'url', 'valueCounts', 3, /column url has 310 values, the manifest says 3/],
  ] as const)('a false %s', async (_, name, metric, value, reason) => {
    await run()
    const table = await load(lake)
    const { id } = table.metadata.schemas[0]!.fields.find((field) => field.name === name)!
    await falsify(lake, table, (file) => ({
      ...file,
      [metric]: new Map<number, unknown>([...(file[metric] ?? []), [id, value]]),
    }))
    const { code, found, table: summary } = await verified()
    expect([code, found]).toEqual(['data', { all: 'mismatch' }])
    expect(summary.verified?.intervals[0]?.reason).toMatch(reason)
  })

  it('a false number of rows', async () => {
    await run()
    await falsify(lake, await load(lake), (file) => ({ ...file, recordCount: file.recordCount + 1 }))
    expect(await verified({ counts: true })).toMatchObject({ code: 'data', found: { all: 'incomplete' } })
    expect(await verified()).toMatchObject({ code: 'data', found: { all: 'incomplete' } })
  })
})

describe('a table that others write, too', () => {
  const foreignAppend = async (sql: string, columns?: readonly string[]): Promise<void> => {
    await server.query(sql)
    await run({ ...byDay, tables: ['public.t=default.other'], ...(columns && { columns }) })
    const other = await dataFilesOf(await load(lake, 'other'))
    const table = await load(lake)
    await commit(lake, table, append({ metadata: table.metadata }, other))
  }

  it('is unverified in the days that they touched, unless these equal the source', async () => {
    await run(byDay)
    await server.query('CREATE TABLE kept AS SELECT * FROM t')
    await foreignAppend(`DELETE FROM t WHERE at IS NULL OR at < '${third}'`)
    const reason = expect.stringContaining('written by others') as unknown
    const written = await verified({ against: 'written' })
    expect([written.code, written.found]).toEqual(['ok', { ...allMatch, [third]: 'unverified' }])
    expect(written.table.verified?.intervals[0]).toMatchObject({ reason, rows: 200 })
    expect((await verified({ strict: true, against: 'written' })).code).toBe('data')
    // The source has those rows twice, too.
    await server.query('INSERT INTO t SELECT * FROM kept; DROP TABLE kept')
    expect(await verified()).toMatchObject({ code: 'ok', found: allMatch })
  })

  it('is compared with the rows that their deletes leave', async () => {
    await run(byDay)
    const table = await load(lake)
    const file = (await dataFilesOf(table)).find(({ filePath }) => filePath.includes(third))!
    const files = await parquetFolder()
    try {
      const deletes = await files.dataFile(
        `SELECT '${file.filePath}' AS file_path, 0::bigint AS pos`,
        { file_path: 2147483546, pos: 2147483545 },
        1,
      )
      const { specId, partition } = file
      const request = append({ metadata: table.metadata }, [{ ...deletes, content: 1, specId, partition }])
      await commit(lake, table, request)
      expect((await verified()).found).toEqual({ ...allMatch, [third]: 'unverified' })
      await server.query(`DELETE FROM t WHERE id = (SELECT min(id) FROM t WHERE at >= '${third}')`)
      expect((await verified()).found).toEqual(allMatch)
      expect((await verified({ counts: true })).found).toEqual({ ...allMatch, [third]: 'unverified' })
    } finally {
      await files.remove()
    }
  })

  it('is proven again by the next export of that day', async () => {
    await run(byDay)
    await foreignAppend(`DELETE FROM t WHERE at IS NULL OR at < '${third}'`)
    await run(day(third))
    expect((await verified({ against: 'written' })).found).toEqual(allMatch)
  })
})

describe('after snapshots have expired', () => {
  const expire = async (): Promise<void> => {
    const table = await load(lake)
    const current = currentSnapshot(table)['snapshot-id']
    const ids = table.metadata.snapshots.map((one) => one['snapshot-id']).filter((id) => id !== current)
    await lake.catalog.commit(table.identifier, [], [{ action: 'remove-snapshots', 'snapshot-ids': ids }])
    expect((await load(lake)).metadata.snapshots).toHaveLength(1)
  }

  it('the table’s property tells what was written, and by whom no more', async () => {
    await run(byDay)
    await server.query(`UPDATE t SET url = 'x' WHERE id = 9`)
    await run(day(first))
    await expire()
    expect(await verified({ against: 'written' })).toMatchObject({ code: 'ok', found: allMatch })
    const table = await load(lake)
    const other = (await dataFilesOf(table)).filter(({ filePath }) => filePath.includes(third))
    await commit(lake, table, append({ metadata: table.metadata }, other))
    expect((await verified({ against: 'written' })).found).toEqual({ ...allMatch, [third]: 'unverified' })
    await run(day(second))
    await expire()
    expect(await verified({ against: 'written' })).toMatchObject({
      code: 'ok',
      found: { ...allMatch, [third]: 'unverified' },
    })
    await run(day(third))
    expect((await verified()).found).toEqual(allMatch)
  })

  it('a compaction in between changes nothing, and another’s commit that has expired makes all unknown', async () => {
    await run(byDay)
    const moved = async (): Promise<void> => {
      const table = await load(lake)
      const [manifest] = await readManifestList(table.io, currentSnapshot(table))
      const [entry] = (await readManifest(table.io, table.metadata, manifest!)).filter(isLive)
      const copy = entry!.dataFile.filePath.replace('.parquet', '-copy.parquet')
      await table.io.write(copy, await table.io.read(entry!.dataFile.filePath))
      await commit(
        lake,
        table,
        replaceFiles({ metadata: table.metadata }, [entry!], [{ ...entry!.dataFile, filePath: copy }]),
      )
    }
    await moved()
    await expire()
    expect((await verified({ against: 'written' })).found).toEqual(allMatch)
    await moved()
    await expire()
    const unknown = {
      [first]: 'unverified',
      [second]: 'unverified',
      [third]: 'unverified',
      null: 'unverified',
    }
    expect((await verified({ against: 'written' })).found).toEqual(unknown)
    expect((await verified()).found).toEqual(allMatch)
  })
})

describe('a table that cannot be verified', () => {
  it('is not compared with another database, where a table of that name is another one', async () => {
    await run()
    await server.createDatabase('another')
    await server.query('CREATE TABLE t (id int NOT NULL, url text); ANALYZE t', [], 'another')
    const another = { ...server, database: 'another' }
    await expect(runVerify(another, lake)).rejects.toMatchObject({
      code: 'usage',
      field: 'POSTGRES_DB',
      message: expect.stringMatching(
        /^the rows of .*t are of public\.t of database .* names public\.t of database another at/,
      ),
    })
    expect((await results(another, lake, { against: 'written' })).found).toEqual({ all: 'match' })
  })

  it.each([
    ['renamed', 'ALTER TABLE t RENAME url TO link', { renames: { url: 'link' } }],
    ['dropped', 'ALTER TABLE t DROP url', {}],
  ])('says which column was %s at the source, and what it says mends it', async (_name, change, flags) => {
    await run()
    await server.query(`${change}; ANALYZE t`)
    await expect(runVerify(server, lake)).rejects.toMatchObject({
      code: 'data',
      field: 'public.t',
      message: 'public.t has no column url any more, which the last export wrote',
      fix:
        'export the table again, with --rename url=NEW where a column was renamed, or compare with what was written ' +
        'alone: --against written',
    })
    expect(await verified({ against: 'written' })).toMatchObject({ code: 'ok', found: { all: 'match' } })
    await run(flags)
    expect(await verified()).toMatchObject({ code: 'ok', found: { all: 'match' } })
  })

  it('fails alone', async () => {
    await run()
    const failure = runVerify(server, lake, { tables: ['public.t=default.nowhere', 'public.t'] })
    await expect(failure).rejects.toMatchObject({
      code: 'data',
      outcome: {
        tables: [
          { table: 'default.nowhere', status: 'failed' },
          { status: 'ok', verified: { match: 1 } },
        ],
      },
    })
    await expect(runVerify(server, lake, { days: { from: first, to: first } })).rejects.toMatchObject({
      code: 'usage',
      field: '--date',
    })
  })
})
