import type { JobContext } from '../context.ts'
import { JobError, shellWord, usageError } from '../errors.ts'
import type { TableIdentifier } from '../iceberg/catalog/catalog.ts'
import type { OptionSpec } from '../options/options.ts'
import type { Outcome, Summary } from '../summary.ts'
import { assertOnce } from './flags/lake-table-flags.ts'
import { lakeTables } from './flags/lake-tables.ts'
import { lakeRunsPlace } from './runs/place.ts'
import { entryOperation, isOfEntry, wholeName } from './maintain/entry-operation.ts'
import { flagsOf, onOne, options, type Kind, type Values } from './maintain/options.ts'
import { operationOf } from './maintain/table-operation.ts'
import { mainNamespace } from '../settings/namespace.ts'

export { command } from './maintain/options.ts'

/** `list` has done nothing where it went well. */
export async function runsPlace(
  given: Readonly<Record<string, unknown>>,
  env: JobContext['env'],
  { managed }: Summary,
): Promise<string | undefined> {
  return managed === undefined ? lakeRunsPlace(given, env) : undefined
}

export async function run(values: Values, context: JobContext): Promise<Outcome> {
  const [{ openCatalogs }, { leavesVersionHint, place }, { findTables }, { maintainTables }, { tableText }] =
    await Promise.all([
      import('../settings/catalogs.ts'),
      import('../settings/settings.ts'),
      import('../lake/find-tables.ts'),
      import('../maintain/maintain.ts'),
      import('../iceberg/catalog/catalog.ts'),
      import('../storage/place.ts'),
    ])
  const { operation: kind } = values
  if (kind === undefined)
    throw usageError('maintain: nothing says what to do', {
      field: 'operation',
      fix: `give one of ${options.operation.choices.join(', ')}: lakejobs maintain expire --dry-run`,
    })
  const wrong = Object.values(flagsOf)
    .flat()
    .find((name) => !flagsOf[kind].includes(name) && isGiven(name, values, context))
  if (wrong !== undefined)
    throw usageError(`--${wrong} means nothing to maintain ${kind}`, {
      field: `--${wrong}`,
      fix: `leave it out; ${kind} takes ${['table', ...flagsOf[kind]].map((name) => `--${name}`).join(', ')}`,
    })
  assertOnce(values)
  const name = onOne.includes(kind) ? oneTable(kind, values) : undefined
  const namespace = mainNamespace(context.env)
  const entry = isOfEntry(kind)
    ? { operation: entryOperation(kind, values, place), table: wholeName(kind, name!) }
    : undefined
  const operation = isOfEntry(kind) || kind === 'list' ? undefined : operationOf(kind, values)
  // Nothing is made: a catalog or bucket that is not there has nothing to be maintained.
  const catalogs = await openCatalogs(context, {
    iceberg: true,
    dryRun: true,
    // As an export has it: the hint must not stay behind.
    versionHint: leavesVersionHint(context.env),
    stallTimeoutMs: values['stall-timeout'],
  })
  try {
    const { catalog } = catalogs
    const dryRun = values['dry-run']
    if (entry !== undefined) {
      const { maintainEntry } = await import('../maintain/entry/entries.ts')
      return await maintainEntry({ ...entry, dryRun, openIO: catalogs.openIO }, catalog, context)
    }
    const { names } = await lakeTables(values, 'maintain', catalog, context)
    const tables = names && (await findTables(catalog, names, namespace))
    // A pattern may fit what another program has put there: that is named, one by one, or left alone.
    const isByName = values.table !== undefined
    const [found] = tables ?? []
    if (name !== undefined && found !== undefined && tableText(found) !== name)
      throw usageError(`maintain ${kind}: ${name} is not the whole name of a table`, {
        field: '--table',
        fix: `give --table ${shellWord(tableText(found))}`,
      })
    if (operation === undefined) {
      const { ownTables } = await import('../provenance/managed.ts')
      return listOf(isByName && tables ? tables : await ownTables(catalog, tables), tableText)
    }
    return await maintainTables({ operation, tables, isByName, dryRun }, catalog, context)
  } finally {
    await catalogs.close()
  }
}

/** Which tables other calls would maintain. Errors: nothing to do where there is none. */
function listOf(tables: readonly TableIdentifier[], text: (table: TableIdentifier) => string): Outcome {
  if (tables.length > 0) return { managed: Object.fromEntries(tables.map((table) => [text(table), true])) }
  throw new JobError('nothingToDo', 'maintain list: the catalog has no table that lakejobs made', {
    field: '--table',
    fix: 'export one, or let maintenance have another’s: lakejobs maintain adopt --table TABLE',
  })
}

/** On the command line: an environment name is for whatever takes it. */
function isGiven(name: keyof Values, values: Values, { originOf }: JobContext): boolean {
  const spec: OptionSpec = options[name]
  if (spec.env !== undefined) return originOf(spec.env) === 'flag'
  return values[name] !== undefined && values[name] !== false
}

function oneTable(kind: Kind, { table = [] }: Values): string {
  const [name, more] = table
  if (name !== undefined && more === undefined) return name
  throw usageError(`maintain ${kind} acts on one table`, {
    field: '--table',
    fix: 'name it, such as --table default.web_logs',
  })
}
