import { expect, test } from '@jest/globals'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { preProcessFile } from 'typescript'

const root = join(import.meta.dirname, '../..')

/** Files as they import each other, by paths below `folder`; what is imported when it is needed counts, too. */
function importsOf(folder: string): ReadonlyMap<string, readonly string[]> {
  const files = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts') && !name.startsWith('kernel/assembly'))
    .map((name) => join(folder, name))
  return new Map(
    files.map((file) => {
      const { importedFiles } = preProcessFile(readFileSync(join(root, file), 'utf8'), true, true)
      const own = importedFiles.filter(({ fileName }) => fileName.startsWith('.'))
      return [file, own.map(({ fileName }) => relative(root, join(root, dirname(file), fileName)))]
    }),
  )
}

/** The files of one circle of imports, if there is any, the first of them named again at its end. */
function circle(imports: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const done = new Set<string>()
  const visit = (file: string, path: readonly string[]): readonly string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file]
    if (done.has(file)) return undefined
    for (const next of imports.get(file) ?? []) {
      const found = visit(next, [...path, file])
      if (found !== undefined) return found
    }
    done.add(file)
    return undefined
  }
  for (const file of imports.keys()) {
    const found = visit(file, [])
    if (found !== undefined) return found
  }
  return undefined
}

test('no files import each other in a circle', () => {
  expect(circle(importsOf('jobs'))).toBeUndefined()
})

test('a circle is found, whichever file it begins at', () => {
  const imports = new Map([
    ['a', ['b']],
    ['b', ['c', 'd']],
    ['c', []],
    ['d', ['b']],
  ])
  expect(circle(imports)).toEqual(['b', 'd', 'b'])
})

test('a folder holds at most fifteen files, jobs/ twelve', () => {
  const tracked = ['jobs', 'tests', 'scripts', 'docker', 'dags', 'docs'].flatMap((top) =>
    readdirSync(join(root, top), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !/node_modules|__pycache__/.test(entry.parentPath))
      .map((entry) => relative(root, entry.parentPath)),
  )
  const counts = new Map<string, number>()
  for (const folder of tracked) counts.set(folder, (counts.get(folder) ?? 0) + 1)
  const crowded = [...counts].filter(([folder, count]) => count > (folder === 'jobs' ? 12 : 15))
  expect(crowded).toEqual([])
})
