import type { FileKind } from '../reachable.ts'

const uuid = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'

/** By the name, the first that fits. Java, PyIceberg, Rust, Go, Trino, DuckDB and ClickHouse have a UUID in each. */
const inMetadata: readonly (readonly [RegExp, FileKind])[] = [
  [new RegExp(`^\\d+-${uuid}(\\.gz)?\\.metadata\\.json(\\.gz)?$`, 'i'), 'metadata'],
  [new RegExp(`^snap-\\d+-\\d+-${uuid}\\.avro$`, 'i'), 'manifest-list'],
  [new RegExp(`${uuid}.*\\.avro$`, 'i'), 'manifest'],
  [new RegExp(`${uuid}.*\\.(stats|puffin|parquet|orc)$`, 'i'), 'statistics'],
]
const inData: readonly (readonly [RegExp, FileKind])[] = [
  [new RegExp(`${uuid}.*-deletes\\.(parquet|orc|avro)$`, 'i'), 'deletes'],
  [new RegExp(`${uuid}.*\\.puffin$`, 'i'), 'deletes'],
  [new RegExp(`${uuid}.*\\.(parquet|orc|avro)$`, 'i'), 'data'],
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
  return (isMetadata ? inMetadata : inData).find(([pattern]) => pattern.test(name))?.[1]
}
