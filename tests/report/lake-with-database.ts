import { eachWithDatabase } from '../commands/each-with-database.ts'
import { run, type Ran } from '../support/cli.ts'

/** A database for each test, a lake of Iceberg tables beside it, and the command line over both. */
export function eachWithLake(): {
  readonly place: ReturnType<typeof eachWithDatabase>['place']
  readonly lakejobs: (...words: readonly string[]) => Promise<Ran>
  /** The same, which must end with exit 0. */
  readonly ok: (...words: readonly string[]) => Promise<Ran>
} {
  const { place } = eachWithDatabase()
  const lakejobs = (...words: readonly string[]): Promise<Ran> =>
    run(words, {
      cwd: place.cwd,
      env: { ...place.env, WAREHOUSE: `${place.cwd}/lake/iceberg`, LAKEJOBS_FORMAT: 'iceberg' },
    })
  return {
    place,
    lakejobs,
    async ok(...words) {
      const ran = await lakejobs(...words)
      if (ran.exit !== 0)
        throw new Error(`lakejobs ${words.join(' ')}: exit ${String(ran.exit)}: ${ran.stderr}`)
      return ran
    },
  }
}
