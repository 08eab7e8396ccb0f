import { availableParallelism, tmpdir } from 'node:os'
import type { JobContext } from '../context.ts'
import { usageError } from '../errors.ts'
import type { VerifiedTable } from '../verify/options.ts'
import type { GroupHasher } from '../verify/pages/group-threads.ts'
import { stallTimeout, type CommandSpec, type OptionValues } from '../options/options.ts'
import type { Outcome } from '../summary.ts'
import { allTablesFlag, lakeTableFlags } from './flags/lake-table-flags.ts'
import { mainNamespace } from '../settings/namespace.ts'

export { lakeRunsPlace as runsPlace } from './runs/place.ts'

const options = {
  table: {
    kind: 'list',
    env: 'LAKEJOBS_TABLE',
    describe:
      'tables of the lake, or of the source; source=namespace.table says both (default: those of lakejobs.yaml, without one all that exports made)',
  },
  ...lakeTableFlags,
  ...allTablesFlag,
  format: {
    kind: 'list',
    env: 'LAKEJOBS_FORMAT',
    default: 'parquet,iceberg',
    describe: 'parquet, iceberg or parquet,iceberg; plain Parquet where there is some',
  },
  date: { kind: 'day', describe: 'the day to verify (default: all days, and rows without one)' },
  from: { kind: 'day', describe: 'first day to verify' },
  to: { kind: 'day', describe: 'last day to verify' },
  against: {
    kind: 'choice',
    choices: ['source', 'written'],
    env: 'LAKEJOBS_AGAINST',
    default: 'source',
    describe: 'source reads the source again; written compares with what the exports wrote alone',
  },
  counts: { kind: 'flag', describe: 'numbers of rows only, by metadata and footers; reads no row' },
  deep: {
    kind: 'flag',
    describe: 'where an interval differs from the source: which rows do, at most 20, and in which columns',
  },
  key: {
    kind: 'list',
    describe: 'columns by which --deep tells rows apart (default: the primary key, else all columns)',
  },
  strict: {
    kind: 'flag',
    env: 'LAKEJOBS_STRICT',
    describe: 'exit 3 also for a source that changed since, and for what cannot be verified',
  },
  'row-security': {
    kind: 'flag',
    env: 'LAKEJOBS_ROW_SECURITY',
    describe: 'read what row-level security lets through instead of refusing',
  },
  'max-row-bytes': {
    kind: 'size',
    env: 'LAKEJOBS_MAX_ROW_BYTES',
    default: '256MB',
    describe: 'a larger row of the source is exit 3',
  },
  connections: {
    kind: 'count',
    minimum: 1,
    env: 'LAKEJOBS_CONNECTIONS',
    describe: 'connections that read the source at the same time (default: one per processor, at most 8)',
  },
  'lock-timeout': {
    kind: 'count',
    env: 'LAKEJOBS_LOCK_TIMEOUT',
    default: '60',
    describe: "seconds to wait for a table's lock",
  },
  'stall-timeout': stallTimeout,
  'memory-limit': {
    kind: 'size',
    env: 'LAKEJOBS_VERIFY_MEMORY',
    default: '256MB',
    describe: 'for the decoding of data files; above, it spills into --scratch',
  },
  scratch: {
    kind: 'text',
    env: 'LAKEJOBS_SCRATCH',
    describe: 'local folder where files of an object store wait, one at a time (default: the system’s)',
  },
  'max-download': {
    kind: 'size',
    env: 'LAKEJOBS_MAX_DOWNLOAD',
    default: '10GB',
    describe: 'a larger file of an object store is exit 3',
  },
} as const satisfies CommandSpec['options']

export const command = {
  name: 'verify',
  describe:
    'Prove that Iceberg tables and plain Parquet hold the rows that were exported, by the delivered files themselves.',
  positionals: ['table'],
  options,
  examples: [
    ['lakejobs verify', 'every table and row, against the fingerprints of the exports and the source'],
    ['lakejobs verify --all-tables', 'also those that lakejobs.yaml does not name'],
    ['lakejobs verify default.web_logs', 'one table'],
    ['lakejobs verify --date 2024-09-16 --against written', 'one day, without reading the source'],
    [
      'lakejobs verify --from 2024-09-01 --to 2024-09-16 --strict',
      'also a source that changed since is exit 3',
    ],
    ['lakejobs verify --date 2024-09-16 --deep', 'which rows of a day differ from the source'],
    ['lakejobs verify --counts', 'files, sizes and numbers of rows only'],
  ],
  epilogue:
    'Exit 3 when rows are wrong or missing, or a file is. A source that has changed since its export is no fault, but is said.',
} as const satisfies CommandSpec<typeof options>

