/**
 * `work` on every item, at most `limit` at a time, results in the items' order. The first failure is thrown when
 * everything that had been started is over: nothing goes on behind the caller's back.
 */
export const mapConcurrently = <Item, Result>(
  items: readonly Item[],
  limit: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> => mapOverlapping(items, limit, (item) => work(item))

/**
 * The same of work whose end may go on beside others: an item that calls `letNext` counts among the `limit` no more. There is one
 * such for each that counts, at most.
 */
export async function mapOverlapping<Item, Result>(
  items: readonly Item[],
  limit: number,
  work: (item: Item, letNext: () => void) => Promise<Result>,
): Promise<Result[]> {
  const results = new Array<Result>(items.length)
  const failures: unknown[] = []
  let next = 0
  const workOn = async (index: number, letNext: () => void): Promise<void> => {
    try {
      results[index] = await work(items[index]!, letNext)
    } catch (error) {
      failures.push(error)
    }
  }
  const lane = async (): Promise<void> => {
    let last = Promise.resolve()
    while (next < items.length && failures.length === 0) {
      const before = last
      await new Promise<void>((goOn) => {
        last = workOn(next++, goOn)
        void last.then(goOn)
      })
      await before
    }
    await last
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane))
  if (failures.length > 0) throw failures[0]
  return results
}

/**
 * Work of which one piece is on its way at a time: `start` waits for the piece before, begins this one and does not wait
 * for it. A failure is thrown to whoever waits next.
 */
export function oneOnTheWay(): {
  readonly start: (work: () => Promise<void>) => Promise<void>
  /** Until the last piece is done. */
  readonly done: () => Promise<void>
} {
  let onTheWay = Promise.resolve()
  return {
    async start(work) {
      await onTheWay
      onTheWay = work()
      // Until somebody waits for it, it is not an unhandled one.
      onTheWay.catch(() => undefined)
    },
    done: () => onTheWay,
  }
}

/**
 * `work` on one item after the other, in two steps, of which the second goes on beside the first of the next item: `begun` ends the
 * first step, and resolves when the items before are through. After a failure no item is begun; it is thrown when everything that had
 * been started is over.
 */
export async function inTwoSteps<Item>(
  items: readonly Item[],
  work: (item: Item, index: number, begun: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const failures: unknown[] = []
  let before: Promise<void> = Promise.resolve()
  for (const [index, item] of items.entries()) {
    if (failures.length > 0) break
    const earlier = before
    await new Promise<void>((next) => {
      const begun = (): Promise<void> => {
        // One item waits for those before it at most.
        void earlier.then(next)
        return earlier
      }
      const whole = work(item, index, begun).catch((error: unknown) => {
        failures.push(error)
      })
      void whole.then(next)
      before = Promise.all([earlier, whole]).then(() => undefined)
    })
  }
  await before
  if (failures.length > 0) throw failures[0]
}
