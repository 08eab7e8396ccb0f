import type { KeyObject } from 'node:crypto'
import { usageError } from '../../errors.ts'
import type { ColumnVector } from '../../vector/vector.ts'
import { checkedColumns, wireOrder } from '../source/ranges.ts'
import type { SourceColumn } from '../source/types.ts'
import { createBuilder } from './columns.ts'
import { wireWidths } from './fixed.ts'
import { refusals } from './refusals.ts'
import { createSplitter, messageEnd } from './messages.ts'
import {
  attachBytes,
  createBatch,
  createKernelBatch,
  kernelInput,
  leading,
  messageHeader,
  rowOfValue,
  scanInKernel,
  scanRows,
  someWidth,
  type RowBatch,
} from './scan.ts'

/** The columns of some consecutive rows; nothing else holds the memory, it may be transferred to a thread. */
export interface RowGroup {
  readonly rows: number
  readonly bytes: number
  readonly vectors: readonly ColumnVector[]
}

export interface DecoderOptions {
  /** Of the row groups, in that order; COPY sends them in `wireOrder`, then the checks of `checkedColumns`. */
  readonly columns: readonly SourceColumn[]
  /** True when the server does not guarantee valid UTF-8 (a SQL_ASCII database). */
  readonly checkUtf8: boolean
  readonly hashKey?: KeyObject | undefined
  /** About how many rows will come, if somebody knows. */
  readonly likelyRows?: number
  /** A row group is complete at that many rows, and never has more, … */
  readonly groupRows: number
  /** … or before it would exceed that many bytes. */
  readonly groupBytes: number
  /** A row with more bytes in COPY's binary format is refused (`--max-row-bytes`). */
  readonly maxRowBytes: number
}

/** Decodes one COPY after the other into row groups that may span them. */
export interface CopyDecoder {
  /**
   * Begins a COPY; returns the function for the bytes the server sends. Messages other than CopyData go to
   * `forward`. Throws `RefusedValue` for what the lake cannot hold.
   */
  begin(forward: (bytes: Uint8Array) => void): (chunk: Uint8Array) => void
  /** What has come of the COPY begun last. */
  progress(): { readonly rows: number; readonly ended: boolean }
  /** How many values `--lossy-cast` changed, by column, of all COPYs. */
  changed(): Readonly<Record<string, number>>
  /** Whether `take` has a complete row group. */
  ready(): boolean
  /** The next complete row group; with `rest` also the last, incomplete one. */
  take(rest?: boolean): RowGroup | undefined
}

/**
 * A value that cannot be exact in the lake: which column, and which row of the current COPY (from 0); its text if it was
 * sent.
 */
export class RefusedValue extends Error {
  override readonly name = 'RefusedValue'
  readonly column: SourceColumn | undefined
  readonly row: number
  readonly value: string | undefined

  constructor(message: string, column: SourceColumn | undefined, row: number, value?: string) {
    super(message)
    this.column = column
    this.row = row
    this.value = value
  }
}

/** Bytes of a value, as long as none has been seen. */
const likelyWidth = 8

/** Offsets of text values are 32 bits wide. */
const vectorLimit = 0x7fff_ffff

