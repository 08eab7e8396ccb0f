import type { Day } from '../../calendar.ts'
import { countPlaces, createCountKernel } from '../../kernel/count-kernel.ts'
import type { EmailCounts } from '../counts.ts'
import type { RowTaker } from './row-taker.ts'
import { mostHeldBytes } from './scanner.ts'

/** Counts the events of a log's rows per email. */
export interface EmailTable {
  /** Takes the rows of a log of `day`, whose counts are added to what the table holds. */
  readonly taker: (day: Day) => RowTaker
  /** Distinct emails so far. */
  readonly emails: () => number
  /** Bytes that the table takes, and will take while it is sorted. */
  readonly heldBytes: () => number
  /** No more than `bytesBetweenLooks` of log, and what its scanner holds, may be added: hand the counts over first. */
  readonly isFull: () => boolean
  /** The counts so far, sorted, in batches of at most `rows` rows, each overwritten by the next; the table starts anew after the last. */
  readonly batches: (rows: number) => Generator<EmailCounts, void, undefined>
}

/** A record and a slice of the log, four times over (scanner.ts), and then some. */
const windowAt = 65_536
const windowBytes = 8 * 2 ** 20
/** An email that does not lie in the window: a record's at most, and what is read behind it. */
const emailAt = windowAt + windowBytes
const emailRoom = 2 ** 20 + 65_536
/** Slots of 8 bytes, half of which are used at most, and half as much room again while they are doubled. */
const slotsAt = emailAt + emailRoom
const mostSlots = 2 ** 23
const firstSlots = 2 ** 12
const arenaAt = slotsAt + 12 * mostSlots
/** What a small day needs beside its slots. */
const firstArena = 16 * 2 ** 20
/** Of a log, between two looks at what a table holds. */
export const bytesBetweenLooks = 2 ** 20
/** `a,READ,2024-09-10 00:00:00` and a line feed: no row is shorter. */
const shortestRow = 27
/** A table that is not full has slots for as many emails: held lines are taken all at once when the quote before them is a fault. */
const rowsBetweenLooks = Math.ceil((mostHeldBytes + bytesBetweenLooks) / shortestRow)
/** Behind a record: where the next one begins, and what is read beyond it. */
const slack = 4096
/** While it is sorted an email takes two items of 16 bytes and its share of the groups that wait (assembly/count/sort.ts). */
const sortBytes = 40
/** Bytes of emails in a batch, unless a single one is longer. */
const batchBytes = 16 * 2 ** 20
/** Counts of an email are 32 bits wide until they are handed over. */
const mostRows = 2 ** 31

const aligned = (address: number): number => Math.ceil(address / 64) * 64

/**
 * An open-addressing table in WebAssembly memory (docs/architecture.md): a row allocates nothing. Its hash is strongly universal
 * with a key at random in each table, so that no input makes it slow (aggregate-spec §4.7). Throws a RangeError when 4 GiB are
 * used up, which `isFull` prevents.
 */
