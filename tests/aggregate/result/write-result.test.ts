import { describe, expect, it } from '@jest/globals'
import type { EmailCounts } from '../../../jobs/aggregate/counts.ts'
import { writeResult } from '../../../jobs/aggregate/result/write-result.ts'
import { written } from './output.ts'

const header = 'email,create_count,read_count,update_count,delete_count\n'
type Row = readonly [email: string, create: number, read: number, update: number, remove: number]

function countsOf(rows: readonly Row[]): EmailCounts {
  const offsets = new Uint32Array(rows.length + 1)
  rows.forEach(([email], i) => (offsets[i + 1] = offsets[i]! + Buffer.byteLength(email)))
  const column = (index: 1 | 2 | 3 | 4) => Float64Array.from(rows, (row) => row[index])
  return {
    rows: rows.length,
    emails: Buffer.from(rows.map(([email]) => email).join('')),
    offsets,
    create: column(1),
    read: column(2),
    update: column(3),
    delete: column(4),
  }
}

const resultOf = async (...batches: (readonly Row[])[]): Promise<string> =>
  (await written((output) => writeResult(output, batches.map(countsOf)))).toString()

describe('writeResult', () => {
  it('writes the header alone when there are no rows', async () => {
    await expect(resultOf()).resolves.toBe(header)
    await expect(resultOf([])).resolves.toBe(header)
  })

  it.each([
    ['a@x', 'a@x'],
    [' a ', ' a '],
    ["'a;b'", "'a;b'"],
    ['é\t😀', 'é\t😀'],
    ['a,b', '"a,b"'],
    ['a"b', '"a""b"'],
    ['"', '""""'],
    ['a\nb', '"a\nb"'],
    ['a\rb', '"a\rb"'],
  ])('quotes %j only where needed', async (email, field) => {
    await expect(resultOf([[email, 1, 2, 3, 4]])).resolves.toBe(`${header}${field},1,2,3,4\n`)
  })

  it('writes counts exactly', async () => {
    const numbers = [
      0,
      9,
      10,
      99,
      100,
      2 ** 31 - 1,
      2 ** 31,
      2 ** 32,
      999_999_999_999,
      1e15,
      2 ** 53 - 1,
      2 ** 53,
    ]
    for (let power = 1; power <= 1e15; power *= 10) numbers.push(power - 1, power, power + 1)
    const rows = numbers.flatMap((n): Row[] => [
      ['a', n, n, n, n],
      ['a', n, 1, 2, 3],
      ['a', 1, n, 2, 3],
      ['a', 1, 2, n, 3],
      ['a', 1, 2, 3, n],
    ])
    await expect(resultOf(rows)).resolves.toBe(header + rows.map((row) => `${row.join(',')}\n`).join(''))
  })

  it('quotes what is to be quoted wherever in the email it is', async () => {
    const rows: Row[] = []
    for (let length = 0; length <= 40; length++) {
      rows.push(['a'.repeat(length), length, 1, 2, 3])
      for (let at = 0; at < length; at++)
        rows.push([`${'a'.repeat(at)},${'b'.repeat(length - at - 1)}`, 1, 2 ** 32 - 1, 3, at])
    }
    const lines = rows.map(([email, ...counts]) => [email.includes(',') ? `"${email}"` : email, ...counts])
    await expect(resultOf(rows)).resolves.toBe(
      `${header}${lines.map((line) => `${line.join(',')}\n`).join('')}`,
    )
  })

  it('writes many batches and rows longer than its buffer, and counts them', async () => {
    const many = Array.from({ length: 30_000 }, (_, i): Row => [`user${i}@mail.ru`, i, i * 1e6, 0, 7])
    const long: Row = ['"'.repeat(300_000), 1, 2, 3, 4]
    let rows = 0
    const text = await written(async (output) => {
      rows = await writeResult(output, [countsOf(many), countsOf([long]), countsOf(many)])
    })
    const body = many.map((row) => `${row.join(',')}\n`).join('')
    expect(text.equals(Buffer.from(`${header}${body}"${'"'.repeat(600_000)}",1,2,3,4\n${body}`))).toBe(true)
    expect(rows).toBe(60_001)
  })
})
