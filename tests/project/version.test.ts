import { expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createdBy, version } from '../../jobs/version.ts'

it("is package.json's", () => {
  const path = join(import.meta.dirname, '../../package.json')
  expect(version).toBe((JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version)
  const project = readFileSync(join(import.meta.dirname, '../../dags/pyproject.toml'), 'utf8')
  expect(/^version = "(.*)"$/m.exec(project)?.[1]).toBe(version)
  // parquet-mr's VersionParser; what it cannot parse, it takes for a writer of corrupt statistics.
  expect(createdBy).toMatch(/^\S+ version \d+\.\d+\.\d+ \(build \S+\)$/)
})
