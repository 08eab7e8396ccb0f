import { numericProperty } from '../iceberg/metadata.ts'
import { codecNames, type CodecName } from '../parquet/codec.ts'
import type { ExportOptions } from './options.ts'

/** How the files of one table are written. */
export interface WriteSettings {
  readonly codec: CodecName
  /** Of gzip and zstd; undefined: theirs. */
  readonly level: number | undefined
  /** A data file is finished when it has that many bytes. */
  readonly targetFileBytes: number
  readonly groupBytes: number
}

/** Iceberg's default, too. */
const defaultTargetBytes = 512 * 2 ** 20
/** Before encoding. Larger row groups, which other writers make, would need more memory than readers gain. */
const defaultGroupBytes = 16 * 2 ** 20
const defaultCodec = 'snappy'

/**
 * What the run's options say; without, what the table's properties say (`write.parquet.*`,
 * `write.target-file-size-bytes`; other writers heed them as well), else the defaults. A codec that is not ours is
 * told to `warn`, and the default taken: it changes no value.
 */
export function writeSettings(
  { codec, targetFileBytes, groupBytes }: ExportOptions,
  properties: Readonly<Record<string, string>>,
  warn: (line: string) => void,
): WriteSettings {
  const level = properties['write.parquet.compression-level']
  return {
    codec: codec ?? codecOf(properties, warn),
    level: codec === undefined && /^\d{1,2}$/.test(level ?? '') ? Number(level) : undefined,
    targetFileBytes:
      targetFileBytes ??
      (numericProperty(properties, 'write.target-file-size-bytes', 0) || defaultTargetBytes),
    groupBytes:
      groupBytes ??
      Math.min(
        numericProperty(properties, 'write.parquet.row-group-size-bytes', Infinity) || Infinity,
        defaultGroupBytes,
      ),
  }
}

const codecProperty = 'write.parquet.compression-codec'

/** A new table's property, which other writers heed. */
export const codecProperties = (codec: CodecName = defaultCodec): Record<string, string> => ({
  [codecProperty]: codec === 'none' ? 'uncompressed' : codec,
})

function codecOf(properties: Readonly<Record<string, string>>, warn: (line: string) => void): CodecName {
  const text = properties[codecProperty]?.toLowerCase()
  if (text === undefined) return defaultCodec
  const codec = text === 'uncompressed' ? 'none' : codecNames.find((name) => name === text)
  if (codec === undefined)
    warn(
      `the table's ${codecProperty} ${text} is not one of ${codecNames.join(', ')}: writing ${defaultCodec}`,
    )
  return codec ?? defaultCodec
}
