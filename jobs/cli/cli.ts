import type { Argv } from 'yargs'
import { commands, type CommandModule } from '../commands/index.ts'
import { usageError } from '../errors.ts'
import { metricsOptions } from '../telemetry/metrics/options.ts'
import { parseArguments } from './arguments.ts'
import type { Host } from './run.ts'

/** What stands before a command has values of its own. */
const valued = ['log-format', 'log-level', ...Object.keys(metricsOptions)].map((name) => `--${name}`)

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
  let module: CommandModule | undefined
  try {
    module = await entry?.load()
    const { words, flags, isAnswered } = await parseArguments(argv, module?.command, outline)
    if (isAnswered) return 0
    // `--group verify export` would verify.
    if (module === undefined || words[0] !== named)
      throw usageError('the command is not the first word', {
        ...(words[0] !== undefined && { field: words[0] }),
        fix: `write it before its flags: lakejobs ${words[0] ?? 'export'} …`,
      })
    const { runJob } = await import('./run.ts')
    return await runJob(module, words.slice(1), flags, host)
  } catch (error) {
    const { reportUsage } = await import('./run.ts')
    const job = entry === undefined ? 'lakejobs' : (named ?? 'lakejobs')
    return reportUsage(job, module?.command.prints === true, error, host)
  }
}

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
