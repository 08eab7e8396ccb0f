import { availableParallelism, tmpdir } from 'node:os'
import type { JobContext } from '../context.ts'
import type { CommandSpec, OptionValues } from '../options.ts'
import type { Outcome } from '../summary.ts'
import type { Catalogs } from './catalogs.ts'

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
    describe: 'with --date, that many days before it too; days that did not change are left out',
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
    describe:
      "transforms such as 'day(timestamp)' or 'bucket(16, user_id)' (default: none; EXPORT_PARTITION_BY is for tables that full exports make, if they have the columns)",
  },
  rename: {
    kind: 'list',
    describe: 'old=new: the column keeps its id in the lake under its new name; say it once',
  },
  upgrade: { kind: 'flag', describe: 'make a table of format version 1 version 2, for good' },
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
    describe: "compression of the files (default: the table's write.parquet.compression-codec, else snappy)",
  },
  'target-file-size': {
    kind: 'size',
    env: 'LAKEJOBS_TARGET_FILE_SIZE',
    describe:
      "data files are finished at this size (default: the table's write.target-file-size-bytes, else 512MB)",
  },
  'row-group-size': {
    kind: 'size',
    env: 'LAKEJOBS_ROW_GROUP_SIZE',
    describe:
      'row groups are finished at this size, before encoding (default: 16MB, or less if the table says so) …',
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
  scratch: {
    kind: 'text',
    env: 'LAKEJOBS_SCRATCH',
    describe: 'local folder where plain Parquet of many days waits (default: the system’s)',
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

export async function run(values: OptionValues<typeof options>, context: JobContext): Promise<Outcome> {
  const { env, signal } = context
  const [settings, flags, { tablePairs }, { parsePartitionExpression }, { openFileIO }] = await Promise.all([
    import('./settings.ts'),
    import('./export-flags.ts'),
    import('../export/names.ts'),
    import('../iceberg/transforms.ts'),
    import('../storage/open.ts'),
  ])
  const s3 = settings.s3Settings(env)
  const formats = flags.exportFormats(values.format)
  const scope = flags.exportScope(values)
  const parquet = settings.placeSetting(env, 'PARQUET_LOCATION')
  const shrink = values['max-shrink']
  const isPartitionFlag = context.originOf('EXPORT_PARTITION_BY') === 'flag'
  const setting = isPartitionFlag ? '--partition-by' : 'EXPORT_PARTITION_BY'
  const partitionBy = values['partition-by']?.map((text) => parsePartitionExpression(text, setting))
  const tables = tablePairs(values.table, env['ICEBERG_NAMESPACE'] ?? 'default')
  const connections = values.connections ?? Math.min(availableParallelism(), 8)
  const source = settings.postgresSettings(env, 'POSTGRES')

  // The rest is loaded while the server answers.
  const [{ connectSource }, { readerThreads }, { startEarly }] = await Promise.all([
    import('../postgres/snapshot.ts'),
    import('../export/read/thread.ts'),
    import('./early-start.ts'),
  ])
  const names = tables.map((pair) => pair.source)
  const threads = readerThreads(signal)
  const early = startEarly(
    () => connectSource(source, names, { prefix: 'POSTGRES', signal }),
    threads,
    values['dry-run'] ? 0 : connections,
  )
  let catalogs: Catalogs | undefined
  try {
    const { openCatalogs } = await import('./catalogs.ts')
    const opening = openCatalogs(context, formats, values['dry-run'])
    const loading = import('../export/export.ts')
    catalogs = await opening
    const { exportTables } = await loading
    return await exportTables(
      {
        tables,
        ...(values.columns === undefined ? {} : { columns: values.columns }),
        casts: flags.pairs('--cast', values.cast),
        decimals: flags.decimals(values.decimal),
        formats,
        scope,
        onlyChanged: values.date !== undefined && values.lookback > 0,
        dayColumn: values['day-column'],
        partitionBy: isPartitionFlag ? partitionBy : undefined,
        newTablesBy: isPartitionFlag ? [] : (partitionBy ?? []),
        renames: flags.pairs('--rename', values.rename),
        upgrade: values.upgrade,
        required: values.required,
        rowSecurity: values['row-security'],
        maxShrink: 'share' in shrink ? shrink.share : shrink.count / 100,
        codec: values.codec,
        targetFileBytes: values['target-file-size'],
        groupRows: values['row-group-rows'],
        groupBytes: values['row-group-size'],
        maxRowBytes: values['max-row-bytes'],
        connections,
        lockTimeoutMs: values['lock-timeout'] * 1000,
        parquetLocation: parquet,
        scratch: values.scratch ?? tmpdir(),
        dryRun: values['dry-run'],
      },
      {
        connectSource: early.connectSource,
        catalog: catalogs.catalog,
        scratch: catalogs.scratch,
        parquetIO: formats.has('parquet')
          ? await settings.openStore(parquet, s3, values['dry-run'])
          : await openFileIO(parquet, s3),
        threads,
      },
      context,
    )
  } finally {
    await Promise.all([early.close(), catalogs?.close()])
  }
}
