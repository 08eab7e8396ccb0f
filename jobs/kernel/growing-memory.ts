import { readFileSync } from 'node:fs'

/** A WebAssembly memory that grows: views of it are to be taken anew after `ensure`. */
export interface GrowingMemory {
  /** All of the memory. */
  readonly bytes: () => Buffer
  /** The same as words. */
  readonly words: () => Uint32Array
  /** Makes sure that the memory reaches to `end`, an address; throws a RangeError above 4 GiB. */
  readonly ensure: (end: number) => void
}

const pageBytes = 65_536
/**
 * The memory grows by so much at least: each time V8 marks its heap, as it takes the memory's size for pressure on it. What is
 * not touched is not resident.
 */
const growthBytes = 128 * 2 ** 20
const mostPages = 65_536

/** Makes instances of the module in the file `place`, which is read with the first, each with a memory of its own, which reaches to `end`. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- what a module exports is for its user to say
export function loadModule<Functions extends object>(place: URL): (end: number) => Functions & GrowingMemory {
  let module: WebAssembly.Module | undefined
  return (end) => {
    module ??= new WebAssembly.Module(readFileSync(place))
    const memory = new WebAssembly.Memory({ initial: Math.ceil(end / pageBytes), maximum: mostPages })
    const functions = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Functions
    let bytes = Buffer.from(memory.buffer)
    let words = new Uint32Array(memory.buffer)
    return {
      ...functions,
      bytes: () => bytes,
      words: () => words,
      ensure(wanted) {
        if (wanted <= bytes.length) return
        const pages = Math.ceil((wanted - bytes.length) / pageBytes)
        const left = mostPages - bytes.length / pageBytes
        if (pages > left)
          throw new RangeError(`the memory of ${place.pathname} has no room for ${wanted} bytes`)
        memory.grow(Math.min(left, Math.max(pages, growthBytes / pageBytes)))
        bytes = Buffer.from(memory.buffer)
        words = new Uint32Array(memory.buffer)
      },
    }
  }
}
