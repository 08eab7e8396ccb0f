import { expect, test } from '@jest/globals'
import type { Reject, RejectReason } from '../../../jobs/aggregate/log/reject.ts'
import { createRejectsWriter } from '../../../jobs/aggregate/result/write-rejects.ts'
import { rejectsOf } from '../../../jobs/report/gather/rejects.ts'
import { maskedRejects } from '../../../jobs/report/model/mask.ts'
import { memoryFileIO } from '../../../jobs/storage/memory.ts'

const io = memoryFileIO(() => new Date(0))
const folder = 'memory://store/rejects'
const day = '2024-09-16'

async function stored(rejects: readonly Reject[]): Promise<void> {
  const output = await io.create(`${folder}/${day}.csv`)
  const writer = createRejectsWriter(output, 'in,"1"/2024-09-16.csv')
  await writer.write(rejects)
  await writer.flush()
  await output.close()
}
const reject = (line: number, reason: RejectReason, raw: string): Reject => ({
  line,
  reason,
  raw: Buffer.from(raw),
})

test('how many lines for which reason, the commonest first, with the first of each', async () => {
  const long = `${'é'.repeat(400)}"`
  await stored([
    reject(2, 'wrong field count', 'a,"b",\nc'),
    reject(5, 'bad timestamp', long),
    reject(7, 'bad timestamp', 'x'),
  ])
  expect(await rejectsOf(io, folder, [{ day, state: 'counted', rejects: 3 }])).toEqual([
    {
      ...{ day, lines: 3 },
      reasons: [
        { reason: 'bad timestamp', lines: 2, line: 5, raw: 'é'.repeat(200) },
        { reason: 'wrong field count', lines: 1, line: 2, raw: String.raw`a,"b",\x0ac` },
      ],
    },
  ])
})

test('days without rejects are not looked at, and a file that is gone takes no number away', async () => {
  const gone = { day: '2024-09-15', state: 'counted' as const, rejects: 4 }
  expect(await rejectsOf(io, folder, [{ day, state: 'counted', rejects: 0 }, gone])).toEqual([
    { day: '2024-09-15', lines: 4, reasons: [] },
  ])
})

test('addresses in lines are masked, the rest of the line is there', () => {
  const raw = 'anna.b@example.com,READ,x "carl@y",@z'
  const reasons = [{ reason: 'bad timestamp', lines: 1, line: 2, raw }]
  expect(maskedRejects([{ day, lines: 1, reasons }])[0]!.reasons[0]!.raw).toBe(
    'a•••@example.com,READ,x "c•••@y",•••@z',
  )
})
