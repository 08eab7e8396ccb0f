import type { JobContext, ResultOutput } from '../context.ts'
import type { CommandSpec, OptionTable, OptionValues } from '../options/options.ts'
import type { Outcome, Summary } from '../summary.ts'

/** A command's file: what it is (`command`) and what it does (`run`). */
export interface CommandModule<Table extends OptionTable = OptionTable> {
  readonly command: CommandSpec<Table>
  /** A method, so that a module with a narrower table is a `CommandModule` too. */
  run(
    options: OptionValues<Table>,
    context: JobContext,
    output: ResultOutput,
    /** What the command line gave, by option name. */
    given: Readonly<Record<string, unknown>>,
  ): Promise<Outcome>
  /**
   * Where a run leaves its summary for others, a location; undefined: nowhere, as it has done nothing. A command without it leaves
   * none. `given`: the options, or what the command line gave where they were wrong.
   */
  runsPlace?(
    given: Readonly<Record<string, unknown>>,
    env: JobContext['env'],
    summary: Summary,
  ): Promise<string | undefined>
}

interface CommandEntry {
  readonly describe: string
  readonly load: () => Promise<CommandModule>
}

/** Every command, by name. Only the one that is called is loaded. */
export const commands: Readonly<Record<string, CommandEntry>> = {
  init: {
    describe: 'make what the jobs need: tables, namespace, buckets, folders',
    load: () => import('./init.ts'),
  },
  check: {
    describe: 'try every connection and place, and show the settings',
    load: () => import('./check.ts'),
  },
  seed: {
    describe: 'fill PostgreSQL with web logs to try things with',
    load: () => import('./seed.ts'),
  },
  discover: {
    describe: 'print a lakejobs.yaml for the tables of a source',
    load: () => import('./discover.ts'),
  },
  config: {
    describe: 'show which tables are exported and with which options',
    load: () => import('./config.ts'),
  },
  export: {
    describe: 'export PostgreSQL tables to Parquet and Apache Iceberg',
    load: () => import('./export.ts'),
  },
  verify: {
    describe: 'prove that the lake holds the rows that were exported',
    load: () => import('./verify.ts'),
  },
  inspect: {
    describe: 'show what is in the lake, and what to do about it',
    load: () => import('./inspect.ts'),
  },
  sql: {
    describe: 'ask the lake: one SELECT over its tables',
    load: () => import('./sql.ts'),
  },
  runs: {
    describe: 'show the runs that there were, and what came of them',
    load: () => import('./runs.ts'),
  },
  maintain: {
    describe: 'keep the lake small: expire snapshots and the files that only they need',
    load: () => import('./maintain.ts'),
  },
  report: {
    describe: 'make a page of how the lake and the weekly counts are',
    load: () => import('./report.ts'),
  },
  generate: {
    describe: 'write daily CRUD logs to try things with',
    load: () => import('./generate.ts'),
  },
  aggregate: {
    describe: 'count the CRUD actions of the last 7 days per user',
    load: () => import('./aggregate.ts'),
  },
}
