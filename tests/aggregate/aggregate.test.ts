import { describe, expect, it } from '@jest/globals'
import { day, eachWithBench, header, row } from './job.ts'

const bench = eachWithBench()

const result = (name = day): Promise<string> => bench.read(`output/${name}.csv`)

describe('aggregate', () => {
  it('counts the seven days that end with the date, and says what it used', async () => {
    for (let i = 9; i <= 17; i++) {
      const date = `2024-09-${String(i).padStart(2, '0')}`
      await bench.log(
        `${date}.csv`,
        row('a', 'READ', `${date} 00:00:00`) + row(`b${i}`, 'CREATE', `${date} 23:59:59`),
      )
    }
    const outcome = await bench.run({ missingDays: 'fail' })
    const lines = [10, 11, 12, 13, 14, 15, 16].map((i) => `b${i},1,0,0,0\n`)
    expect(await result()).toBe(`${header}a,0,7,0,0\n${lines.join('')}`)
    expect(outcome).toEqual({
      from: '2024-09-10',
      to: day,
      rows: 14,
      rejects: 0,
      otherDayRows: 0,
      missingDays: [],
      cachedDays: 0,
      scannedDays: 7,
      bytes: Buffer.byteLength(await result()),
      files: 1,
      outputs: [`file://${bench.folder}/output/${day}.csv`],
    })
    const record = JSON.parse(await bench.read(`output/.lakejobs/${day}.json`)) as Record<string, unknown>
    expect(record).toMatchObject({ last: day, length: 7, missingDays: [], rows: 8 })
    expect(Object.keys(record['days'] as object)).toHaveLength(7)
  })

  it('is the same bytes again, from the cache', async () => {
    await bench.log(`${day}.csv`, row('b') + row('a', 'DELETE'))
    await bench.run()
    const cold = await result()
    expect(await bench.run()).toMatchObject({ cachedDays: 1, scannedDays: 0, rows: 2 })
    expect(await result()).toBe(cold)
  })

  it('names the result of another number of days after it', async () => {
    await bench.log('2024-09-15.csv', row('old'))
    await bench.log(`${day}.csv`, row('a'))
    await bench.run({ length: 1 })
    expect(await result(`${day}.1d`)).toBe(`${header}a,0,1,0,0\n`)
    expect(await bench.files('output')).toEqual([`.lakejobs/${day}.1d.json`, `${day}.1d.csv`])
  })

  it('reads each day of a backfill once', async () => {
    for (const date of ['2024-09-10', '2024-09-16', '2024-09-17']) await bench.log(`${date}.csv`, row(date))
    const outcome = await bench.run({ from: '2024-09-16', to: '2024-09-18' })
    expect(outcome).toMatchObject({ from: '2024-09-10', to: '2024-09-18', scannedDays: 3, rows: 3, files: 3 })
    expect(await result('2024-09-16')).toBe(`${header}2024-09-10,0,1,0,0\n2024-09-16,0,1,0,0\n`)
    expect(await result('2024-09-17')).toBe(`${header}2024-09-16,0,1,0,0\n2024-09-17,0,1,0,0\n`)
    expect(await result('2024-09-18')).toBe(await result('2024-09-17'))
  })

  it('counts at the ends of time', async () => {
    await bench.log('0001-01-01.csv', row('a'))
    await bench.log('9999-12-31.csv', row('a'))
    expect(await bench.run({ date: '0001-01-01' })).toMatchObject({ from: '0001-01-01', otherDayRows: 1 })
    expect(await bench.run({ date: '9999-12-31', refresh: true })).toMatchObject({
      to: '9999-12-31',
      rows: 1,
    })
  })

  it('finds the year that a month of days crosses', async () => {
    await bench.log('2024-02-29.csv', row('leap'))
    expect(await bench.run({ date: '2024-03-06' })).toMatchObject({ from: '2024-02-29', rows: 1 })
  })
})

describe('missing days', () => {
  const only = (date: string): Promise<void> => bench.log(`${date}.csv`, row('a', 'READ', `${date} 00:00:00`))

  it('are named and counted without', async () => {
    await only('2024-09-11')
    const missingDays = ['2024-09-10', ...[12, 13, 14, 15, 16].map((i) => `2024-09-${i}`)]
    expect(await bench.run({ missingDays: 'warn' })).toMatchObject({ missingDays, rows: 1 })
    expect(bench.warnings).toEqual([`no log of ${missingDays.join(', ')}: counted without`])
    await bench.run({ missingDays: 'ignore' })
    expect(bench.warnings).toHaveLength(1)
  })

  it('stop the run where none may be', async () => {
    await only(day)
    await expect(bench.run({ missingDays: 'fail' })).rejects.toMatchObject({
      code: 'data',
      message: expect.stringContaining('2024-09-10, 2024-09-11'),
      outcome: { missingDays: expect.arrayContaining(['2024-09-10']) },
    })
    expect(await bench.files('output')).toEqual([])
  })

  it('are waited for when the newest is among them', async () => {
    await only('2024-09-15')
    await expect(bench.run({ missingDays: 'latest' })).rejects.toMatchObject({ code: 'notYet' })
    expect(await bench.files('output')).toEqual([])
    await only(day)
    expect(await bench.run({ missingDays: 'latest' })).toMatchObject({ rows: 2 })
    expect(bench.warnings).toHaveLength(1)
  })

  it('leave out the windows of a backfill that have no day at all', async () => {
    await only('2024-09-01')
    const outcome = await bench.run({ from: '2024-09-06', to: '2024-09-09' })
    expect(outcome).toMatchObject({ files: 2, to: '2024-09-07' })
  })
})

it('counts a day of more emails than memory holds in parts', async () => {
  const emails = Array.from({ length: 300_000 }, (_, i) => `u${String(i).padStart(6, '0')}@example.com`)
  await bench.log(`${day}.csv`, emails.map((email) => row(email)).join(''))
  expect(await bench.run({ memoryLimit: 24 * 2 ** 20 })).toMatchObject({ rows: 300_000, rejects: 0 })
  expect(await bench.read(`output/${day}.csv`)).toBe(
    header + emails.map((email) => `${email},0,1,0,0\n`).join(''),
  )
  expect(bench.warnings).toEqual([])
}, 120_000)
