import type { JobContext } from '../../context.ts'
import type { RunQuery, RunsRead } from '../../runs/read-runs.ts'
import { parseRun, type Run } from '../../summary.ts'

/** The runs that have left their summaries in the places of these settings, oldest first. Errors: the stores'. */
export async function runsOf(env: JobContext['env'], query: RunQuery): Promise<RunsRead<Run>> {
  const [{ runsPlaces }, { s3Settings }, { openFileIO }, { readRuns }] = await Promise.all([
    import('../../settings/runs-place.ts'),
    import('../../settings/settings.ts'),
    import('../../storage/open.ts'),
    import('../../runs/read-runs.ts'),
  ])
  const read: RunsRead<Run>[] = []
  for (const folder of runsPlaces(env)) {
    const io = await openFileIO(folder, folder.startsWith('s3://') ? s3Settings(env) : noStore)
    read.push(await readRuns(io, folder, query, parseRun))
  }
  return {
    runs: read.flatMap(({ runs }) => runs).sort((a, b) => Date.parse(a.startedAt) - Date.parse(b.startedAt)),
    unreadable: read.flatMap(({ unreadable }) => unreadable),
  }
}

/** Where nothing is in an object store, its settings may be wrong. */
const noStore = { region: '' }
