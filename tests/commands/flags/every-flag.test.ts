import { describe, expect, it } from '@jest/globals'
import { parseArguments } from '../../../jobs/cli/arguments.ts'
import { commands, type CommandModule } from '../../../jobs/commands/index.ts'
import type { OptionSpec } from '../../../jobs/options/options.ts'
import { placePositionals } from '../../../jobs/options/positionals.ts'
import { resolveOptions } from '../../../jobs/options/resolve-options.ts'

const modules: CommandModule[] = []
for (const { load } of Object.values(commands)) modules.push(await load())

interface Case {
  readonly command: CommandModule['command']
  readonly name: string
  readonly spec: OptionSpec
  readonly title: string
}
const cases = modules.flatMap(({ command }) =>
  Object.entries(command.options).map(([name, spec]): Case => ({
    command,
    name,
    spec,
    title: `${command.name} --${name}`,
  })),
)
const booleans = cases.filter(({ spec }) => spec.kind === 'flag')

/** The value that the command line gives the option, as the job gets it. */
async function valueOf({ command, name }: Case, words: readonly string[], env = {}): Promise<unknown> {
  const parsed = await parseArguments([command.name, ...words], command)
  const given = placePositionals(command, parsed.words.slice(1), parsed.flags)
  return resolveOptions(command.options, given, env)[name]
}
const refused = { code: 'usage', fix: expect.stringMatching(/./) as unknown }

describe('every flag of every command', () => {
  it('is walked through', () => {
    expect(booleans.length).toBeGreaterThan(10)
    expect(new Set(cases.map(({ command }) => command.name)).size).toBe(modules.length - 1) // init has no option
  })

  it.each(booleans)('$title: every spelling of true and false, and nothing else', async (flag) => {
    const x = `--${flag.name}`
    const yes = ['1', 'yes', 'true', 'on', 'YES', 'True', 'oN']
    const no = ['0', 'no', 'false', 'off', 'NO', 'False', 'oFF']
    for (const text of yes) expect([text, await valueOf(flag, [`${x}=${text}`])]).toEqual([text, true])
    for (const text of no) expect([text, await valueOf(flag, [`${x}=${text}`])]).toEqual([text, false])
    // As a word of its own another one of each for every flag: the two ways part before the text is looked at.
    const turn = booleans.indexOf(flag) % yes.length
    expect([turn, await valueOf(flag, [x, yes[turn]!])]).toEqual([turn, true])
    expect([turn, await valueOf(flag, [x, no[turn]!])]).toEqual([turn, false])
    expect(await valueOf(flag, [x])).toBe(true)
    expect(await valueOf(flag, [`--no-${flag.name}`])).toBe(false)
    expect(await valueOf(flag, [])).toBe(flag.spec.default === 'true')
    for (const words of [[`${x}=maybe`], [`${x}=`], [`${x}=2`], [x, x], [x, `--no-${flag.name}`]]) {
      await expect(valueOf(flag, words)).rejects.toMatchObject({ ...refused, field: x })
    }
    await expect(valueOf(flag, [`${x}.y=1`])).rejects.toMatchObject(refused)
  })

  it.each(cases.filter(({ spec }) => spec.kind !== 'flag'))(
    '$title: its value is what the shell hands over, quotes and all',
    async ({ command, name }) => {
      for (const value of ['"A b"."c"', "'a'", '"', `"'`, '""', '"a"=b', '"\n"']) {
        const { flags } = await parseArguments([command.name, `--${name}=${value}`], command)
        expect(flags).toMatchObject({ [name]: value })
        const apart = await parseArguments([command.name, `--${name}`, value], command)
        expect(apart.flags).toEqual(flags)
      }
      const behind = await parseArguments([command.name, '--', `--${name}="a"`], command)
      expect(behind.words).toEqual([command.name, `--${name}="a"`])
    },
  )

  it.each(booleans.filter(({ spec }) => spec.env !== undefined))(
    '$title: its environment name takes the same',
    async (flag) => {
      const env = flag.spec.env!
      for (const text of ['1', 'yes', 'TRUE', 'On'])
        expect(await valueOf(flag, [], { [env]: text })).toBe(true)
      for (const text of ['0', 'no', 'FALSE', 'Off'])
        expect(await valueOf(flag, [], { [env]: text })).toBe(false)
      expect(await valueOf(flag, [`--no-${flag.name}`], { [env]: '1' })).toBe(false)
      await expect(valueOf(flag, [], { [env]: 'maybe' })).rejects.toMatchObject({ ...refused, field: env })
    },
  )

  it.each(cases.filter(({ spec }) => spec.kind !== 'flag'))(
    '$title: a value is needed, once',
    async (option) => {
      const x = `--${option.name}`
      for (const words of [[x], [`${x}=`], [`--no-${option.name}`], [`${x}.y=1`]]) {
        await expect(valueOf(option, words)).rejects.toMatchObject(refused)
      }
      if (option.spec.kind !== 'list') {
        await expect(valueOf(option, [`${x}=1`, `${x}=1`])).rejects.toMatchObject({ ...refused, field: x })
      }
    },
  )

  it.each(cases.filter(({ spec }) => spec.kind === 'share'))(
    '$title: a bare number is refused',
    async (option) => {
      expect(await valueOf(option, [`--${option.name}=50%`])).toBe(0.5)
      await expect(valueOf(option, [`--${option.name}`, '50'])).rejects.toMatchObject({
        ...refused,
        fix: 'give a share with its %, such as 50%',
      })
    },
  )
})

describe('every example of the help', () => {
  const examples = modules.flatMap(({ command }) => command.examples.map(([text]) => ({ command, text })))
  /** As a shell would have them, up to what it does with the output. */
  const words = (text: string): string[] =>
    text
      .split(/ [|>] /)[0]!
      .match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g)!
      .map((word) => word.replaceAll(/"([^"]*)"|'([^']*)'/g, '$1$2'))

  it.each(examples)('$text', async ({ command, text }) => {
    const all = words(text)
    const given = all.slice(all.indexOf('lakejobs') + 1)
    expect(given[0]).toBe(command.name)
    const parsed = await parseArguments(given, command)
    const placed = placePositionals(command, parsed.words.slice(1), parsed.flags)
    expect(() => resolveOptions(command.options, placed, {})).not.toThrow()
  })
})
