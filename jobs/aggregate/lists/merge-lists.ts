import { closeSync, openSync, readSync } from 'node:fs'
import { createMergeKernel, mergeAnswers, type MergeKernel } from '../../kernel/merge-kernel.ts'
import { JobError } from '../../errors.ts'
import { localError } from '../../storage/local/errors.ts'
import type { EmailCounts } from '../counts.ts'

/** A list of counts (assembly/merge/record.ts), sorted by its emails' bytes: a local file, or its bytes. */
export type CountsList = string | Uint8Array

/** More lists at once are too many open files. */
export const mostLists = 256

/** Of each list so much is in memory, unless a record is longer. */
const windowBytes = 2 ** 18
/** Behind a window and a batch: what is read, or changed, beyond their end. */
const slack = 64
/** Bytes of emails in a batch: several of the longest, as a record of a log is at most (log/record.ts). */
const batchBytes = 2 ** 22
const wordsOfList = 3
const sourcesAt = 4096
const treeAt = sourcesAt + 4 * wordsOfList * mostLists
const columnsAt = treeAt + 4 * mostLists

const aligned = (address: number): number => Math.ceil(address / 64) * 64

/**
 * Sums sorted lists per email, sorted, in batches of at most `rows` rows, each overwritten by the next. At most `mostLists`
 * lists; their windows and a batch are all that is in memory. Errors: `JobError` where a file cannot be read or ends inside a
 * record.
 */
export function* mergeLists(
  lists: readonly CountsList[],
  rows: number,
): Generator<EmailCounts, void, undefined> {
  if (lists.length === 0) return
  const offsetsAt = columnsAt + 32 * rows
  const emailsAt = aligned(offsetsAt + 4 * (rows + 1))
  const windowsAt = aligned(emailsAt + batchBytes + slack)
  const kernel = createMergeKernel(windowsAt + lists.length * (windowBytes + slack))
  const windows = openWindows(kernel, lists, windowsAt)
  try {
    lists.forEach((_, list) => {
      windows.fill(list)
    })
    kernel.start(sourcesAt, lists.length, treeAt)
    for (let answer: number = mergeAnswers.full; answer !== mergeAnswers.done;) {
      kernel.begin(emailsAt, offsetsAt, columnsAt, rows, batchBytes)
      for (answer = kernel.merge(); answer >= 0; answer = kernel.merge()) {
        windows.fill(answer)
        kernel.refilled(answer)
      }
      const count = kernel.rows()
      const { buffer } = kernel.bytes()
      const column = (action: number): Float64Array =>
        new Float64Array(buffer, columnsAt + 8 * action * rows, count)
      const [create, read, update, deleted] = [column(0), column(1), column(2), column(3)]
      const emails = new Uint8Array(buffer, emailsAt, kernel.emailBytes())
      const offsets = new Uint32Array(buffer, offsetsAt, count + 1)
      if (count > 0) yield { rows: count, emails, offsets, create, read, update, delete: deleted }
    }
  } finally {
    windows.close()
  }
}

interface Windows {
  /** Makes the window of a list begin with its next record and hold it whole, unless the list has ended. */
  fill(list: number): void
  close(): void
}

function openWindows(kernel: MergeKernel, lists: readonly CountsList[], windowsAt: number): Windows {
  let top = windowsAt
  const places = lists.map(() => {
    const at = top
    top += windowBytes + slack
    return { at, size: windowBytes }
  })
  const readers = lists.map((list) => (typeof list === 'string' ? fileReader(list) : bytesReader(list)))
  const wordOf = (list: number): number => sourcesAt / 4 + wordsOfList * list
  places.forEach(({ at }, list) => {
    kernel.words().set([at, at, 0], wordOf(list))
  })
  const enlarge = (list: number, wanted: number): void => {
    const size = Math.max(2 * places[list]!.size, wanted)
    places[list] = { at: top, size }
    top += aligned(size + slack)
    kernel.ensure(top)
  }
  return {
    fill(list) {
      const [start, end] = kernel.words().subarray(wordOf(list)) as unknown as [number, number]
      let { at, size } = places[list]!
      let filled = end - start
      kernel.bytes().copyWithin(at, start, end)
      const wanted = (): number => kernel.wanted(at, at + filled) >>> 0
      let isEnded = false
      while (!isEnded && filled < wanted()) {
        const record = wanted()
        if (record > size) {
          const from = at
          enlarge(list, record)
          ;({ at, size } = places[list]!)
          kernel.bytes().copyWithin(at, from, from + filled)
        }
        const count = readers[list]!.read(kernel.bytes().subarray(at + filled, at + size))
        filled += count
        isEnded = count === 0
      }
      if (filled > 0 && filled < wanted()) throw cut(lists[list]!)
      kernel.words().set([at, at + filled, isEnded ? 1 : 0], wordOf(list))
    },
    close() {
      for (const reader of readers) reader.close()
    },
  }
}

interface Reader {
  /** Fills `target` from its start; returns how many bytes, 0 at the list's end. */
  read(target: Uint8Array): number
  close(): void
}

function fileReader(path: string): Reader {
  const failing = <T>(work: () => T): T => {
    try {
      return work()
    } catch (error) {
      throw localError(error, 'read', path)
    }
  }
  let file: number | undefined
  return {
    read: (target) => failing(() => readSync((file ??= openSync(path, 'r')), target, 0, target.length, null)),
    close: () => {
      if (file !== undefined) closeSync(file)
    },
  }
}

function bytesReader(bytes: Uint8Array): Reader {
  let at = 0
  return {
    read(target) {
      const part = bytes.subarray(at, at + target.length)
      target.set(part)
      at += part.length
      return part.length
    },
    close: () => undefined,
  }
}

/** A fault of ours: what is cached was hashed before. */
const cut = (list: CountsList): JobError =>
  new JobError(
    'failed',
    `a list of counts ends inside a record: ${typeof list === 'string' ? list : 'in memory'}`,
    {
      fix: 'run again with --refresh',
    },
  )
