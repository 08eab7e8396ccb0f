// Compiles these sources to ../kernel.wasm, or to the file given: `npm run build:kernel`, after a change here.
import { fileURLToPath } from 'node:url'
import { main } from 'assemblyscript/asc'

const place = (name) => fileURLToPath(new URL(name, import.meta.url))
const { error, stderr } = await main([
  ...[place('index.ts'), '--outFile', process.argv[2] ?? place('../kernel.wasm')],
  // Without a runtime: nothing is allocated, the memory and its places are kernel.ts'.
  ...['--runtime', 'stub', '--importMemory', '--use', 'abort=', '--noAssert'],
  '-O3',
])
if (error !== null) throw new Error(`the kernel does not compile: ${error.message}\n${stderr.toString()}`)
