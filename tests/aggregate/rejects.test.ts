import { describe, expect, it } from '@jest/globals'
import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { day, eachWithBench, row } from './job.ts'

const bench = eachWithBench()

const rejects = (of = day): Promise<string> => bench.read(`output/.lakejobs/rejects/${of}.csv`)

describe('rejects', () => {
  const log = (rows: number, bad: number): string => row('a').repeat(rows) + 'bad\n'.repeat(bad)

  it.each([
    ['10 of few', undefined, log(3, 10), 10],
    ['1 % of many', undefined, log(1980, 20), 20],
    ['as many as are allowed', { count: 3 }, log(1, 3), 3],
    ['the share that is allowed', { share: 0.5 }, log(1, 1), 1],
  ])('passes %s', async (_, maxRejects, content, count) => {
    await bench.log(`${day}.csv`, content)
    expect(await bench.run({ maxRejects })).toMatchObject({ rejects: count })
  })

  it.each([
    ['11 of few', undefined, log(3, 11), 11, 10],
    ['more than 1 % of many', undefined, log(1979, 21), 21, 20],
    ['one too many', { count: 3 }, log(1000, 4), 4, 3],
    ['more than the share', { share: 0.5 }, log(1, 2), 2, 1],
  ])('refuses %s: they are written, no window is', async (_, maxRejects, content, count, allowed) => {
    await bench.log('2024-09-15.csv', row('a'))
    await bench.log(`${day}.csv`, content)
    for (let run = 0; run < 2; run++) {
      await expect(bench.run({ maxRejects })).rejects.toMatchObject({
        code: 'data',
        field: '--max-rejects',
        message: `${count} rejected lines in the log of ${day}, more than the ${allowed} allowed`,
        outcome: { rejects: count, from: '2024-09-10', to: day },
      })
    }
    expect(await bench.files('output')).toEqual([`.lakejobs/rejects/${day}.csv`])
  })

  const utf16 = (text: string): Buffer => Buffer.from(text, 'utf16le')
  const week = row('a').repeat(200)
  it.each([
    [
      'CR line ends',
      week.replaceAll('\n', '\r'),
      /^the log of .* no row and 1 rejects, CR line ends$/,
      "tr '\\r' '\\n'",
    ],
    ['UTF-16', utf16(week), /, UTF-16$/, 'iconv -f UTF-16'],
    ['UTF-16 with its mark', utf16(`\uFEFF${week}`), /, UTF-16$/, 'iconv'],
    ['gzip', gzipSync(week), /, compressed$/, 'csv.gz'],
    ['zip', Buffer.concat([Buffer.from('504b0304', 'hex'), gzipSync(week)]), /, compressed$/, 'unpack'],
    ['semicolons', week.replaceAll(',', ';'), /no row and 200 rejects, semicolons$/, 'with commas'],
    ['tabs', week.replaceAll(',', '\t'), /, tabs$/, 'with commas'],
    ['bars', week.replaceAll(',', '|'), /, bars$/, 'with commas'],
    ['something else', 'x\n'.repeat(9), /no row and 9 rejects$/, 'mend the log'],
    ['more than half', `${'x'.repeat(28)}\n${row('a')}`, /29 of 56 bytes rejected$/, 'mend the log'],
    [
      'one long line',
      `${'x'.repeat(3_000_000)}\n${row('a')}`,
      /3000001 of \d+ bytes rejected$/,
      'mend the log',
    ],
  ])('what is no log is refused whatever the number allowed: %s', async (_, content, message, fix) => {
    await bench.log(`${day}.csv`, content)
    for (const maxRejects of [{ count: 1_000_000 }, { share: 0.99 }, undefined]) {
      await expect(bench.run({ maxRejects })).rejects.toMatchObject({
        ...{ code: 'data', field: '--max-rejects', fix: expect.stringContaining(fix) },
        message: expect.stringMatching(message),
      })
    }
    expect(await bench.files('output')).toEqual([`.lakejobs/rejects/${day}.csv`])
    expect(await bench.run({ maxRejects: { share: 1 } })).toMatchObject({ files: 1 })
  })

  it('gzip within gzip is named', async () => {
    await bench.log(`${day}.csv.gz`, gzipSync(gzipSync(week)))
    await expect(bench.run({ maxRejects: { count: 9 } })).rejects.toMatchObject({
      message: expect.stringMatching(/compressed$/),
    })
  })

  it('half of the bytes is not more than half', async () => {
    await bench.log(`${day}.csv`, `${'x'.repeat(26)}\n${row('a')}`)
    expect(await bench.run({ maxRejects: undefined })).toMatchObject({ rows: 1, rejects: 1 })
  })

  it.each([
    ['a log', row('a'), 'bad\n' + row('b')],
    ['a log of a day that is clean', row('a'), row('b')],
    ['a link', undefined, 'bad\n' + row('b')],
  ])('are not written over %s', async (_, archived, content) => {
    await bench.write('archive/2024-09-01.csv', row('old'))
    if (archived === undefined) await symlink('2024-09-01.csv', join(bench.folder, `archive/${day}.csv`))
    else await bench.write(`archive/${day}.csv`, archived)
    await bench.log(`${day}.csv`, content)
    await expect(bench.run({ rejects: `file://${bench.folder}/archive` })).rejects.toMatchObject({
      ...{ code: 'usage', field: '--rejects' },
    })
    expect(await bench.read(`archive/${day}.csv`)).toBe(archived ?? row('old'))
    expect(await bench.files('output')).toEqual([])
  })

  it('are removed when the day is clean, and another folder can be named', async () => {
    const folder = { rejects: `file://${bench.folder}/bad` }
    await bench.log(`${day}.csv`, log(1, 1))
    await bench.log('2024-09-15.csv', log(1, 1))
    await bench.run(folder)
    expect(await bench.files('bad')).toEqual(['2024-09-15.csv', `${day}.csv`])
    await bench.log(`${day}.csv`, log(1, 0))
    await bench.run(folder)
    expect(await bench.files('bad')).toEqual(['2024-09-15.csv'])
    expect(await bench.files('output')).toEqual([`.lakejobs/${day}.json`, `${day}.csv`])
  })

  it('come back when the cached ones are damaged', async () => {
    await bench.log(`${day}.csv`, log(1, 1))
    await bench.run()
    const first = await rejects()
    const [cached] = (await bench.files('cache')).filter((name) => name.endsWith('.rejects'))
    await bench.write(`cache/${cached!}`, first.replace('bad', 'bat'))
    await bench.write(`output/.lakejobs/rejects/${day}.csv`, '')
    await bench.run()
    expect(await rejects()).toBe(first)
    expect(bench.warnings).toEqual(['cached file is missing or damaged: it is rebuilt'])
  })
})
