import zlib from 'node:zlib'
import { compressSync } from 'snappy'
import { usageError } from '../errors.ts'

/** Parquet's compressions by the names that flags and `write.parquet.compression-codec` use. */
export const codecNames = ['snappy', 'zstd', 'gzip', 'none'] as const
export type CodecName = (typeof codecNames)[number]

/**
 * Compresses one page. Synchronous: encoding runs in worker threads, where waiting for a thread pool costs more
 * than it saves. A codec holds functions, so a worker loads its own.
 */
export interface Codec {
  readonly name: CodecName
  readonly compress: (page: Uint8Array) => Uint8Array
}

/** Zstandard as Node ≥ 22.15 has it; @types/node of the oldest supported Node does not know it. */
interface ZstdRuntime {
  readonly zstdCompressSync?: (input: Uint8Array, options: { params: Record<number, number> }) => Uint8Array
  readonly constants: { readonly ZSTD_c_compressionLevel?: number }
}

/** The level that Iceberg and the zstd tool use by default. */
const zstdLevel = 3

/**
 * The codec of that name, ready to use. Throws a `usage` error for zstd where the runtime has none.
 * `runtime` is replaced in tests only.
 */
export function loadCodec(name: CodecName, runtime: ZstdRuntime = zlib as ZstdRuntime): Codec {
  switch (name) {
    case 'snappy':
      // Without copyOutputData every page is external memory: slower to collect, and not transferable.
      return { name, compress: (page) => compressSync(page, { copyOutputData: true }) }
    case 'gzip':
      return { name, compress: (page) => zlib.gzipSync(page) }
    case 'none':
      return { name, compress: (page) => page.slice() }
    case 'zstd': {
      const { zstdCompressSync, constants } = runtime
      const levelKey = constants.ZSTD_c_compressionLevel
      if (zstdCompressSync === undefined || levelKey === undefined) {
        throw usageError(`codec zstd needs Node 22.15 or newer, this is Node ${process.versions.node}`, {
          field: 'codec',
          fix: 'run a newer Node, or choose snappy or gzip',
        })
      }
      const params = { [levelKey]: zstdLevel }
      return { name, compress: (page) => zstdCompressSync(page, { params }) }
    }
  }
}
