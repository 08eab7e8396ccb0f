import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { effectiveOptions, layers, tableFacts } from '../../jobs/config/effective.ts'
import type { OptionSpec } from '../../jobs/options/options.ts'
import { resolveOptions } from '../../jobs/options/resolve-options.ts'
import { expectSame } from '../support/expect-same.ts'
import { options, parse } from './parse.ts'

/** What a flag of each option may be given. */
function wordsOf(name: string, spec: OptionSpec): fc.Arbitrary<string | readonly string[]> {
  const number = fc.integer({ min: 1, max: 1000 })
  const column = fc.constantFrom('a', 'order id', '"q,uoted"', 'Öl', 'yes', '12:00', '~', 'null', '#x', '1')
  switch (spec.kind) {
    case 'flag':
      return fc.constantFrom('true', 'no', 'YES', '0')
    case 'choice':
      return fc.constantFrom(...spec.choices)
    case 'count':
      return number.map(String)
    case 'size':
      return number.map((n) => `${n}MB`)
    case 'duration':
      return number.map((n) => `${n}s`)
    case 'share':
      return fc.integer({ min: 0, max: 100 }).map((n) => `${n}%`)
    case 'day':
      return fc.integer({ min: 10, max: 28 }).map((n) => `2024-09-${n}`)
    case 'list': {
      const item =
        name === 'format'
          ? fc.constantFrom('parquet', 'iceberg')
          : name === 'partition-by'
            ? fc.constantFrom('day(a)', 'bucket(16, b)', 'c')
            : name === 'decimal'
              ? fc.tuple(column, number).map(([one, n]) => `${one}=${n},2`)
              : spec.pairs === true
                ? fc.tuple(column, fc.constantFrom('text', 'numeric(9,2)')).map((pair) => pair.join('='))
                : column
      return fc.oneof(item, fc.array(item, { minLength: 1, maxLength: 3 }))
    }
    default:
      return column
  }
}

const names = Object.keys(options)
const ofAll = fc.record(Object.fromEntries(names.map((name) => [name, wordsOf(name, options[name]!)])), {
  requiredKeys: [],
}) as fc.Arbitrary<Readonly<Record<string, string | readonly string[]>>>

/** JSON is YAML; a list of pairs is written as a map where its names are different. */
const asYaml = (given: Readonly<Record<string, string | readonly string[]>>): string =>
  JSON.stringify(
    Object.fromEntries(
      Object.entries(given).map(([name, words]) => [
        name.length % 2 === 0 ? name : name.replaceAll('-', '_'),
        mapOf(name, words) ?? words,
      ]),
    ),
  )

function mapOf(name: string, words: string | readonly string[]): Record<string, string> | undefined {
  const spec = options[name]
  if (typeof words === 'string' || spec?.kind !== 'list' || spec.pairs !== true) return undefined
  const pairs = words.map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)])
  // An object of JavaScript's would put whole numbers first.
  const isPlain =
    new Set(pairs.map(([key]) => key)).size === pairs.length && !pairs.some(([key]) => key === '1')
  return isPlain ? (Object.fromEntries(pairs) as Record<string, string>) : undefined
}

describe('the precedence', () => {
  it('is flag > table > group > environment > .env > the file’s defaults > default, whatever the file', () => {
    fc.assert(
      fc.property(
        fc.record({
          flag: ofAll,
          table: ofAll,
          pattern: ofAll,
          group: ofAll,
          environment: ofAll,
          dotenv: ofAll,
          defaults: ofAll,
        }),
        (given) => {
          const config = parse(
            `version: 1\ndefaults: ${asYaml(given.defaults)}\ngroups: { g: ${asYaml(given.group)} }\n` +
              `tables:\n  shop.*: ${asYaml(given.pattern)}\n  shop.t: ${asYaml(given.table)}\n  "*.*": { group: g }\n`,
          )
          const asEnv = (from: typeof given.flag): Record<string, string> =>
            Object.fromEntries(
              Object.entries(from).flatMap(([name, words]) => {
                const env = options[name]?.env
                return env === undefined ? [] : [[env, typeof words === 'string' ? words : words.join(',')]]
              }),
            )
          const [environment, dotenv] = [asEnv(given.environment), asEnv(given.dotenv)]
          const facts = tableFacts(config, { source: '', schema: 'shop', name: 't' }, 'default')
          const { words, origins } = effectiveOptions(options, {
            flags: given.flag,
            table: facts.sections,
            group: facts.group.options,
            env: { ...dotenv, ...environment },
            originOf: (name) => (name in environment ? 'environment' : name in dotenv ? '.env' : 'default'),
            defaults: config.defaults,
            hasFile: true,
          })
          for (const [name, spec] of Object.entries(options)) {
            const inEnv = (from: Record<string, string>): string | undefined => spec.env && from[spec.env]
            // The model: the first that says it.
            const said: readonly (readonly [string, unknown])[] = [
              ['flag', given.flag[name]],
              ['table', given.table[name]],
              ['table', given.pattern[name]],
              ['group', given.group[name]],
              ['environment', inEnv(environment)],
              ['.env', inEnv(dotenv)],
              ['defaults', given.defaults[name]],
              ['default', name === 'format' ? 'iceberg' : spec.default],
            ]
            const [layer, expected] = said.find(([, value]) => value !== undefined) ?? []
            const joined = Array.isArray(words[name]) ? words[name].join(',') : words[name]
            if (spec.kind === 'list' && spec.adds === true) {
              // Nobody takes back what another says.
              const all = said.flatMap(([, value]) => value ?? []).map(String)
              const kept = [joined].flat().join(',')
              for (const text of all)
                if (!(inEnv(dotenv) === text && inEnv(environment) !== undefined))
                  expect(kept).toContain(text)
              continue
            }
            const wanted = Array.isArray(expected) ? expected.join(',') : expected
            expectSame([name, origins[name]?.layer, joined], [name, layer, wanted])
          }
          expect(layers).toContain(origins['mode']?.layer)
        },
      ),
      { numRuns: 100 },
    )
  })

  it('every flag of export can be given in the file, everywhere, and means the same', () => {
    expect(names.length).toBeGreaterThan(20)
    for (const name of names) {
      fc.assert(
        fc.property(
          wordsOf(name, options[name]!),
          fc.constantFrom('defaults', 'group', 'table'),
          (words, where) => {
            const given = asYaml({ [name]: words })
            const config = parse(
              `version: 1\ndefaults: ${where === 'defaults' ? given : '{}'}\n` +
                `groups: { daily: ${where === 'group' ? given : '{}'} }\ntables: { t: ${where === 'table' ? given : '{}'} }`,
            )
            const facts = tableFacts(config, { source: '', schema: 'public', name: 't' }, 'default')
            const effective = effectiveOptions(options, {
              flags: {},
              table: facts.sections,
              group: facts.group.options,
              env: {},
              originOf: () => 'default',
              defaults: config.defaults,
              hasFile: true,
            })
            const table = { [name]: options[name]! }
            expect(resolveOptions(table, { [name]: effective.words[name] }, {})).toEqual(
              resolveOptions(table, { [name]: words }, {}),
            )
          },
        ),
        { numRuns: 20 },
      )
    }
  })
})
