import type { JobContext } from '../context.ts'
import type { CommandSpec, OptionTable, OptionValues } from '../options.ts'
import type { Outcome } from '../summary.ts'

/** A command's file: what it is (`command`) and what it does (`run`). */
export interface CommandModule<Table extends OptionTable = OptionTable> {
  readonly command: CommandSpec<Table>
  /** A method, so that a module with a narrower table is a `CommandModule` too. */
  run(options: OptionValues<Table>, context: JobContext): Promise<Outcome>
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
  export: {
    describe: 'export PostgreSQL tables to Parquet and Apache Iceberg',
    load: () => import('./export.ts'),
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
