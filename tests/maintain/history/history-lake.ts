import { mkdir, mkdtemp, rm, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import type { Table, TableIdentifier } from '../../../jobs/iceberg/catalog/catalog.ts'
import { memoryCatalog } from '../../../jobs/iceberg/catalog/memory.ts'
import type { DataFile } from '../../../jobs/iceberg/manifest/data-file.ts'
import { branchSnapshot } from '../../../jobs/iceberg/metadata/metadata.ts'
import { partitionSpec } from '../../../jobs/iceberg/partition/partition-spec.ts'
import { parsePartitionExpression } from '../../../jobs/iceberg/partition/transforms.ts'
import { toSingleValue } from '../../../jobs/iceberg/schema/single-value.ts'
import { planRead } from '../../../jobs/lake/read-plan.ts'
import { createRandom } from '../../../jobs/random.ts'
import { localFileIO } from '../../../jobs/storage/local/local.ts'
import { dayNumber, testEffects, webLogs, withFrozenTables, type Lake } from '../../iceberg/tables.ts'
import { memoryFolder } from '../../support/memory-folder.ts'
import { schema } from '../compact-lake.ts'
import { openParquetFiles, type ParquetFiles } from '../parquet-files.ts'
import { datedIO, mortalStore, type MortalStore } from './mortal-store.ts'

/** What steps of a history work on. Rows are told as `day|n|text`, sorted; `n` is of one row alone. */
export interface HistoryLake {
  readonly lake: Lake
  readonly store: MortalStore
  readonly parquet: ParquetFiles
  /** The table's name now. */
  identifier: TableIdentifier
  readonly below: (bound: number) => number
  readonly pick: <T>(all: readonly T[]) => T
  load(): Promise<Table>
  /** A file of a few new rows, and these. */
  /** Metadata files of tables elsewhere that began with what the table had then. */
  readonly siblings: string[]
  newFile(table: Table, day: string): Promise<NewFile>
  deletes(rows: readonly (readonly [file: DataFile, position: number])[]): Promise<DataFile>
  live(table: Table): Promise<DataFile[]>
  /** What a file holds, rows that are deleted as well, in their order. */
  rowsIn(file: DataFile): Promise<string[]>
  rowsOf(table: Table, id: bigint): Promise<string[]>
  close(): Promise<void>
}

export interface NewFile {
  readonly file: DataFile
  readonly rows: readonly string[]
}

const hourMs = 3_600_000

export const days = ['2024-05-01', '2024-05-02', '2024-05-03'] as const

const textOf = (row: readonly unknown[]): string => row.slice(0, 3).map(String).join('|')

export async function openHistoryLake(seed: number): Promise<HistoryLake> {
  const folder = await mkdtemp(join(memoryFolder, 'lakejobs-history-'))
  const random = createRandom(seed, 'history')
  const below = (bound: number): number => random.below(bound)
  const clock = { ms: Date.parse('2024-05-04T00:00:00Z'), waits: [] }
  // Whose clock is right does not matter: what a writer has just written is never old.
  const aheadMs = hourMs * [1, 0, -1][seed % 3]!
  const store = mortalStore(datedIO(localFileIO(), clock, aheadMs))
  const effects = testEffects(store.io, clock)
  const catalog = withFrozenTables(memoryCatalog('local', `file://${folder}`, effects))
  await catalog.createNamespace(['default'])
  const spec = partitionSpec(schema, [parsePartitionExpression('day')])
  // Few enough for manifests to be put together often.
  const properties = { 'commit.manifest.min-count-to-merge': '3' }
  const staged = await catalog.stageCreate(webLogs, { schema, spec, properties })
  const { metadata } = await catalog.create(staged, [])
  const data = join(metadata.location.replace('file://', ''), 'data')
  await mkdir(data, { recursive: true })
  const parquet = await openParquetFiles(data)
  let rowNumber = 0
  /** As if it was written by the clock. */
  const dated = async <T extends Pick<DataFile, 'filePath'>>(file: T): Promise<T> => {
    const seconds = (clock.ms + aheadMs) / 1000
    await utimes(file.filePath.replace('file://', ''), seconds, seconds)
    return file
  }
  const at: HistoryLake = {
    lake: { catalog, io: store.io, effects, clock },
    store,
    parquet,
    identifier: webLogs,
    below,
    pick: (all) => all[below(all.length)]!,
    siblings: [],
    load: () => catalog.load(at.identifier),
    async newFile(table, day) {
      const from = rowNumber
      rowNumber += 1 + below(9)
      const sql = `SELECT DATE '${day}' AS day, i::int AS n, 'row ' || i AS text FROM range(${from}, ${rowNumber}) r(i)`
      const bound = new Map([[1, toSingleValue({ kind: 'date' }, dayNumber(day))]])
      const specId = table.metadata['default-spec-id']
      const isByDay =
        table.metadata['partition-specs'].find((one) => one['spec-id'] === specId)!.fields.length > 0
      const written = await dated(await parquet.write(sql, { day: 1, n: 2, text: 3 }))
      const partition = isByDay ? [dayNumber(day)] : []
      const file = {
        ...written,
        content: 0,
        specId,
        partition,
        lowerBounds: bound,
        upperBounds: bound,
      } as const
      const rows = Array.from(
        { length: rowNumber - from },
        (_, row) => `${day}|${from + row}|row ${from + row}`,
      )
      return { file, rows }
    },
    deletes: async (rows) => dated(await parquet.deletes(rows)),
    async live(table) {
      if (branchSnapshot(table.metadata, 'main') === undefined) return []
      return (await planRead({ name: 't', ...table })).files.map(({ file }) => file)
    },
    async rowsIn({ filePath }) {
      const sql = `SELECT day, n, text FROM read_parquet('${filePath.replace('file://', '')}', file_row_number = true) ORDER BY file_row_number`
      return (await parquet.query(sql)).map(textOf)
    },
    async rowsOf(table, id) {
      const rows = await parquet.rows(table, { choice: { kind: 'id', id } })
      return rows.map((row) => textOf(JSON.parse(row) as unknown[])).sort()
    },
    async close() {
      parquet.close()
      await rm(folder, { recursive: true })
    },
  }
  return at
}
