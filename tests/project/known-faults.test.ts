import { expect, it } from '@jest/globals'
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'

const root = join(import.meta.dirname, '../..')
const guide = readFileSync(join(root, 'docs/iceberg.md'), 'utf8')
const section = /### What others ran into\n([^]*?)(?=\n##|\n`--dry-run`)/.exec(guide)![1]!
const rows = [...section.matchAll(/^\| (\d+) \| (.*?) \| (.*) \|$/gm)].map(([, number, , tests]) => ({
  number: Number(number),
  tests: tests!,
}))

const files = readdirSync(join(root, 'tests'), { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.test\.ts$|^test_.*\.py$|conformance\.ts$/.test(basename(name)))
  .map((name) => ({ name: basename(name), text: readFileSync(join(root, 'tests', name), 'utf8') }))

/** Backticked names of files with the quoted words of titles that follow each. */
const claims = (text: string): { readonly file: string; readonly titles: string[] }[] =>
  [...text.matchAll(/`([a-z_.-]+)`([^`]*)/g)].map(([, file, after]) => ({
    file: file!,
    titles: [...after!.matchAll(/"([^"]+)"/g)].map(([, title]) => title!),
  }))

it('the table of faults that others ran into has all 42', () => {
  expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: 42 }, (_, at) => at + 1))
})

it.each(rows)('the tests that it names for fault $number are there', ({ tests }) => {
  for (const { file, titles } of claims(tests)) {
    const found = files.filter(({ name }) => name.startsWith(`${file.replace(/\.(test|py)$/, '')}.`))
    expect([file, found.length]).not.toEqual([file, 0])
    for (const title of titles)
      expect([file, title, found.some(({ text }) => text.includes(title))]).toEqual([file, title, true])
  }
})
