// Compiles these sources to the modules in the folder above, or in the folder given: `npm run build:kernel`, after a change here.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { main } from 'assemblyscript/asc'

const place = (name) => fileURLToPath(new URL(name, import.meta.url))
const target = process.argv[2] ?? place('..')

const modules = {
  'kernel.wasm': 'index.ts',
  'count.wasm': 'count/index.ts',
  'merge.wasm': 'merge/index.ts',
}

for (const [file, source] of Object.entries(modules)) {
  const { error, stderr } = await main([
    ...[place(source), '--outFile', join(target, file), '--enable', 'simd'],
    // Without a runtime: nothing is allocated, the memory and its places are its user's (kernel.ts, count-kernel.ts).
    ...['--runtime', 'stub', '--importMemory', '--use', 'abort=', '--noAssert'],
    '-O3',
  ])
  if (error !== null) throw new Error(`${file} does not compile: ${error.message}\n${stderr.toString()}`)
}
