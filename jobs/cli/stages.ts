import type { JobContext, Stage } from '../context.ts'

/** How long a run was at each stage. */
export interface Stages {
  readonly during: JobContext['during']
  /** Of the parts that are over. */
  readonly seconds: () => Readonly<Partial<Record<Stage, number>>>
}

/** @param clock milliseconds on any steady clock */
export function createStages(clock: () => number): Stages {
  const times = new Map<Stage, { ms: number; since: number; parts: number }>()
  return {
    async during(stage, work) {
      const time = times.get(stage) ?? { ms: 0, since: 0, parts: 0 }
      times.set(stage, time)
      if (time.parts++ === 0) time.since = clock()
      try {
        return await work()
      } finally {
        if (--time.parts === 0) time.ms += clock() - time.since
      }
    },
    seconds: () => Object.fromEntries([...times].map(([stage, { ms }]) => [stage, Math.round(ms) / 1000])),
  }
}
