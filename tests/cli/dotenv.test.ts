import { describe, expect, it } from '@jest/globals'
import { parseDotenv } from '../../jobs/cli/dotenv.ts'
import { passwords } from './dotenv-passwords.ts'

const fileWith = (written: string): string => `OTHER=other\nEMPTY=\nPASSWORD=${written}\nLAST=last\n`

describe('parseDotenv', () => {
  it.each(passwords)('reads %j as Compose does', (written, value) => {
    expect(parseDotenv(fileWith(written), {})).toEqual({
      OTHER: 'other',
      EMPTY: '',
      PASSWORD: value,
      LAST: 'last',
    })
  })

  it('reads comments, blank lines, export, CRLF, a BOM, colons and a missing last line end', () => {
    const text = '\uFEFF# first\r\n\r\n  A=1\r\nexport B = 2\r\nC: 3\r\n\t# more\r\nA=4'
    expect(parseDotenv(text, {})).toEqual({ A: '4', B: '2', C: '3' })
    expect(parseDotenv('', {})).toEqual({})
  })

  it('looks names up in the process first, then above', () => {
    const text = 'A=file\nB=$A\nC=$HOST\nD=$LATER\nLATER=x'
    expect(parseDotenv(text, { A: 'process', HOST: 'h' })).toMatchObject({
      A: 'file',
      B: 'process',
      C: 'h',
      D: '',
    })
  })

  it.each([
    ['A=1\n\nnonsense', 'line 3 is not NAME=value'],
    ['A="x\ny\nz', 'line 1 has a quote that is not closed'],
    ["B=1\nA='x\n", 'line 2 has a quote that is not closed'],
    ['A="x\ny"\n=1', 'line 3 is not NAME=value'],
    ['A="x"y', 'line 1 has a quote that is not closed'],
    ['A=1\nB=${C:?a place for it}', 'line 2 needs C: a place for it'],
    ['A=${B?}', 'line 1 needs B: it is not set'],
  ])('names the line of %j', (text, message) => {
    expect(() => parseDotenv(text, {})).toThrow(message)
  })
})

it('a value may have any number of references', () => {
  const many = 50_000
  expect(parseDotenv(`A=${'$$${B:-x}'.repeat(many)}`, {})).toEqual({ A: '$x'.repeat(many) })
})

it('a name that every object has is not set by that', () => {
  expect(parseDotenv('A="${constructor:-x}"\nB=y$toString', {})).toEqual({ A: 'x', B: 'y' })
})
