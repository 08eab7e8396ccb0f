import { describe, expect, it } from '@jest/globals'
import { maxRecordBytes } from '../../../jobs/aggregate/log/scanner.ts'
import { pieces, scan, type Scanned } from './scan.ts'

const ts = '2024-09-10 12:26:57'
const good = `a@x,READ,${ts}`
const aRead: Scanned['counts'] = [['a@x', 0, 1, 0, 0]]

/** Also fed byte by byte: how a file is cut must never matter. */
function scanText(text: string, encoding: BufferEncoding = 'utf8'): Scanned {
  const bytes = Buffer.from(text, encoding)
  const whole = scan([bytes])
  expect(scan(pieces(bytes, 1))).toEqual(whole)
  return whole
}

const rejected = (text: string, encoding?: BufferEncoding) => scanText(text, encoding).rejects

describe('rows', () => {
  it.each([
    ['LF', `${good}\n`],
    ['no last line feed', good],
    ['CR LF', `${good}\r\n`],
    ['a BOM', `\ufeff${good}\n`],
    ['quoted fields', `"a@x","READ","${ts}"\n`],
    ['quoted fields without a last line feed', `"a@x","READ","${ts}"`],
    ['quoted fields and CR LF', `"a@x","READ","${ts}"\r\n`],
    ['another day, counted for its file', 'a@x,READ,2023-01-31 00:00:00\n'],
    ['the last second', 'a@x,READ,2024-09-10 23:59:59\n'],
    ['a leap day', 'a@x,READ,2024-02-29 19:00:00\n'],
  ])('takes %s', (_, text) => {
    const { totals, counts, rejects } = scanText(text)
    expect(counts).toEqual(aRead)
    expect(rejects).toEqual([])
    expect(totals.rows).toBe(1)
  })

  it('counts the four actions of each email, sorted by bytes', () => {
    const { counts } = scanText(
      // U+FF5E sorts after U+1F600 as UTF-16, before it as UTF-8.
      ['b,CREATE', '\u{1f600},READ', '\uff5e,UPDATE', 'b,DELETE', 'B,READ', 'b,UPDATE', 'ba,READ', 'b,READ']
        .map((row) => `${row},${ts}\n`)
        .join(''),
    )
    expect(counts.map(([email, ...of]) => [Buffer.from(email, 'latin1').toString(), ...of])).toEqual([
      ['B', 0, 1, 0, 0],
      ['b', 1, 1, 1, 1],
      ['ba', 0, 1, 0, 0],
      ['\uff5e', 0, 0, 1, 0],
      ['\u{1f600}', 0, 1, 0, 0],
    ])
  })

  it.each([
    ['spaces around it', ' a ', ' a '],
    ['comma, quote and line feed in quotes', '"a,""b""\nc"', 'a,"b"\nc'],
    ['CR and CR LF in quotes', '"a\rb\r\nc"', 'a\rb\r\nc'],
    ['a tab, plus sign and DEL', 'a\t+\x7f', 'a\t+\x7f'],
    ['a BOM that does not lead the file', '\ufeff\ufeffa', '\ufeffa'],
    ['nothing but a quote', '""""', '"'],
  ])('keeps an email with %s', (_, field, email) => {
    const { counts } = scanText(`${field},READ,${ts}\n`)
    expect(counts).toEqual([[Buffer.from(email).toString('latin1'), 0, 1, 0, 0]])
  })

  it('joins the quoted and the plain form of one email', () => {
    expect(scanText(`"a@x",READ,${ts}\n${good}\n`).counts).toEqual([['a@x', 0, 2, 0, 0]])
  })

  it('waits for the LF of a CR LF behind a closing quote', () => {
    const text = Buffer.from(`"a\nb",READ,"${ts}"\r\n`)
    for (let cut = 1; cut < text.length; cut++) {
      expect(scan([text.subarray(0, cut), text.subarray(cut)])).toEqual(scan([text]))
    }
    expect(scan([text]).counts).toEqual([['a\nb', 0, 1, 0, 0]])
  })

  it('never reads on in what an earlier chunk left in the buffer', () => {
    // Rows of one length: behind a cut row lies the fitting rest of an older one.
    const text = Buffer.from(`${good}\n`.repeat(20_000))
    expect(scan(pieces(text, 1000)).counts).toEqual([['a@x', 0, 20_000, 0, 0]])
  })

  it('takes LF and CR LF mixed', () => {
    expect(scanText(`${good}\r\n${good}\n${good}\r\n`).totals.rows).toBe(3)
  })

  it('reports rows of another day', () => {
    const { totals } = scanText(`${good}\na@x,READ,2024-09-09 23:59:59\n"a@x",READ,2024-09-11 00:00:00`)
    expect(totals).toMatchObject({
      rows: 3,
      events: [0, 3, 0, 0],
      emailBytes: 9,
      rejects: 0,
      blankLines: 0,
      headerLines: 0,
      otherDayRows: 2,
    })
  })
})

