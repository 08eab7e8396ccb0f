import type { HashedColumns } from './hash-key.ts'

/**
 * How rows were read of the source, so that they can be read alike again: columns by their field ids, as names change.
 */
export interface ReadAs {
  /** The column by whose days the rows are told apart; undefined: they are not. */
  readonly day: number | undefined
  /** `--cast` and `--lossy-cast`: PostgreSQL types. */
  readonly casts: ReadonlyMap<number, string>
  readonly lossyCasts: ReadonlyMap<number, string>
  readonly decimals: ReadonlyMap<number, { readonly precision: number; readonly scale: number }>
  /** `--hash`: whose values are HMACs of their text. */
  readonly hash?: HashedColumns | undefined
  /** `--out-of-range`: what became of such values; undefined: there were none. */
  readonly outOfRange?: 'null' | 'clamp' | undefined
  /** Row-level security may have hidden rows. */
  readonly rowSecurity: boolean
  /** `--where`: SQL that the rows meet, in the words of then. */
  readonly where?: string | undefined
}

/** As JSON; what is usual is left out: `{"day":1,"decimals":{"4":[38,9]}}`. */
export const readAsText = ({
  day,
  casts,
  lossyCasts,
  decimals,
  hash,
  outOfRange,
  rowSecurity,
  where,
}: ReadAs): string =>
  JSON.stringify({
    ...(day !== undefined && { day }),
    ...(casts.size > 0 && { casts: Object.fromEntries(casts) }),
    ...(lossyCasts.size > 0 && { lossyCasts: Object.fromEntries(lossyCasts) }),
    ...(decimals.size > 0 && {
      decimals: Object.fromEntries(
        [...decimals].map(([id, { precision, scale }]) => [id, [precision, scale]]),
      ),
    }),
    ...(hash !== undefined && { hash }),
    ...(outOfRange !== undefined && { outOfRange }),
    ...(rowSecurity && { rowSecurity }),
    ...(where !== undefined && { where }),
  })

/** What `readAsText` made; undefined for anything else. */
export function parseReadAs(text: string): ReadAs | undefined {
  try {
    const read = JSON.parse(text) as {
      readonly day?: number
      readonly casts?: Readonly<Record<string, string>>
      readonly lossyCasts?: Readonly<Record<string, string>>
      readonly decimals?: Readonly<Record<string, readonly [number, number]>>
      readonly hash?: HashedColumns
      readonly outOfRange?: 'null' | 'clamp'
      readonly rowSecurity?: boolean
      readonly where?: string
    }
    const decimals = Object.entries(read.decimals ?? {})
    return {
      day: read.day,
      casts: byId(read.casts),
      lossyCasts: byId(read.lossyCasts),
      decimals: new Map(decimals.map(([id, [precision, scale]]) => [Number(id), { precision, scale }])),
      ...(read.hash !== undefined && { hash: read.hash }),
      ...(read.outOfRange !== undefined && { outOfRange: read.outOfRange }),
      rowSecurity: read.rowSecurity === true,
      ...(read.where !== undefined && { where: read.where }),
    }
  } catch {
    return undefined
  }
}

const byId = (values: Readonly<Record<string, string>> = {}): Map<number, string> =>
  new Map(Object.entries(values).map(([id, value]) => [Number(id), value]))
