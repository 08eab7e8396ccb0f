import { usageError } from '../../errors.ts'
import type { TableIdentifier } from '../../iceberg/catalog/catalog.ts'
import type { EntryOperation } from '../../maintain/entry/entries.ts'
import type { Kind, Values } from './options.ts'

const entryKinds = ['register', 'forget', 'drop'] as const
export type EntryKind = (typeof entryKinds)[number]

export const isOfEntry = (kind: Kind): kind is EntryKind => (entryKinds as readonly Kind[]).includes(kind)

export function entryOperation(
  kind: EntryKind,
  { metadata, scan, purge: isPurge, yes, ...values }: Values,
  place: (text: string, field: string) => string,
): EntryOperation {
  if (kind === 'forget') return { kind }
  if (kind === 'register') {
    if ((metadata === undefined) === (scan === undefined))
      throw usageError('maintain register: say where the table’s metadata is, once', {
        field: '--metadata',
        fix: 'give --metadata with a *.metadata.json file, or --scan with the table’s folder',
      })
    const from =
      metadata === undefined ? { scan: place(scan!, '--scan') } : { metadata: place(metadata, '--metadata') }
    return { kind, from }
  }
  if (!yes && !values['dry-run'])
    throw usageError(
      `maintain drop: ${isPurge ? 'the table and its files are gone' : 'the table is taken out of the catalog'} then`,
      {
        field: '--yes',
        fix: 'if it is meant, add --yes; --dry-run tells what would go',
      },
    )
  return { kind, isPurge }
}

/** Of what may have no entry there is no other name. */
export function wholeName(kind: EntryKind, name: string): TableIdentifier {
  const levels = name.split('.')
  if (levels.length > 1 && !name.includes('='))
    return { namespace: levels.slice(0, -1), name: levels.at(-1)! }
  throw usageError(`maintain ${kind}: ${name} is not the whole name of a table`, {
    field: '--table',
    fix: `give it with its namespace, such as --table default.${levels.at(-1)}`,
  })
}
