import { resultReader } from '../../aggregate/result/read-result.ts'
import type { EmailCounts } from '../../aggregate/counts.ts'
import type { FileIO } from '../../storage/file-io.ts'
import type { CrudReport } from '../schema.ts'

type User = CrudReport['top'][number]

/** A published result: what all its rows come to, and the users with the most events, equal ones in the result's order. */
export interface ResultTotals {
  readonly total: CrudReport['total']
  readonly top: readonly User[]
}

/**
 * Reads a result once, by batches: of a million users only `count` are kept. Undefined where there is no such file. Errors: the
 * store's; `Error` for what is no result of ours.
 */
export async function topUsers(
  io: FileIO,
  location: string,
  count: number,
): Promise<ResultTotals | undefined> {
  if ((await io.stat(location)) === undefined) return undefined
  const total = { create: 0, read: 0, update: 0, delete: 0 }
  let top: User[] = []
  const reader = resultReader((batch) => {
    for (const action of ['create', 'read', 'update', 'delete'] as const)
      for (let row = 0; row < batch.rows; row++) total[action] += batch[action][row]!
    top = merged(top, batch, count)
    return Promise.resolve()
  })
  for await (const chunk of (await io.stream(location)) as AsyncIterable<Uint8Array>) await reader.push(chunk)
  await reader.end()
  return { total, top }
}

export const eventsOf = (user: Omit<User, 'email'>): number =>
  user.create + user.read + user.update + user.delete

function merged(top: readonly User[], batch: EmailCounts, count: number): User[] {
  const best: User[] = [...top]
  let least = count === 0 ? Infinity : best.length < count ? -1 : eventsOf(best.at(-1)!)
  for (let row = 0; row < batch.rows; row++) {
    const numbers = {
      create: batch.create[row]!,
      read: batch.read[row]!,
      update: batch.update[row]!,
      delete: batch.delete[row]!,
    }
    const events = eventsOf(numbers)
    if (events <= least) continue
    const email = Buffer.from(batch.emails.subarray(batch.offsets[row], batch.offsets[row + 1])).toString()
    const at = best.findIndex((other) => eventsOf(other) < events)
    best.splice(at < 0 ? best.length : at, 0, { email, ...numbers })
    if (best.length > count) best.pop()
    if (best.length === count) least = eventsOf(best.at(-1)!)
  }
  return best
}