export function createEmailTable(): EmailTable {
  const kernel = createCountKernel(arenaAt + firstArena)
  let slots = firstSlots
  let rows = 0
  kernel.reset(slotsAt, slots, arenaAt)
  // The addresses of the kernel are signed numbers here.
  const top = (): number => kernel.arenaTop() >>> 0

  const batches = function* (batchRows: number): Generator<EmailCounts, void, undefined> {
    const emails = kernel.emails()
    const items = aligned(top() + slack)
    const target = aligned(items + sortBytes * emails + slack)
    kernel.ensure(target + slack)
    kernel.sort(items, items + 16 * emails, items + 32 * emails)
    for (let first = 0; first < emails;) {
      const most = Math.min(batchRows, emails - first)
      const offsetsAt = target
      const countsAt = aligned(offsetsAt + 4 * (most + 1))
      const emailsAt = countsAt + 32 * most
      // One email may be longer than a batch's bytes.
      kernel.ensure(emailsAt + Math.max(batchBytes, 2 ** 20) + slack)
      const count = kernel.takeColumns(items, first, most, batchBytes, emailsAt, offsetsAt, countsAt)
      yield columnsAt(kernel, { count, most }, { emailsAt, offsetsAt, countsAt })
      first += count
    }
    // The next day is much like this one: its table need not grow.
    slots = kernel.slotCount()
    rows = 0
    kernel.reset(slotsAt, slots, arenaAt)
  }

  return {
    taker: (day) => {
      putDay(kernel.bytes(), day)
      let [of, window] = [kernel.bytes(), kernel.bytes().subarray(windowAt, windowAt + windowBytes)]
      const windowNow = (): Buffer => {
        if (of !== kernel.bytes()) {
          of = kernel.bytes()
          window = of.subarray(windowAt, windowAt + windowBytes)
        }
        return window
      }
      return {
        window: windowNow,
        enlarge() {
          throw new RangeError('a record is longer than the scanner says')
        },
        takeClean(at, longest, totals) {
          // Each row of 27 bytes or more may bring an email, whose record takes 64 or its bytes and 83 more.
          kernel.ensure(top() + 4 * (2 ** 20 + 65_536) * 2 + slack)
          const stop = kernel.takeRows(windowAt + at, longest, eventsAt) - windowAt
          const taken = kernel.rows()
          const events = kernel.words().subarray(eventsAt / 4, eventsAt / 4 + 4)
          events.forEach((count, action) => (totals.events[action]! += count))
          totals.rows += taken
          totals.emailBytes += kernel.emailBytes()
          rows += taken
          return stop
        },
        take(bytes, start, end, action) {
          const length = end - start
          // Before the memory grows: then the window is another buffer.
          const here = bytes.buffer === kernel.bytes().buffer ? bytes.byteOffset + start : undefined
          kernel.ensure(top() + length + slack)
          if (here === undefined) kernel.bytes().set(bytes.subarray(start, end), emailAt)
          kernel.add(here ?? emailAt, length, action)
          rows++
        },
      }
    },
    emails: kernel.emails,
    heldBytes: () => top() - arenaAt + 8 * kernel.slotCount() + sortBytes * kernel.emails(),
    isFull: () => kernel.emails() >= mostSlots / 2 - rowsBetweenLooks || rows > mostRows,
    batches,
  }
}

/** Four words, behind the module's own tables. */
const eventsAt = countPlaces.end

/** The bytes that the timestamp of a row of `day` may have behind its year. */
function putDay(bytes: Buffer, day: Day): void {
  const least = Buffer.from(`${day.slice(4)} 00:00:00\n`)
  // Up to 29 hours: the module holds 24 to 29 apart. Up to CR at the end.
  const most = Buffer.from(`${day.slice(4)} 29:59:59\r`)
  least.copy(bytes, countPlaces.least)
  least.forEach((byte, at) => (bytes[countPlaces.span + at] = most[at]! - byte))
  bytes.write(day.slice(0, 4), countPlaces.year)
}

function columnsAt(
  kernel: ReturnType<typeof createCountKernel>,
  { count, most }: { readonly count: number; readonly most: number },
  at: { readonly emailsAt: number; readonly offsetsAt: number; readonly countsAt: number },
): EmailCounts {
  const { buffer } = kernel.bytes()
  const offsets = new Uint32Array(buffer, at.offsetsAt, count + 1)
  const counts = (action: number): Float64Array =>
    new Float64Array(buffer, at.countsAt + 8 * action * most, count)
  return {
    rows: count,
    emails: new Uint8Array(buffer, at.emailsAt, offsets[count]),
    offsets,
    create: counts(0),
    read: counts(1),
    update: counts(2),
    delete: counts(3),
  }
}

/** Counts that outlive the table's next batch. */
export const copyOf = (counts: EmailCounts): EmailCounts => ({
  rows: counts.rows,
  emails: counts.emails.slice(),
  offsets: counts.offsets.slice(),
  create: counts.create.slice(),
  read: counts.read.slice(),
  update: counts.update.slice(),
  delete: counts.delete.slice(),
})
