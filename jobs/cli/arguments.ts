import yargs, { type Argv } from 'yargs'
import { usageError } from '../errors.ts'
import { writeFlagsOut } from '../options/boolean-flags.ts'
import type { CommandSpec } from '../options/options.ts'
import { metricsOptions } from '../telemetry/metrics/options.ts'
import { version } from '../version.ts'

/** What was given after the program's name. */
export interface Arguments {
  /** The command's name first, then what is given by position. */
  readonly words: readonly string[]
  /** By name: text, true or false, or a list of what was given more than once. */
  readonly flags: Readonly<Record<string, unknown>>
  /** `--help` or `--version`, which has been printed. */
  readonly isAnswered: boolean
}

/**
 * Parses the command line of `command`; without one there are no options, and `outline` says what help shows.
 *
 * @throws usage error for what the table does not have
 */
export async function parseArguments(
  argv: readonly string[],
  command: CommandSpec | undefined,
  outline: (to: Argv) => void = () => undefined,
): Promise<Arguments> {
  const flags = Object.entries(command?.options ?? {}).filter(([, { kind }]) => kind === 'flag')
  const names = new Set(['help', 'version', ...flags.map(([name]) => name)])
  const words = keepQuotes(writeFlagsOut(argv, names))
  const parser = createParser(words, command === undefined ? '' : `${command.name} `)
  if (command === undefined) outline(parser)
  else declare(parser, command)
  logging(parser)
  metrics(parser)
  const { _: positional, help, version: asked, ...given } = await parser.parseAsync()
  return { words: positional.map(String), flags: given, isAnswered: help === true || asked === true }
}

/**
 * yargs takes a pair of quotes off the value of `--x=…`, though the shell took its own already: those of `"A b"."c"` are a
 * name's. It gets another pair to take off.
 */
function keepQuotes(argv: readonly string[]): string[] {
  const end = argv.includes('--') ? argv.indexOf('--') : argv.length
  return argv.map((word, at) => (at < end ? word.replace(/^(--[^=]+=)(["'][^]*)$/, '$1"$2"') : word))
}

/** @param command with a space behind it, or nothing */
const createParser = (argv: readonly string[], command: string): Argv =>
  yargs([...argv])
    .scriptName('lakejobs')
    // One language, and no search for another at every start.
    .detectLocale(false)
    .parserConfiguration({
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'camel-case-expansion': false,
      'boolean-negation': false,
      // `--date.x` is no option, instead of an object in the place of a text.
      'dot-notation': false,
    })
    .strictOptions()
    .exitProcess(false)
    .version(version)
    .wrap(Math.min(120, process.stdout.columns || 100))
    .showHelpOnFail(false)
    .fail((message, error) => {
      // yargs passes either its own complaint or what a handler threw; only the first is about usage.
      throw error instanceof Error && error.name !== 'YError'
        ? error
        : usageError(message || error.message, { fix: `see lakejobs ${command}--help` })
    })

function logging(to: Argv): void {
  to.option('log-format', {
    type: 'string',
    group: 'Logging:',
    describe: 'pretty or json (default: pretty on a terminal) [LAKEJOBS_LOG_FORMAT]',
  }).option('log-level', {
    type: 'string',
    group: 'Logging:',
    describe: 'debug, info, warn, error or silent (default: info) [LAKEJOBS_LOG_LEVEL]',
  })
}

function metrics(to: Argv): void {
  for (const [name, { describe, env }] of Object.entries(metricsOptions))
    to.option(name, { type: 'string', group: 'Metrics:', describe: `${describe} [${env}]` })
}

/**
 * Makes the flags, the help and the examples of a command from its table. They are the parser's own: for a command of
 * yargs it would render the help at every start, which takes longer than everything else it does.
 */
function declare(
  to: Argv,
  { name: command, describe, options, positionals, examples, epilogue }: CommandSpec,
): void {
  const words = [`lakejobs ${command}`, ...positionals.map((positional) => `[${positional}]`), '[options]']
  to.usage(`${words.join(' ')}\n\n${describe}`)
  for (const [name, spec] of Object.entries(options)) {
    const choices = spec.kind === 'choice' ? ` (${spec.choices.join(', ')})` : ''
    const environment = spec.env === undefined ? '' : ` [${spec.env}]`
    to.option(name, {
      type: spec.kind === 'flag' ? 'boolean' : 'string',
      describe: `${spec.describe}${choices}${environment}`,
      ...(spec.default === undefined ? {} : { defaultDescription: spec.default }),
      ...(positionals.includes(name) ? { group: 'By position, or as flags:' } : {}),
    })
  }
  for (const [example, explanation] of examples) to.example(example, explanation)
  if (epilogue !== undefined) to.epilogue(epilogue)
}
