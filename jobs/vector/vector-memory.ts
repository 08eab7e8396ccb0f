import { MessageChannel } from 'node:worker_threads'
import type { ColumnVector } from './vector.ts'

/**
 * The memory of vectors goes round: a row group's is used for the next one. Fresh memory costs a page fault for every
 * 4 KB, and is garbage of which V8 sees small objects only: a few hundred megabytes would pile up.
 */
const spare: ArrayBuffer[] = []
let spareBytes = 0
/** About one row group of the default size; more is freed. */
const mostSpare = 32 * 2 ** 20

const { port1: closed } = new MessageChannel()
closed.close()

/** Memory of at least `bytes` bytes, and of less than twice as many, a multiple of 8; not zeroed. */
export function obtainMemory(bytes: number): ArrayBuffer {
  const wanted = Math.ceil(Math.max(bytes, 8) / 8) * 8
  let best: ArrayBuffer | undefined
  for (const buffer of spare) {
    const fits = buffer.byteLength >= wanted && buffer.byteLength < 2 * wanted
    if (fits && (best === undefined || buffer.byteLength < best.byteLength)) best = buffer
  }
  if (best === undefined) return new ArrayBuffer(wanted)
  spare.splice(spare.indexOf(best), 1)
  spareBytes -= best.byteLength
  return best
}

/** Frees memory that nothing uses any more, at once: what is sent to a closed port is gone. */
export function freeMemory(buffers: readonly ArrayBuffer[]): void {
  if (buffers.length > 0) closed.postMessage(undefined, buffers)
}

/** One page. Below, looking for what fits costs more than a fault: pieces of small partitions come by the ten thousand. */
const leastReused = 4096

/**
 * Takes back memory that nothing uses any more, to be obtained again in this thread; what is too much is freed, and what is
 * too small is left to the garbage collector.
 */
export function reuseMemory(buffers: readonly ArrayBuffer[]): void {
  const surplus: ArrayBuffer[] = []
  for (const buffer of buffers) {
    if (buffer.byteLength < leastReused) continue
    if (buffer.byteLength % 8 === 0) {
      spare.push(buffer)
      spareBytes += buffer.byteLength
    } else {
      // Of other origin, and of no use for words.
      surplus.push(buffer)
    }
  }
  while (spareBytes > mostSpare) {
    const oldest = spare.shift()!
    spareBytes -= oldest.byteLength
    surplus.push(oldest)
  }
  freeMemory(surplus)
}

/** The memory of vectors, to be moved to another thread. */
export const memoryOf = (vectors: readonly ColumnVector[]): ArrayBuffer[] => buffersOf(vectors, 1)

/** Takes back the memory of vectors that nothing uses any more (`reuseMemory`). */
export function reuseVectors(vectors: readonly ColumnVector[]): void {
  reuseMemory(buffersOf(vectors, leastReused))
}

/** The buffers of arrays of at least `least` bytes: a smaller one has none as long as nobody asks for it. */
const buffersOf = (vectors: readonly ColumnVector[], least: number): ArrayBuffer[] =>
  vectors
    .flatMap(arraysOf)
    .flatMap((array) =>
      array.byteLength >= least && array.buffer instanceof ArrayBuffer ? [array.buffer] : [],
    )

function arraysOf(vector: ColumnVector): (Uint8Array | Int32Array)[] {
  const defined = vector.defined === undefined ? [] : [vector.defined]
  if (vector.kind === 'fixed') return [vector.data, ...defined]
  if (vector.kind === 'bytes') return [vector.data, vector.offsets, ...defined]
  return [vector.offsets, ...defined, ...arraysOf(vector.elements)]
}
