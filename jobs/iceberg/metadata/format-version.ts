import { dataError } from '../../errors.ts'

/**
 * Refuses to change a table of another format version than 2: version 1 becomes 2 on request only, since it cannot go
 * back; version 3 demands row lineage of every writer. Errors: `JobError` data.
 */
export function assertFormatVersion2(version: number, table?: string): void {
  if (version === 2) return
  throw dataError(
    `${table === undefined ? 'the table' : `table ${table}`} has format version ${version}, which can be read but not changed`,
    {
      field: table ?? 'format-version',
      fix:
        version < 2
          ? 'export to it once with --upgrade: the table becomes version 2, for good and for all who read it'
          : 'export to another table of version 2: later versions need row lineage',
    },
  )
}
