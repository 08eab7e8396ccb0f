/**
 * `node docker/packages/main.ts TARGET` copies to TARGET/node_modules what of this clone's node_modules the bundle in dist/
 * leaves outside (scripts/lib/external.json), with all that it needs: the rest is in dist/ already.
 */
import { cpSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { closure, type LockedPackage } from './closure.ts'

const root = join(import.meta.dirname, '../..')
const read = (path: string): unknown => JSON.parse(readFileSync(join(root, path), 'utf8'))

const target = process.argv[2]
if (target === undefined) throw new Error('usage: node docker/packages/main.ts TARGET')
const { packages } = read('package-lock.json') as {
  packages: Record<string, LockedPackage & { optional?: true }>
}
const { packages: names } = read('scripts/lib/external.json') as { packages: string[] }
// Nothing runs these.
const useless = /\.(map|d\.[cm]?ts)$/

for (const folder of closure(packages, names)) {
  const source = join(root, folder)
  // Builds for other systems are not installed.
  if (packages[folder]?.optional === true && !existsSync(source)) continue
  cpSync(source, join(target, folder), {
    recursive: true,
    // Packages in there are copied by themselves, where they are needed.
    filter: (path) => !path.slice(source.length).includes('/node_modules') && !useless.test(path),
  })
}
