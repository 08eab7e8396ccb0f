import { readFileSync } from 'node:fs'
import { createArena, type Arena } from './arena.ts'

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
    widths: number,
    state: number,
  ) => number
  readonly copyWords: (positions: number, count: number, target: number) => number
  readonly copyDoubleWords: (positions: number, count: number, target: number) => number
  readonly copyTimestamps: (positions: number, count: number, target: number) => number
  readonly copyDates: (positions: number, count: number, target: number) => number
  readonly copyNumerics: (
    positions: number,
    count: number,
    target: number,
    precision: number,
    scale: number,
    width: number,
  ) => number
  readonly sumLengths: (positions: number, count: number) => number
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
  readonly mixTexts: (
    x: number,
    y: number,
    rows: number,
    places: number,
    indices: number,
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
  readonly indexSpan64: (
    values: number,
    count: number,
    indices: number,
    minLow: number,
    minHigh: number,
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
  readonly encodeIndices: (
    values: number,
    count: number,
    width: number,
    isLast: boolean,
    target: number,
    state: number,
  ) => number
  readonly int32Bounds: (values: number, count: number, result: number) => void
  readonly int64Bounds: (values: number, count: number, result: number) => void
  readonly bytesBounds: (data: number, offsets: number, count: number, prefix: number, result: number) => void
  readonly textBounds: (places: number, count: number, used: number, result: number) => void
  readonly plainBytes: (data: number, offsets: number, count: number, target: number) => number
  readonly packSnappy: (from: number, size: number, target: number, table: number) => number
  /** 0: the block is damaged. */
  readonly unpackSnappy: (from: number, end: number, target: number, size: number) => number
  /** 0: the values are damaged. */
  readonly decodeIndices: (
    from: number,
    end: number,
    width: number,
    count: number,
    limit: number,
    target: number,
  ) => number
  readonly decodeFlags: (from: number, end: number, count: number, target: number) => number
  readonly pickWords: (indices: number, count: number, entries: number, width: number, target: number) => void
  /** 0: the texts are damaged. */
  readonly textPlaces: (from: number, end: number, count: number, places: number) => number
  /** -1: they are more than `most`. */
  readonly textsSize: (places: number, indices: number, count: number, most: number) => number
  readonly pickTexts: (
    places: number,
    indices: number,
    first: number,
    count: number,
    target: number,
    size: number,
    ends: number,
    end: number,
  ) => number
  readonly markUsed: (indices: number, count: number, used: number) => void
  readonly fillChecksumTables: (tables: number) => void
  /** 0: a line is too long. */
  readonly addChecksums: (from: number, end: number, tables: number, longest: number, sum: number) => number
  readonly int32Statistics: (values: number, count: number, result: number) => void
  readonly int64Statistics: (values: number, count: number, result: number) => void
}

/** A thread's kernel: its functions and their memory, which never moves nor grows. */
export interface Kernel extends KernelFunctions {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly words: Int32Array<ArrayBuffer>
  readonly view: DataView<ArrayBuffer>
  /**
   * The memory's room. What a column chunk or a row group needs is taken in a scope and given back with it; what is taken
   * outside of one lasts as long as the thread, so it is taken once and for all tables.
   */
  readonly arena: Arena
}

/** 32 MiB, twice what is in use at most (tests/kernel/room.test.ts). What is not touched is not resident. */
const memoryPages = 512

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
  return {
    ...(exports as unknown as KernelFunctions),
    bytes: new Uint8Array(memory.buffer),
    words: new Int32Array(memory.buffer),
    view: new DataView(memory.buffer),
    arena: createArena(memory.buffer.byteLength),
  }
}
