import { writeFile } from 'node:fs/promises'
import type { Day } from '../../calendar.ts'
import { loadCodec } from '../../parquet/codec.ts'
import type { ParquetColumn } from '../../parquet/column.ts'
import { assembleFile } from '../../parquet/file.ts'
import { defaultLimits, encodeRowGroup } from '../../parquet/row-group.ts'
import type { FileIO } from '../../storage/file-io.ts'
import { localError } from '../../storage/local/errors.ts'
import type { ColumnVector } from '../../vector/vector.ts'
import { createdBy } from '../../version.ts'
import { actionNames } from '../log/fields.ts'
import { rowsTo } from '../log/row-by-row.ts'
import type { RowSink } from '../log/row-sink.ts'
import { createLogScanner } from '../log/scanner.ts'
import { readLog } from '../log/source.ts'
import type { LogTotals } from '../log/totals.ts'

/** The rows of a log. */
const rowColumns: readonly ParquetColumn[] = [
  { name: 'email', fieldId: 2, required: true, type: { kind: 'string' } },
  { name: 'action', fieldId: 3, required: true, type: { kind: 'string' } },
  { name: 'timestamp', fieldId: 4, required: true, type: { kind: 'timestamp-micros', utc: false } },
]

const groupRows = 65_536
/** Emails of a row group end it before their offsets do. */
const groupBytes = 64 * 2 ** 20

/**
 * Writes the rows of a day's log that the scanner accepts to the local file `path`, in their order; what it found. Errors:
 * those of `readLog` and of the disk.
 */
export async function writeRowsFile(
  io: FileIO,
  location: string,
  day: Day,
  path: string,
  signal: AbortSignal,
): Promise<Readonly<LogTotals>> {
  const gathered = gather()
  const scanner = createLogScanner(day, rowsTo(day, gathered.add), () => undefined)
  const file = assembleFile({ columns: rowColumns, keyValueMetadata: {}, createdBy })
  const codec = await loadCodec('snappy')
  const groups = function* (): Generator<Uint8Array> {
    for (const vectors of gathered.take())
      yield* file.add(encodeRowGroup(rowColumns, vectors, { ...defaultLimits, codec }))
  }
  const body = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of readLog(io, location, () => undefined)) {
      signal.throwIfAborted()
      scanner.push(chunk)
      yield* groups()
    }
    scanner.end()
    gathered.end()
    yield* groups()
    yield* file.finish().bytes
  }
  let failure: unknown
  const watched = async function* (): AsyncGenerator<Uint8Array> {
    try {
      yield* body()
    } catch (error) {
      failure = error
      throw error
    }
  }
  await writeFile(path, watched()).catch((error: unknown) => {
    throw failure === error ? error : localError(error, 'write', path)
  })
  return scanner.totals
}

interface Gathered {
  readonly add: RowSink
  /** What is begun is a row group, too. */
  readonly end: () => void
  /** The row groups that are full. */
  readonly take: () => ColumnVector[][]
}

function gather(): Gathered {
  const full: ColumnVector[][] = []
  let emails = new Uint8Array(2 ** 20)
  let bytes = 0
  let rows = 0
  let offsets = new Int32Array(groupRows + 1)
  let actions = new Uint8Array(groupRows)
  let stamps = new BigInt64Array(groupRows)
  const end = (): void => {
    if (rows === 0) return
    const common = { rows, count: rows, defined: undefined }
    full.push([
      { kind: 'bytes', data: emails.subarray(0, bytes), offsets: offsets.subarray(0, rows + 1), ...common },
      { kind: 'bytes', ...actionTexts(actions.subarray(0, rows)), ...common },
      { kind: 'fixed', width: 8, data: new Uint8Array(stamps.buffer, 0, 8 * rows), ...common },
    ])
    emails = new Uint8Array(emails.length)
    offsets = new Int32Array(groupRows + 1)
    actions = new Uint8Array(groupRows)
    stamps = new BigInt64Array(groupRows)
    bytes = rows = 0
  }
  return {
    add(from, start, emailEnd, action, log, stamp) {
      const length = emailEnd - start
      if (bytes + length > emails.length) {
        const larger = new Uint8Array(Math.max(2 * emails.length, bytes + length))
        larger.set(emails.subarray(0, bytes))
        emails = larger
      }
      for (let at = 0; at < length; at++) emails[bytes + at] = from[start + at]!
      bytes += length
      actions[rows] = action
      stamps[rows] = microsAt(log, stamp)
      offsets[++rows] = bytes
      if (rows === groupRows || bytes > groupBytes) end()
    },
    end,
    take: () => full.splice(0),
  }
}

const actionBytes = actionNames.map((name) => Buffer.from(name))

function actionTexts(actions: Uint8Array): { readonly data: Uint8Array; readonly offsets: Int32Array } {
  const data = new Uint8Array(6 * actions.length)
  const offsets = new Int32Array(actions.length + 1)
  let at = 0
  actions.forEach((action, row) => {
    data.set(actionBytes[action]!, at)
    offsets[row + 1] = at += actionBytes[action]!.length
  })
  return { data, offsets }
}

/** `YYYY-MM-DD HH:MM:SS`, which exists, as microseconds since 1970. */
function microsAt(log: Buffer, at: number): bigint {
  const number = (from: number, digits: number): number => {
    let value = 0
    for (let digit = 0; digit < digits; digit++) value = 10 * value + log[at + from + digit]! - 0x30
    return value
  }
  const seconds = number(11, 2) * 3600 + number(14, 2) * 60 + number(17, 2)
  return BigInt(daysSince1970(number(0, 4), number(5, 2), number(8, 2)) * 86_400 + seconds) * 1_000_000n
}

/** Of the proleptic Gregorian calendar, years counted from March (Hinnant, "days_from_civil"). */
function daysSince1970(year: number, month: number, day: number): number {
  const marchYear = month <= 2 ? year - 1 : year
  const era = Math.floor(marchYear / 400)
  const yearOfEra = marchYear - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}
