import yargs, { type Argv } from 'yargs'
import { commands } from './commands/index.ts'
import { usageError } from './errors.ts'
import type { CommandSpec } from './options.ts'
import type { Host } from './run.ts'
import { version } from './version.ts'

const valued = ['--log-format', '--log-level']

/**
 * The command line: top-level help loads yargs and nothing else; a command's file is loaded when it is named, its job
 * when it runs.
 *
 * @param argv what follows the program's name
 * @returns the exit status
 */
export async function runCli(argv: readonly string[], host: Host): Promise<number> {
  const named = argv.find((word, at) => !word.startsWith('-') && !valued.includes(argv[at - 1] ?? ''))
  const entry = named !== undefined && Object.hasOwn(commands, named) ? commands[named] : undefined
  const parser = createParser(argv, entry === undefined ? '' : `${named ?? ''} `)
  try {
    const module = await entry?.load()
    if (module === undefined) outline(parser)
    else declare(parser, module.command)
    logging(parser)
    const { _: words, help, version: asked, ...flags } = await parser.parseAsync()
    if (module === undefined || help === true || asked === true) return 0
    const { runJob } = await import('./run.ts')
    return await runJob(module, words.slice(1).map(String), flags, host)
  } catch (error) {
    const { reportUsage } = await import('./run.ts')
    return reportUsage(entry === undefined ? 'lakejobs' : (named ?? 'lakejobs'), error, host)
  }
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

/** Help and complaints where no command is named. */
function outline(to: Argv): void {
  to.usage(
    '$0 <command> [options]\n\nPostgreSQL and daily logs to a lake every engine can read, every morning.',
  )
    .epilogue('All days are UTC days. `lakejobs <command> --help` has examples. Exit codes: README.md')
    .demandCommand(1, 'no command given')
    .strictCommands()
  for (const [name, { describe }] of Object.entries(commands)) to.command(name, describe)
}

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
