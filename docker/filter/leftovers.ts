/** What the engine answers: its status, and its body where that is asked for. */
export interface Engine {
  /** @throws where the engine is away */
  readonly status: (method: string, path: string) => Promise<number>
  /** The ids of the containers that came through this filter. */
  readonly ours: () => Promise<readonly string[]>
}

/**
 * Follows a container to its end and removes it a while later, unless the operator has: whose filter or scheduler was
 * killed does not come back for it.
 *
 * @param pause longer than the operator takes from one call to the next: create and start, the end and the removal
 */
export async function follow(id: string, engine: Engine, pause: () => Promise<void>): Promise<void> {
  for (let status = 0; status !== 204 && status !== 404;) {
    // Of a container that is not started yet `wait` would say that it has ended.
    await pause()
    try {
      await engine.status('POST', `/containers/${id}/wait`)
      await pause()
      // Not by force: 409 where it runs again, or still, as the engine was away.
      status = await engine.status('DELETE', `/containers/${id}?v=1`)
    } catch {
      continue
    }
  }
}

/** Follows those that a filter before this one has left behind. */
export async function followAll(engine: Engine, pause: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      const ids = await engine.ours()
      await Promise.all(ids.map((id) => follow(id, engine, pause)))
      return
    } catch {
      await pause()
    }
  }
}
