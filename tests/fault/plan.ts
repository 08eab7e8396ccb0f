import { createRandom } from '../../jobs/random.ts'
import type { Fault } from '../support/faulty-proxy.ts'
import type { StatementFault } from './postgres-proxy.ts'
import type { Mode } from './exports.ts'

/** One step of a campaign: which job, which fault, at which point of it. */
export type Step =
  | { readonly job: 'export'; readonly mode: Mode; readonly isNew: boolean; readonly fault: ExportFault }
  | {
      readonly job: 'aggregate' | 'seed' | 'generate'
      readonly signal: 'SIGKILL' | 'SIGTERM'
      readonly afterMs: number
    }

/** At the `n`-th request and statement alike (kill), or the `n`-th request, or the `n`-th statement. */
export type ExportFault =
  | { readonly kind: 'kill'; readonly n: number }
  | { readonly kind: 'store'; readonly n: number; readonly fault: Fault; readonly times: number }
  | { readonly kind: 'postgres'; readonly n: number; readonly fault: StatementFault; readonly times: number }

const storeFaults: readonly Fault[] = [
  'reset',
  'cut during',
  'lose answer',
  { slowMs: 700 },
  { bytes: 20 },
  { status: 503, code: 'SlowDown' },
  { status: 500, code: 'InternalError' },
  { status: 409, code: 'ConditionalRequestConflict' },
  { status: 403, code: 'ExpiredToken' },
]
const statementFaults: readonly StatementFault[] = [
  'cut before',
  'cut during',
  'lose answer',
  'cut after answer',
  { deliverAfterMs: 300 },
  { deliverAfterMs: 3000 },
  { answerBytes: 1 },
  { answerBytes: 3000 },
]

/** More than an export comes to: the last ones of them hit nothing. */
const mostPoints = 60

/** The steps of a seed: the same for the same seed, and a longer campaign begins with a shorter one's steps. */
export function plan(seed: number, steps: number): Step[] {
  const { uint32 } = createRandom(seed, 'campaign')
  const next = (): number => uint32() / 2 ** 32
  return Array.from({ length: steps }, () => step(next))
}

function step(next: () => number): Step {
  const [job, mode, isNew, kind, n, which, times] = Array.from({ length: 7 }, () => next())
  if (job! < 0.2) {
    const name = (['aggregate', 'seed', 'generate'] as const)[Math.floor(mode! * 3)]!
    return { job: name, signal: isNew! < 0.7 ? 'SIGKILL' : 'SIGTERM', afterMs: Math.floor(n! * 1500) }
  }
  const at = Math.floor(n! * mostPoints)
  const pick = <T>(all: readonly T[]): T => all[Math.floor(which! * all.length)]!
  const often = [1, 1, 2, 100][Math.floor(times! * 4)]!
  const fault: ExportFault =
    kind! < 0.4
      ? { kind: 'kill', n: at }
      : kind! < 0.7
        ? { kind: 'store', n: Math.floor(at / 2), fault: pick(storeFaults), times: often }
        : { kind: 'postgres', n: at, fault: pick(statementFaults), times: often }
  return { job: 'export', mode: mode! < 0.5 ? 'full' : 'day', isNew: isNew! < 0.3, fault }
}
