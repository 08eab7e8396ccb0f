import { loadModule, type GrowingMemory } from './growing-memory.ts'

/** The functions of assembly/merge; numbers are addresses or whole numbers of 32 bits, to be read as unsigned. */
interface MergeFunctions {
  readonly encode: (rows: number, emails: number, offsets: number, counts: number, target: number) => number
  readonly lines: (
    row: number,
    rows: number,
    emails: number,
    offsets: number,
    counts: number,
    target: number,
  ) => number
  readonly linesEnd: () => number
  readonly start: (sources: number, lists: number, tree: number) => void
  readonly begin: (emails: number, offsets: number, counts: number, rows: number, bytes: number) => void
  readonly merge: () => number
  readonly refilled: (list: number) => void
  readonly wanted: (at: number, end: number) => number
  readonly rows: () => number
  readonly emailBytes: () => number
}

/** What writes and merges lists of counts, and its memory. */
export type MergeKernel = MergeFunctions & GrowingMemory

/** What `merge` answers beside the number of a list that must be filled. */
export const mergeAnswers = { full: -1, done: -2 } as const

const load = loadModule<MergeFunctions>(new URL('merge.wasm', import.meta.url))

export const createMergeKernel = (end: number): MergeKernel => load(end)
