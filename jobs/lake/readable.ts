import { dataError } from '../errors.ts'
import { fileContent, type DataFile } from '../iceberg/manifest/data-file.ts'
import { isVector } from '../iceberg/manifest/delete-index.ts'
import type { Snapshot, TableMetadata } from '../iceberg/metadata/metadata.ts'
import { fieldById, type Schema } from '../iceberg/schema/schema.ts'
import { asPrimitive, type Type } from '../iceberg/schema/types.ts'

const newestVersion = 3

/** Errors: `JobError` data for a format version, an encryption or a column's type that cannot be read. */
export function assertReadableTable(
  table: string,
  metadata: TableMetadata,
  snapshot: Snapshot | undefined,
  schema: Schema,
): void {
  const version = metadata['format-version']
  if (version > newestVersion)
    throw refusal(table, snapshot, undefined, `format version ${version}`, 'use a newer lakejobs')
  if (snapshot !== undefined && 'key-id' in snapshot)
    throw refusal(table, snapshot, snapshot['manifest-list'], 'encryption', 'read it with Spark')
  for (const { name, type } of schema.fields) {
    const unknown = unknownType(type)
    if (unknown !== undefined)
      throw refusal(table, snapshot, undefined, `type ${unknown} of column ${name}`, 'leave the column out')
  }
}

/** Errors: `JobError` data for a data or delete file that cannot be read or applied. */
export function assertReadableFile(
  table: string,
  metadata: TableMetadata,
  snapshot: Snapshot | undefined,
  file: DataFile,
): void {
  const feature = unreadable(metadata, file)
  if (feature !== undefined)
    throw refusal(
      table,
      snapshot,
      file.filePath,
      feature,
      'rewrite the table with Spark (rewrite_data_files)',
    )
}

/** What of a file is beyond us. */
function unreadable(metadata: TableMetadata, file: DataFile): string | undefined {
  if (file.keyMetadata !== undefined) return 'encryption'
  if (isVector(file)) {
    return metadata['format-version'] < newestVersion
      ? 'a deletion vector in a table of version 2'
      : undefined
  }
  if (file.fileFormat !== 'PARQUET') return `file format ${file.fileFormat}`
  if (file.content !== fileContent.equalityDeletes) return undefined
  const ids = file.equalityIds ?? []
  if (ids.length === 0) return 'equality deletes without columns'
  const isKnown = (id: number): boolean =>
    metadata.schemas.some((schema) => {
      const field = fieldById(schema, id)
      return field !== undefined && asPrimitive(field.type) !== undefined
    })
  const unknown = ids.find((id) => !isKnown(id))
  return unknown === undefined ? undefined : `equality deletes by column ${unknown}, which is not known`
}

/** The name of a type, at any depth, that format version 2 does not have; undefined: it can be read. */
export function unknownType(type: Type): string | undefined {
  if (typeof type === 'string') return asPrimitive(type) === undefined ? type : undefined
  switch (type.type) {
    case 'struct':
      return type.fields.map((field) => unknownType(field.type)).find((found) => found !== undefined)
    case 'list':
      return unknownType(type.element)
    case 'map':
      return unknownType(type.key) ?? unknownType(type.value)
    default:
      return String((type as { readonly type: unknown }).type)
  }
}

const refusal = (
  table: string,
  snapshot: Snapshot | undefined,
  file: string | undefined,
  feature: string,
  fix: string,
): Error =>
  dataError(
    `table ${table}${snapshot === undefined ? '' : `, snapshot ${snapshot['snapshot-id']}`}${
      file === undefined ? '' : `, file ${file}`
    }: ${feature} cannot be read`,
    { field: table, fix },
  )
