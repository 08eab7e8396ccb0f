import { randomUUID } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { setTimeout } from 'node:timers/promises'
import { addDays } from '../calendar.ts'
import type { JobContext } from '../context.ts'
import { usageError } from '../errors.ts'
import type { ExportFormat, ExportScope } from '../export/options.ts'
import type { Catalog } from '../iceberg/catalog/catalog.ts'
import type { CommandSpec, OptionValues } from '../options.ts'
import type { FileIO } from '../storage/file-io.ts'
import { openFileIO } from '../storage/open.ts'
import type { Outcome } from '../summary.ts'

const options = {
  table: {
    kind: 'list',
    env: 'LAKEJOBS_TABLE',
    default: 'public.web_logs',
    describe: 'tables or views; source=namespace.table names the target',
  },
  columns: {
    kind: 'list',
    env: 'LAKEJOBS_COLUMNS',
    describe: 'columns to export, in this order (default: all)',
  },
  mode: {
    kind: 'choice',
    choices: ['auto', 'full', 'day'],
    env: 'LAKEJOBS_MODE',
    default: 'auto',
    describe: 'full replaces the table, day the days given; auto is day with a date',
  },
  date: { kind: 'day', describe: 'the day to replace' },
  from: { kind: 'day', describe: 'backfill: first day to replace' },
  to: { kind: 'day', describe: 'backfill: last day to replace' },
  lookback: {
    kind: 'count',
    env: 'LAKEJOBS_LOOKBACK',
    default: '0',
    describe: 'also replace that many days before --date: corrections arrive late',
  },
  'day-column': {
    kind: 'text',
    env: 'LAKEJOBS_DAY_COLUMN',
    describe: "the column of the days (default: the table's day(), else its only date or timestamp)",
  },
  format: {
    kind: 'list',
    env: 'LAKEJOBS_FORMAT',
    default: 'parquet,iceberg',
    describe: 'parquet, iceberg or both',
  },
  'partition-by': {
    kind: 'list',
    env: 'EXPORT_PARTITION_BY',
    describe: "transforms such as 'day(timestamp)' or 'bucket(16, user_id)' (default: none)",
  },
  required: { kind: 'flag', env: 'LAKEJOBS_REQUIRED', describe: 'keep NOT NULL in tables that are made' },
  cast: {
    kind: 'list',
    env: 'LAKEJOBS_CAST',
    describe: 'column=type, for types without an exact counterpart',
  },
  decimal: { kind: 'list', env: 'LAKEJOBS_DECIMAL', describe: 'column=p,s for numeric without precision' },
  'max-shrink': {
    kind: 'limit',
    env: 'LAKEJOBS_MAX_SHRINK',
    default: '50%',
    describe: 'share of the replaced rows that may go; above: exit 3',
  },
  'row-security': {
    kind: 'flag',
    env: 'LAKEJOBS_ROW_SECURITY',
    describe: 'read what row-level security lets through instead of refusing',
  },
  codec: {
    kind: 'choice',
    choices: ['snappy', 'zstd', 'gzip', 'none'],
    env: 'LAKEJOBS_CODEC',
    default: 'snappy',
    describe: 'compression of the files',
  },
  'target-file-size': {
    kind: 'size',
    env: 'LAKEJOBS_TARGET_FILE_SIZE',
    default: '512MB',
    describe: 'data files are finished at this size',
  },
  'row-group-size': {
    kind: 'size',
    env: 'LAKEJOBS_ROW_GROUP_SIZE',
    default: '24MB',
    describe: 'row groups are finished at this size, before encoding …',
  },
  'row-group-rows': {
    kind: 'count',
    minimum: 1,
    env: 'LAKEJOBS_ROW_GROUP_ROWS',
    default: '1000000',
    describe: '… or at this number of rows',
  },
  'max-row-bytes': {
    kind: 'size',
    env: 'LAKEJOBS_MAX_ROW_BYTES',
    default: '256MB',
    describe: 'a larger row is exit 3',
  },
  connections: {
    kind: 'count',
    minimum: 1,
    env: 'LAKEJOBS_CONNECTIONS',
    describe: 'connections that read at the same time (default: one per processor, at most 8)',
  },
  'lock-timeout': {
    kind: 'count',
    env: 'LAKEJOBS_LOCK_TIMEOUT',
    default: '60',
    describe: "seconds to wait for a table's lock",
  },
  'dry-run': { kind: 'flag', describe: 'show the plan; read and write nothing' },
} as const satisfies CommandSpec['options']

