import { describe, expect, it } from '@jest/globals'
import * as v from 'valibot'
import type { Table } from '../../jobs/iceberg/catalog/catalog.ts'
import type { Schema } from '../../jobs/iceberg/schema/schema.ts'
import type { Type } from '../../jobs/iceberg/schema/types.ts'
import type { DataFile } from '../../jobs/iceberg/manifest/data-file.ts'
import { currentState, type SnapshotChoice } from '../../jobs/lake/snapshot-choice.ts'
import { look } from '../../jobs/inspect/look.ts'
import { reportOf } from '../../jobs/inspect/report.ts'
import { card } from '../../jobs/inspect/text/card.ts'
import { tableReport, type TableReport } from '../../jobs/inspect/report-schema.ts'
import { byDay, dataFile, dayNumber, emptyTable, eachWithTables, webLogsSchema } from '../iceberg/tables.ts'

const lake = eachWithTables()
const minute = 60_000

/** The report, held against its schema, fields that it does not have refused. */
async function reportFor(
  table: Table,
  choice: SnapshotChoice = currentState,
  laterMs = 0,
): Promise<TableReport> {
  const all = { files: true, snapshots: true, partitions: true, storage: false, tree: false }
  const report = reportOf(await look(table, choice, new Date(lake.clock.ms + laterMs)), all, 'local')
  return v.parse(v.strictObject(tableReport.entries), report)
}
const dayFile = (table: Table, day: string, count = 100, bytes = 1000): DataFile => ({
  ...dataFile(table, { count, from: `${day}T00:00:00Z`, to: `${day}T23:00:00Z` }, [dayNumber(day)]),
  fileSizeInBytes: bytes,
})
const ours = (scope: string): Record<string, string> => ({
  'lakejobs.run-id': 'run-1',
  'lakejobs.source': 'public.web_logs',
  'lakejobs.source-snapshot-time': '2024-05-20T00:00:00.000000Z',
  'lakejobs.scope': scope,
})

