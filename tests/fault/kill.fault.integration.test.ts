import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from '../support/cli.ts'
import { exportsOn, namedIn, type Exports, type Mode } from './exports.ts'
import { startStores, type Stores } from './stores.ts'

let stores: Stores
let cwd: string
let exports: Exports
beforeAll(async () => {
  build()
  stores = await startStores()
  cwd = await mkdtemp(join(tmpdir(), 'lakejobs-kill-'))
  exports = exportsOn(stores, cwd)
}, 300_000)
afterAll(async () => {
  await stores.stop()
  await rm(cwd, { recursive: true, force: true })
})

/** Kills an export at its `n`-th effect, checks, runs it again; the effects that it came to, undefined: it ended. */
async function killAndRerun(
  table: string,
  mode: Mode,
  n: number,
  logged: string[],
): Promise<string[] | undefined> {
  const before = await exports.stateText(table)
  const { ran, points } = await exports.killedAt(table, mode, n)
  const isKilled = points.length > n
  const how = isKilled ? { signal: 'SIGKILL' } : { exit: 0 }
  expect({ n, points, ...ran }).toMatchObject(how)
  logged.push(...namedIn(ran))
  await exports.checkBroken(table, before, logged)
  await exports.checkRerun(table, mode, logged)
  return isKilled ? undefined : points
}

describe('SIGKILL ahead of every effect on the catalog and the store and in every body, then a rerun', () => {
  it.each(['full', 'day'] as const)(
    'of an export (%s) that makes the table',
    async (mode) => {
      for (let n = 0; ; n++) {
        const table = `new_${mode}_${n}`
        await exports.makeSource(table)
        const points = await killAndRerun(table, mode, n, [])
        if (points === undefined) continue
        expect(points.filter((point) => point.startsWith('INSERT INTO iceberg_tables'))).toHaveLength(1)
        expect(points.filter((point) => point === 'body').length).toBeGreaterThanOrEqual(5)
        return
      }
    },
    600_000,
  )

  it.each(['full', 'day'] as const)(
    'of an export (%s) that replaces what is there',
    async (mode) => {
      const table = `old_${mode}`
      const logged: string[] = []
      await exports.makeSource(table)
      await exports.checkRerun(table, mode, logged)
      for (let n = 0; ; n++) {
        await exports.change(table)
        const points = await killAndRerun(table, mode, n, logged)
        if (points === undefined) continue
        expect(points.filter((point) => point.startsWith('UPDATE iceberg_tables'))).toHaveLength(1)
        return
      }
    },
    600_000,
  )
})
