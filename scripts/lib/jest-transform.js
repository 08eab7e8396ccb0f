/**
 * Jest's transform: SWC, and `Math` as a constant of each module. Jest runs tests in a context of `node:vm`, whose globals are
 * looked up through an interceptor at every use: hash functions took up to forty times as long there.
 */
import swc from '@swc/jest'

/** On the first line, so that the lines of the source stay what they are. */
const withMath = (result) => ({ ...result, code: `const { Math } = globalThis;${result.code}` })

export default {
  createTransformer(options) {
    const { process, processAsync, ...rest } = swc.createTransformer(options)
    return {
      ...rest,
      process: (...given) => withMath(process(...given)),
      processAsync: async (...given) => withMath(await processAsync(...given)),
    }
  },
}