/** A decoder of COPY (FORMAT binary) for these columns. Memory: one row group and the largest row. */
export function createDecoder(options: DecoderOptions): CopyDecoder {
  const { columns, checkUtf8, hashKey, likelyRows = 0, groupRows, groupBytes, maxRowBytes } = options
  if (groupBytes + maxRowBytes > vectorLimit) {
    throw usageError(`row groups of ${groupBytes} bytes and rows of ${maxRowBytes} exceed 2 GiB together`, {
      field: '--max-row-bytes',
      fix: `set --max-row-bytes to at most ${vectorLimit - groupBytes}`,
    })
  }
  const onWire = wireOrder(columns)
  const checked = checkedColumns(columns)
  const fields = onWire.length + checked.length
  const changed = new Float64Array(checked.length)
  const rows = Math.min(likelyRows, groupRows, Math.ceil(groupBytes / (likelyWidth * columns.length)))
  const builders = onWire.map((column, index) => createBuilder(column, index, { checkUtf8, hashKey, rows }))
  const places = columns.map((column) => onWire.indexOf(column))
  const ready: RowGroup[] = []
  const maxMessage = maxRowBytes + messageHeader
  const quick = createKernelBatch(fields, maxMessage)
  const widths = new Int32Array(fields).fill(someWidth)
  for (const [index, { wire }] of onWire.entries()) widths[index] = wireWidths[wire] ?? someWidth
  let batch = createBatch(fields, maxMessage)
  let copied = 0
  let grouped = 0

  const size = (): number => builders.reduce((sum, builder) => sum + builder.size(), 0)
  const closeGroup = (): void => {
    ready.push({ rows: grouped, bytes: size(), vectors: places.map((place) => builders[place]!.take()) })
    grouped = 0
  }
  const announce = (bytes: number): void => {
    const row = bytes - messageHeader - leading(batch)
    if (row > maxRowBytes)
      throw new RefusedValue(`a row of ${row} bytes (limit ${maxRowBytes})`, undefined, copied)
  }
  /** The batch then takes no more rows than the row group. */
  const limit = (batch: RowBatch): void => {
    batch.capacity = Math.min(batch.mostRows, groupRows - grouped)
  }
  /** A check is NULL where its cast has changed nothing. */
  const checkCasts = (batch: RowBatch): void => {
    for (const [index, column] of checked.entries()) {
      const field = onWire.length + index
      const count = batch.counts[field]!
      if (count === 0) continue
      changed[index]! += count
      const { lossy, to } = column.check!
      if (lossy) continue
      const row = copied + rowOfValue(batch, field, 0)
      throw new RefusedValue(`a value that is another as ${to}`, column, row, textOf(batch, field))
    }
  }
  const append = (batch: RowBatch, span: number): void => {
    if (grouped > 0 && size() + span > groupBytes) closeGroup()
    for (const [index, builder] of builders.entries()) {
      const refused = builder.append(batch)
      if (refused < 0) continue
      const column = onWire[index]!
      throw new RefusedValue(
        builder.refusal?.() ?? refusals[column.wire] ?? 'a value',
        column,
        copied + rowOfValue(batch, index, refused),
      )
    }
    checkCasts(batch)
    copied += batch.rows
    grouped += batch.rows
    if (grouped === groupRows) closeGroup()
  }
  /** Regular rows are read by the kernel; returns where something else begins. */
  const consumeQuickly = (bytes: Uint8Array, from: number, to: number): number => {
    if (quick?.inKernel === undefined || to - from > kernelInput || !batch.started) return from
    const { input } = quick.inKernel
    quick.bytes.set(bytes.subarray(from, to), input)
    let at = input
    do {
      const start = at
      limit(quick)
      at = scanInKernel(quick, start, input + to - from, widths)
      if (quick.rows > 0) append(quick, at - start)
    } while (quick.rows === quick.capacity)
    return from + at - input
  }
  const consume = (bytes: Uint8Array, from: number, to: number): number => {
    attachBytes(batch, bytes)
    for (let at = from; ;) {
      const start = consumeQuickly(bytes, at, to)
      limit(batch)
      // The header has a message of its own: behind it the kernel goes on.
      at = scanRows(batch, start, batch.started ? to : Math.min(to, messageEnd(bytes, start)))
      if (batch.rows > 0) append(batch, at - start)
      if (at === start) return at
    }
  }
  return {
    begin(forward) {
      batch = createBatch(fields, maxMessage)
      copied = 0
      return createSplitter({ consume, announce, forward })
    },
    progress: () => ({ rows: copied, ended: batch.ended }),
    changed: () => Object.fromEntries(checked.map(({ name }, index) => [name, changed[index]!])),
    ready: () => ready.length > 0,
    take(rest = false) {
      if (rest && grouped > 0) closeGroup()
      return ready.shift()
    },
  }
}

/** The first text of the batch's field. */
function textOf({ bytes, view, positions, capacity }: RowBatch, field: number): string {
  const position = positions[field * capacity]!
  return new TextDecoder().decode(bytes.subarray(position, position + view.getInt32(position - 4)))
}
