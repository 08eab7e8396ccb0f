import type { Schema } from '../../iceberg/schema/schema.ts'
import { hasRowsOf, partOfOther } from '../../provenance/known-rows.ts'
import { otherRead, type Replaced, type SourceRead } from '../../provenance/provenance.ts'
import type { ReplacedFile } from '../write/replaced-file.ts'

/** What the log says of a table or its plain files. */
export const unchangedText =
  'unchanged: its rows are those that were read; nothing is written (--force writes all the same)'

/**
 * Whether a plain file has the rows that a read would put in its place, by the fingerprint in its footer: all of the file is
 * there, its columns are the same, and it came from the same source.
 */
export function hasSameRows(
  { entries, isWhole }: ReplacedFile,
  read: SourceRead,
  replaced: Replaced,
  schema: Schema,
): boolean {
  const other = otherRead(entries)
  const part = other && partOfOther(other)
  return (
    part !== undefined &&
    isWhole &&
    fieldsText(entries['iceberg.schema'] ?? '') === JSON.stringify(schema.fields) &&
    hasRowsOf({ parts: [part], lost: [] }, read)(replaced)
  )
}

/** The fields of a schema in JSON, of which a number of its own says nothing; '' for what is none. */
function fieldsText(json: string): string {
  try {
    return JSON.stringify((JSON.parse(json) as { readonly fields?: unknown }).fields)
  } catch {
    return ''
  }
}
