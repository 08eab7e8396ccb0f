import { readFileSync } from 'node:fs'

/** The functions of assembly/index.ts; numbers are addresses, counts or values of 32 bits. */
export interface KernelFunctions {
  readonly scanRows: (
    from: number,
    to: number,
    columns: number,
    capacity: number,
    maxMessage: number,
    positions: number,
    counts: number,
    nulls: number,
    nullCounts: number,
    state: number,
  ) => number
  readonly copyWords: (positions: number, count: number, target: number) => number
  readonly copyDoubleWords: (positions: number, count: number, target: number) => number
  readonly copyTimestamps: (positions: number, count: number, target: number) => number
  readonly copyTexts: (
    positions: number,
    count: number,
    skip: number,
    target: number,
    offsets: number,
    end: number,
  ) => number
  readonly mixWords: (
    x: number,
    y: number,
    rows: number,
    values: number,
    width: number,
    defined: number,
  ) => void
  readonly mixBytes: (
    x: number,
    y: number,
    rows: number,
    data: number,
    base: number,
    offsets: number,
    defined: number,
  ) => void
  readonly addHashes: (x: number, y: number, rows: number, sums: number) => void
  readonly indexSpan: (
    values: number,
    count: number,
    indices: number,
    min: number,
    slots: number,
    distinct: number,
    limit: number,
    state: number,
  ) => number
  readonly indexInt32s: (
    values: number,
    count: number,
    indices: number,
    slots: number,
    distinct: number,
    limit: number,
    state: number,
  ) => number
  readonly indexInt64s: (
    values: number,
    count: number,
    indices: number,
    slots: number,
    distinct: number,
    limit: number,
    state: number,
  ) => number
  readonly indexBytes: (
    data: number,
    base: number,
    offsets: number,
    count: number,
    indices: number,
    prefix: number,
    slots: number,
    starts: number,
    body: number,
    limit: number,
    state: number,
  ) => number
  readonly encodeIndices: (values: number, count: number, width: number, target: number) => number
  readonly int32Bounds: (values: number, count: number, result: number) => void
  readonly int64Bounds: (values: number, count: number, result: number) => void
  readonly bytesBounds: (data: number, offsets: number, count: number, prefix: number, result: number) => void
}

/** A thread's kernel: its functions and their memory, which never moves. Nothing in it outlasts a call chain. */
export interface Kernel extends KernelFunctions {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly words: Int32Array<ArrayBuffer>
  readonly view: DataView<ArrayBuffer>
  /** Sets `size` bytes apart for good, aligned to 64; throws when the memory is used up. */
  readonly reserve: (size: number) => number
}

const pageBytes = 65_536
/** What is not touched is not resident. */
const memoryPages = 384

let loaded: Kernel | undefined

/**
 * The hot loops over bytes, in WebAssembly (assembly/, docs/architecture.md): compiled once for all threads of the
 * process, where V8 would compile their JavaScript anew in every thread. One for each thread.
 */
export const kernel = (): Kernel => (loaded ??= load())

function load(): Kernel {
  const memory = new WebAssembly.Memory({ initial: memoryPages, maximum: memoryPages })
  const module = new WebAssembly.Module(readFileSync(new URL('kernel.wasm', import.meta.url)))
  const { exports } = new WebAssembly.Instance(module, { env: { memory } })
  // Address 0 stays free: it stands for "none".
  let used = 64
  return {
    ...(exports as unknown as KernelFunctions),
    bytes: new Uint8Array(memory.buffer),
    words: new Int32Array(memory.buffer),
    view: new DataView(memory.buffer),
    reserve(size) {
      const at = used
      used = at + Math.ceil(size / 64) * 64
      if (used > memoryPages * pageBytes)
        throw new RangeError(`the kernel has no room for ${size} bytes more`)
      return at
    },
  }
}