type Values = OptionValues<typeof options>

export async function run(values: Values, context: JobContext): Promise<Outcome> {
  const readsSource = values.against === 'source' && !values.counts
  if (values.deep && !readsSource)
    throw usageError('--deep compares rows with those of the source', {
      field: '--deep',
      fix: 'leave out --counts, and give --against source',
    })
  if (readsSource || values.counts) return verify(values, context, readsSource, undefined)
  const { groupHasher } = await import('../verify/pages/group-threads.ts')
  // Its threads start while the rest is loaded and the catalog is asked.
  const hasher = groupHasher(context.signal)
  try {
    return await verify(values, context, readsSource, hasher)
  } finally {
    await hasher.close()
  }
}

async function verify(
  values: Values,
  context: JobContext,
  readsSource: boolean,
  hasher: GroupHasher | undefined,
): Promise<Outcome> {
  const { env, signal } = context
  const [
    settings,
    { hashKey },
    flags,
    { openFileIO },
    { openCatalogs },
    { verifyOutcome, verifyTables },
    { connectSource },
    { sourceAccess },
    { emptyConfig },
    { inParts, partsOf },
  ] = await Promise.all([
    import('../settings/settings.ts'),
    import('../settings/hash-key.ts'),
    import('./flags/export-flags.ts'),
    import('../storage/open.ts'),
    import('../settings/catalogs.ts'),
    import('../verify/verify.ts'),
    import('../postgres/snapshot.ts'),
    import('./flags/sources.ts'),
    import('../config/config.ts'),
    import('./flags/verified-tables.ts'),
  ])
  const formats = flags.exportFormats(values.format)
  const namespace = mainNamespace(env)
  const parquet = settings.placeSetting(env, 'PARQUET_LOCATION')
  const scope = flags.exportScope({ ...values, mode: 'auto', lookback: 0 })
  const stallTimeoutMs = values['stall-timeout']
  // Whatever is missing is not made: there would be nothing to verify.
  const catalogs = await openCatalogs(context, {
    // Which tables there are, the catalog says.
    iceberg: formats.has('iceberg') || values.table === undefined || values.group !== undefined,
    dryRun: true,
    versionHint: false,
    stallTimeoutMs,
  })
  try {
    const { catalog } = catalogs
    const parts = await partsOf(values, catalog, context)
    // What is wrong with the settings is said before anything is read.
    const accessOf = (source: string) =>
      sourceAccess(parts.config ?? emptyConfig, source, env, stallTimeoutMs)
    const accesses = new Map(
      parts.bySource.map(([source]) => [source, readsSource ? accessOf(source) : undefined]),
    )
    const options = {
      isAll: values.table === undefined && values.group === undefined,
      namespace,
      formats,
      days: scope.mode === 'day' ? { from: scope.from, to: scope.to } : undefined,
      against: readsSource ? ('source' as const) : ('written' as const),
      hashKey: readsSource ? (hashKey(env) ?? ('none' as const)) : undefined,
      counts: values.counts,
      deep: values.deep,
      key: values.key,
      strict: values.strict,
      rowSecurity: values['row-security'],
      connections: values.connections ?? Math.min(availableParallelism(), 8),
      lockTimeoutMs: values['lock-timeout'] * 1000,
      maxRowBytes: values['max-row-bytes'],
      memoryLimit: values['memory-limit'],
      scratch: values.scratch ?? tmpdir(),
      maxDownload: values['max-download'],
    }
    const parquetIO = await openFileIO(parquet, settings.s3Settings(env, stallTimeoutMs))
    const verifyOne = (source: string, tables: readonly VerifiedTable[] | undefined): Promise<Outcome> =>
      verifyTables(
        { ...options, source, tables },
        {
          catalog,
          parquetIO,
          parquetLocation: parquet,
          connectSource: (names) => {
            const { settings: server, prefix } = accesses.get(source) ?? accessOf(source)
            return connectSource(server, names, { prefix, signal })
          },
          hasher,
        },
        context,
      )
    const [[source, tables] = ['', undefined], ...others] = parts.bySource
    if (others.length === 0) return await verifyOne(source, tables)
    return await inParts(parts.bySource, verifyOne, (done) => verifyOutcome(options, done), context)
  } finally {
    await catalogs.close()
  }
}
