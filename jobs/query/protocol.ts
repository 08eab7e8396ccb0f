import type { ScanStep } from '../lake/scan/read-sql.ts'
import type { ThreadFailure } from '../thread-failure.ts'
import type { Parsed } from './statement/tree.ts'

export type OutputFormat = 'table' | 'csv' | 'json'

/** How an object store is read by the engine itself. */
export interface StoreAccess {
  /** The extension's file. */
  readonly extension: string
  readonly secrets: readonly StoreSecret[]
  readonly caBundle: string | undefined
}

/** What one bucket is opened with; never in a setting, where any query could see it. */
export interface StoreSecret {
  readonly scope: string
  readonly endpoint: string | undefined
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string | undefined
}

/** One query, with all that it may touch. */
export interface QueryRequest {
  readonly sql: string
  readonly explain: boolean
  /** Lines that go ahead of an explained plan. */
  readonly notes: readonly string[]
  readonly format: OutputFormat
  /** Columns of the terminal; undefined: none is there, and nothing is cut. */
  readonly width: number | undefined
  /** Names of schemas to be made, and views, as SQL. */
  readonly steps: readonly ScanStep[]
  readonly paths: readonly string[]
  readonly threads: number
  readonly memoryLimit: number
  /** Where the engine may spill. */
  readonly spill: string
  readonly store: StoreAccess | undefined
}

export type ToEngine =
  | { readonly kind: 'parse'; readonly sql: string }
  | { readonly kind: 'query'; readonly request: QueryRequest }

export type FromEngine =
  | { readonly kind: 'parsed'; readonly parsed: Parsed }
  | { readonly kind: 'done'; readonly rows: number }
  /** What the engine says against the query or its data. */
  | { readonly kind: 'refused'; readonly message: string; readonly during: 'parse' | 'prepare' | 'query' }
  | ThreadFailure

/** What runs one query. */
export interface QueryEngine {
  parse(sql: string): Promise<Parsed>
  /** Runs a query, whose result goes to standard output; the number of its rows. */
  query(request: QueryRequest, timeoutMs: number): Promise<number>
  /** Ends it, whatever it is doing. */
  close(): Promise<void>
}
