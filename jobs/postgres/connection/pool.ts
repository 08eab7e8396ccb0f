import type { Session } from './session.ts'

/** A session that somebody uses until he gives it back; `destroy`: nobody else may have it. */
export interface Borrowed {
  readonly session: Session
  readonly release: (destroy?: boolean) => void
}

export interface SessionPool {
  /** A free session, a new one, or the next that is given back. Errors: those of `open`, and of a wait that was too long. */
  readonly borrow: () => Promise<Borrowed>
  /** Ends all sessions: those in use when they are given back. */
  readonly close: () => Promise<void>
}

/** What lies between us and the server may forget a connection that is idle for longer. */
const longestIdleMs = 10_000
const longestWaitMs = 10_000

interface Slot {
  readonly session: Session
  isBroken: boolean
}

/** At most `most` sessions, opened when they are needed; `first` is there already. One that breaks is replaced. */
export function createPool(most: number, first: Session, open: () => Promise<Session>): SessionPool {
  /** Sessions that are open or being opened. */
  let count = 1
  let isClosed = false
  const idle = new Map<Slot, NodeJS.Timeout>()
  const waiting: (() => void)[] = []
  let allEnded: (() => void) | undefined

  const slotOf = (session: Session): Slot => {
    const slot: Slot = { session, isBroken: false }
    // Without a listener one that breaks while nobody waits for it would end the process.
    session.client.on('error', () => {
      slot.isBroken = true
      if (idle.has(slot)) end(slot)
    })
    return slot
  }
  const leave = (): void => {
    count--
    if (count === 0) allEnded?.()
    waiting.shift()?.()
  }
  const end = (slot: Slot): void => {
    clearTimeout(idle.get(slot))
    idle.delete(slot)
    void slot.session.end().then(leave)
  }
  const rest = (slot: Slot): void => {
    if (isClosed || slot.isBroken) {
      end(slot)
      return
    }
    idle.set(slot, setTimeout(end, longestIdleMs, slot))
    waiting.shift()?.()
  }
  const lend = (slot: Slot): Borrowed => {
    clearTimeout(idle.get(slot))
    idle.delete(slot)
    return {
      session: slot.session,
      release(destroy = false) {
        if (destroy) slot.isBroken = true
        rest(slot)
      },
    }
  }
  /** Until one is given back or ended; whoever comes first takes it, so that it has to be asked for again. */
  const change = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const go = (): void => {
        clearTimeout(late)
        resolve()
      }
      const late = setTimeout(() => {
        waiting.splice(waiting.indexOf(go), 1)
        reject(new Error('timeout: every connection is in use'))
      }, longestWaitMs)
      waiting.push(go)
    })
  rest(slotOf(first))
  return {
    async borrow() {
      for (;;) {
        const [free] = [...idle.keys()].reverse()
        if (free !== undefined) return lend(free)
        if (count < most) break
        await change()
      }
      count++
      try {
        return lend(slotOf(await open()))
      } catch (error) {
        leave()
        throw error
      }
    },
    async close() {
      isClosed = true
      const ended = new Promise<void>((resolve) => (allEnded = resolve))
      for (const slot of [...idle.keys()]) end(slot)
      if (count > 0) await ended
    },
  }
}