describe('the report of a table', () => {
  it('is that of an empty one, too', async () => {
    const report = await reportFor(await emptyTable(lake))
    expect(report).toMatchObject({
      table: 'default.web_logs',
      location: 'memory://lake/default/web_logs',
      rows: 0,
      files: 0,
      partitions: { by: [], count: 0 },
      snapshots: { count: 0, newest: [] },
      verdicts: [],
      readers: [],
    })
    expect(report.snapshot).toBeUndefined()
  })

  it('counts what the snapshot that is asked for has, and who made it', async () => {
    let table = await emptyTable(lake, byDay)
    table = await lake.commit(table, { addFiles: [dayFile(table, '2024-05-01')], summary: ours('full') })
    const first = table.metadata.snapshots[0]!['snapshot-id']
    lake.clock.ms += 5 * minute
    table = await lake.commit(table, {
      addFiles: [dayFile(table, '2024-05-02', 50, 500)],
      summary: { 'engine-name': 'spark', 'engine-version': '4.0.1', 'spark.app.id': 'local-7' },
    })
    expect(await reportFor(table, currentState, 2 * minute)).toMatchObject({
      rows: 150,
      files: 2,
      bytes: 1500,
      snapshot: {
        operation: 'append',
        engine: 'spark 4.0.1',
        run: 'local-7',
        ageSeconds: 120,
        refs: ['main'],
      },
      snapshots: {
        count: 2,
        abandoned: 0,
        newest: [{ addedRows: 50, rows: 150, inMain: true }, { run: 'run-1' }],
      },
      partitions: {
        by: ['day(timestamp)'],
        count: 2,
        rows: { least: 50, median: 50, most: 100 },
        largest: { partition: 'timestamp_day=2024-05-01', rows: 100 },
        days: { first: '2024-05-01', last: '2024-05-02', missingDays: 0 },
      },
      partitionList: [
        { partition: 'timestamp_day=2024-05-01', files: 1, rows: 100, smallFiles: 1 },
        { partition: 'timestamp_day=2024-05-02', bytes: 500 },
      ],
      fileList: [{ rows: 100, sequence: 1, snapshot: String(first) }, { sequence: 2 }],
      metadata: { manifests: 2, previousFiles: 2 },
    })
    expect(await reportFor(table, { kind: 'id', id: first })).toMatchObject({
      rows: 100,
      snapshot: { engine: 'lakejobs', run: 'run-1', refs: [] },
    })
    await expect(reportFor(table, { kind: 'id', id: 1n })).rejects.toMatchObject({ code: 'data' })
    await expect(reportFor(table, { kind: 'as-of', ms: 0 })).rejects.toMatchObject({ code: 'data' })
  })

  it('names days that are missing, with the export that brings them; not those that the source did not have', async () => {
    let table = await emptyTable(lake, byDay)
    table = await lake.commit(table, {
      addFiles: ['2024-05-01', '2024-05-04'].map((day) => dayFile(table, day)),
      summary: ours('full'),
    })
    expect((await reportFor(table)).partitions.days).toMatchObject({ missing: [], emptyDays: 2 })
    table = await lake.commit(table, {
      addFiles: ['2024-05-22', '2024-05-26'].map((day) => dayFile(table, day)),
      summary: ours('2024-05-22/2024-05-23,2024-05-26/2024-05-26'),
    })
    const { partitions, verdicts } = await reportFor(table)
    expect(partitions.days).toMatchObject({
      missing: [
        { from: '2024-05-20', to: '2024-05-21' },
        { from: '2024-05-24', to: '2024-05-25' },
      ],
      missingDays: 4,
      emptyDays: 18,
    })
    expect(verdicts).toEqual([
      {
        level: 'mend',
        what: expect.stringMatching(
          /^4 days of timestamp .*: 2024-05-20 to 2024-05-21, 2024-05-24 to 2024-05-25$/,
        ) as unknown,
        commands: [
          'lakejobs export --table public.web_logs=default.web_logs --format iceberg --from 2024-05-20 --to 2024-05-21',
          'lakejobs export --table public.web_logs=default.web_logs --format iceberg --from 2024-05-24 --to 2024-05-25',
        ],
      },
    ])
  })

  it('says which files are too small, and which snapshots are past their time', async () => {
    let table = await emptyTable(lake)
    for (let commit = 0; commit < 5; commit++) {
      table = await lake.commit(table, { addFiles: [dataFile(table, { count: 10 })] })
      lake.clock.ms += 24 * 60 * minute
    }
    expect(await reportFor(table)).toMatchObject({
      fileSizes: {
        targetBytes: 2 ** 29,
        bytes: { median: 100 },
        buckets: [{ files: 5, bytes: 500 }, {}, {}, {}, {}],
      },
      verdicts: [{ level: 'mend', what: expect.stringMatching(/^5 files of 5 \(500 bytes\)/) as unknown }],
    })
    const week = 8 * 24 * 60 * minute
    expect((await reportFor(table, currentState, week)).verdicts).toMatchObject([
      {},
      { what: '2 of 5 snapshots are past their time to be kept' },
    ])
  })

  it('tells snapshots that a rollback left behind from those of main', async () => {
    let table = await emptyTable(lake)
    for (let commit = 0; commit < 3; commit++)
      table = await lake.commit(table, { addFiles: [dataFile(table, { count: 10 })] })
    const [first, , last] = table.metadata.snapshots
    table = await lake.catalog.commit(
      table.identifier,
      [],
      [
        {
          action: 'set-snapshot-ref',
          'ref-name': 'main',
          type: 'branch',
          'snapshot-id': first!['snapshot-id'],
        },
        { action: 'set-snapshot-ref', 'ref-name': 'kept', type: 'tag', 'snapshot-id': last!['snapshot-id'] },
      ],
    )
    expect(await reportFor(table)).toMatchObject({
      rows: 10,
      snapshots: {
        abandoned: 0,
        newest: [{ inMain: false, refs: ['kept'] }, { inMain: false }, { inMain: true }],
      },
      refs: [{ name: 'main' }, { name: 'kept', type: 'tag' }],
    })
    table = await lake.catalog.commit(
      table.identifier,
      [],
      [{ action: 'remove-snapshot-ref', 'ref-name': 'kept' }],
    )
    expect(await reportFor(table)).toMatchObject({
      snapshots: { abandoned: 2 },
      verdicts: [{ level: 'note' }],
    })
  })

  it('counts delete files, and those that apply to nothing', async () => {
    let table = await emptyTable(lake, byDay)
    table = await lake.commit(table, {
      addFiles: ['2024-05-01', '2024-05-02'].map((day) => dayFile(table, day)),
    })
    const file = (content: number, day: string): DataFile => ({
      ...dayFile(table, day, 7, 70),
      content,
      ...(content === 2 && { equalityIds: [2] }),
    })
    table = await lake.commit(table, {
      operation: 'overwrite',
      addFiles: [file(1, '2024-05-01'), file(2, '2024-05-02'), file(1, '2024-05-09')],
    })
    const report = await reportFor(table)
    expect(report.deletes).toEqual({
      positionFiles: 2,
      vectors: 0,
      equalityFiles: 1,
      rows: 14,
      bytes: 210,
      filesWithDeletes: 2,
      dangling: 1,
    })
    expect(report).toMatchObject({
      files: 2,
      readers: [{ reader: 'PyIceberg', because: 'equality deletes' }, {}],
      fileList: [{ deletes: 1 }, { deletes: 1 }],
    })
    expect(report.verdicts.map(({ what }) => what)).toEqual([
      expect.stringMatching(/^2 files of 2/),
      '1 file of equality deletes, which every read applies anew',
      '1 delete file without a data file to apply to',
    ])
  })

  const list = (id: number, element: Type): Type => ({
    type: 'list',
    'element-id': id,
    element,
    'element-required': false,
  })
  const nested: Schema = {
    ...webLogsSchema,
    fields: [
      ...webLogsSchema.fields,
      { id: 4, name: 'tags', required: false, type: list(5, 'string') },
      { id: 6, name: 'pairs', required: false, type: list(7, list(8, 'int')) },
      { id: 9, name: 'tags_2', required: false, type: 'string' },
    ],
  }

  it('names as nested what verify does not compare: lists of values are none', async () => {
    const { readers } = await reportFor(await emptyTable(lake, { schema: nested }))
    expect(readers).toEqual([
      { reader: 'lakejobs verify', cannot: 'compare it', because: 'column pairs has nested values' },
    ])
  })

  it('counts columns, and not what is in them', async () => {
    const report = await reportFor(await emptyTable(lake, { schema: nested }))
    expect(card(report, { width: 80, colours: false }).join('\n')).toMatch(/^schema +id 0, 6 columns$/m)
  })

  it('has the columns that the snapshot which is asked for had', async () => {
    let table = await emptyTable(lake)
    table = await lake.commit(table, { addFiles: [dataFile(table, { count: 10 })] })
    const id = table.metadata.snapshots[0]!['snapshot-id']
    const fields = webLogsSchema.fields.map((one) => (one.name === 'url' ? { ...one, name: 'link' } : one))
    table = await lake.catalog.commit(
      table.identifier,
      [],
      [
        { action: 'add-schema', schema: { ...webLogsSchema, 'schema-id': 1, fields } },
        { action: 'set-current-schema', 'schema-id': -1 },
      ],
    )
    expect(await reportFor(table)).toMatchObject({ schema: { id: 1, columns: [{}, {}, { name: 'link' }] } })
    const before = { id: 0, columns: [{}, {}, { name: 'url' }], history: [{ from: 0, to: 1 }] }
    for (const choice of [
      { kind: 'id', id },
      { kind: 'as-of', ms: lake.clock.ms },
    ] as const)
      expect(await reportFor(table, choice)).toMatchObject({ schema: before })
  })

  it('refuses a version of which nothing is known', async () => {
    const table = await emptyTable(lake)
    const newer = { ...table, metadata: { ...table.metadata, 'format-version': 4 } }
    await expect(reportFor(newer)).rejects.toMatchObject({ code: 'data', fix: 'use a newer lakejobs' })
  })
})
