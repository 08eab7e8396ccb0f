import { describe, expect, it } from '@jest/globals'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createEmailTable } from '../../jobs/aggregate/log/email-table.ts'
import { createLogScanner } from '../../jobs/aggregate/log/scanner.ts'
import { writeResult } from '../../jobs/aggregate/result/write-result.ts'
import { written } from './result/output.ts'

const folder = join(import.meta.dirname, '../../../shared/data/crud-logs')

// A user's clone has no ../shared (operations-spec §5.1).
const whereShared = existsSync(folder) ? describe : describe.skip

whereShared('the published sample', () => {
  it('gives the published result, byte for byte', async () => {
    const table = createEmailTable()
    for (const name of readdirSync(join(folder, 'input'))) {
      const scanner = createLogScanner(
        name.slice(0, 10),
        table.taker(name.slice(0, 10)),
        ({ line, reason }) => {
          throw new Error(`${name}:${line}: ${reason}`)
        },
      )
      scanner.push(readFileSync(join(folder, 'input', name)))
      expect(scanner.end()).toMatchObject({ rows: 2000, otherDayRows: 0 })
    }
    const result = await written((output) => writeResult(output, table.batches(1000)))
    expect(result.toString()).toBe(readFileSync(join(folder, 'expected/2024-09-16.csv'), 'utf8'))
  })
})
