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

/**
 * Takes back memory that nothing uses any more, to be obtained again in this thread. What is too much is freed, and
 * what words do not fill: NULL flags, texts that were gathered.
 */
export function reuseMemory(buffers: readonly ArrayBuffer[]): void {
  const surplus: ArrayBuffer[] = []
  for (const buffer of buffers) {
    if (buffer.byteLength % 8 === 0) {
      spare.push(buffer)
      spareBytes += buffer.byteLength
    } else surplus.push(buffer)
  }
  while (spareBytes > mostSpare) {
    const oldest = spare.shift()!
    spareBytes -= oldest.byteLength
    surplus.push(oldest)
  }
  freeMemory(surplus)
}

/** The memory of vectors: to be moved to another thread, or to be used again. */
export const memoryOf = (vectors: readonly ColumnVector[]): ArrayBuffer[] =>
  vectors.flatMap((vector) =>
    [vector.data, vector.defined, vector.kind === 'bytes' ? vector.offsets : undefined].flatMap((array) =>
      array?.buffer instanceof ArrayBuffer && array.buffer.byteLength > 0 ? [array.buffer] : [],
    ),
  )
