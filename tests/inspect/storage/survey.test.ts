import { describe, expect, it } from '@jest/globals'
import type { Table } from '../../../jobs/iceberg/catalog/catalog.ts'
import type { DataFile } from '../../../jobs/iceberg/manifest/data-file.ts'
import { look } from '../../../jobs/inspect/look.ts'
import { objectsReport } from '../../../jobs/inspect/storage/objects.ts'
import { plainObjects } from '../../../jobs/inspect/storage/plain-files.ts'
import { storageReport } from '../../../jobs/inspect/storage/split.ts'
import { survey, type Survey } from '../../../jobs/inspect/storage/survey.ts'
import { treeLines } from '../../../jobs/inspect/text/tree.ts'
import { storageLines } from '../../../jobs/inspect/text/storage.ts'
import { currentState } from '../../../jobs/lake/snapshot-choice.ts'
import { basename } from '../../../jobs/storage/place.ts'
import { dataFile, emptyTable, eachWithTables, rowsWhere } from '../../iceberg/tables.ts'
import { alwaysTrue } from '../../../jobs/iceberg/expression/predicate.ts'

const lake = eachWithTables()
const day = 86_400_000
const { signal } = new AbortController()

/** A data file that is really there, of 10 bytes a row. */
async function written(table: Table, count: number): Promise<DataFile> {
  const file = dataFile(table, { count })
  await lake.io.write(file.filePath, Buffer.alloc(file.fileSizeInBytes))
  return file
}
/** Replaces everything, each commit a day after the one before. */
async function overwrite(table: Table, count: number, run = `run-${count}`): Promise<Table> {
  lake.clock.ms += day
  return lake.commit(table, {
    operation: 'overwrite',
    removeFiles: rowsWhere(alwaysTrue),
    addFiles: [await written(table, count)],
    summary: { 'lakejobs.run-id': run },
  })
}
const surveyed = (table: Table): Promise<Survey> => survey(lake.catalog, table, lake.clock.ms, signal)
const listing = async (folder: string): Promise<{ files: number; bytes: number }> => {
  const found = { files: 0, bytes: 0 }
  for await (const { size } of lake.io.list(folder)) {
    found.files++
    found.bytes += size
  }
  return found
}
/** Names of the data files in each state. */
const states = ({ objects }: Survey): Record<string, string[]> => {
  const found: Record<string, string[]> = {}
  for (const { state, location } of objects)
    if (location.endsWith('.parquet')) (found[state] ??= []).push(basename(location))
  return found
}

const names = (table: Table): string[] =>
  table.metadata.snapshots.map(({ summary }) => summary['lakejobs.run-id'] ?? '')

