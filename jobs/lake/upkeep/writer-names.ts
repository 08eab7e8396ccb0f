import type { FileKind } from '../reachable.ts'

const uuid = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'

/** Java, PyIceberg, Rust, Go, Trino, DuckDB and ClickHouse have one in each name. */
const anyUuid = new RegExp(uuid, 'i')

/** By a name with a UUID, the first that fits. */
const inMetadata: readonly (readonly [RegExp, FileKind])[] = [
  [new RegExp(`^\\d+-${uuid}(\\.gz)?\\.metadata\\.json(\\.gz)?$`, 'i'), 'metadata'],
  [new RegExp(`^snap-\\d+-\\d+-${uuid}\\.avro$`, 'i'), 'manifest-list'],
  [/\.avro$/i, 'manifest'],
  [/\.(stats|puffin|parquet|orc)$/i, 'statistics'],
]
const inData: readonly (readonly [RegExp, FileKind])[] = [
  [/-deletes\.(parquet|orc|avro)$/i, 'deletes'],
  [/\.puffin$/i, 'deletes'],
  [/\.(parquet|orc|avro)$/i, 'data'],
]

/**
 * What a file that nothing refers to was made for, judged by its path below the folder that was listed; undefined: no writer
 * of Iceberg gives such names, or the file is hidden (`_x`, `.x`, but for partitions such as `_a=1`). Such a file is somebody
 * else's.
 */
export function writtenAs(path: string, isMetadata: boolean): FileKind | undefined {
  const segments = path.split('/')
  if (segments.some((segment) => /^[._]/.test(segment) && !segment.includes('='))) return undefined
  const name = segments.at(-1) ?? ''
  if (!anyUuid.test(name)) return undefined
  return (isMetadata ? inMetadata : inData).find(([pattern]) => pattern.test(name))?.[1]
}
