import type { Warn } from './transport.ts'

/** A run of a job, as OpenLineage names both. */
export interface RunOfJob {
  readonly run: { readonly runId: string }
  readonly job: { readonly namespace: string; readonly name: string }
}

/** The run that this one is part of, and the first of those above it. */
export interface Parent extends RunOfJob {
  readonly root: RunOfJob
}

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * The parent run: of `OPENLINEAGE_CONTEXT` (JSON), else of `OPENLINEAGE_PARENT_ID` and `OPENLINEAGE_ROOT_PARENT_ID`
 * (`namespace/name/run`), as OpenLineage's own clients read them. Without a root it is its own. What is malformed is one warning.
 */
export function parentOf(env: Readonly<Record<string, string>>, warn: Warn): Parent | undefined {
  const context = env['OPENLINEAGE_CONTEXT']
  if (context !== undefined) {
    const parent = ofContext(context)
    if (parent !== undefined) return parent
    warn('OPENLINEAGE_CONTEXT is not {"parent":{"run":{"runId":…},"job":{"namespace":…,"name":…}}}')
  }
  const parent = ofId('OPENLINEAGE_PARENT_ID', env['OPENLINEAGE_PARENT_ID'])
  return (
    parent && {
      ...parent,
      root: ofId('OPENLINEAGE_ROOT_PARENT_ID', env['OPENLINEAGE_ROOT_PARENT_ID']) ?? parent,
    }
  )

  function ofId(name: string, text: string | undefined): RunOfJob | undefined {
    if (text === undefined) return undefined
    // A namespace may have slashes, a URL's, a job's name has none.
    const [, namespace = '', job = '', runId = ''] = /^(.+)\/([^/]+)\/([^/]+)$/.exec(text) ?? []
    if (uuid.test(runId)) return { run: { runId }, job: { namespace, name: job } }
    warn(`${name}: "${text}" is not namespace/job/run, with a UUID for the run`)
    return undefined
  }
}

function ofContext(text: string): Parent | undefined {
  let given: unknown
  try {
    given = (JSON.parse(text) as { parent?: unknown } | null)?.parent
  } catch {
    return undefined
  }
  const parent = runOfJob(given)
  return parent && { ...parent, root: runOfJob((given as { root?: unknown }).root) ?? parent }
}

function runOfJob(value: unknown): RunOfJob | undefined {
  const { run, job } = (value ?? {}) as Partial<Record<string, Partial<Record<string, unknown>> | null>>
  const { runId } = run ?? {}
  const { namespace, name } = job ?? {}
  if (typeof runId !== 'string' || !uuid.test(runId)) return undefined
  if (typeof namespace !== 'string' || typeof name !== 'string') return undefined
  return { run: { runId }, job: { namespace, name } }
}
