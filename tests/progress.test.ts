import { describe, expect, it } from '@jest/globals'
import pino from 'pino'
import { bar, createProgress, short } from '../jobs/progress.ts'

describe('bar', () => {
  const state = { label: 'aggregate', count: 2_310_000, total: 7_000_000, unit: 'rows', perSecond: 1_100_000 }

  it('shows the share, the amount and the speed', () => {
    expect(bar(state)).toBe(`aggregate ${'█'.repeat(8)}${'░'.repeat(16)}  33 %  2.3 M of 7.0 M rows  1.1 M/s`)
  })

  it('never passes the end, and does without a total', () => {
    expect(bar({ ...state, count: 9e6 })).toContain(`${'█'.repeat(24)} 100 %`)
    for (const total of [undefined, 0])
      expect(bar({ ...state, total })).toBe('aggregate  2.3 M rows  1.1 M/s')
  })
})

it.each([
  [0, '0'],
  [999, '999'],
  [1000, '1.0 k'],
  [1_234_567, '1.2 M'],
  [5e9, '5.0 G'],
])('short(%d) is %s', (count, text) => {
  expect(short(count)).toBe(text)
})

describe('createProgress', () => {
  const run = (terminal: boolean): { readonly written: string[]; readonly logged: string[] } => {
    const written: string[] = []
    const logged: string[] = []
    let now = 0
    const write = (text: string): void => {
      written.push(text)
    }
    const logger = pino({ base: null, timestamp: false }, { write: (line: string) => logged.push(line) })
    const started = createProgress({ terminal, write, logger, clock: () => now }).start('x', 300, 'rows')
    for (now of [50, 99, 100, 150, 10_000, 10_001]) started.add(50)
    started.done()
    return { written, logged }
  }

  it('redraws a line on a terminal ten times a second, and removes it', () => {
    const { written, logged } = run(true)
    expect(written).toHaveLength(3)
    expect(written[0]).toMatch(/^\r\x1b\[Kx █+░+ {2}50 %  150 of 300 rows {2}1.5 k\/s$/)
    expect(written.at(-1)).toBe('\r\x1b[K')
    expect(logged).toEqual([])
  })

  it('logs every ten seconds elsewhere', () => {
    const { written, logged } = run(false)
    expect(written).toEqual([])
    expect(logged.map((line) => JSON.parse(line) as object)).toEqual([
      { level: 30, done: 250, total: 300, unit: 'rows', perSecond: 25, msg: 'x: 250 of 300 rows, 25/s' },
    ])
  })
})
