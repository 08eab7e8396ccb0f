import { expect, it } from '@jest/globals'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { command } from '../../jobs/commands/export.ts'
import { groupKeys, sourceKeys, tableKeys } from '../../jobs/config/keys.ts'
import { configSchema } from '../../jobs/config/schema.ts'
import { options, parse } from './parse.ts'

interface Node {
  readonly properties?: Readonly<Record<string, Node>>
  readonly additionalProperties?: Node | false
  readonly anyOf?: readonly { readonly type: unknown }[]
}
const schema = configSchema(options) as Node

it('docs/lakejobs.schema.json is what the option tables say (UPDATE_SCHEMA=1 writes it anew)', () => {
  const text = `${JSON.stringify(schema, null, 2)}\n`
  // The DAGs know the file's keys by a copy, which is in their package.
  for (const file of ['docs/lakejobs.schema.json', 'dags/lakejobs_dags/tables/lakejobs.schema.json']) {
    const path = join(import.meta.dirname, '../..', file)
    if (process.env['UPDATE_SCHEMA'] === '1') writeFileSync(path, text)
    expect(readFileSync(path, 'utf8')).toBe(text)
  }
})

it('schema, parser and flags have the same keys in every place', () => {
  const flags = Object.keys(command.options).filter(
    (name) => !['table', 'config', 'group', 'exclude'].includes(name),
  )
  expect(Object.keys(options)).toEqual(flags)
  const below = (name: string): Node => {
    const node = schema.properties?.[name]
    return node?.properties === undefined ? (node?.additionalProperties as Node) : node
  }
  const places = [
    { name: 'defaults', own: [], write: (keys: string) => `defaults: ${keys}` },
    { name: 'groups', own: Object.keys(groupKeys), write: (keys: string) => `groups: { g: ${keys} }` },
    { name: 'tables', own: Object.keys(tableKeys), write: (keys: string) => `tables: { a.t: ${keys} }` },
  ]
  for (const { name, own, write } of places) {
    const known = Object.keys(below(name).properties ?? {})
    expect([name, known]).toEqual([name, [...own, ...flags]])
    // The parser says of each that its value is missing, not that it does not know it.
    for (const key of known)
      expect(() => parse(`version: 1\n${write(`{ ${key}: }`)}`)).toThrow(`.${key}: it has no value`)
    expect(() => parse(`version: 1\n${write('{ nonsense: 1 }')}`)).toThrow('"nonsense" is no key')
  }
  expect(Object.keys(below('sources').properties ?? {})).toEqual(Object.keys(sourceKeys))
  expect(Object.keys(schema.properties ?? {})).toEqual(['version', 'sources', 'defaults', 'groups', 'tables'])
})
