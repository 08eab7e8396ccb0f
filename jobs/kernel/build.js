// Compiles assembly/ to kernel.wasm, beside kernel.ts and beside its build in dist/, unless that is newer than its
// sources. Part of `npm run build`, and done before tests run.
import { copyFileSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const sources = new URL('assembly/', import.meta.url)
const output = new URL('kernel.wasm', import.meta.url)
const built = new URL('../../dist/kernel/', import.meta.url)

const modified = (url) => statSync(url).mtimeMs
const files = readdirSync(sources).filter((name) => name.endsWith('.ts'))
const newest = Math.max(
  modified(new URL(import.meta.url)),
  ...files.map((name) => modified(new URL(name, sources))),
)
if (!existsSync(output) || modified(output) < newest) {
  const { main } = await import('assemblyscript/asc')
  const { error, stderr } = await main([
    ...[fileURLToPath(new URL('index.ts', sources)), '--outFile', fileURLToPath(output)],
    // Without a runtime: nothing is allocated, the memory and its places are kernel.ts'.
    ...['--runtime', 'stub', '--importMemory', '--use', 'abort=', '--noAssert'],
    '-O3',
  ])
  if (error !== null) throw new Error(`the kernel does not compile: ${error.message}\n${stderr.toString()}`)
}
mkdirSync(built, { recursive: true })
copyFileSync(output, new URL('kernel.wasm', built))
