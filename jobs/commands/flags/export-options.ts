import {
  configOption,
  stallTimeout,
  type CommandSpec,
  type OptionTable,
  type OptionValues,
} from '../../options/options.ts'

/** The export's options: its flags, and what `lakejobs.yaml` may say of tables. */
export const exportTable = {
  table: {
    kind: 'list',
    env: 'LAKEJOBS_TABLE',
    default: 'public.web_logs',
    describe:
      "tables or views, or patterns such as 'shop.*'; source=namespace.table names the target (default: what lakejobs.yaml says, else public.web_logs)",
  },
  exclude: { kind: 'list', describe: 'tables or patterns that are left out' },
  config: configOption,
  group: { kind: 'text', describe: 'of lakejobs.yaml this group alone' },
  'one-instant': {
    kind: 'flag',
    default: 'true',
    describe:
      "read all tables of a source at one instant; --no-one-instant: each at its own, and a table's lock goes when it is read",
  },
  columns: {
    kind: 'list',
    env: 'LAKEJOBS_COLUMNS',
    describe: 'columns to export, in this order (default: all)',
  },
  'exclude-columns': {
    kind: 'list',
    adds: true,
    env: 'LAKEJOBS_EXCLUDE_COLUMNS',
    describe: "columns or patterns such as '*password*' that are never read, whoever says so; in any case",
  },
  hash: {
    kind: 'list',
    adds: true,
    env: 'LAKEJOBS_HASH',
    describe:
      "columns or patterns such as '*email*' whose values become HMAC-SHA-256 of their text by LAKEJOBS_HASH_KEY, whoever says so",
  },
  'drop-columns': {
    kind: 'list',
    describe: 'columns that --columns may leave out of a table or file that has them: their values go',
  },
  'new-columns': {
    kind: 'choice',
    choices: ['add', 'warn', 'fail'],
    env: 'LAKEJOBS_NEW_COLUMNS',
    default: 'add',
    describe:
      "columns of the source that the lake's table has not: they are added, left out with a warning, or exit 3; what --columns names is wanted",
  },
  'new-tables': {
    kind: 'choice',
    choices: ['export', 'warn', 'fail'],
    env: 'LAKEJOBS_NEW_TABLES',
    default: 'export',
    describe:
      'tables that a pattern matches and the lake has not: they are exported, left out with a warning, or exit 3',
  },
  where: {
    kind: 'text',
    describe:
      "SQL of the source that says which rows are exported, such as 'deleted_at is null' (default: all)",
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
  'skip-unchanged': {
    kind: 'flag',
    env: 'LAKEJOBS_SKIP_UNCHANGED',
    describe: 'what is in the lake as it was read, the table or a day, is left as it is (status unchanged)',
  },
  force: { kind: 'flag', describe: 'write all, whatever --skip-unchanged and --lookback would leave out' },
  'day-column': {
    kind: 'text',
    env: 'LAKEJOBS_DAY_COLUMN',
    describe: "the column of the days (default: the table's day(), else its only date or timestamp)",
  },
  format: {
    kind: 'list',
    env: 'LAKEJOBS_FORMAT',
    default: 'parquet,iceberg',
    describe: 'parquet, iceberg or parquet,iceberg',
  },
  'partition-by': {
    kind: 'list',
    env: 'EXPORT_PARTITION_BY',
    describe:
      "transforms such as 'day(timestamp)' or 'bucket(16, user_id)' (default: none; EXPORT_PARTITION_BY is for tables that full exports make, if they have the columns)",
  },
  rename: {
    kind: 'list',
    pairs: true,
    describe: 'old=new: the column keeps its id in the lake under its new name; say it once',
  },
  upgrade: { kind: 'flag', describe: 'make a table of format version 1 version 2, for good' },
  required: { kind: 'flag', env: 'LAKEJOBS_REQUIRED', describe: 'keep NOT NULL in tables that are made' },
  cast: {
    kind: 'list',
    pairs: true,
    env: 'LAKEJOBS_CAST',
    describe:
      'column=type, for types without an exact counterpart; with several tables also table.column=type, as in the flags below',
  },
  'lossy-cast': {
    kind: 'list',
    pairs: true,
    env: 'LAKEJOBS_LOSSY_CAST',
    describe: 'the same, but values that it changes are taken and counted instead of refused (exit 3)',
  },
  decimal: {
    kind: 'list',
    pairs: true,
    env: 'LAKEJOBS_DECIMAL',
    describe: 'column=p,s for numeric without precision',
  },
  'out-of-range': {
    kind: 'choice',
    choices: ['error', 'null', 'clamp'],
    env: 'LAKEJOBS_OUT_OF_RANGE',
    default: 'error',
    describe:
      'infinity, NaN of numeric and dates outside the years 1 to 9999 are exit 3, become NULL or the nearest value (NaN NULL), and are counted',
  },
  'replace-table': {
    kind: 'flag',
    describe:
      "with --mode full: columns whose type cannot follow the source's are dropped and made anew; old snapshots keep theirs",
  },
  'max-shrink': {
    kind: 'share',
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
  'stall-timeout': stallTimeout,
  scratch: {
    kind: 'text',
    env: 'LAKEJOBS_SCRATCH',
    describe: 'local folder where rows of many days or partitions wait (default: the system’s)',
  },
  'version-hint': {
    kind: 'flag',
    env: 'LAKEJOBS_VERSION_HINT',
    default: 'true',
    describe:
      'leave version-hint.text beside the metadata, for readers that know a table by its folder (DuckDB)',
  },
  'dry-run': { kind: 'flag', describe: 'show the plan; read and write nothing' },
} as const satisfies CommandSpec['options']

export type ExportValues = OptionValues<typeof exportTable>

/** Which tables, and which file: no file says that. */
const notInFile = ['table', 'exclude', 'config', 'group']

/** The options that a file gives to all, to groups and to tables. */
export const fileOptions: OptionTable = Object.fromEntries(
  Object.entries(exportTable).filter(([name]) => !notInFile.includes(name)),
)
