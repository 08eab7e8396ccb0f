import { asError } from '../../errors.ts'
import type { Attempt } from '../check.ts'
import type { Missing } from './grants.ts'

/** One check that says what is granted, or for each thing that is missing one that fails. */
export async function attemptAll(
  name: string,
  attempt: Attempt,
  look: () => Promise<{ readonly missing: readonly Missing[]; readonly granted: string }>,
): Promise<void> {
  const { missing, granted } = await look().catch((error: unknown) => ({
    missing: [{ what: '', error: asError(error) }],
    granted: '',
  }))
  if (missing.length === 0) await attempt(name, () => Promise.resolve(granted))
  for (const { what, error } of missing)
    await attempt(what === '' ? name : `${name}: ${what}`, () => Promise.reject(error))
}