export const command = {
  name: 'export',
  describe: 'Export PostgreSQL tables to Parquet and an Apache Iceberg table, all of one instant.',
  positionals: [],
  options,
  examples: [
    ['lakejobs export', 'public.web_logs as a whole, Parquet and Iceberg'],
    ['lakejobs export --date 2024-09-16', 'replace one day'],
    ['lakejobs export --from 2024-09-01 --to 2024-09-16', 'backfill'],
    ['lakejobs export --table public.users,shop.orders --format iceberg', 'two tables under one snapshot'],
    ["lakejobs export --mode full --partition-by 'day(timestamp)'", 'the whole table, partitioned by day'],
    ['lakejobs export --dry-run', 'columns, types, rows and what would be replaced'],
  ],
  epilogue: 'All days are UTC days. A run may be repeated at any time: it replaces what it wrote.',
} as const satisfies CommandSpec<typeof options>

type Values = OptionValues<typeof options>

export async function run(values: Values, context: JobContext): Promise<Outcome> {
  const [{ exportTables }, { tablePairs }, { parsePartitionExpression }, settings] = await Promise.all([
    import('../export/export.ts'),
    import('../export/names.ts'),
    import('../iceberg/transforms.ts'),
    import('./settings.ts'),
  ])
  const { env } = context
  const s3 = settings.s3Settings(env)
  const formats = exportFormats(values.format)
  const scope = exportScope(values)
  const parquet = settings.place(env['PARQUET_LOCATION'] ?? './data/lake/parquet', 'PARQUET_LOCATION')
  const shrink = values['max-shrink']
  const { catalog, scratch, close } = await openCatalogs(context, formats, settings, s3)
  try {
    return await exportTables(
      {
        tables: tablePairs(values.table, env['ICEBERG_NAMESPACE'] ?? 'default'),
        ...(values.columns === undefined ? {} : { columns: values.columns }),
        casts: pairs('--cast', values.cast),
        decimals: decimals(values.decimal),
        formats,
        scope,
        dayColumn: values['day-column'],
        partitionBy: values['partition-by']?.map(parsePartitionExpression),
        required: values.required,
        rowSecurity: values['row-security'],
        maxShrink: 'share' in shrink ? shrink.share : shrink.count / 100,
        codec: values.codec,
        targetFileBytes: values['target-file-size'],
        groupRows: values['row-group-rows'],
        groupBytes: values['row-group-size'],
        maxRowBytes: values['max-row-bytes'],
        connections: values.connections ?? Math.min(availableParallelism(), 8),
        lockTimeoutMs: values['lock-timeout'] * 1000,
        parquetLocation: parquet,
        dryRun: values['dry-run'],
      },
      {
        source: settings.postgresSettings(env, 'POSTGRES'),
        catalog,
        scratch,
        parquetIO: await settings.openStore(parquet, s3),
      },
      context,
    )
  } finally {
    await close()
  }
}

type Settings = typeof import('./settings.ts')
type S3 = ReturnType<Settings['s3Settings']>

interface Catalogs {
  readonly catalog: Catalog
  /** In memory: gives tables that are not made (plain Parquet, dry runs) their ids and places. */
  readonly scratch: Catalog
  readonly close: () => Promise<void>
}

