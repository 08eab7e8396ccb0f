import { systemCode } from '../../../errors.ts'
import type { CatalogEffects } from '../stored/catalog-store.ts'
import type { Database } from './sql-tables.ts'

/** Rolled back because another transaction came first, or waited for this one while this one waited for it. */
const rolledBack = ['40001', '40P01']
const mostAttempts = 10
const longestPauseMs = 50

/**
 * The same database, where a single statement that was rolled back because of others' at the same time is sent again. A
 * server or role whose `default_transaction_isolation` is above read committed answers a lost race so: sent again, the
 * compare-and-set finds the other's pointer, as it does under read committed. Several statements on one connection are
 * their user's to repeat.
 */
export const serialized = (database: Database, { sleep }: Pick<CatalogEffects, 'sleep'>): Database => ({
  ...(database.connect !== undefined && { connect: () => database.connect!() }),
  async query(sql, parameters) {
    for (let attempt = 1; ; attempt++) {
      try {
        return await database.query(sql, parameters)
      } catch (error) {
        if (attempt === mostAttempts || !rolledBack.includes(systemCode(error) ?? '')) throw error
        // Whoever lost together would lose together again.
        await sleep(Math.random() * longestPauseMs)
      }
    }
  },
})
