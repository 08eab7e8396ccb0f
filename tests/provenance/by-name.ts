import type { Fingerprint } from '../../jobs/provenance/fingerprint.ts'
import { parseInterval } from '../../jobs/provenance/interval.ts'
import type { Intervals } from '../../jobs/provenance/intervals.ts'

/** Intervals by their names, in the order that they are given in. */
export const byName = (entries: Readonly<Record<string, Fingerprint>>): Intervals =>
  Object.entries(entries).map(([name, fingerprint]) => ({ interval: parseInterval(name)!, fingerprint }))
