import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { createBench, header, type Bench } from './job.ts'
import { hostileParts } from './hostile-parts.ts'

const folderName = fc
  .array(fc.constantFrom(...hostileParts), { minLength: 1, maxLength: 4 })
  .map((of) => of.join('').replaceAll('/', ''))
  .filter((name) => !/^\.*$/.test(name))
/** Where DuckDB is given a path, it is refused (engine/names.ts). */
const isRefused = (name: string): boolean => /[*?[]/.test(name) && name.includes('\\')

/** Together more emails than are merged as they are in memory. */
const emails = Array.from({ length: 26_000 }, (_, i) => `u${String(i).padStart(5, '0')}@x.io`)
const logOf = (of: readonly string[], action: string, day: string): Buffer =>
  Buffer.from(of.map((email) => `${email},${action},${day} 12:00:00\n`).join(''))
const [first, second] = ['2024-09-15', '2024-09-16'] as const
const created = logOf(emails, 'CREATE', first)
const read = logOf(emails, 'READ', second)
const others = emails.map((email) => `w${email.slice(1)}`)
const decoys = [first, second].map((day) => [day, logOf(others, 'DELETE', day)] as const)
const expected = header + emails.map((email) => `${email},1,1,0,0\n`).join('')

describe('a folder of any name', () => {
  let bench: Bench
  beforeEach(async () => {
    bench = await createBench()
    // What the patterns among the names match, with other contents under the logs' names.
    for (const decoy of ['logs1', 'a', 'a1', '1', 'x']) {
      for (const [day, log] of decoys) await bench.write(`in/${decoy}/${day}.csv`, log)
    }
  })
  afterEach(() => bench.remove())

  const forgetLists = async (cache: string): Promise<void> => {
    for (const file of await bench.files(cache))
      if (file.endsWith('.list')) await bench.forget(`${cache}/${file}`)
  }
  const count = async (name: string): Promise<void> => {
    await bench.write(`in/${name}/${first}.csv`, created)
    await bench.write(`in/${name}/${second}.csv`, read)
    for (const cachedDays of [0, 2]) {
      const outcome = await bench.run({
        input: `in/${name}`,
        output: `out${cachedDays}/${name}`,
        cache: `cache/${name}`,
        rejects: `file://${bench.folder}/rejects/${name}`,
        scratch: isRefused(name) ? `${bench.folder}/scratch` : `${bench.folder}/scratch/${name}`,
      })
      expect(outcome).toMatchObject({ rows: 52_000, cachedDays })
      expect(await bench.read(`out${cachedDays}/${name}/${second}.csv`)).toBe(expected)
      // The second merge is the engine's, of Parquet, neither of lists nor a copy of the cached window.
      await bench.forget(`cache/${name}/windows`)
      await forgetLists(`cache/${name}`)
    }
    expect(new Set(bench.warnings)).toEqual(new Set(['cached file is missing or damaged: it is rebuilt']))
  }

  it.each(['logs[1]', 'action=READ', "it's\n[a*b?]", 'a\\*b'])('%j', count)

  it('at random', async () => {
    await fc.assert(
      fc.asyncProperty(folderName, async (name) => {
        await count(name).finally(() =>
          Promise.all([bench.forget(`in/${name}`), bench.forget(`cache/${name}`)]),
        )
      }),
      { numRuns: 4 },
    )
  })

  it('refuses a scratch folder that no pattern can spell', async () => {
    for (const day of [first, second]) await bench.write(`in/a/${day}.csv`, logOf(emails, 'CREATE', day))
    const scratch = `${bench.folder}/scratch/a\\[1]`
    // Lists are merged without the engine, wherever they are.
    await bench.run({ input: 'in/a', cache: 'cache', scratch })
    await bench.forget('cache/windows')
    await forgetLists('cache')
    await expect(bench.run({ input: 'in/a', cache: 'cache', scratch })).rejects.toMatchObject({
      code: 'usage',
      field: '--scratch',
    })
  })
})
