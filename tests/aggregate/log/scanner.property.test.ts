import { describe, expect, it } from '@jest/globals'
import { isUtf8 } from 'node:buffer'
import fc from 'fast-check'
import { noTotals } from '../../../jobs/aggregate/log/totals.ts'
import { pieces, scan, type Scanned } from './scan.ts'

/** The grammar once more, as naively as can be: latin1 text (one character per byte) and regular expressions. */
function oracle(bytes: Buffer): Scanned {
  const text = bytes.toString('latin1').replace(/^\xef\xbb\xbf/, '')
  const field = String.raw`(?:"(?:[^"]|"")*"|(?!")[^",\n]*?)`
  const totals = { ...noTotals(), bytes: bytes.length }
  const counts = new Map<string, number[]>()
  const rejects: Scanned['rejects'] = []
  let line = 1
  for (let at = 0; at < text.length;) {
    const record = new RegExp(`(${field}(?:,${field})*)(\r?\n|$)`, 'y')
    record.lastIndex = at
    const [all, content] = record.exec(text) ?? [/[^\n]*\n?/.exec(text.slice(at))![0], undefined]
    const raw = content ?? all.replace(/\r?\n$/, '')
    const parts = new RegExp(`,(${field})(?=,|$)`, 'gy')
    const fields = content === undefined ? [] : [...`,${content}`.matchAll(parts)].map((part) => part[1]!)
    const reason = content === undefined ? quotingFault(raw) : faultOf(content, fields)
    if (content === '') totals.blankLines++
    else if (line === 1 && content === 'email,action,timestamp') totals.headerLines = 1
    else if (reason !== undefined) {
      totals.rejects++
      totals.rejectedBytes += all.length
      rejects.push([line, reason, raw])
    } else {
      const [email, action, timestamp] = fields.map(plain) as [string, string, string]
      totals.rows++
      totals.events[actions.indexOf(action)]!++
      totals.emailBytes += email.length
      if (!timestamp.startsWith('2024-09-10')) totals.otherDayRows++
      if (!counts.has(email)) counts.set(email, [0, 0, 0, 0])
      counts.get(email)![actions.indexOf(action)]!++
    }
    line += all.split('\n').length - 1
    at += all.length
  }
  const sorted = [...counts].sort(([a], [b]) => (a < b ? -1 : 1))
  return { totals, counts: sorted.map(([email, of]) => [email, ...of]), rejects }
}

const actions = ['CREATE', 'READ', 'UPDATE', 'DELETE']
const plain = (field: string) => (field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field)

/** What is wrong with the quotes of a single line, at the first place. */
function quotingFault(line: string): string {
  const sound = /^(?:"(?:[^"]|"")*",|(?!")[^",]*,)*/.exec(line)![0]
  const rest = line.slice(sound.length)
  if (!rest.startsWith('"')) return rest.includes('"') ? 'quote in an unquoted field' : 'unclosed quote'
  return /^"(?:[^"]|"")*"(?!")/.test(rest) && !/^"(?:[^"]|"")*$/.test(rest)
    ? 'text after a closing quote'
    : 'unclosed quote'
}

function faultOf(content: string, fields: string[]): string | undefined {
  if (content.includes('\0')) return 'NUL byte'
  if (fields.some((field) => !field.startsWith('"') && field.includes('\r'))) return 'lone CR'
  if (!isUtf8(Buffer.from(content, 'latin1'))) return 'invalid UTF-8'
  if (fields.length !== 3) return 'wrong field count'
  const [email, action, timestamp] = fields.map(plain) as [string, string, string]
  if (email === '') return 'empty email'
  if (!actions.includes(action)) return 'unknown action'
  const date = new Date(`${timestamp.replace(' ', 'T')}Z`)
  const exact = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(timestamp) && !Number.isNaN(date.getTime())
  return exact && date.toISOString().startsWith(timestamp.replace(' ', 'T')) ? undefined : 'bad timestamp'
}

const latin1 = (text: string) => Buffer.from(text, 'latin1')
const tokens = [
  ...[
    'a',
    'b@x',
    ',',
    ',',
    '"',
    '""',
    '\r',
    '\n',
    '\n',
    '\r\n',
    '\0',
    ' ',
    '\xc3\xa9',
    '\xc3',
    '\xff',
    '\xed\xa0\x80',
  ],
  ...[
    'READ',
    ',CREATE,',
    'read',
    '2024-09-10 12:26:57',
    '2024-02-30 00:00:00',
    '2023-01-01 23:59:59',
    '\xef\xbb\xbf',
  ],
  ...['email,action,timestamp', 'a,READ,2024-09-10 12:26:57\n', '"b@x",DELETE,2024-09-10 00:00:00\r\n'],
].map(latin1)
const anyBytes = fc.array(fc.constantFrom(...tokens), { maxLength: 60 }).map((parts) => Buffer.concat(parts))

describe('createLogScanner', () => {
  it('finds what the naive oracle finds, in any bytes', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        expect(scan([bytes])).toEqual(oracle(bytes))
      }),
      { numRuns: 3000 },
    )
  })

  it('does not depend on how the bytes are cut', () => {
    fc.assert(
      fc.property(anyBytes, fc.integer({ min: 1, max: 40 }), (bytes, size) => {
        expect(scan(pieces(bytes, size))).toEqual(scan([bytes]))
      }),
      { numRuns: 1500 },
    )
  })

  it('loses nothing: without quotes every line is a row, a reject, blank or the header', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        const text = latin1(bytes.toString('latin1').replaceAll('"', ''))
        const { rows, rejects, blankLines, headerLines } = scan([text]).totals
        const body = text.toString('latin1').replace(/^\xef\xbb\xbf/, '')
        const lines = body.split('\n').length - (body.endsWith('\n') || body === '' ? 1 : 0)
        expect(rows + rejects + blankLines + headerLines).toBe(lines)
      }),
      { numRuns: 1000 },
    )
  })
})
