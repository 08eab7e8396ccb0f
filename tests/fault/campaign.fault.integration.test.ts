import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { createHash } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { build, run, start, summaryOf, type Ran } from '../support/cli.ts'
import { everything, exportsOn, namedIn, type Exports } from './exports.ts'
import { plan, type ExportFault, type Step } from './plan.ts'
import { sourceDatabase, startStores, type Stores } from './stores.ts'

/** `scripts/campaign faults` sets these; without, a short campaign shows that it works. */
const seed = Number(process.env['CAMPAIGN_SEED'] ?? '1')
const steps = Number(process.env['CAMPAIGN_STEPS'] ?? '6')
/** Where each step's line goes, beside standard error. */
const report = process.env['CAMPAIGN_REPORT']

let stores: Stores
let exports: Exports
let cwd: string
const logged: string[] = []
let tables = 0
const jobs = {
  aggregate: ['aggregate', 'logs', 'out', '2024-09-16', '--cache', 'cache'],
  seed: ['seed', '--rows', '20000', '--date', '2024-09-16', '--seed', '7', '--replace'],
  generate: ['generate', 'made', '2024-09-10', '7', '200', '20000', '--seed', '7', '--replace'],
} as const
const expected: Record<string, string> = {}

beforeAll(async () => {
  build()
  stores = await startStores()
  cwd = await mkdtemp(join(tmpdir(), 'lakejobs-campaign-'))
  exports = exportsOn(stores, cwd)
  for (const args of [['generate', 'logs', '2024-09-10', '7', '2000', '60000'], ...Object.values(jobs)])
    summaryOf(await run(args, { cwd, env: stores.env }))
  for (const job of Object.keys(jobs)) expected[job] = await resultOf(job as keyof typeof jobs)
  for (const table of ['old_full', 'old_day']) {
    await exports.makeSource(table)
    await exports.checkRerun(table, table === 'old_full' ? 'full' : 'day', [])
  }
}, 300_000)
afterAll(async () => {
  await stores.stop()
  await rm(cwd, { recursive: true, force: true })
})

const say = (line: string): void => {
  process.stderr.write(`${line}\n`)
  if (report !== undefined) appendFileSync(report, `${line}\n`)
}

/** A digest of what a job left; temporary files count. */
async function resultOf(job: keyof typeof jobs): Promise<string> {
  if (job === 'seed') {
    const [row] = await stores.server.query(
      `SELECT count(*) || ' rows ' || md5(string_agg(w::text, ',' ORDER BY w::text)) AS digest
         FROM (SELECT user_id, url, response_time, status_code, extract(epoch FROM timestamp) FROM web_logs) w`,
      [],
      sourceDatabase,
    )
    return String(row!['digest'])
  }
  const folder = join(cwd, job === 'aggregate' ? 'out' : 'made')
  const digest = createHash('sha256')
  const names = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = names.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
  for (const file of files.sort().filter((name) => !name.includes('.lakejobs/')))
    digest.update(file.slice(folder.length)).update(await readFile(file))
  return digest.digest('hex')
}

async function stopJob({ job, signal, afterMs }: Exclude<Step, { job: 'export' }>): Promise<string> {
  if (job !== 'seed') {
    const made = job === 'aggregate' ? ['out', 'cache'] : ['made']
    for (const folder of made) await rm(join(cwd, folder), { recursive: true, force: true })
  }
  const { child, ended } = start(jobs[job], { cwd, env: stores.env })
  await sleep(afterMs)
  child.kill(signal)
  const ran = await ended
  checkLog(ran)
  summaryOf(await run(jobs[job], { cwd, env: stores.env }))
  expect(await resultOf(job)).toBe(expected[job])
  return ran.signal ?? `exit ${String(ran.exit)}`
}

const checkLog = ({ stdout, stderr }: Ran): void => {
  for (const secret of stores.secrets) expect(stdout + stderr).not.toContain(secret)
}

/** Sets the fault up; the export comes next. */
function arm(fault: Exclude<ExportFault, { kind: 'kill' }>): void {
  let count = 0
  const isDue = (): boolean => {
    const at = count++
    return at >= fault.n && at < fault.n + fault.times
  }
  if (fault.kind === 'store') stores.store.watch(() => (isDue() ? fault.fault : undefined))
  else stores.postgres.plan(isDue, [fault.fault], true)
}
function disarm(): void {
  stores.store.watch(() => undefined)
  stores.postgres.plan(() => false, [])
}

async function breakExport({ mode, isNew, fault }: Extract<Step, { job: 'export' }>): Promise<string> {
  const table = isNew ? `new_${++tables}` : `old_${mode}`
  if (isNew) await exports.makeSource(table)
  else await exports.change(table)
  const before = await exports.stateText(table)
  let ran: Ran
  if (fault.kind === 'kill') ran = (await exports.killedAt(table, mode, fault.n, everything)).ran
  else {
    arm(fault)
    ran = await exports.export(table, mode)
    disarm()
  }
  checkLog(ran)
  logged.push(...namedIn(ran))
  if (ran.exit !== null) {
    const { exit, error } = summaryOf(ran)
    expect([0, 1, 2, 4]).toContain(exit)
    if (exit !== 0) expect(error).toMatchObject({ message: expect.any(String), fix: expect.any(String) })
    else expect(await exports.stateText(table)).not.toBe(before)
  }
  await exports.checkBroken(table, before, logged)
  await exports.checkRerun(table, mode, logged)
  await stores.postgres.delivered()
  await exports.checkRerun(table, mode, logged)
  return ran.signal ?? `exit ${String(ran.exit)}`
}

it(
  `holds over ${steps} steps of seed ${seed}`,
  async () => {
    const failures: string[] = []
    const outcomes = new Map<string, number>()
    for (const [index, step] of plan(seed, steps).entries()) {
      const name = `step ${index} of seed ${seed}: ${JSON.stringify(step)}`
      try {
        const outcome = step.job === 'export' ? await breakExport(step) : await stopJob(step)
        const kind = step.job === 'export' ? `export, ${step.fault.kind}` : step.job
        outcomes.set(`${kind}: ${outcome}`, (outcomes.get(`${kind}: ${outcome}`) ?? 0) + 1)
        say(`${name}: ${outcome}`)
      } catch (error) {
        disarm()
        failures.push(`${name}: ${String(error)}`)
        say(failures.at(-1)!)
      }
    }
    for (const [outcome, count] of [...outcomes].sort()) say(`${outcome}: ${count}`)
    say(`${steps} steps of seed ${seed}: ${failures.length} failed`)
    expect(failures).toEqual([])
  },
  24 * 3_600_000,
)
