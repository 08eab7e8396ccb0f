import { describe, expect, it } from '@jest/globals'
import type { Reject } from '../../../jobs/aggregate/log/reject.ts'
import { createRejectsWriter } from '../../../jobs/aggregate/result/write-rejects.ts'
import { written } from './output.ts'

const rejectsOf = async (file: string, rejects: readonly Reject[]): Promise<string> =>
  (
    await written(async (output) => {
      const writer = createRejectsWriter(output, file)
      await writer.write(rejects)
      await writer.flush()
    })
  ).toString()

describe('createRejectsWriter', () => {
  it('writes the header, then file, line, reason and escaped raw text', async () => {
    const text = await rejectsOf('in,1/2024-09-10.csv', [
      { line: 1, reason: 'unknown action', raw: Buffer.from('é,"x"\r\ny') },
      { line: 12_345, reason: 'NUL byte', raw: Buffer.from('a\0\\b') },
      { line: 3, reason: 'wrong field count', raw: Buffer.alloc(0) },
    ])
    expect(text).toBe(
      'file,line,reason,raw\n' +
        '"in,1/2024-09-10.csv",1,unknown action,"é,""x""\\x0d\\x0ay"\n' +
        '"in,1/2024-09-10.csv",12345,NUL byte,a\\x00\\\\b\n' +
        '"in,1/2024-09-10.csv",3,wrong field count,\n',
    )
  })

  it('writes more than its buffer holds', async () => {
    const raw = Buffer.alloc(65_536, 0xff)
    const rejects = Array.from({ length: 20 }, (_, i): Reject => ({
      line: i + 1,
      reason: 'invalid UTF-8',
      raw,
    }))
    const expected = rejects.map(({ line }) => `f,${line},invalid UTF-8,${'\\xff'.repeat(65_536)}\n`).join('')
    expect((await rejectsOf('f', rejects)) === `file,line,reason,raw\n${expected}`).toBe(true)
  })
})
