import { addDays, type Day } from '../calendar.ts'
import { createRandom, type Random } from '../random.ts'

/** Which rows: `rows` of them over the `days` days that end with `date`, UTC, always the same for one `seed`. */
export interface WebLogOptions {
  readonly rows: number
  readonly days: number
  readonly date: Day
  readonly seed: number
}

/** The interval that the rows fill: from the first day's start to the start of the day after the last. */
export function seededInterval({ days, date }: Pick<WebLogOptions, 'days' | 'date'>): {
  readonly first: Day
  readonly end: Day
} {
  return { first: addDays(date, 1 - days), end: addDays(date, 1) }
}

/** The columns in the order in which they are sent, and the base types of what is sent. */
export const seededTypes = {
  user_id: 'int4',
  url: 'text',
  response_time: 'int4',
  status_code: 'int4',
  timestamp: 'timestamptz',
} as const

export const seededColumns = Object.keys(seededTypes).join(', ')

const users = 1000
const orders = 10_000
const paths = ['/api/login', '/api/orders', '/api/orders/', '/api/products', '/api/cart'].map((path) =>
  Buffer.from(path),
)
const orderPath = 2

/** Each status as often as its weight (design §3.3). */
const clientErrors = [400, 401, 403, 404, 404, 404, 404, 404, 429]
const serverErrors = [500, 502, 503, 503, 503, 504]

const chunkBytes = 256 * 1024
/** Field count, five lengths, two words, the longest path with its number, one word, eight bytes. */
const maxRowBytes = 2 + 5 * 4 + 4 + 17 + 4 + 4 + 8
const header = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1')
const trailer = Buffer.from([0xff, 0xff])

/** Microseconds from 1970-01-01 to 2000-01-01, where PostgreSQL's timestamps begin. */
const epochMicros = 946_684_800_000_000
const wordSize = 0x1_0000_0000

/**
 * The rows of design §3.3 as binary COPY data, in chunks of 256 KB and constant memory. They come in the order
 * of their timestamps, as a log's rows do: uniform draws sorted, made one after the other from the spacings
 * between them, so no sort is needed and the table's index grows at its end. `onRows` hears each chunk's rows.
 */
export function* webLogRows(options: WebLogOptions, onRows: (count: number) => void): Generator<Uint8Array> {
  const { rows, seed } = options
  const random = createRandom(seed, 'web_logs')
  const { first, end } = seededInterval(options)
  const start = Date.parse(`${first}T00:00:00Z`) * 1000 - epochMicros
  const span = (Date.parse(`${end}T00:00:00Z`) - Date.parse(`${first}T00:00:00Z`)) * 1000
  const times = createTimes(random)

  yield header
  for (let row = 0; row < rows;) {
    const chunk = Buffer.allocUnsafe(chunkBytes)
    const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.length)
    const before = row
    let at = 0
    for (; row < rows && at + maxRowBytes <= chunkBytes; row++) {
      const micros = start + Math.min(Math.floor(times(rows - row) * span), span - 1)
      at = writeRow(chunk, view, at, random, micros)
    }
    onRows(row - before)
    yield chunk.subarray(0, at)
  }
  yield trailer
}

/**
 * The smallest of n uniform draws, then the next …: of `left` draws in the interval that is left, the smallest
 * leaves u^(1/left) of it (order statistics of the uniform distribution).
 */
function createTimes(random: Random): (left: number) => number {
  let remaining = 1
  return (left) => {
    remaining *= Math.exp(Math.log(unit(random)) / left)
    return 1 - remaining
  }
}

function writeRow(chunk: Buffer, view: DataView, from: number, random: Random, micros: number): number {
  view.setInt16(from, 5)
  view.setInt32(from + 2, 4)
  view.setInt32(from + 6, 1 + random.below(users))
  const at = writePath(chunk, view, from + 10, random)
  view.setInt32(at, 4)
  view.setInt32(at + 4, responseTime(random))
  view.setInt32(at + 8, 4)
  view.setInt32(at + 12, statusCode(random))
  view.setInt32(at + 16, 8)
  const high = Math.floor(micros / wordSize)
  view.setInt32(at + 20, high)
  view.setUint32(at + 24, micros - high * wordSize)
  return at + 28
}

/** Length and text of a path; returns the position behind it. */
function writePath(chunk: Buffer, view: DataView, from: number, random: Random): number {
  const index = random.below(paths.length)
  const path = paths[index]!
  let at = from + 4
  at += path.copy(chunk, at)
  if (index === orderPath) {
    const order = 1 + random.below(orders)
    let power = 1
    while (power * 10 <= order) power *= 10
    for (; power >= 1; power = Math.floor(power / 10)) chunk[at++] = 0x30 + (Math.floor(order / power) % 10)
  }
  view.setInt32(from, at - from - 4)
  return at
}

/** 95 % around 150 ms, 5 % slow. */
function responseTime(random: Random): number {
  if (random.below(100) < 95) {
    const normal = Math.sqrt(-2 * Math.log(unit(random))) * Math.cos(2 * Math.PI * unit(random))
    return Math.max(1, Math.round(150 + 50 * normal))
  }
  return Math.min(2000, Math.round(300 - 400 * Math.log(unit(random))))
}

function statusCode(random: Random): number {
  const draw = random.below(100)
  if (draw < 90) return 200
  return draw < 97
    ? clientErrors[random.below(clientErrors.length)]!
    : serverErrors[random.below(serverErrors.length)]!
}

/** Uniform in (0, 1]: its logarithm is finite. */
const unit = (random: Random): number => (random.uint32() + 1) / wordSize
