import type { FileKind, ReachableFile } from '../lake/reachable.ts'

/** Files and their bytes. */
export interface Amount {
  readonly files: number
  readonly bytes: number
}

/** How much there is of each kind. */
export interface Tally {
  add(file: Pick<ReachableFile, 'kind' | 'size'>): void
  readonly kinds: ReadonlyMap<FileKind, Amount>
}

export const none: Amount = { files: 0, bytes: 0 }

export const plus = (one: Amount, other: Amount): Amount => ({
  files: one.files + other.files,
  bytes: one.bytes + other.bytes,
})

export function createTally(): Tally {
  const kinds = new Map<FileKind, Amount>()
  return {
    kinds,
    add({ kind, size = 0 }) {
      const { files, bytes } = kinds.get(kind) ?? none
      kinds.set(kind, { files: files + 1, bytes: bytes + size })
    },
  }
}

/** All of several. */
export function sumOf(tallies: readonly Pick<Tally, 'kinds'>[]): Pick<Tally, 'kinds'> {
  const kinds = new Map<FileKind, Amount>()
  for (const tally of tallies)
    for (const [kind, amount] of tally.kinds) kinds.set(kind, plus(kinds.get(kind) ?? none, amount))
  return { kinds }
}

export const total = ({ kinds }: Pick<Tally, 'kinds'>): Amount => [...kinds.values()].reduce(plus, none)

/** One line of a summary: before, after and freed, of one kind. */
export interface KindSummary {
  readonly kind: FileKind
  readonly before: Amount
  readonly after: Amount
  readonly freed: Amount
}

const order: readonly FileKind[] = [
  'data',
  'deletes',
  'manifest',
  'manifest-list',
  'statistics',
  'metadata',
  'version-hint',
]

/** By kind: what was freed, and what is there after, in several parts; before is all of it. */
export function kindSummaries(
  freed: Pick<Tally, 'kinds'>,
  after: readonly Pick<Tally, 'kinds'>[],
): KindSummary[] {
  const amountOf = (tallies: readonly Pick<Tally, 'kinds'>[], kind: FileKind): Amount =>
    tallies.reduce((sum, { kinds }) => plus(sum, kinds.get(kind) ?? none), none)
  return order
    .map((kind) => {
      const [gone, stays] = [amountOf([freed], kind), amountOf(after, kind)]
      return { kind, before: plus(stays, gone), after: stays, freed: gone }
    })
    .filter(({ before }) => before.files > 0)
}
