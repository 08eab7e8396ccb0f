import { asError, JobError } from '../errors.ts'
import type { Connection } from './connection/connect.ts'

/** Runs `work` in a transaction so that its failure is a value and leaves the transaction usable. */
export async function isolated<T>(connection: Connection, work: () => Promise<T>): Promise<T | Error> {
  await connection.query('SAVEPOINT attempt')
  const result = await settle(work())
  if (result instanceof Error && !(result instanceof JobError)) throw result
  if (result instanceof Error) await connection.query('ROLLBACK TO SAVEPOINT attempt')
  // Also after the rollback: inside a savepoint no snapshot can be exported.
  await connection.query('RELEASE SAVEPOINT attempt')
  return result
}

/** Runs `work` in a transaction and undoes what it has set there. When it fails the transaction is not usable. */
export async function undone<T>(connection: Connection, work: () => Promise<T>): Promise<T> {
  await connection.query('SAVEPOINT attempt')
  const result = await work()
  await connection.query('ROLLBACK TO SAVEPOINT attempt; RELEASE SAVEPOINT attempt')
  return result
}

export const settle = <T>(work: Promise<T>): Promise<T | Error> =>
  work.catch((error: unknown) => asError(error))
