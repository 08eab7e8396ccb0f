import zlib from 'node:zlib'
import { compressSync } from 'snappy'
import { kernel } from '../kernel/kernel.ts'

/** Parquet's compressions by the names that flags and `write.parquet.compression-codec` use. */
export const codecNames = ['snappy', 'zstd', 'gzip', 'none'] as const
export type CodecName = (typeof codecNames)[number]

/**
 * Compresses one page. Synchronous: encoding runs in worker threads, where waiting for a thread pool costs more
 * than it saves. A codec holds functions, so a worker loads its own. What `compress` returns may be a view that the next call
 * overwrites.
 */
export interface Codec {
  readonly name: CodecName
  readonly compress: (page: Uint8Array) => Uint8Array
}

/** The most bytes of a page that the kernel compresses, and how many they become at most (Snappy's framing, MaxCompressedLength). */
const kernelPage = 5 << 18
const kernelPacked = 32 + Math.ceil((kernelPage * 7) / 6)

/** Addresses of the kernel's room for Snappy, which lasts as long as the thread. */
let packing: { readonly target: number; readonly table: number } | undefined

/** Pages that lie in the kernel's memory are compressed there, to what the package makes of the others. */
function snappy(): Codec['compress'] {
  const { arena, bytes, packSnappy } = kernel()
  // It writes up to 15 bytes behind the end.
  const { target, table } = (packing ??= {
    target: arena.take(kernelPacked + 16),
    table: arena.take(1 << 15),
  })
  return (page) => {
    if (page.buffer !== bytes.buffer || page.length > kernelPage)
      // Without copyOutputData every page is external memory: slower to collect, and not transferable.
      return compressSync(page, { copyOutputData: true })
    return bytes.subarray(target, packSnappy(page.byteOffset, page.length, target, table))
  }
}

/** Zstandard as Node ≥ 22.15 has it; @types/node of the oldest supported Node does not know it. */
interface ZstdRuntime {
  readonly zstdCompressSync?: (input: Uint8Array, options: { params: Record<number, number> }) => Uint8Array
  readonly constants: { readonly ZSTD_c_compressionLevel?: number }
}

/** The level that Iceberg and the zstd tool use by default; zstd's and gzip's highest. */
const zstdLevel = 3
const highestZstdLevel = 22
const highestGzipLevel = 9

/**
 * The codec of that name, ready to use. zstd is the runtime's where it has one (Node ≥ 22.15), else WebAssembly
 * (twice the CPU time). `level` is for gzip (to 9) and zstd (to 22), default theirs. `runtime` is replaced in tests
 * only.
 */
export async function loadCodec(
  name: CodecName,
  level?: number,
  runtime: ZstdRuntime = zlib as ZstdRuntime,
): Promise<Codec> {
  switch (name) {
    case 'snappy':
      return { name, compress: snappy() }
    case 'gzip':
      return { name, compress: gzip(level) }
    case 'none':
      return { name, compress: (page) => page.slice() }
    case 'zstd': {
      const chosen = Math.min(level ?? zstdLevel, highestZstdLevel)
      return { name, compress: nativeZstd(runtime, chosen) ?? (await wasmZstd(chosen)) }
    }
  }
}

function gzip(level: number | undefined): Codec['compress'] {
  const options = level === undefined ? {} : { level: Math.min(level, highestGzipLevel) }
  return (page) => zlib.gzipSync(page, options)
}

function nativeZstd(
  { zstdCompressSync, constants }: ZstdRuntime,
  level: number,
): Codec['compress'] | undefined {
  const levelKey = constants.ZSTD_c_compressionLevel
  if (zstdCompressSync === undefined || levelKey === undefined) return undefined
  const params = { [levelKey]: level }
  return (page) => zstdCompressSync(page, { params })
}

/** Its memory ends between 16 and 32 MB; content may be several frames, one after the other (RFC 8878 §3). */
const frameBytes = 4 << 20

async function wasmZstd(level: number): Promise<Codec['compress']> {
  const { init, compress } = await import('@bokuweb/zstd-wasm')
  // A second init would replace the memory of the first.
  await (initialised ??= init())
  return (page) => {
    if (page.length <= frameBytes) return compress(page, level)
    const frames: Uint8Array[] = []
    for (let from = 0; from < page.length; from += frameBytes) {
      frames.push(compress(page.subarray(from, from + frameBytes), level))
    }
    return Buffer.concat(frames)
  }
}

let initialised: Promise<void> | undefined
