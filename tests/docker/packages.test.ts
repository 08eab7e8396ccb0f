import { describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { closure, type LockedPackage } from '../../docker/packages/closure.ts'

const read = (name: string): unknown =>
  JSON.parse(readFileSync(join(import.meta.dirname, '../..', name), 'utf8'))

describe('packages beside the bundle', () => {
  it('are those that are named, and what they need, found as Node.js finds it', () => {
    const packages: Record<string, LockedPackage> = {
      '': { dependencies: { a: '1', unused: '1' } },
      'node_modules/a': {
        dependencies: { b: '1', native: '1' },
        optionalDependencies: { native: '1', '@os/other': '1' },
      },
      'node_modules/a/node_modules/b': { dependencies: { c: '1', '@s/d': '1' } },
      'node_modules/b': {},
      'node_modules/c': { dependencies: { a: '1' }, peerDependencies: { e: '1', f: '1' } },
      'node_modules/@s/d': {
        peerDependencies: { none: '1' },
        peerDependenciesMeta: { none: { optional: true } },
      },
      'node_modules/e': {},
      'node_modules/f': {},
      'node_modules/@os/other': {},
      'node_modules/unused': {},
    }
    expect([...closure(packages, ['a'])].sort()).toEqual([
      'node_modules/@os/other',
      'node_modules/@s/d',
      'node_modules/a',
      'node_modules/a/node_modules/b',
      'node_modules/c',
      'node_modules/e',
      'node_modules/f',
    ])
  })

  it('are all there, or the image is not built', () => {
    expect(() => closure({ 'node_modules/a': { dependencies: { b: '1' } } }, ['a'])).toThrow(
      'package-lock.json has no b, which node_modules/a needs',
    )
    expect(() => closure({}, ['a'])).toThrow('package-lock.json has no a, which the bundle needs')
  })

  it('are few', () => {
    const { packages } = read('package-lock.json') as {
      packages: Record<string, LockedPackage & { os?: string[] }>
    }
    const { packages: names } = read('scripts/lib/external.json') as { packages: string[] }
    const found = closure(packages, names)
    expect(found).toContain('node_modules/@duckdb/node-bindings-linux-x64')
    expect(found).toContain('node_modules/@duckdb/node-bindings-linux-arm64')
    const everywhere = found.filter((folder) => packages[folder]?.os === undefined)
    expect(everywhere.length).toBeLessThanOrEqual(30)
    expect(everywhere.filter((folder) => /aws|pg|yargs/.test(folder))).toEqual([])
  })
})
