import type { FileIO } from '../../../storage/file-io.ts'
import { CommitFailedError, CommitStateUnknownError, TableAlreadyExistsError } from '../../errors.ts'
import { numericProperty } from '../../metadata/metadata.ts'
import { arrivalOf, type PointerChange } from './arrival.ts'
import { tableText } from '../catalog.ts'
import type { CatalogEffects, CatalogStore } from './catalog-store.ts'

/** Half a minute with the default waits: a server that is restarted is back by then. */
const defaultRetries = 5

/**
 * Makes a pointer change and does not return before its outcome is definite. After a lost connection the
 * UPDATE may still arrive, so re-reading the pointer proves nothing while it is at the base: the identical
 * change is sent again over a new connection until there is an answer (export-spec §3.6).
 *
 * Errors: `CommitFailedError` or `TableAlreadyExistsError` when it is lost for certain; `CommitStateUnknownError`
 * when the catalog stays away: no file may be deleted then; the store's own error when nothing was ever sent.
 */
export async function makeDefinite(
  store: CatalogStore,
  effects: CatalogEffects,
  io: FileIO,
  change: PointerChange,
): Promise<void> {
  const { properties } = change.metadata
  const retries = numericProperty(properties, 'commit.status-check.num-retries', defaultRetries)
  const longest = numericProperty(properties, 'commit.status-check.max-wait-ms', 60_000)
  let wait = numericProperty(properties, 'commit.status-check.min-wait-ms', 1000)
  let unanswered: unknown
  let failure: unknown
  for (let attempt = 0; attempt <= retries; attempt++) {
    if (attempt > 0) {
      try {
        await effects.sleep(Math.min(wait, longest))
      } catch (error) {
        // The run is being stopped; what was sent stays without an answer.
        failure = error
        break
      }
      wait *= 2
    }
    try {
      if (await send(store, change)) return
      if (unanswered === undefined) throw lost(change)
      // Sent before without an answer: somebody moved the pointer, perhaps the first sending did.
      const arrival = await arrivalOf(store, io, change)
      if (arrival === 'arrived') return
      if (arrival === 'lost') throw lost(change)
    } catch (error) {
      if (error instanceof CommitFailedError || error instanceof TableAlreadyExistsError) throw error
      const outcome = store.outcomeOf(error)
      if (outcome === 'refused' && unanswered === undefined) throw error
      if (outcome !== 'unsent') unanswered ??= error
      failure = error
      const fields = { table: tableText(change.identifier), metadata: change.location }
      effects.log?.('warn', { ...fields, attempt: attempt + 1 }, `no answer to the commit: ${textOf(error)}`)
    }
  }
  if (unanswered === undefined) throw failure
  const base = change.base ?? 'nothing'
  throw new CommitStateUnknownError(tableText(change.identifier), base, change.location, unanswered)
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const send = (store: CatalogStore, { identifier, base, location }: PointerChange): Promise<boolean> =>
  base === undefined ? store.insert(identifier, location) : store.swap(identifier, base, location)

const lost = ({ identifier, base }: PointerChange): Error =>
  base === undefined
    ? new TableAlreadyExistsError(tableText(identifier))
    : new CommitFailedError(`another commit to table ${tableText(identifier)} came first`)