describe('what the store has of a table', () => {
  it('is split by who needs it, and adds up to what the store lists', async () => {
    let table = await emptyTable(lake)
    const files: string[] = []
    for (const count of [1, 2, 3, 4, 5]) {
      table = await overwrite(table, count)
      files.push(...(await lake.filesIn('/data/')).map(basename).filter((name) => !files.includes(name)))
    }
    const { location, snapshots } = table.metadata
    table = await lake.catalog.commit(
      table.identifier,
      [],
      [
        {
          action: 'set-snapshot-ref',
          'ref-name': 'release',
          type: 'tag',
          'snapshot-id': snapshots[0]!['snapshot-id'],
        },
      ],
    )
    await lake.io.write(`${location}/data/nobodys.parquet`, Buffer.alloc(77))
    await lake.io.write(`${location}_old/data/other.parquet`, Buffer.alloc(5))
    lake.clock.ms += 7.5 * day
    const found = await surveyed(table)
    // Three stay whatever their age, the tagged one too.
    expect(states(found)).toEqual({
      live: [files[4]],
      kept: [files[0], files[2], files[3]],
      expirable: [files[1]],
      unreferenced: ['nobodys.parquet'],
    })
    const report = storageReport(found, lake.clock.ms)
    const whole = await listing(location)
    expect(report).toMatchObject({
      ...whole,
      folders: [location],
      live: {
        kinds: [
          { kind: 'data', files: 1, bytes: 50 },
          { kind: 'manifest' },
          {},
          { kind: 'metadata', files: 1 },
        ],
      },
      kept: { expirable: { files: 4 } },
      unreferenced: { files: 1, bytes: 77, young: { files: 0 }, foreign: { files: 1 } },
      missingFiles: 0,
    })
    const { live, kept, unreferenced } = report
    expect(live.bytes + kept.bytes + unreferenced.bytes).toBe(whole.bytes)
    expect(live.files + kept.files + unreferenced.files).toBe(whole.files)
    expect(storageLines(report, { width: 80, colours: false })).toContainEqual(
      expect.stringMatching(/^ {12}unreferenced +1 +77 {2}1 with names that no/),
    )
  })

  it('tells what is missing, of another size, and elsewhere', async () => {
    let table = await emptyTable(lake)
    table = await overwrite(table, 1)
    table = await overwrite(table, 2)
    const [old, now] = await lake.filesIn('/data/')
    const outside = { ...dataFile(table, { count: 9 }), filePath: 'memory://elsewhere/x.parquet' }
    table = await lake.commit(table, { addFiles: [outside] })
    await lake.io.delete(old!)
    const lost = storageReport(await surveyed(table), lake.clock.ms)
    expect(lost).toMatchObject({
      missingFiles: 1,
      missing: [old],
      missingLive: false,
      elsewhere: { files: 1, bytes: 90 },
    })
    await lake.io.delete(now!)
    await lake.io.write(old!, Buffer.alloc(11))
    expect(storageReport(await surveyed(table), lake.clock.ms)).toMatchObject({
      missing: [now],
      missingLive: true,
      otherSize: [old],
    })
  })

  it('is told as it is after a commit that came while it was listed', async () => {
    let table = await emptyTable(lake)
    table = await overwrite(table, 1)
    const before = table
    // Expired meanwhile, files and all.
    const [old] = await lake.filesIn('/data/')
    table = await overwrite(table, 2)
    table = await lake.catalog.commit(
      table.identifier,
      [],
      [{ action: 'remove-snapshots', 'snapshot-ids': [table.metadata.snapshots[0]!['snapshot-id']] }],
    )
    await lake.io.delete(old!)
    const found = await surveyed(before)
    expect(found.missing).toEqual([])
    expect(found.table.metadataLocation).toBe(table.metadataLocation)
  })

  it('is a tree beside the Parquet export, each object with its purpose and its snapshot', async () => {
    let table = await emptyTable(lake)
    table = await overwrite(table, 1, 'monday')
    table = await overwrite(table, 2, 'tuesday')
    await lake.io.write('memory://lake/parquet/web_logs/web_logs.parquet', Buffer.from('no Parquet'))
    await lake.io.write('memory://lake/parquet/web_logs_2/web_logs_2.parquet', Buffer.from('another table’s'))
    const plan = (await look(table, currentState, new Date(lake.clock.ms))).plan
    const plain = await plainObjects(
      { io: lake.io, location: 'memory://lake/parquet' },
      table.identifier,
      'default',
    )
    const report = objectsReport(await surveyed(table), plan, plain)
    expect(names(table)).toEqual(['monday', 'tuesday'])
    const lines = treeLines(report, 'default.web_logs', { width: undefined, colours: false })
    const shape = lines.map((line) =>
      line
        .replace(/[0-9a-f]{8}-[0-9a-f-]{27}|\d{5,}|(?<= )[\d,]+(?=  (?:now|s\d|-) )/g, '#')
        .replace(/ +/g, ' '),
    )
    expect(shape).toEqual([
      'memory://lake/',
      '├── default/web_logs/ the Iceberg table default.web_logs',
      '│ ├── data/',
      '│ │ ├── #.parquet # s1 rows since replaced',
      '│ │ └── #.parquet # s2 2 rows',
      '│ └── metadata/',
      '│ ├── #-#.metadata.json # - the table as it was',
      '│ ├── #-#.metadata.json # - the table as it was',
      '│ ├── #-#.metadata.json # now the table as it is now',
      '│ ├── snap-#-1-#.avro # s1 manifests of its snapshot',
      '│ ├── snap-#-1-#.avro # s2 manifests of its snapshot',
      '│ ├── #-m0.avro # s1 lists replaced files',
      '│ ├── #-m0.avro # s2 names removed files',
      '│ └── #-m1.avro # s2 lists 1 data file',
      '└── parquet/web_logs/ the Parquet export',
      ' └── web_logs.parquet # - not Parquet, or its footer was not read',
      '',
      's1 # 2024-05-02 00:00:00 append',
      's2 # 2024-05-03 00:00:00 overwrite (main)',
    ])
    for (const width of [80, 120])
      for (const line of treeLines(report, 'default.web_logs', { width, colours: false }))
        expect(line.length).toBeLessThanOrEqual(width)
    // Narrow enough for both: beside one another, names shortened where they have to be.
    const beside = (width: number): string[] =>
      treeLines(report, 'default.web_logs', { width, colours: false })
    const wide = beside(240)
    const column = wide[0]!.indexOf('the Iceberg table')
    expect(wide.slice(0, 5).map((line) => line.slice(0, column).trimEnd())).toEqual([
      'the Parquet export',
      'memory://lake/parquet/web_logs/',
      expect.stringMatching(/^└── web_logs\.parquet +10 {2}- {2}not Parquet/),
      '',
      '',
    ])
    const iceberg = wide.slice(0, wide.indexOf('')).map((line) => line.slice(column))
    expect(iceberg.slice(0, 3)).toEqual([
      'the Iceberg table default.web_logs',
      'memory://lake/default/web_logs/',
      '├── data/',
    ])
    expect(iceberg.map((line) => line.split('/').at(-1)!.trim().slice(-15)).slice(3)).toEqual(
      lines.slice(3, 14).map((line) => line.split('/').at(-1)!.trim().slice(-15)),
    )
    const least = Math.max(...beside(150).map(({ length }) => length))
    expect(beside(least)).toEqual(beside(150))
    expect(beside(150)[0]).toMatch(/^the Parquet export +the Iceberg table/)
    expect(beside(150).join('\n')).toContain('…-m1.avro')
    expect(beside(least - 1)[0]).toBe('memory://lake/')
  })

  it('is cut where a folder has too many, and two trees where nothing is in common', async () => {
    let table = await emptyTable(lake)
    const files = await Promise.all(Array.from({ length: 30 }, (_, at) => written(table, at + 1)))
    table = await lake.commit(table, { addFiles: files })
    const plan = (await look(table, currentState, new Date(lake.clock.ms))).plan
    const { objects, ...rest } = objectsReport(await surveyed(table), plan, [])
    const plain = {
      ...objects[0]!,
      part: 'parquet',
      location: 'file:///lake/parquet/web_logs/web_logs.parquet',
    } as const
    const lines = treeLines({ ...rest, objects: [...objects, plain] }, 'default.web_logs', {
      width: 100,
      colours: false,
    })
    expect(lines).toContainEqual(
      expect.stringMatching(/ └── … 10 more objects +2,550 +2\.5 kB; --json has all$/),
    )
    expect(lines.filter((line) => /^(file|memory):/.test(line))).toEqual([
      'file:///lake/parquet/web_logs/  the Parquet export',
      'memory://lake/default/web_logs/  the Iceberg table default.web_logs',
    ])
  })
})
