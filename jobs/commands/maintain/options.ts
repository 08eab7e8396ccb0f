import { allTablesFlag, lakeTableFlags } from '../flags/lake-table-flags.ts'
import { stallTimeout, type CommandSpec, type OptionValues } from '../../options/options.ts'

export const options = {
  operation: {
    kind: 'choice',
    choices: [
      'list',
      'all',
      'compact',
      'expire',
      'orphans',
      'tag',
      'rollback',
      'retain',
      'adopt',
      'register',
      'forget',
      'drop',
    ],
    describe: 'what to do',
  },
  table: {
    kind: 'list',
    describe:
      'tables of the lake, such as default.web_logs (default: those of lakejobs.yaml, without one all that lakejobs made)',
  },
  ...lakeTableFlags,
  ...allTablesFlag,
  'min-files': {
    kind: 'count',
    minimum: 2,
    env: 'LAKEJOBS_MIN_FILES',
    default: '5',
    describe: 'compact: a partition with fewer small files is left as it is',
  },
  'max-rewrite': {
    kind: 'size',
    env: 'LAKEJOBS_MAX_REWRITE',
    default: '100GB',
    describe: 'compact: bytes of data files that a run rewrites at most, the oldest first',
  },
  scratch: {
    kind: 'text',
    env: 'LAKEJOBS_SCRATCH',
    describe: 'compact: local folder where files of an object store wait (default: the system’s)',
  },
  'max-download': {
    kind: 'size',
    env: 'LAKEJOBS_MAX_DOWNLOAD',
    default: '10GB',
    describe: 'compact: a larger file of an object store is exit 3',
  },
  'older-than': {
    kind: 'age',
    env: 'LAKEJOBS_OLDER_THAN',
    describe:
      'expire: snapshots up to this age stay, such as 36h or 30d (default: what the table says, else 7d)',
  },
  keep: {
    kind: 'count',
    minimum: 1,
    env: 'LAKEJOBS_KEEP',
    describe:
      'expire: so many snapshots of each branch stay, however old (default: what the table says, else 3)',
  },
  'keep-before-shrink': {
    kind: 'age',
    env: 'LAKEJOBS_KEEP_BEFORE_SHRINK',
    describe:
      'expire: how long the last snapshot before a loss of more than half of the rows stays; 0: no longer than others (default: 30d)',
  },
  delete: { kind: 'flag', describe: 'orphans: remove them; otherwise they are only reported' },
  'orphan-age': {
    kind: 'age',
    env: 'LAKEJOBS_ORPHAN_AGE',
    describe: 'orphans: files that are younger stay, by the store’s clock (default: 3d)',
  },
  'allow-young-orphans': {
    kind: 'flag',
    describe: 'orphans: --orphan-age may be less than 24h; no run may be writing',
  },
  'max-orphans': {
    kind: 'share',
    env: 'LAKEJOBS_MAX_ORPHANS',
    describe: 'orphans: the share of the folders’ bytes that may go at most (default: 20%)',
  },
  name: { kind: 'text', describe: 'tag: the tag' },
  snapshot: { kind: 'text', describe: 'tag, rollback: the snapshot (default of tag: the newest of main)' },
  drop: { kind: 'flag', describe: 'tag: remove it' },
  to: { kind: 'instant', describe: 'rollback: to what main was at that time, such as 2024-09-16T07:00Z' },
  'allow-non-ancestor': {
    kind: 'flag',
    describe: 'rollback: also to a snapshot that main does not come from',
  },
  days: { kind: 'count', minimum: 1, describe: 'retain: so many whole days before today stay (UTC)' },
  metadata: { kind: 'place', describe: 'register: the table’s metadata file (*.metadata.json)' },
  scan: {
    kind: 'place',
    describe: 'register: a folder, such as the table’s; its newest metadata file is taken',
  },
  purge: { kind: 'flag', describe: 'drop: the files go, too, but for those that other entries need' },
  yes: { kind: 'flag', describe: 'drop: it is meant' },
  'dry-run': { kind: 'flag', describe: 'tell what would go, by the same plan; change nothing' },
  'stall-timeout': stallTimeout,
} as const satisfies CommandSpec['options']

export type Values = OptionValues<typeof options>
export type Kind = NonNullable<Values['operation']>

/** Flags that mean something to some operations only. */
export const flagsOf: Readonly<Record<Kind, readonly (keyof Values)[]>> = {
  list: [],
  all: [
    ...(['min-files', 'max-rewrite', 'scratch', 'max-download'] as const),
    ...(['older-than', 'keep', 'keep-before-shrink'] as const),
    ...(['delete', 'orphan-age', 'allow-young-orphans', 'max-orphans'] as const),
  ],
  compact: ['min-files', 'max-rewrite', 'scratch', 'max-download'],
  expire: ['older-than', 'keep', 'keep-before-shrink'],
  orphans: ['delete', 'orphan-age', 'allow-young-orphans', 'max-orphans'],
  tag: ['name', 'snapshot', 'drop'],
  rollback: ['snapshot', 'to', 'allow-non-ancestor'],
  adopt: [],
  retain: ['days'],
  register: ['metadata', 'scan'],
  forget: [],
  drop: ['purge', 'yes'],
}
/** These demand one table by its whole name. */
export const onOne: readonly Kind[] = ['tag', 'rollback', 'retain', 'adopt', 'register', 'forget', 'drop']

export const command = {
  name: 'maintain',
  describe: 'Keep the lake small: remove what no snapshot needs any more.',
  positionals: ['operation'],
  options,
  examples: [
    ['lakejobs maintain list', 'the tables that runs without --table maintain'],
    ['lakejobs maintain all', 'compact, expire and orphans, one after the other; orphans are only reported'],
    ['lakejobs maintain compact --dry-run', 'how many small files would become how many, table by table'],
    ['lakejobs maintain compact --table default.web_logs', 'small files become large ones; no row changes'],
    ['lakejobs maintain expire --dry-run', 'what expiring old snapshots would free, table by table'],
    ['lakejobs maintain expire', 'snapshots older than 7 days go, 3 of each branch stay, and every tag'],
    [
      'lakejobs maintain expire --table default.web_logs --older-than 36h --keep 1',
      'one table, less history',
    ],
    [
      'lakejobs maintain rollback --table default.web_logs --to 2024-09-16T07:00Z --dry-run',
      'what main was then',
    ],
    ['lakejobs maintain tag --table default.web_logs --name audit-2024', 'its snapshot stays until --drop'],
    [
      'lakejobs maintain register --table default.web_logs --scan s3://bucket/warehouse/default/web_logs',
      'an entry for a table whose files are there',
    ],
    [
      'lakejobs maintain drop --table default.web_logs --dry-run --purge',
      'what a drop with --yes would remove',
    ],
    [
      'lakejobs maintain retain --table default.web_logs --days 365',
      'older day partitions go, in one commit',
    ],
    ['lakejobs maintain forget --table default.web_logs', 'the entry goes, the files stay'],
    ['lakejobs maintain orphans', 'files that nothing refers to; --delete removes them'],
  ],
  epilogue:
    'Files go only after the catalog has confirmed the commit, and only those that no snapshot needs which the table still lists. See docs/operations.md, "Keeping it small".',
} as const satisfies CommandSpec<typeof options>
