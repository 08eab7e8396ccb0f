import { asError, systemCode, usageError, type JobError } from '../../errors.ts'
import type { Connection } from '../connection/connect.ts'
import { isolated } from '../isolated.ts'
import { formatTable, quoteIdentifier, quoteTable, type TableName } from '../identifiers.ts'

/** A clause of the user's as one term of a condition: a comment in it ends with its line. */
export const whereTerm = (clause: string): string => `(${clause}\n)`

/** Both conditions, as far as there are any. */
export const both = (...terms: (string | undefined)[]): string | undefined =>
  terms.filter((term) => term !== undefined).join(' AND ') || undefined

/** The FROM item under the table's own name: a clause may say `orders.id` where a partition is read. */
export const calledAs = (from: string, { name }: TableName): string => `${from} AS ${quoteIdentifier(name)}`

/**
 * Refuses what is no condition on the table's rows, with PostgreSQL's words and the place in the clause (exit 2). That it cannot
 * leave its term PostgreSQL's own parser proves: a text that is complete without parentheses around it has none that closes
 * more than it opened, no open quote or comment; and inside of parentheses one that is complete is one expression. Both are
 * sent as prepared statements, of which the server takes one at a time, and neither reads a row.
 */
export async function checkWhere(connection: Connection, table: TableName, clause: string): Promise<void> {
  const shown = formatTable(table)
  const head = `SELECT FROM ${calledAs(quoteTable(table), table)} WHERE `
  for (const [before, after] of [
    [head, '\nLIMIT 0'],
    [`${head}(`, '\n) LIMIT 0'],
  ] as const) {
    const failed = await isolated(connection, () => prepared(connection, `${before}${clause}${after}`))
    if (!(failed instanceof Error)) continue
    if (!ofStatement.test(systemCode(failed.cause) ?? '')) throw failed
    throw refused(shown, clause, asError(failed.cause), before.length)
  }
}

/** SQLSTATEs that a statement by itself can have; 08P01 says that it has parameters. */
const ofStatement = /^(0A|2[0-9]|42|54|P0|08P01)/

async function prepared(connection: Connection, text: string): Promise<void> {
  try {
    const statement = { text, queryMode: 'extended' }
    await connection.watched(() => connection.client.query(statement))
  } catch (error) {
    throw connection.explain(error)
  }
}

function refused(shown: string, clause: string, error: Error, skipped: number): JobError {
  // The server counts characters, from 1.
  const at = 'position' in error ? Number(error.position) - skipped : NaN
  const rest = Array.from(clause).slice(Math.max(at - 1, 0))
  const isInside = at >= 1 && rest.length > 0
  const place = !isInside ? '' : ` at character ${at}: ${rest.slice(0, 30).join('')}`
  return usageError(`${shown}: --where: ${error.message}${place}`, {
    field: '--where',
    fix: `give one condition on the columns of ${shown}, as it stands behind WHERE in a SELECT from it`,
    cause: error,
  })
}