async function openCatalogs(
  { env, now, signal }: JobContext,
  formats: ReadonlySet<ExportFormat>,
  settings: Settings,
  s3: S3,
): Promise<Catalogs> {
  const [{ sqlCatalog }, { memoryCatalog }, { memoryFileIO }, { openDatabase }] = await Promise.all([
    import('../iceberg/catalog/sql.ts'),
    import('../iceberg/catalog/memory.ts'),
    import('../storage/memory.ts'),
    import('../postgres/database.ts'),
  ])
  const warehouse = settings.place(env['WAREHOUSE'] ?? './data/lake/iceberg', 'WAREHOUSE')
  const name = env['ICEBERG_CATALOG_NAME'] ?? 'local'
  const effects = { now, uuid: randomUUID, sleep: (ms: number) => setTimeout(ms, undefined, { signal }) }
  const memory = memoryFileIO(now)
  const scratch = memoryCatalog(name, warehouse, { ...effects, openIO: () => Promise.resolve(memory) })
  if (!formats.has('iceberg')) return { catalog: scratch, scratch, close: () => Promise.resolve() }

  await settings.openStore(warehouse, s3)
  const database = await openDatabase(settings.postgresSettings(env, 'ICEBERG_POSTGRES'), 'ICEBERG_POSTGRES')
  const openIO = (location: string): Promise<FileIO> => openFileIO(location, s3)
  const catalog = sqlCatalog(name, database, warehouse, { ...effects, openIO })
  return { catalog, scratch, close: () => database.close() }
}

function exportFormats(texts: readonly string[]): ReadonlySet<ExportFormat> {
  const formats = texts.map((text) => {
    if (text === 'parquet' || text === 'iceberg') return text
    throw usageError(`--format: "${text}" is not valid`, {
      field: '--format',
      fix: 'give parquet, iceberg or both',
    })
  })
  return new Set(formats)
}

/** `auto` is by day when a date is given (operations-spec §1.4). */
function exportScope({ mode, date, from, to, lookback }: Values): ExportScope {
  if (date !== undefined && (from !== undefined || to !== undefined)) {
    throw usageError('--date is given together with --from or --to', {
      field: '--date',
      fix: 'give --date for one day, or --from and --to for several',
    })
  }
  const last = date ?? to
  const first = from ?? (date === undefined ? undefined : addDays(date, -lookback))
  if (last === undefined && first === undefined) {
    if (mode !== 'day') return { mode: 'full' }
    throw usageError('--mode day without a day', { field: '--date', fix: 'give --date, or --from and --to' })
  }
  if (mode === 'full') {
    throw usageError('--mode full together with a date', {
      field: '--mode',
      fix: 'leave the date out to replace the whole table, or leave --mode out to replace the days',
    })
  }
  if (last === undefined || first === undefined) {
    const missing = last === undefined ? '--to' : '--from'
    throw usageError(`${missing} is missing`, { field: missing, fix: 'give --from and --to together' })
  }
  if (last < first) {
    throw usageError(`--to ${last} is before --from ${first}`, {
      field: '--to',
      fix: 'give --from the earlier day',
    })
  }
  return { mode: 'day', from: first, to: last }
}

/** `name=value` items. */
function pairs(flag: string, items: readonly string[] | undefined): Record<string, string> {
  return Object.fromEntries(
    (items ?? []).map((item) => {
      const at = item.lastIndexOf('=')
      if (at > 0 && at < item.length - 1) return [item.slice(0, at), item.slice(at + 1)]
      throw usageError(`${flag}: "${item}" is not valid`, { field: flag, fix: `write ${flag} column=type` })
    }),
  )
}

/** `column=p,s` items; the comma between p and s has split them. */
function decimals(
  items: readonly string[] | undefined,
): Record<string, { readonly precision: number; readonly scale: number }> {
  const texts = (items ?? []).join(',').match(/[^,]+=\d+,\d+/g) ?? []
  if (texts.join(',') !== (items ?? []).join(',')) {
    throw usageError(`--decimal: "${(items ?? []).join(',')}" is not valid`, {
      field: '--decimal',
      fix: 'write --decimal column=38,9 (precision, scale)',
    })
  }
  return Object.fromEntries(
    texts.map((text) => {
      const [, name, precision, scale] = /^(.+)=(\d+),(\d+)$/.exec(text) ?? []
      return [name, { precision: Number(precision), scale: Number(scale) }]
    }),
  )
}
