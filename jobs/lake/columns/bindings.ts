import { createRequire } from 'node:module'
import type Bindings from '@duckdb/node-bindings'

let loaded: typeof Bindings | undefined

/** DuckDB's own functions, loaded when they are first asked for: that takes 10 ms, and reading our own files needs none of them. */
export const bindings = (): typeof Bindings =>
  (loaded ??= createRequire(import.meta.url)('@duckdb/node-bindings') as typeof Bindings)
