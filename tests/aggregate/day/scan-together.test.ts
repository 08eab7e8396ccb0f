import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { scanTogether, type Helper } from '../../../jobs/aggregate/day/scan-together.ts'
import { createShare } from '../../../jobs/aggregate/day/share.ts'
import { mergeLists } from '../../../jobs/aggregate/lists/merge-lists.ts'
import { copyOf, createEmailTable } from '../../../jobs/aggregate/log/email-table.ts'
import { addLogTotals, noTotals } from '../../../jobs/aggregate/log/totals.ts'
import { mergeCounts } from '../../../jobs/aggregate/merge-counts.ts'
import { listCounts, pieces, scan, takeAll, type Scanned } from '../log/scan.ts'

const day = '2024-09-10'
const latin1 = (text: string) => Buffer.from(text, 'latin1')

describe('scanTogether', () => {
  const table = createEmailTable()
  let scratch: string
  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'lakejobs-together-'))
  })
  afterAll(() => rm(scratch, { recursive: true }))

  /** As `scan` does what follows one line, with two helpers, which answer late; undefined where it says that it cannot. */
  async function together(chunks: readonly Buffer[], blockBytes: number, partBytes = 2 ** 30) {
    const rejects: Scanned['rejects'] = []
    const late: (() => void)[] = []
    const names = ['one', 'two']
    const claim = (): Helper | undefined => {
      const name = names.pop()
      if (name === undefined) return undefined
      const share = createShare({ day, scratch, name, partBytes })
      let waiting = 0
      return {
        scan(block, scanned) {
          waiting++
          late.unshift(() => {
            waiting--
            scanned(share.scan(block))
          })
        },
        waiting: () => waiting,
        finish() {
          for (const answer of late.splice(0)) answer()
          return Promise.resolve(share.finish())
        },
      }
    }
    const scanning = scanTogether({
      ...{ day, table, claim, blockBytes, linesBefore: 1, makeRoom: () => undefined },
      onReject: ({ line, reason, raw }) => {
        rejects.push([line, reason, raw.toString('latin1')])
      },
    })
    for (const chunk of chunks) {
      scanning.push(chunk)
      // The newest first: what comes out must not depend on the order.
      if (late.length > 2) late.shift()!()
    }
    const ended = await scanning.end(() => undefined)
    const own = takeAll(table)
    if (ended === undefined) return undefined
    const others = ended.shares.flatMap(({ parts, counts }) => [
      ...Array.from(mergeLists(parts, 1000), copyOf),
      ...(counts === undefined ? [] : [counts]),
    ])
    return {
      totals: ended.totals,
      counts: listCounts(mergeCounts([own, ...others])),
      rejects,
      shares: ended.shares,
    }
  }

  /** By one scanner, the line before left out again. */
  function alone(bytes: Buffer): Scanned {
    const head = `first,READ,${day} 00:00:00\n`
    const { totals, counts, rejects } = scan([Buffer.concat([latin1(head), bytes])])
    const without = noTotals()
    addLogTotals(without, totals)
    without.rows--
    without.events[1]--
    without.emailBytes -= 'first'.length
    without.bytes -= head.length
    const rest = counts.flatMap(([email, create, read, ...more]): Scanned['counts'] =>
      email === 'first' ? [] : [[email, create, read, ...more] as Scanned['counts'][number]],
    )
    return { totals: without, counts: rest, rejects }
  }

  const tokens = [
    ...[
      '"',
      '""',
      ',',
      '\r',
      '\n',
      '\n',
      '\r\n',
      '\0',
      '\xff',
      'bad\n',
      '\xef\xbb\xbf',
      'email,action,timestamp\n',
    ],
    ...[`a,READ,${day} 12:26:57\n`, `b@x,CREATE,${day} 12:26:57\n`, `c,DELETE,2024-09-11 00:00:01\n`],
    ...[`"b@x",DELETE,${day} 00:00:00\r\n`, `"q\nr",UPDATE,${day} 00:00:00\n`],
  ].map(latin1)
  const bytes = fc.array(fc.constantFrom(...tokens), { maxLength: 60 }).map((parts) => Buffer.concat(parts))

  it('finds what one scanner finds, in any bytes, cut anywhere, or says that it cannot', async () => {
    let found = 0
    await fc.assert(
      fc.asyncProperty(
        bytes,
        fc.integer({ min: 30, max: 400 }),
        fc.integer({ min: 1, max: 100 }),
        async (log, blockBytes, size) => {
          const read = await together(pieces(log, size), blockBytes)
          if (read === undefined) return
          found++
          const { totals, counts, rejects } = read
          expect({ totals, counts, rejects }).toEqual(alone(log))
        },
      ),
      { numRuns: 1500 },
    )
    expect(found).toBeGreaterThan(500)
  })

  it('of a log without quotes it always can', async () => {
    const lines = Array.from(
      { length: 500 },
      (_, i) => `user${i % 70},READ,${day} 12:26:57${i % 3 ? '' : '\r'}\n`,
    )
    const log = latin1([...lines, 'bad\n', ...lines, `a,READ,${day}`].join(''))
    const read = await together(pieces(log, 300), 1000)
    expect(read?.totals).toEqual(alone(log).totals)
    expect(read?.rejects).toEqual([
      [502, 'wrong field count', 'bad'],
      [1003, 'bad timestamp', `a,READ,${day}`],
    ])
    expect(read?.shares).toHaveLength(2)
  })

  it('a share of more than its bytes comes in lists', async () => {
    const log = latin1(Array.from({ length: 3000 }, (_, i) => `user${i},READ,${day} 12:26:57\n`).join(''))
    const read = await together(pieces(log, 4096), 8192, 60_000)
    expect(read?.shares.every(({ parts }) => parts.length > 0)).toBe(true)
    expect(read?.counts).toEqual(alone(log).counts)
  })

  it('says that it cannot where a quoted line feed lies at the end of a block', async () => {
    const log = latin1(`"${'x'.repeat(90)}\n${'y'.repeat(100)}",READ,${day} 12:26:57\n`)
    expect(await together([log], 120)).toBeUndefined()
    expect(await together([log], 300)).toBeDefined()
  })
})