describe('what is no row', () => {
  const nothing = { rows: 0, rejects: 0, blankLines: 0, headerLines: 0, otherDayRows: 0 }

  it.each([
    ['an empty file', '', nothing],
    ['a BOM alone', '\ufeff', nothing],
    ['blank lines', '\n\r\n\n', { ...nothing, blankLines: 3 }],
    ['a blank line behind the BOM', '\ufeff\n', { ...nothing, blankLines: 1 }],
    ['a header', 'email,action,timestamp\r\n', { ...nothing, headerLines: 1 }],
    ['a header behind the BOM', '\ufeffemail,action,timestamp', { ...nothing, headerLines: 1 }],
    ['a header on line 2', '\nemail,action,timestamp\n', { ...nothing, blankLines: 1, rejects: 1 }],
    ['a quoted header', '"email",action,timestamp\n', { ...nothing, rejects: 1 }],
    ['only rejects', 'x\ny\n', { ...nothing, rejects: 2 }],
  ])('counts %s', (_, text, totals) => {
    const scanned = scanText(text)
    expect(scanned.totals).toMatchObject(totals)
    expect(scanned.counts).toEqual([])
  })
})

describe('rejects', () => {
  it.each([
    ['wrong field count', `a@x,${ts}`],
    ['wrong field count', `a,READ,${ts},`],
    ['wrong field count', `a,READ,${ts},x`],
    ['wrong field count', ' '],
    ['wrong field count', '""'],
    ['empty email', `,READ,${ts}`],
    ['empty email', `"",READ,${ts}`],
    ['unknown action', `a,read,${ts}`],
    ['unknown action', `a,WRITE,${ts}`],
    ['unknown action', `a,READ ,${ts}`],
    ['unknown action', `a,,${ts}`],
    ['unknown action', `a,"RE""AD",${ts}`],
    ['NUL byte', `a\0,READ,${ts}`],
    ['NUL byte', `"a\0",READ,${ts}`],
    ['lone CR', `a\r,READ,${ts}`],
    ['lone CR', `${good}\r\r\n`.slice(0, -2)],
    ['quote in an unquoted field', `a"b,READ,${ts}`],
    ['quote in an unquoted field', `a,READ,${ts}"`],
    ['text after a closing quote', `"a"b,READ,${ts}`],
    ['text after a closing quote', `"a" ,READ,${ts}`],
    ['text after a closing quote', `"a"\r,READ,${ts}`],
    ['unclosed quote', `"a,READ,${ts}`],
    ['unclosed quote', `a,READ,"${ts}`],
  ])('%s: %j', (reason, text) => {
    expect(rejected(text)).toEqual([[1, reason, text]])
    const { counts, rejects, totals } = scanText(`${good}\n${text}\r\n${good}\n`)
    expect(rejects).toEqual([[2, reason, text]])
    expect(counts).toEqual([['a@x', 0, 2, 0, 0]])
    expect(totals).toMatchObject({ rows: 2, rejects: 1 })
  })

  it.each([
    ...[
      '2024-1-1 0:0:0',
      '2024-09-10',
      '2024-09-10T12:26:57',
      '2024-09-10T12:26:57Z',
      '2024-09-10 12:26:57Z',
    ],
    ...['2024-09-10 12:26:57.5', '2024-09-10 12:26:57+02', 'infinity', 'epoch', '2024-02-30 00:00:00'],
    ...['2023-02-29 00:00:00', '1900-02-29 00:00:00', '2024-13-01 00:00:00', '2024-00-10 00:00:00'],
    ...['2024-09-00 00:00:00', '2024-09-31 00:00:00', '0000-01-01 00:00:00', '2024-09-10 24:00:00'],
    ...['2024-09-10 12:60:00', '2024-09-10 12:00:60', '2024-09-10 1a:00:00', '2024-09-10 12:00:5 ', ''],
    ...[
      '2024/09/10 12:26:57',
      ' 2024-09-10 12:26:57',
      '2024-09-10 12:26:57 ',
      '2024-09-10 2:26:57',
      '+024-09-10 12:26:57',
    ],
    ...['2024-09-10 29:00:00', '2024-09-10 12:/0:00', '2024-09-10 12-00-00', '2024-09-10 12:00:0:'],
  ])('bad timestamp: %j', (text) => {
    expect(rejected(`a,READ,${text}\n`)).toEqual([[1, 'bad timestamp', `a,READ,${text}`]])
  })

  it.each([
    ['a continuation byte alone', '\x80'],
    ['an overlong slash', '\xc0\xaf'],
    ['an overlong U+07FF', '\xe0\x9f\xbf'],
    ['an overlong U+FFFF', '\xf0\x8f\xbf\xbf'],
    ['a surrogate', '\xed\xa0\x80'],
    ['above U+10FFFF', '\xf4\x90\x80\x80'],
    ['a cut sequence', '\xe2\x82'],
    ['the byte FF', '\xff'],
  ])('invalid UTF-8: %s', (_, bytes) => {
    const line = `a${bytes},READ,${ts}`
    expect(rejected(`${line}\n`, 'latin1')).toEqual([[1, 'invalid UTF-8', line]])
  })

  it('takes the first of several reasons', () => {
    expect(rejected('\0\r\xff,x\n', 'latin1')).toEqual([[1, 'NUL byte', '\0\r\xff,x']])
    expect(rejected('\r\xff,x\n', 'latin1')).toEqual([[1, 'lone CR', '\r\xff,x']])
    expect(rejected('\0a"\n')).toEqual([[1, 'quote in an unquoted field', '\0a"']])
    expect(rejected(',read,x\n')).toEqual([[1, 'empty email', ',read,x']])
    expect(rejected('a,read,x\n')).toEqual([[1, 'unknown action', 'a,read,x']])
  })

  it('numbers lines by line feeds, also within quoted fields', () => {
    const { rejects, totals } = scanText(`"a\nb",READ,${ts}\n\nx\ry\n"c\n\nd",READ\nz\n`)
    expect(rejects).toEqual([
      [4, 'lone CR', 'x\ry'],
      [5, 'wrong field count', '"c\n\nd",READ'],
      [8, 'wrong field count', 'z'],
    ])
    expect(totals).toMatchObject({ rows: 1, blankLines: 1, rejects: 3 })
  })
})

