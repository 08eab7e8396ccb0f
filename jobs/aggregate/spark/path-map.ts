import { usageError } from '../../errors.ts'

/** Where Spark's machines see what is at a location of ours. */
export type ToSparkPath = (location: string) => string

/**
 * Reads SPARK_PATH_MAP: `/here=/there`, several separated by commas; `there` is a path or a URI of Hadoop's. A location below
 * `here` is the same below `there`, the longest `here` first; what is below none has the same path there, and `s3://` is
 * `s3a://`. Throws a `usageError`.
 */
export function parsePathMap(text: string | undefined): ToSparkPath {
  const pairs = (text ?? '')
    .split(',')
    .filter((pair) => pair.trim() !== '')
    .map((pair) => {
      const [, here, there] = /^\s*(\/[^=]*)=(\/.*|[a-z][a-z0-9+.-]*:\/.*)$/s.exec(pair) ?? []
      if (here === undefined || there === undefined)
        throw usageError(`SPARK_PATH_MAP: "${pair.trim()}" is not /here=/there`, {
          field: 'SPARK_PATH_MAP',
          fix: 'give absolute folders, for example SPARK_PATH_MAP=/opt/lakejobs/data=/mnt/lake',
        })
      return { here: withoutSlash(here), there: withoutSlash(there.trimEnd()) }
    })
    .sort((a, b) => b.here.length - a.here.length)
  return (location) => {
    if (!location.startsWith('file://')) return location.replace(/^s3:/, 's3a:')
    const path = location.slice('file://'.length)
    const pair = pairs.find(({ here }) => path === here || path.startsWith(`${here}/`))
    const mapped = pair === undefined ? path : pair.there + path.slice(pair.here.length)
    return mapped.startsWith('/') ? `file://${mapped}` : mapped
  }
}

const withoutSlash = (path: string): string => path.replace(/\/+$/, '')
