import { describe, expect, it } from '@jest/globals'
import { day, eachWithBench, row } from './job.ts'

const bench = eachWithBench()

const rejects = (of = day): Promise<string> => bench.read(`output/.lakejobs/rejects/${of}.csv`)

describe('rejects', () => {
  const log = (rows: number, bad: number): string => row('a').repeat(rows) + 'bad\n'.repeat(bad)

  it.each([
    ['10 of few', undefined, log(1, 10), 10],
    ['1 % of many', undefined, log(1980, 20), 20],
    ['as many as are allowed', { count: 3 }, log(0, 3), 3],
    ['the share that is allowed', { share: 0.5 }, log(1, 1), 1],
  ])('passes %s', async (_, maxRejects, content, count) => {
    await bench.log(`${day}.csv`, content)
    expect(await bench.run({ maxRejects })).toMatchObject({ rejects: count })
  })

  it.each([
    ['11 of few', undefined, log(1, 11), 11, 10],
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
