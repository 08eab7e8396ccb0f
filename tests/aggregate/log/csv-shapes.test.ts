import { describe, expect, it } from '@jest/globals'
import { scan } from './scan.ts'

const at = '2024-09-10 12:26:57'
const line = (email: string): string => `${email},READ,${at}\n`
const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1')
/** What a text is as UTF-8, one character a byte, as `scan` names emails. */
const bytes = (text: string): string => Buffer.from(text).toString('latin1')

/**
 * The shapes of files that public collections of CSV hold (csv-spectrum, the rules of RFC 4180 §2, the notes of
 * csv-test-data), each as a log: which emails are read, which lines are refused and why.
 */
const shapes: readonly (readonly [
  name: string,
  content: string | Buffer,
  emails: readonly string[],
  rejects: readonly (readonly [line: number, reason: string])[],
])[] = [
  ['csv-spectrum simple', line('a'), ['a'], []],
  ['csv-spectrum simple_crlf', line('a').replace('\n', '\r\n'), ['a'], []],
  ['csv-spectrum comma_in_quotes', line('"a, b"'), ['a, b'], []],
  ['csv-spectrum escaped_quotes', line('"ha ""ha"" ha"'), ['ha "ha" ha'], []],
  ['csv-spectrum json', line('"{""type"": ""Point"", ""c"": [1,2]}"'), ['{"type": "Point", "c": [1,2]}'], []],
  ['csv-spectrum newlines', line('"once upon\na time"') + line('a'), ['a', 'once upon\na time'], []],
  ['csv-spectrum newlines_crlf', line('"once\r\na time"').replace(/\n$/, '\r\n'), ['once\r\na time'], []],
  ['csv-spectrum quotes_and_newlines', line('"a ""\nb\n"" c"'), ['a "\nb\n" c'], []],
  [
    'csv-spectrum empty: quoted and bare empty fields',
    '"",READ,' + at + '\n,"",\n',
    [],
    [
      [1, 'empty email'],
      [2, 'empty email'],
    ],
  ],
  ['csv-spectrum utf8', line('ʤ@x'), [bytes('ʤ@x')], []],
  ['csv-spectrum latin1', latin1(line('\xe9@x')), [], [[1, 'invalid UTF-8']]],
  ['csv-spectrum location_coordinates: other columns', '"1.5,2.5",x\n', [], [[1, 'wrong field count']]],
  ['RFC 4180 §2.1 lines', line('a') + line('b'), ['a', 'b'], []],
  ['RFC 4180 §2.2 no line end at the end', (line('a') + line('b')).trimEnd(), ['a', 'b'], []],
  ['RFC 4180 §2.2 no line end behind a quote', `a,READ,"${at}"`, ['a'], []],
  ['RFC 4180 §2.3 a header', `email,action,timestamp\n${line('a')}`, ['a'], []],
  ['another header', `Email,Action,Timestamp\n${line('a')}`, ['a'], [[1, 'unknown action']]],
  ['RFC 4180 §2.4 spaces belong to a field', line(' a '), [' a '], []],
  ['RFC 4180 §2.4 a comma at the end', `a,READ,${at},\n${line('b')}`, ['b'], [[1, 'wrong field count']]],
  ['RFC 4180 §2.5 every field quoted', `"a","READ","${at}"\n`, ['a'], []],
  [
    'RFC 4180 §2.5 a quote in a bare field',
    line('a"b') + line('c'),
    ['c'],
    [[1, 'quote in an unquoted field']],
  ],
  ['RFC 4180 §2.6 all that needs quotes', line('"a,\r\n""b"'), ['a,\r\n"b'], []],
  ['RFC 4180 §2.7 quotes alone', line('""""'), ['"'], []],
  ['text behind a quote', line('"a"b') + line('c'), ['c'], [[1, 'text after a closing quote']]],
  ['a space before a quote', line(' "a"') + line('c'), ['c'], [[1, 'quote in an unquoted field']]],
  ['a space behind a quote', line('"a" ') + line('c'), ['c'], [[1, 'text after a closing quote']]],
  [
    'a backslash is no escape',
    line(String.raw`"a\"b"`) + line('c'),
    ['c'],
    [[1, 'text after a closing quote']],
  ],
  ['a backslash is data', line(String.raw`a\b`), [String.raw`a\b`], []],
  ['apostrophes are no quotes', line("'a,b'"), [], [[1, 'wrong field count']]],
  ['a quote that is not closed', line('"a') + line('b'), ['b'], [[1, 'unclosed quote']]],
  ['semicolons', line('a').replaceAll(',', ';'), [], [[1, 'wrong field count']]],
  ['tabs', line('a').replaceAll(',', '\t'), [], [[1, 'wrong field count']]],
  ['CR alone', (line('a') + line('b')).replaceAll('\n', '\r'), [], [[1, 'lone CR']]],
  ['LF CR', line('a').replace('\n', '\n\r') + line('b'), ['a'], [[2, 'lone CR']]],
  ['a comment', `# a comment\n${line('a')}`, ['a'], [[1, 'wrong field count']]],
  ['sep=', `sep=,\n${line('a')}`, ['a'], [[1, 'wrong field count']]],
  ['blank lines', `\n${line('a')}\r\n\n`, ['a'], []],
  ['a line of spaces', `  \n${line('a')}`, ['a'], [[1, 'wrong field count']]],
  ['a line of commas', `,,\n${line('a')}`, ['a'], [[1, 'empty email']]],
  ['the end of file of DOS', `${line('a')}\x1a`, ['a'], [[2, 'wrong field count']]],
  ['a mark at the start', `\uFEFF${line('a')}`, ['a'], []],
  ['a mark before a quote', `\uFEFF${line('"a,b"')}`, ['a,b'], []],
  ['two marks', `\uFEFF\uFEFF${line('a')}`, [bytes('\uFEFFa')], []],
  [
    'UTF-16',
    Buffer.from(line('a'), 'utf16le'),
    [],
    [
      [1, 'NUL byte'],
      [2, 'NUL byte'],
    ],
  ],
  ['a formula', line('=1+1'), ['=1+1'], []],
  ['overlong UTF-8', latin1(line('\xc0\xaf')), [], [[1, 'invalid UTF-8']]],
  ['a lone surrogate', latin1(line('\xed\xa0\x80')), [], [[1, 'invalid UTF-8']]],
]

describe('shapes of CSV', () => {
  it.each(shapes)('%s', (_, content, emails, rejects) => {
    const found = scan([Buffer.from(content as string)])
    expect(found.counts.map(([email]) => email)).toEqual([...emails].sort())
    expect(found.rejects.map(([at, reason]) => [at, reason])).toEqual(rejects)
  })
})
