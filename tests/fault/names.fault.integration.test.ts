import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { appendFileSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { aggregate } from '../../jobs/aggregate/aggregate.ts'
import { planWindows } from '../../jobs/aggregate/window.ts'
import type { JobContext } from '../../jobs/context.ts'
import { generate } from '../../jobs/generate/generate.ts'
import { createRandom, type Random } from '../../jobs/random.ts'
import { localFileIO } from '../../jobs/storage/local/local.ts'
import { parsePlace } from '../../jobs/storage/place.ts'
import { hostileParts } from '../aggregate/hostile-parts.ts'

/**
 * `scripts/campaign names`: folders of hostile names through generate and aggregate, against counts made here from the logs
 * as they lie there. What a step does follows from the seed and its number alone.
 */
const seed = Number(process.env['CAMPAIGN_SEED'] ?? 1)
const steps = Number(process.env['CAMPAIGN_STEPS'] ?? 10)
const report = process.env['CAMPAIGN_REPORT']

const days = 3
const lastDay = '2024-09-12'

const nameBy = (random: Random): string => {
  for (;;) {
    const name = Array.from(
      { length: 1 + random.below(4) },
      () => hostileParts[random.below(hostileParts.length)]!,
    ).join('')
    if (!/^\.*$/.test(name)) return name
  }
}
/** A folder as a user may write it: a path, or a URI. */
const asText = (path: string, random: Random): string =>
  random.below(3) === 0 ? `file://${encodeURI(path).replaceAll('#', '%23').replaceAll('?', '%3F')}` : path

let root: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'lakejobs-names-'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

const warnings: string[] = []
const context: JobContext = {
  runId: '00000000-0000-4000-8000-000000000000',
  now: () => new Date(),
  logger: pino({ level: 'warn' }, { write: (line: string) => warnings.push(line) }),
  progress: { start: () => ({ add: () => undefined, done: () => undefined }) },
  during: (_, work) => work(),
  signal: new AbortController().signal,
  env: {},
  originOf: () => 'default',
  optionNames: () => Promise.resolve([]),
}

async function expectedOf(folder: string): Promise<string> {
  const counts = new Map<string, number[]>()
  for (const name of (await readdir(folder)).filter((file) => file.endsWith('.csv'))) {
    for (const line of (await readFile(join(folder, name), 'utf8'))
      .split('\n')
      .filter((text) => text !== '')) {
      const [email, action] = line.split(',') as [string, string]
      const of = counts.get(email) ?? [0, 0, 0, 0]
      of[['CREATE', 'READ', 'UPDATE', 'DELETE'].indexOf(action)]!++
      counts.set(email, of)
    }
  }
  const rows = [...counts].sort(([a], [b]) => (a < b ? -1 : 1))
  return `email,create_count,read_count,update_count,delete_count\n${rows.map((row) => `${row.join()}\n`).join('')}`
}

it(`${steps} steps of seed ${seed}`, async () => {
  const io = localFileIO()
  let large = 0
  for (let step = 0; step < steps; step++) {
    const random = createRandom(seed, `names ${step}`)
    const base = join(root, String(step))
    const path = Object.fromEntries(
      ['input', 'output', 'cache', 'rejects', 'scratch'].map((kind) => [
        kind,
        join(base, kind, nameBy(random)),
      ]),
    ) as Record<'input' | 'output' | 'cache' | 'rejects' | 'scratch', string>
    // No pattern spells these (jobs/aggregate/engine/names.ts).
    if (/[*?[]/.test(path.scratch) && path.scratch.includes('\\')) path.scratch = join(base, 'scratch', 'a')
    const place = (kind: keyof typeof path): string =>
      parsePlace(asText(path[kind], random), `--${kind}`, '/')
    const isLarge = random.below(5) === 0
    const [emails, events] = isLarge ? [40_000, 60_000] : [5, 20]
    large += Number(isLarge)
    const said = `step ${step} ${JSON.stringify(path)} ${events} events`
    try {
      await mkdir(path.input, { recursive: true })
      const dir = place('input')
      const made = { dir, firstDate: '2024-09-10', days, emails, events, seed: step }
      await generate(io, { ...made, ifMissing: false, replace: false, demo: false }, context)
      const options = {
        ...{ input: dir, output: place('output'), cache: place('cache'), rejects: place('rejects') },
        windows: planWindows({ date: lastDay, from: undefined, to: undefined, days: 7, yesterday: lastDay }),
        ...{
          missingDays: 'ignore' as const,
          maxRejects: undefined,
          maxShrink: 0.5,
          refresh: true,
          verifyCache: false,
        },
        ...{ cacheDays: 90, threads: 2, memoryLimit: 2 ** 29, scratch: path.scratch },
      }
      const expected = await expectedOf(path.input)
      for (const round of ['cold', 'merged from the cache', 'warm']) {
        const outcome = await aggregate(
          options,
          { input: io, output: io, cache: io, s3: { region: 'us-east-1' } },
          context,
        )
        expect([round, outcome.rows, await readFile(join(path.output, `${lastDay}.csv`), 'utf8')]).toEqual([
          round,
          days * events,
          expected,
        ])
        if (round === 'cold') await rm(join(path.cache, 'windows'), { recursive: true })
      }
      expect(await readdir(path.scratch)).toEqual([])
      expect(warnings).toEqual([])
    } catch (error) {
      throw new Error(said, { cause: error })
    } finally {
      await rm(base, { recursive: true, force: true })
    }
    if (report !== undefined) appendFileSync(report, `${said}: ok\n`)
  }
  process.stderr.write(`${steps} steps, ${large} of them with windows that the engine merged\n`)
}, 3_600_000)
