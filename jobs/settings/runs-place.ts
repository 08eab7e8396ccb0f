import { join } from '../storage/place.ts'
import { besideWarehouse, place, placeSetting } from './settings.ts'

type Environment = Readonly<Record<string, string>>

/** Where runs leave their summaries: `LAKEJOBS_RUNS`, else `runs` beside the warehouse. */
export function runsPlace(env: Environment): string {
  const given = env['LAKEJOBS_RUNS']
  return given === undefined ? besideWarehouse(env, 'runs') : place(given, 'LAKEJOBS_RUNS')
}

/**
 * The same for jobs of the CRUD logs, which need no lake: where none is set it is `.lakejobs/runs` in the folder of the results.
 *
 * @param output that folder as it was given, else as `CRUD_OUTPUT` says
 */
export const crudRunsPlace = (env: Environment, output: string | undefined): string =>
  hasLake(env)
    ? runsPlace(env)
    : join(
        output === undefined ? placeSetting(env, 'CRUD_OUTPUT') : place(output, '--output'),
        '.lakejobs/runs',
      )

/** Every place of these settings that runs may have left their summaries in; `output` as of `crudRunsPlace`. */
export const runsPlaces = (env: Environment, output?: string): string[] => [
  runsPlace(env),
  ...(hasLake(env) ? [] : [crudRunsPlace(env, output)]),
]

const hasLake = (env: Environment): boolean =>
  env['LAKEJOBS_RUNS'] !== undefined || env['WAREHOUSE'] !== undefined
