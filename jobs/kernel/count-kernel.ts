import { randomFillSync } from 'node:crypto'
import { loadModule, type GrowingMemory } from './growing-memory.ts'

/** The functions of assembly/count; numbers are addresses or whole numbers of 32 bits, to be read as unsigned. */
interface CountFunctions {
  readonly setUp: () => void
  readonly reset: (slots: number, slotCount: number, arena: number) => void
  readonly takeRows: (from: number, longest: number, events: number) => number
  readonly rows: () => number
  readonly emailBytes: () => number
  readonly add: (at: number, length: number, action: number) => void
  readonly emails: () => number
  readonly slotCount: () => number
  readonly arenaTop: () => number
  readonly sort: (items: number, spare: number, groups: number) => void
  readonly takeColumns: (
    items: number,
    first: number,
    most: number,
    limit: number,
    target: number,
    offsets: number,
    counts: number,
  ) => number
}

/** A table of emails with its functions and its memory. */
export type CountKernel = CountFunctions & GrowingMemory

/** The addresses that assembly/count/places.ts lays down. */
export const countPlaces = {
  key: 128,
  keyWords: 9,
  least: 576,
  span: 592,
  year: 608,
  /** Behind the module's own tables. */
  end: 4096,
} as const

const load = loadModule<CountFunctions>(new URL('count.wasm', import.meta.url))

/** A new table with a memory of its own, which reaches to `end`; its hash has a key at random. */
export function createCountKernel(end: number): CountKernel {
  const kernel = load(end)
  kernel.setUp()
  const bytes = kernel.bytes()
  randomFillSync(bytes, countPlaces.key, 8 * countPlaces.keyWords)
  // The factor between long emails' parts is odd, so that no bit is lost by it.
  bytes[countPlaces.key + 8 * (countPlaces.keyWords - 1)]! |= 1
  return kernel
}
