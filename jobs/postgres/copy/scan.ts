import { JobError } from '../../errors.ts'
import { kernel } from '../../kernel/kernel.ts'

/** Message codes of the frontend/backend protocol (PostgreSQL docs, "Message Formats"). */
export const copyData = 0x64

/** A message's code and its length, which counts itself but not the code. */
export const messageHeader = 5

const signature = [0x50, 0x47, 0x43, 0x4f, 0x50, 0x59, 0x0a, 0xff, 0x0d, 0x0a, 0x00]
/** The stream's header, which is in the first row's message: signature, flags and the length of an extension. */
const streamHeader = signature.length + 8

/**
 * Where the values of some rows begin in `bytes`: found in one pass over the rows, used in one tight loop per
 * column. Filled anew for every batch; all arrays are column-major with `capacity` slots per column.
 */
export interface RowBatch {
  readonly columns: number
  /** Rows that it takes, at most `mostRows`. */
  capacity: number
  readonly mostRows: number
  /** Longer messages are not read; the stream's header does not count. */
  readonly maxMessage: number
  /** First byte of each value that is not NULL, dense. */
  readonly positions: Int32Array
  /** Values per column. */
  readonly counts: Int32Array
  /** The batch's rows (from 0) in which the column is NULL. */
  readonly nulls: Int32Array
  readonly nullCounts: Int32Array
  bytes: Uint8Array
  view: DataView
  /** Where `bytes`, `positions` and the others lie in the kernel's memory, if they do. */
  readonly inKernel: KernelBatch | undefined
  rows: number
  /** The stream's state: its header was read; its trailer was seen. */
  started: boolean
  ended: boolean
}

/** Addresses in the kernel's memory: of the bytes and of what `scanRows` fills, of room for a column's values. */
export interface KernelBatch {
  readonly input: number
  readonly positions: number
  readonly counts: number
  readonly nulls: number
  readonly nullCounts: number
  readonly widths: number
  readonly state: number
  /** As many bytes as `input`. */
  readonly values: number
  /** A word for each row. */
  readonly offsets: number
}

/** Rows of a batch: enough to amortise a loop's start, few enough for the positions to stay in the cache. */
const batchRows = 2048
const batchValues = 65_536

/** Of several columns the slots of a row lie in neighbouring sets of the cache: those 4 KiB apart would drive each other out. */
const besideEachOther = (rows: number): number => (rows < 64 ? rows : rows - (rows % 32) - 16)

export function createBatch(columns: number, maxMessage: number): RowBatch {
  const most = Math.max(1, Math.min(batchRows, Math.floor(batchValues / Math.max(columns, 1))))
  const mostRows = besideEachOther(most)
  return {
    columns,
    capacity: mostRows,
    mostRows,
    maxMessage,
    positions: new Int32Array(columns * mostRows),
    counts: new Int32Array(columns),
    nulls: new Int32Array(columns * mostRows),
    nullCounts: new Int32Array(columns),
    bytes: new Uint8Array(0),
    view: new DataView(new ArrayBuffer(0)),
    inKernel: undefined,
    rows: 0,
    started: false,
    ended: false,
  }
}

/** What the kernel takes at once: as much as the socket gives. */
export const kernelInput = 256 * 1024
/** More columns than PostgreSQL has. */
const mostColumns = 2048

/** For all decoders of this thread: each is through with it before it returns. */
let shared: KernelBatch | undefined

/** For good: a row group may still be filling while others are encoded. */
function takeBatch(): KernelBatch {
  const { take } = kernel().arena
  return {
    // It reads up to 16 bytes behind a value and writes as many.
    input: take(kernelInput + 16),
    positions: take(4 * batchValues),
    counts: take(4 * mostColumns),
    nulls: take(4 * batchValues),
    nullCounts: take(4 * mostColumns),
    widths: take(4 * mostColumns),
    state: take(4),
    values: take(kernelInput + 16),
    offsets: take(4 * batchRows),
  }
}

/** A batch that the kernel fills, undefined where there are too many columns. */
export function createKernelBatch(columns: number, maxMessage: number): RowBatch | undefined {
  if (columns > mostColumns) return undefined
  const { bytes, view, words } = kernel()
  shared ??= takeBatch()
  const wordsAt = (address: number, count: number): Int32Array =>
    words.subarray(address >> 2, (address >> 2) + count)
  const plain = createBatch(columns, maxMessage)
  return {
    ...plain,
    positions: wordsAt(shared.positions, plain.positions.length),
    counts: wordsAt(shared.counts, columns),
    nulls: wordsAt(shared.nulls, plain.positions.length),
    nullCounts: wordsAt(shared.nullCounts, columns),
    bytes,
    view,
    inKernel: shared,
  }
}