describe('an unclosed quote', () => {
  it.each([
    ['to the end of the file', ''],
    ['up to a quoted row', `"q@x",READ,${ts}\n`],
    ['up to a bare quote', 'b"b,READ\n'],
  ])('costs its own line, %s', (_, end) => {
    const { rejects, totals } = scanText(`${good}\n"a,READ,${ts}\n${`${good}\n`.repeat(50)}${end}`)
    expect(rejects[0]).toEqual([2, 'unclosed quote', `"a,READ,${ts}`])
    expect(totals.rows).toBe(51 + (end.startsWith('"q') ? 1 : 0))
  })

  it('is looked for within 1 MiB', () => {
    const rows = `${good}\n`.repeat(Math.ceil((2 * maxRecordBytes) / (good.length + 1)))
    const { rejects, totals } = scan(pieces(Buffer.from(`"a\n${rows}"b\n`), 65_536))
    expect(rejects).toEqual([
      [1, 'unclosed quote', '"a'],
      [rows.length / (good.length + 1) + 2, 'unclosed quote', '"b'],
    ])
    expect(totals.rows).toBe(rows.length / (good.length + 1))
  })

  it('is linear when every line has one', () => {
    const { totals } = scan([Buffer.from(`a,"b""\n${'""'.repeat(50)}\n`.repeat(10_000))])
    expect(totals).toMatchObject({ rows: 0, rejects: 20_000 })
  })
})

describe('long records', () => {
  const rest = `,READ,${ts}\n`
  const email = (length: number) => 'e'.repeat(length - rest.length)

  it('takes up to 1 MiB with the line end', () => {
    const longest = Buffer.from(email(maxRecordBytes) + rest)
    expect(scan([longest]).totals).toMatchObject({ rows: 1, rejects: 0 })
    expect(scan(pieces(longest, 10_000)).totals).toMatchObject({ rows: 1, rejects: 0 })
    const longer = Buffer.from(email(maxRecordBytes + 1) + rest)
    for (const size of [longer.length, 10_000]) {
      expect(scan(pieces(longer, size)).rejects).toEqual([[1, 'line too long', 'e'.repeat(65_536)]])
    }
  })

  it('keeps 64 KiB of a 10 MB line and goes on behind it', () => {
    const text = Buffer.from(`${good}\n${'x'.repeat(10_000_000)}\r\n${good}\nbad`)
    const { rejects, totals } = scan(pieces(text, 65_536))
    expect(rejects).toEqual([
      [2, 'line too long', 'x'.repeat(65_536)],
      [4, 'wrong field count', 'bad'],
    ])
    expect(totals).toMatchObject({ rows: 2, rejects: 2 })
  })

  it('rejects a long line that opens a quote as a long line', () => {
    const text = Buffer.from(`"${'x'.repeat(2 * maxRecordBytes)}\n${good}`)
    expect(scan([text]).rejects).toEqual([[1, 'line too long', `"${'x'.repeat(65_535)}`]])
    expect(scan(pieces(text, 9999))).toEqual(scan([text]))
  })

  it('keeps the first 64 KiB of other rejects, too', () => {
    expect(scan([Buffer.from('y'.repeat(70_000))]).rejects).toEqual([
      [1, 'wrong field count', 'y'.repeat(65_536)],
    ])
  })

  it('stays linear in one-byte chunks', () => {
    const text = Buffer.from(`"${'\n'.repeat(200_000)}`)
    expect(scan(pieces(text, 1)).totals).toMatchObject({ rejects: 1, blankLines: 199_999 })
  })
})
