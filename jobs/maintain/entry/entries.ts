import type { JobContext } from '../../context.ts'
import { JobError } from '../../errors.ts'
import { tableText, type Catalog, type TableIdentifier } from '../../iceberg/catalog/catalog.ts'
import type { FileIO } from '../../storage/file-io.ts'
import { withOutcome, type Maintained, type Outcome } from '../../summary.ts'
import { neighbourhood } from '../ownership.ts'
import { none, plus } from '../tally.ts'
import { dropTable } from './drop.ts'
import { forgetTable } from './forget.ts'
import { registerTable, type RegisterFrom } from './register.ts'

/** What is done to the catalog's entry of one table. */
export type EntryOperation =
  | { readonly kind: 'register'; readonly from: RegisterFrom }
  | { readonly kind: 'forget' }
  | { readonly kind: 'drop'; readonly isPurge: boolean }

export interface EntryOptions {
  readonly operation: EntryOperation
  readonly table: TableIdentifier
  readonly dryRun: boolean
  /** The store of a canonical location. */
  readonly openIO: (location: string) => Promise<FileIO>
}

type Done = Maintained & { readonly changes: readonly string[] }

/** Registers, forgets or drops a table (lake-spec §4.8), while no other maintenance works on it. Errors: theirs. */
export async function maintainEntry(
  options: EntryOptions,
  catalog: Catalog,
  context: JobContext,
): Promise<Outcome> {
  const { operation, table, dryRun } = options
  const work = (): Promise<Done> => change(options, catalog, context)
  const { changes, ...maintained } = await (dryRun ? work() : catalog.alone(table, work, context.signal))
  const name = tableText(table)
  const { notRemoved } = maintained
  const freed = maintained.files.map((kind) => kind.freed).reduce(plus, none)
  const outcome: Outcome = {
    tables: [
      { table: name, status: notRemoved === undefined ? 'ok' : 'failed', maintained, changes: [...changes] },
    ],
    ...freed,
  }
  if (notRemoved === undefined) return outcome
  throw withOutcome(
    new JobError(
      'failed',
      `${name}: its entry is gone, but ${notRemoved.files} files could not be removed: ${notRemoved.errors[0]}`,
      { field: name, fix: `mend that, then run the same ${operation.kind} again` },
    ),
    outcome,
  )
}

async function change(
  { operation, table, dryRun, openIO }: EntryOptions,
  catalog: Catalog,
  context: JobContext,
): Promise<Done> {
  switch (operation.kind) {
    case 'register': {
      const { from } = operation
      const changes = await registerTable(table, { from, dryRun, openIO }, catalog, context)
      return { operation: operation.kind, dryRun, files: [], changes }
    }
    case 'forget':
      return {
        operation: operation.kind,
        dryRun,
        files: [],
        changes: await forgetTable(table, dryRun, catalog),
      }
    case 'drop': {
      const stores = { catalog, neighbours: neighbourhood(catalog) }
      return dropTable(table, { isPurge: operation.isPurge, dryRun, openIO }, stores, context)
    }
  }
}
