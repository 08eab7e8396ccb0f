import { addDays, dayOf, type Day } from '../../calendar.ts'
import type { LakeTable } from '../gather/tables.ts'
import type { Report } from '../schema.ts'

const daysBack = 7

/** What changed of the tables' schemas in the seven days up to the one after `last`, newest first. Pure. */
export function schemaChanges(tables: readonly LakeTable[], last: Day): Report['schemaChanges'] {
  const [from, to] = [addDays(last, -daysBack), addDays(last, 1)]
  return tables
    .flatMap(({ name, looked }) =>
      looked.schema.history.flatMap(({ at, changes }) =>
        at === undefined || dayOf(new Date(at)) <= from || dayOf(new Date(at)) > to
          ? []
          : [{ table: name, at, changes: [...changes] }],
      ),
    )
    .sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : a.table < b.table ? -1 : 1))
}
