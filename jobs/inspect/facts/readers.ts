import { fileContent } from '../../iceberg/manifest/data-file.ts'
import { isVector } from '../../iceberg/manifest/delete-index.ts'
import { currentSchema } from '../../iceberg/metadata/metadata.ts'
import { asColumnType } from '../../iceberg/schema/types.ts'
import type { Looked } from '../look.ts'
import type { ReaderReport } from '../report-schema.ts'
import { columnReports } from './schema-history.ts'

/**
 * The readers and writers that are known to refuse a table as this one, or to read it wrongly, by what the table has
 * (docs/reading.md and docs/iceberg.md, where tests show most of it; version 3 as of November 2026).
 */
export function readerReports(looked: Looked): ReaderReport[] {
  return rules.flatMap((rule) => rule(looked))
}

type Rule = (looked: Looked) => readonly ReaderReport[]

const newTypes = ['timestamp_ns', 'timestamptz_ns', 'variant', 'geometry', 'geography', 'unknown']

const byType: Rule = ({ table: { metadata } }) => {
  const schema = currentSchema(metadata)
  const columns = columnReports(schema)
  const times = columns.filter(({ type }) => type === 'time').map(({ name }) => name)
  const unknown = columns.filter(({ type }) => newTypes.some((name) => type.startsWith(name)))
  const nested = schema.fields.filter(
    ({ type }) => typeof type !== 'string' && asColumnType(type) === undefined,
  )
  return [
    ...some(times, (names) => ({
      reader: 'Spark',
      cannot: 'load the table',
      because: `${columnsText(names)} the type time`,
      fix: `export the column as text to a new table: --cast ${names[0]}=text`,
    })),
    ...some(
      unknown.map(({ name, type }) => `${name} ${type}`),
      (names) => ({
        reader: 'lakejobs verify and sql',
        cannot: 'read it',
        because: `types of version 3: ${names.join(', ')}`,
      }),
    ),
    ...some(
      unknown.filter(({ type }) => type.startsWith('variant')).map(({ name }) => name),
      (names) => ({
        reader: 'PyIceberg',
        cannot: 'load the table',
        because: `${columnsText(names)} the type variant`,
      }),
    ),
    ...some(
      nested.map(({ name }) => name),
      (names) => ({
        reader: 'lakejobs verify',
        cannot: 'compare it',
        because: `${columnsText(names)} nested values`,
      }),
    ),
  ]
}

const byName: Rule = ({ table: { metadata } }) => {
  const known = new Map<string, string>()
  const alike: string[] = []
  for (const { name } of currentSchema(metadata).fields) {
    const other = known.get(name.toLowerCase())
    if (other === undefined) known.set(name.toLowerCase(), name)
    else alike.push(`${other} and ${name}`)
  }
  return [
    ...some(alike, (pairs) => ({
      reader: 'DuckDB and Spark',
      cannot: 'tell columns apart',
      because: `${pairs.join(', ')} differ by case alone`,
    })),
    ...(/[#?]/.test(metadata.location)
      ? [{ reader: 'PyIceberg', cannot: 'open its files', because: 'the location holds # or ?' }]
      : []),
  ]
}

const byVersion: Rule = ({ table: { metadata, metadataLocation = '' } }) => {
  const version = metadata['format-version']
  const wasVersion1 = version > 1 && metadata.snapshots.some((one) => one['sequence-number'] === 0)
  return [
    ...(version === 1
      ? [
          {
            reader: 'lakejobs export',
            cannot: 'write to it',
            because: 'format version 1',
            fix: 'once with --upgrade: version 2, for good',
          },
        ]
      : []),
    ...(version === 3
      ? [
          { reader: 'lakejobs export and PyIceberg', cannot: 'write to it', because: 'format version 3' },
          { reader: 'StarRocks, Athena, Presto', cannot: 'read it', because: 'format version 3' },
        ]
      : []),
    ...(wasVersion1
      ? [{ reader: 'DuckDB', cannot: 'read older snapshots', because: 'they were written as version 1' }]
      : []),
    ...(metadataLocation.endsWith('.gz.metadata.json')
      ? [
          {
            reader: 'DuckDB',
            cannot: 'open its metadata',
            because: 'they are gzipped',
            fix: "give it metadata_compression_codec = 'gzip'",
          },
        ]
      : []),
  ]
}

const byFiles: Rule = ({ plan: { files, deleteFiles, snapshot } }) => {
  const deletes = deleteFiles.map(({ dataFile }) => dataFile)
  const all = [...files.map(({ file }) => file), ...deletes]
  const formats = new Set(files.map(({ file }) => file.fileFormat).filter((format) => format !== 'PARQUET'))
  const isEncrypted = all.some(({ keyMetadata }) => keyMetadata !== undefined)
  return [
    ...(deletes.some(({ content }) => content === fileContent.equalityDeletes)
      ? [
          {
            reader: 'PyIceberg',
            cannot: 'read it',
            because: 'equality deletes',
            fix: 'let Spark rewrite the files that have them (rewrite_data_files)',
          },
        ]
      : []),
    ...(deletes.some(isVector)
      ? [
          {
            reader: 'StarRocks, Athena, Presto, ClickHouse before September 2026',
            cannot: 'read it',
            because: 'deletion vectors',
          },
        ]
      : []),
    ...some([...formats], (names) => ({
      reader: 'DuckDB, lakejobs verify and sql',
      cannot: 'read it',
      because: `data files of the format ${names.join(', ')}`,
      fix: 'let Spark rewrite them as Parquet (rewrite_data_files)',
    })),
    ...(isEncrypted || (snapshot !== undefined && 'key-id' in snapshot)
      ? [{ reader: 'all but Spark', cannot: 'read it', because: 'encryption' }]
      : []),
  ]
}

/** Both refuse to let the metadata's time fall by more than that. */
const toleratedMs = 60_000

const byWriting: Rule = ({ table: { metadata }, nowMs }) => {
  const byDay = metadata['partition-specs'].some((spec) =>
    spec.fields.some(({ transform }) => /^(year|month|day|hour)$/.test(transform)),
  )
  const ahead = metadata['last-updated-ms'] - nowMs
  return [
    ...(byDay
      ? [
          {
            reader: 'PyIceberg without pyiceberg-core',
            cannot: 'append',
            because: 'partitioned by a time',
            fix: "pip install 'pyiceberg[pyiceberg-core]'",
          },
        ]
      : []),
    ...(ahead > toleratedMs
      ? [
          {
            reader: 'PyIceberg and Spark',
            cannot: 'commit',
            because: `the last writer's clock is ahead, at ${new Date(metadata['last-updated-ms']).toISOString()}`,
            fix: 'wait until then, and set that clock right',
          },
        ]
      : []),
  ]
}

const rules: readonly Rule[] = [byVersion, byType, byName, byFiles, byWriting]

const some = (
  names: readonly string[],
  report: (names: readonly string[]) => ReaderReport,
): ReaderReport[] => (names.length === 0 ? [] : [report(names)])

const columnsText = (names: readonly string[]): string =>
  names.length === 1 ? `column ${names[0]} has` : `columns ${names.join(', ')} have`
