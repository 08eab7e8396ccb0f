import { describe, expect, it } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseDotenv } from '../jobs/dotenv.ts'

/** What stands behind `PASSWORD=`, and what Docker Compose makes of it. */
const passwords: readonly (readonly [written: string, value: string])[] = [
  ['plain', 'plain'],
  ['', ''],
  ['a$$b', 'a$b'],
  ['a${UNSET}b', 'ab'],
  ['a$OTHER', 'aother'],
  ['a${OTHER}b', 'aotherb'],
  ['${UNSET:-fallback}', 'fallback'],
  ['${UNSET-fallback}', 'fallback'],
  ['${EMPTY:-fallback}', 'fallback'],
  ['${EMPTY-fallback}', ''],
  ['a#b', 'a#b'],
  ['#b', '#b'],
  ['a # a comment', 'a'],
  ['a b', 'a b'],
  ['  a  ', 'a'],
  ['a"b', 'a"b'],
  ["a'b", "a'b"],
  ['a=b==', 'a=b=='],
  ['a\\nb', 'a\\nb'],
  ['"a b"', 'a b'],
  ['" a "', ' a '],
  ['"a # b" # a comment', 'a # b'],
  ['"a\\"b"', 'a"b'],
  ['"a\\\\b"', 'a\\b'],
  ['"a\\nb\\tc"', 'a\nb\tc'],
  ['"a$$b"', 'a$b'],
  ['"a\\$b"', 'a$b'],
  ['"a${OTHER}"', 'aother'],
  ['"a\nb"', 'a\nb'],
  ["'a b'", 'a b'],
  ["'a$b$$c'", 'a$b$$c'],
  ["'a${OTHER}'", 'a${OTHER}'],
  ["'a\"#=b' # a comment", 'a"#=b'],
  ["'a\\nb'", 'a\\nb'],
]
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

  // Where Compose is installed it is asked; elsewhere the table, made from its documentation, stands alone.
  const compose = spawnSync('docker', ['compose', 'version']).status === 0
  ;(compose ? it.each(passwords) : it.skip.each(passwords))('pins %j right', (written, value) => {
    const folder = mkdtempSync(join(tmpdir(), 'lakejobs-dotenv-'))
    try {
      writeFileSync(join(folder, '.env'), fileWith(written))
      const service = { image: 'x', environment: { PASSWORD: '${PASSWORD}' } }
      writeFileSync(join(folder, 'compose.yml'), JSON.stringify({ services: { x: service } }))
      const config = spawnSync('docker', ['compose', 'config', '--format', 'json'], {
        cwd: folder,
        encoding: 'utf8',
      })
      const { services } = JSON.parse(config.stdout) as {
        services: { x: { environment: { PASSWORD: string } } }
      }
      // `config` prints a dollar sign as two, so that its output can be read again.
      expect(services.x.environment.PASSWORD.replaceAll('$$', '$')).toBe(value)
    } finally {
      rmSync(folder, { recursive: true })
    }
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
  ])('names the line of %j', (text, message) => {
    expect(() => parseDotenv(text, {})).toThrow(message)
  })
})
