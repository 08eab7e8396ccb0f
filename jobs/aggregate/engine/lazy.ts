import { openDuckDb, type DuckDbSettings } from './duckdb.ts'
import type { Engine } from './engine.ts'

/** An engine that is opened when it is first needed: small days and cached windows never need it. */
export interface LazyEngine {
  readonly open: () => Promise<Engine>
  readonly close: () => Promise<void>
}

export function lazyEngine(settings: DuckDbSettings): LazyEngine {
  let opened: Promise<Engine> | undefined
  return {
    open: () => (opened ??= openDuckDb(settings)),
    async close() {
      await (await opened)?.close()
    },
  }
}
