import { numericProperty } from '../metadata/metadata.ts'
import { codecNames, type CodecName } from '../../parquet/codec.ts'
import type { PageLimits } from '../../parquet/data-pages.ts'
import { defaultLimits } from '../../parquet/row-group.ts'

/** How the files of one table are written. */
export interface WriteSettings {
  readonly codec: CodecName
  /** Of gzip and zstd; undefined: theirs. */
  readonly level: number | undefined
  /** A data file is finished when it has that many bytes. */
  readonly targetFileBytes: number
  readonly groupBytes: number
  readonly pages: PageLimits
}

/** What a run says itself. */
export interface GivenSettings {
  readonly codec: CodecName | undefined
  readonly targetFileBytes: number | undefined
  readonly groupBytes: number | undefined
}

/** Iceberg's default, too. */
const defaultTargetBytes = 512 * 2 ** 20
/** Before encoding. Larger row groups, which other writers make, would need more memory than readers gain. */
const defaultGroupBytes = 16 * 2 ** 20
const defaultCodec = 'snappy'

/**
 * What the run's options say; without, what the table's properties say (`write.parquet.*`,
 * `write.target-file-size-bytes`; other writers heed them as well), else the defaults. What is not done as the table
 * asks, a codec that is not ours and bloom filters, is told to `say`: it changes no value.
 */
export function writeSettings(
  { codec, targetFileBytes, groupBytes }: GivenSettings,
  properties: Readonly<Record<string, string>>,
  say: (level: 'info' | 'warn', line: string) => void,
): WriteSettings {
  const level = properties['write.parquet.compression-level']
  const filtered = bloomFilterColumns(properties)
  if (filtered.length > 0)
    say(
      'info',
      `the table asks for bloom filters (${bloomFilterProperty}*), which are not written: ${filtered.join(', ')}`,
    )
  return {
    codec: codec ?? codecOf(properties, say),
    level: codec === undefined && /^\d{1,2}$/.test(level ?? '') ? Number(level) : undefined,
    targetFileBytes: targetFileBytes ?? targetBytes(properties),
    groupBytes:
      groupBytes ??
      Math.min(
        numericProperty(properties, 'write.parquet.row-group-size-bytes', Infinity) || Infinity,
        defaultGroupBytes,
      ),
    pages: {
      pageBytes: limit(properties, 'write.parquet.page-size-bytes', defaultLimits.pageBytes, largestInt),
      pageRows: limit(properties, 'write.parquet.page-row-limit', defaultLimits.pageRows, largestInt),
      dictionaryBytes: limit(
        properties,
        'write.parquet.dict-size-bytes',
        defaultLimits.dictionaryBytes,
        defaultLimits.dictionaryBytes,
      ),
      pageIndex: true,
    },
  }
}

/** What a data file of the table should have; bytes. */
export const targetBytes = (properties: Readonly<Record<string, string>>): number =>
  numericProperty(properties, 'write.target-file-size-bytes', 0) || defaultTargetBytes

/** Sizes in page headers are 32-bit. */
const largestInt = 2 ** 31 - 1

/** A property that is at least 1; the default where it is missing or less, `most` where it is more. */
const limit = (
  properties: Readonly<Record<string, string>>,
  key: string,
  fallback: number,
  most: number,
): number => Math.min(Math.floor(numericProperty(properties, key, 0)) || fallback, most)

const bloomFilterProperty = 'write.parquet.bloom-filter-enabled.column.'

const bloomFilterColumns = (properties: Readonly<Record<string, string>>): string[] =>
  Object.keys(properties)
    .filter((key) => key.startsWith(bloomFilterProperty) && properties[key]?.toLowerCase() === 'true')
    .map((key) => key.slice(bloomFilterProperty.length))

const codecProperty = 'write.parquet.compression-codec'

/** A new table's property, which other writers heed. */
export const codecProperties = (codec: CodecName = defaultCodec): Record<string, string> => ({
  [codecProperty]: codec === 'none' ? 'uncompressed' : codec,
})

function codecOf(
  properties: Readonly<Record<string, string>>,
  say: (level: 'warn', line: string) => void,
): CodecName {
  const text = properties[codecProperty]?.toLowerCase()
  if (text === undefined) return defaultCodec
  const codec = text === 'uncompressed' ? 'none' : codecNames.find((name) => name === text)
  if (codec === undefined)
    say(
      'warn',
      `the table's ${codecProperty} ${text} is not one of ${codecNames.join(', ')}: writing ${defaultCodec}`,
    )
  return codec ?? defaultCodec
}
