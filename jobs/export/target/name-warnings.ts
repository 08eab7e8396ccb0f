import { currentSchema, type TableMetadata } from '../../iceberg/metadata/metadata.ts'
import { fieldById, fieldByName, type Schema } from '../../iceberg/schema/schema.ts'
import { renameFlag } from './own-renames.ts'

/** Columns whose names differ by case only, which readers that ignore it (DuckDB, Spark) take for one another. */
export function caseWarnings({ fields }: Schema): string[] {
  const byName = new Map<string, string[]>()
  for (const { name } of fields) {
    const key = name.toLowerCase()
    byName.set(key, [...(byName.get(key) ?? []), name])
  }
  return [...byName.values()]
    .filter((names) => names.length > 1)
    .map(
      (names) => `columns ${names.join(', ')} differ by case only: DuckDB and Spark may read one for another`,
    )
}

/** Columns that come anew, because another program has given another name to those that the table had. */
export function renamedElsewhere(before: TableMetadata, schema: Schema): string[] {
  const known = currentSchema(before)
  return schema.fields.flatMap(({ id, name }) => {
    if (fieldById(known, id) !== undefined) return []
    const earlier = before.schemas.flatMap((one) => fieldByName(one, name)?.id ?? [])
    const now = schema.fields.find((field) => earlier.includes(field.id) && field.name !== name)
    if (now === undefined) return []
    return [
      `column ${name} is new in the table: the one that it had is called ${now.name} now; to have one again run once with --mode full ${renameFlag(now.name, name)}`,
    ]
  })
}