/** As a column's width: its values have some or other. None has as many, and a place that far on is behind the memory's end. */
export const someWidth = 2 ** 30

/**
 * Fills the batch by the kernel with rows between two addresses, and returns where it stopped: it takes messages of
 * one whole row, and leaves all others, and what is wrong, to `scanRows`. `widths`: bytes that all values of a column
 * have, `someWidth` where they differ; it only makes it quicker.
 */
export function scanInKernel(batch: RowBatch, from: number, to: number, widths: Int32Array): number {
  const { columns, capacity, maxMessage, inKernel } = batch
  if (inKernel === undefined) throw new TypeError('not a batch of the kernel')
  const { positions, counts, nulls, nullCounts, widths: place, state } = inKernel
  const { scanRows: scan, words } = kernel()
  words.set(widths, place >> 2)
  const end = scan(
    from,
    to,
    columns,
    capacity,
    maxMessage,
    positions,
    counts,
    nulls,
    nullCounts,
    place,
    state,
  )
  batch.rows = words[state >> 2]!
  return end
}

/** Makes `bytes` the batch's current bytes. */
export function attachBytes(batch: RowBatch, bytes: Uint8Array): void {
  batch.bytes = bytes
  batch.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/**
 * Fills the batch with the rows of the complete CopyData messages from `from` on and returns where it stopped:
 * at another, an incomplete or an oversize message, at `to`, or because the batch is full. A message holds whole rows
 * (protocol, "COPY Operations": always one per row). The format is COPY's binary one (docs of COPY, "Binary
 * Format"). Throws when the bytes are not that.
 */
export function scanRows(batch: RowBatch, from: number, to: number): number {
  const { bytes, view, columns, capacity, positions, counts, nulls, nullCounts } = batch
  counts.fill(0)
  nullCounts.fill(0)
  let rows = 0
  let at = from
  while (rows < capacity && at + messageHeader <= to && bytes[at] === copyData) {
    const end = at + 1 + view.getInt32(at + 1)
    if (end > to || end - at - leading(batch) > batch.maxMessage) break
    let field = at + messageHeader
    if (!batch.started) field = readHeader(batch, field, end)
    while (field < end) {
      const fields = view.getInt16(field)
      field += 2
      if (fields === -1) {
        batch.ended = true
        break
      }
      if (fields !== columns) throw notCopy(`a row of ${fields} fields where ${columns} were selected`)
      for (let column = 0, slot = 0; column < columns; column++, slot += capacity) {
        const length = view.getInt32(field)
        field += 4
        if (length >= 0) {
          positions[slot + counts[column]!++] = field
          field += length
        } else {
          nulls[slot + nullCounts[column]!++] = rows
        }
      }
      rows++
      if (field < end && rows === capacity) throw notCopy('several rows in one message')
    }
    if (field !== end) throw notCopy('a row that does not end with its message')
    at = end
  }
  batch.rows = rows
  return at
}

/** Bytes of the next message that are not its row's. */
export const leading = ({ started }: RowBatch): number => (started ? 0 : streamHeader)

function readHeader(batch: RowBatch, from: number, to: number): number {
  const { bytes, view } = batch
  if (to - from < streamHeader || signature.some((byte, index) => bytes[from + index] !== byte)) {
    throw notCopy('no COPY signature')
  }
  const flags = view.getInt32(from + signature.length)
  if (flags >>> 16 !== 0) throw notCopy(`unknown critical flags ${flags}`)
  batch.started = true
  return from + streamHeader + view.getInt32(from + signature.length + 4)
}

/** The row of the batch (from 0) that holds value `index` of the column. */
export function rowOfValue(batch: RowBatch, column: number, index: number): number {
  const first = column * batch.capacity
  let row = index
  for (let i = 0; i < batch.nullCounts[column]!; i++) {
    if (batch.nulls[first + i]! > row) break
    row++
  }
  return row
}

/** What came is not what COPY … (FORMAT binary) of the plan's columns sends. */
export const notCopy = (what: string): JobError =>
  new JobError('failed', `PostgreSQL sent ${what}: not the binary COPY of the planned columns`, {
    fix: 'run again; if it stays, something between the job and the server changes the data',
  })
