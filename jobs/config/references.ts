import { listed, nearest } from '../errors.ts'
import type { Report } from './faults.ts'
import { textOf, type Section } from './section.ts'
import { mainSource, type TableKey } from './table-key.ts'

/** Reports groups and sources that tables name and nobody describes; returns those groups. */
export function reportMissing(
  tables: readonly { readonly key: TableKey; readonly line: number; readonly about: Section }[],
  groups: readonly string[],
  sources: readonly string[],
  reportOf: (key: TableKey) => Report,
): string[] {
  const fixOf = (what: string, name: string, known: readonly string[]): string => {
    const near = nearest(known, name)
    return near.length > 0
      ? `did you mean ${near.join(' or ')}?`
      : `describe it under ${what}${known.length === 0 ? '' : `, or name one of ${listed(known)}`}`
  }
  const missing: string[] = []
  for (const { key, line, about } of tables) {
    const group = about.get('group')
    const name = textOf(about, 'group')
    if (group !== undefined && name !== undefined && !groups.includes(name)) {
      missing.push(name)
      reportOf(key)({
        at: group.at,
        field: `tables.${key.text}.group`,
        message: `there is no group "${name}"`,
        fix: fixOf('groups', name, groups),
      })
    }
    const { source } = key.table
    if (source !== mainSource && !source.includes('*') && !sources.includes(source))
      reportOf(key)({
        at: { line, column: 1 },
        field: `tables.${key.text}`,
        message: `there is no source "${source}"`,
        fix: fixOf('sources', source, sources),
      })
  }
  return missing
}
