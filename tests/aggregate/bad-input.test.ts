import { describe, expect, it } from '@jest/globals'
import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { day, eachWithBench, header, row } from './job.ts'

const bench = eachWithBench()

const result = (name = day): Promise<string> => bench.read(`output/${name}.csv`)
const rejects = (of = day): Promise<string> => bench.read(`output/.lakejobs/rejects/${of}.csv`)

describe('bad input', () => {
  // The list: what the log holds, the rows of the result, the rejects (line, reason, raw).
  const cases: readonly (readonly [string, string | Buffer, readonly string[], readonly string[]])[] = [
    ['an empty file', '', [], []],
    ['only rejects', 'x\ny,READ\n', [], ['1,wrong field count,x', '2,wrong field count,"y,READ"']],
    [
      'an unknown action',
      row('a') + row('b', 'PURGE'),
      ['a,0,1,0,0'],
      [`2,unknown action,"b,PURGE,${day} 12:26:57"`],
    ],
    ['a lower-case action', row('a', 'read'), [], [`1,unknown action,"a,read,${day} 12:26:57"`]],
    ['two fields', `a,READ\n${row('b')}`, ['b,0,1,0,0'], ['1,wrong field count,"a,READ"']],
    ['four fields', `a,READ,${day} 00:00:00,x\n`, [], [`1,wrong field count,"a,READ,${day} 00:00:00,x"`]],
    ['a trailing comma', `a,READ,${day} 00:00:00,\n`, [], [`1,wrong field count,"a,READ,${day} 00:00:00,"`]],
    ['an empty email', row(''), [], [`1,empty email,",READ,${day} 12:26:57"`]],
    [
      'an unclosed quote',
      row('a') + row('"b') + row('c'),
      ['a,0,1,0,0', 'c,0,1,0,0'],
      [`2,unclosed quote,"""b,READ,${day} 12:26:57"`],
    ],
    ['a quoted field with comma, quote and line feed', row('"a,""b""\nc"'), ['"a,""b""\nc",0,1,0,0'], []],
    ['CRLF', row('a').replace('\n', '\r\n'), ['a,0,1,0,0'], []],
    ['CRLF and LF mixed', row('a').replace('\n', '\r\n') + row('a') + row('a').trimEnd(), ['a,0,3,0,0'], []],
    ['a lone CR', row('a\rb') + row('c'), ['c,0,1,0,0'], [`1,lone CR,"a\\x0db,READ,${day} 12:26:57"`]],
    ['a BOM', `\uFEFF${row('a')}`, ['a,0,1,0,0'], []],
    ['a BOM that does not lead', row('a') + row('\uFEFFa'), ['a,0,1,0,0', '\uFEFFa,0,1,0,0'], []],
    ['a header line', `email,action,timestamp\n${row('a')}`, ['a,0,1,0,0'], []],
    [
      'a header line that is not the first',
      `${row('a')}email,action,timestamp\n`,
      ['a,0,1,0,0'],
      ['2,unknown action,"email,action,timestamp"'],
    ],
    ['a NUL byte', row('a\0'), [], [`1,NUL byte,"a\\x00,READ,${day} 12:26:57"`]],
    [
      'invalid UTF-8',
      Buffer.concat([Buffer.from([0xff, 0x2c]), Buffer.from(row('x').slice(2)), Buffer.from(row('é'))]),
      ['é,0,1,0,0'],
      [`1,invalid UTF-8,"\\xff,READ,${day} 12:26:57"`],
    ],
    ['blank lines', `\n${row('a')}\r\n\n${row('a')}\n`, ['a,0,2,0,0'], []],
    ...[
      '2024-9-16 0:0:0',
      '2024-09-16',
      '2024-09-16T12:26:57Z',
      'infinity',
      '2024-09-16 12:26:57.5',
      'epoch',
    ].map(
      (time) =>
        [`the timestamp ${time}`, row('a', 'READ', time), [], [`1,bad timestamp,"a,READ,${time}"`]] as const,
    ),
    ['a row of another day', row('a', 'READ', '1999-12-31 23:59:59'), ['a,0,1,0,0'], []],
  ]

  it.each(cases)('%s', async (_, content, rows, expected) => {
    await bench.log(`${day}.csv`, content)
    for (const cachedDays of [0, 1]) {
      const outcome = await bench.run()
      expect(outcome).toMatchObject({ cachedDays, rejects: expected.length })
      expect(await result()).toBe(header + rows.map((line) => `${line}\n`).join(''))
      if (expected.length === 0) await expect(rejects()).rejects.toThrow('ENOENT')
      else {
        const lines = expected.map((line) => `${day}.csv,${line}\n`)
        expect(await rejects()).toBe(`file,line,reason,raw\n${lines.join('')}`)
      }
    }
    // From the cache alone, too: another day makes a new window of the cached counts.
    await bench.log('2024-09-15.csv', '')
    await bench.run()
    expect(await result()).toBe(header + rows.map((line) => `${line}\n`).join(''))
  })

  it('a line of 10 MB', async () => {
    await bench.log(`${day}.csv`, row('a') + row('x'.repeat(10_000_000)) + row('b'))
    expect(await bench.run()).toMatchObject({ rows: 2, rejects: 1 })
    expect(await result()).toBe(`${header}a,0,1,0,0\nb,0,1,0,0\n`)
    expect(await rejects()).toBe(`file,line,reason,raw\n${day}.csv,2,line too long,${'x'.repeat(65_536)}\n`)
  })

  it.each(['ignore', 'latest'] as const)('no input folder is never "not yet": %s', async (missingDays) => {
    await expect(bench.run({ input: 'nowhere', missingDays })).rejects.toMatchObject({
      ...{
        code: 'usage',
        field: '--input',
        message: `file://${bench.folder}/nowhere is not a folder that exists`,
      },
    })
  })

  it('an empty folder', async () => {
    const input = 'empty'
    await bench.write('empty/other.txt', '')
    await expect(bench.run({ input })).rejects.toMatchObject({
      code: 'data',
      message: `no log of any day from 2024-09-10 to ${day} in file://${bench.folder}/${input}`,
      fix: expect.stringContaining(`${day}.csv`),
    })
    expect(await bench.files('output')).toEqual([])
  })

  it('both D.csv and D.csv.gz', async () => {
    await bench.log(`${day}.csv`, row('a'))
    await bench.log(`${day}.csv.gz`, '')
    await expect(bench.run()).rejects.toMatchObject({
      code: 'data',
      message: expect.stringContaining(`${day}.csv and ${day}.csv.gz`),
    })
    expect(await bench.files('output')).toEqual([])
  })

  it.each(['latest', 'fail', 'warn'] as const)('names what stands there instead: %s', async (missingDays) => {
    await bench.log('2024-09-14.CSV', row('a'))
    await bench.log('2024-09-15.csv.GZ', '')
    await symlink('nowhere', join(bench.folder, `input/${day}.csv`))
    await expect(bench.run({ missingDays })).rejects.toMatchObject({
      fix:
        `mend ${day}.csv, a link that leads to no file, rename 2024-09-14.CSV to 2024-09-14.csv, ` +
        'rename 2024-09-15.csv.GZ to 2024-09-15.csv.gz',
    })
    await bench.log('2024-09-13.csv', row('a', 'READ', '2024-09-13 00:00:00'))
    if (missingDays !== 'warn') return
    await bench.run({ missingDays })
    expect(bench.warnings).toEqual([expect.stringContaining('rename 2024-09-14.CSV')])
  })

  it('names 20 missing days at most', async () => {
    await bench.log(`${day}.csv`, row('a'))
    const failure = await bench.run({ length: 3660, missingDays: 'fail' }).catch((error: unknown) => error)
    expect((failure as Error).message).toMatch(/^no log of 2014-09-10, .* and 3639 more in /)
    await bench.run({ length: 3660, missingDays: 'warn' })
    expect(bench.warnings).toEqual([
      expect.stringMatching(/^no log of (\S+, ){19}\S+ and 3639 more: counted without$/),
    ])
  })

  it("warns of another day's log under a day's name, and of one log under two", async () => {
    await bench.log('2024-09-15.csv', row('a', 'READ', '2024-09-15 10:00:00'))
    await bench.log(`${day}.csv`, row('a', 'READ', '2024-09-15 10:00:00'))
    await bench.run()
    expect(bench.warnings).toEqual([
      `most rows in the log of ${day} are dated another day: is it that day's?`,
      `the logs of 2024-09-15 and ${day} are the same, byte for byte`,
    ])
  })

  it.each([
    ['a log', row('b')],
    ['a link', undefined],
  ])('a result does not replace %s', async (_, there) => {
    await bench.log(`${day}.csv`, row('a'))
    await bench.write('output/x', row('b'))
    if (there === undefined) await symlink('x', join(bench.folder, `output/${day}.csv`))
    else await bench.write(`output/${day}.csv`, there)
    await expect(bench.run()).rejects.toMatchObject({ code: 'usage', field: '--output' })
    expect(await result()).toBe(row('b'))
  })

  it('a folder named like a log is none', async () => {
    await bench.write(`input/${day}.csv/x`, '')
    await expect(bench.run()).rejects.toMatchObject({ code: 'data' })
  })

  it.each([
    ['input and output', { output: 'input' }],
    ['input and rejects', { rejects: 'input' }],
    ['output and rejects', { rejects: 'output' }],
  ])('one folder for %s', async (_, { output, rejects: folder }: { output?: string; rejects?: string }) => {
    await bench.log(`${day}.csv`, row('a'))
    await bench.write('output/x', '')
    const places = folder === undefined ? {} : { rejects: `file://${bench.folder}/${folder}` }
    await expect(bench.run({ ...(output === undefined ? {} : { output }), ...places })).rejects.toMatchObject(
      {
        code: 'usage',
        message: expect.stringContaining('are the same folder'),
      },
    )
    expect(await bench.read(`input/${day}.csv`)).toBe(row('a'))
  })
})
