import { buffer } from 'node:stream/consumers'
import { mapConcurrently } from '../../concurrency.ts'
import { dataError, type JobError } from '../../errors.ts'
import type { DataFile } from '../../iceberg/manifest/data-file.ts'
import type { Snapshot } from '../../iceberg/metadata/metadata.ts'
import type { NestedField } from '../../iceberg/schema/types.ts'
import { canonicalLocation } from '../../storage/place.ts'
import { bringFiles, type Bringing } from './bring.ts'
import { readFooter, type Footer } from '../footer/footer.ts'
import type { PlannedFile, ReadTable } from '../read-plan.ts'
import type { ReadyFile } from './read-sql.ts'
import { scanOf, type Scan } from './scan.ts'

/** A scan whose files can be opened. */
export interface ReadyScan extends Scan {
  /** What the engine must be allowed to read. */
  readonly paths: readonly string[]
  /** Of the files, in their order. */
  readonly footers: readonly Footer[]
}

interface Request extends Bringing {
  readonly table: ReadTable
  /** For messages. */
  readonly snapshot: Snapshot | undefined
  readonly fields: readonly NestedField[]
  readonly files: readonly PlannedFile[]
  /** Footers that were read before, by the files' paths. */
  readonly footers?: ReadonlyMap<string, Footer> | undefined
  /** Begins the names of temporary tables. */
  readonly prefix: string
}

/** Footers and deletion vectors that are read at once. */
const filesAtOnce = 8

/**
 * Looks at each planned file and at the delete files that apply to it, and makes the query for their rows. Errors:
 * `JobError` data for a file that is not there, not as its manifest says, damaged, too much to be brought, or with a
 * feature that cannot be read.
 */
export async function readyScan(request: Request): Promise<ReadyScan> {
  const { table, snapshot, fields, prefix } = request
  const { io } = table
  const { files } = request
  const deletes = deleteFilesOf(files)
  const parquet = [...files.map(({ file }) => file), ...deletes]
  const footers = await mapConcurrently(
    parquet,
    filesAtOnce,
    async (file) => request.footers?.get(file.filePath) ?? (await readFooter(io, file)),
  )
  const { sources, paths } = await bringFiles(io, parquet, request)
  const ready = parquet.map((file, at): ReadyFile => ({
    file,
    footer: footers[at]!,
    source: sources.get(file.filePath)!,
  }))
  const vectors = await mapConcurrently(files, filesAtOnce, async ({ file, deletes: { vector } }) =>
    vector === undefined ? undefined : ([file.filePath, await readVector(table, vector.dataFile)] as const),
  )
  const scan = scanOf({
    table,
    fields,
    prefix,
    files: files.map((planned, at) => ({ ...ready[at]!, planned })),
    deleteFiles: new Map(ready.slice(files.length).map((one) => [one.file.filePath, one])),
    vectors: new Map(vectors.filter((one) => one !== undefined)),
    refuse: (file, feature) => refusal(table.name, snapshot, file, feature),
  })
  return { ...scan, paths, footers: footers.slice(0, files.length) }
}

/** Each delete file once; deletion vectors aside. */
const deleteFilesOf = (files: readonly PlannedFile[]): DataFile[] => [
  ...new Map(
    files
      .flatMap(({ deletes }) => [...deletes.positions, ...deletes.equalities])
      .map(({ dataFile }) => [dataFile.filePath, dataFile]),
  ).values(),
]

async function readVector({ io }: ReadTable, file: DataFile): Promise<Uint8Array> {
  const { filePath, contentOffset: start = 0, contentSizeInBytes: size = 0 } = file
  return buffer(await io.stream(canonicalLocation(filePath), { start, end: start + size }))
}

/** What a file has and cannot be read. */
export const refusal = (
  table: string,
  snapshot: Snapshot | undefined,
  file: DataFile | undefined,
  feature: string,
): JobError =>
  dataError(
    `table ${table}${snapshot === undefined ? '' : `, snapshot ${snapshot['snapshot-id']}`}${
      file === undefined ? '' : `, file ${file.filePath}`
    }: ${feature} cannot be read`,
    { field: table, fix: 'rewrite the table with Spark (rewrite_data_files), or read it with Spark' },
  )
