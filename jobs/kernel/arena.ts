/**
 * Sets `size` bytes apart, aligned to 64, not zeroed; returns their address, which is never 0. Errors: a RangeError when the
 * memory is used up (a defect, as what is taken is bounded), a TypeError when what is taken here would be given back too early.
 */
export type Take = (size: number) => number

/** Room in a memory of fixed size. It is taken in order, so a scope gives it back by going back to where it began. */
export interface Arena {
  /** Takes for good; not while a scope is open. */
  readonly take: Take
  /**
   * Runs `work`, which is synchronous; what it takes is given back when it ends, however it ends. Scopes may lie within
   * each other: until the inner one has ended, only that one is taken from.
   */
  readonly scope: <Result>(work: (take: Take) => Result) => Result
}

const alignment = 64

/** The arena of a memory of `size` bytes. */
export function createArena(size: number): Arena {
  // Address 0 stays free: it stands for "none".
  let used = alignment
  let depth = 0
  const takeAt =
    (own: number): Take =>
    (wanted) => {
      if (depth !== own) throw new TypeError('taken from the kernel outside of the innermost scope')
      const at = used
      const end = at + Math.ceil(wanted / alignment) * alignment
      if (end > size) throw new RangeError(`the kernel has no room for ${wanted} bytes more`)
      used = end
      return at
    }
  return {
    take: takeAt(0),
    scope(work) {
      const before = used
      depth++
      try {
        return work(takeAt(depth))
      } finally {
        depth--
        used = before
      }
    },
  }
}
