// What `npm run build` does after tsc: the modules in dist/modules and the packages they import become a few files in
// dist/. A job imports 160 modules of ours and 250 of packages, which took 80 ms of each start to find and read.
import { readdirSync, rmSync, copyFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { build } from 'esbuild'

const root = join(import.meta.dirname, '../..')
const outdir = join(root, 'dist')
const modules = join(outdir, 'modules')

/** Files that others name by their place beside them: threads' entry points, and data. All output lies in one folder. */
const threads = ['export/read/worker.js', 'aggregate/day/worker.js']
const data = ['kernel/kernel.wasm']
const flat = (path) => path.replaceAll('/', '-')
const named = new Set([...threads, ...data])

const placesInOneFolder = {
  name: 'places in one folder',
  setup({ onLoad }) {
    onLoad({ filter: /\/dist\/modules\/.*\.js$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8')
      const contents = text.replaceAll(/new URL\('([^']+)', import\.meta\.url\)/g, (_, place) => {
        const file = relative(modules, join(dirname(path), place))
        if (!named.has(file))
          throw new Error(`${path} names ${place}, which scripts/lib/bundle.js does not know`)
        return `new URL('./${flat(file)}', import.meta.url)`
      })
      return { contents }
    })
  },
}

for (const file of readdirSync(outdir)) if (/\.(js|map|wasm)$/.test(file)) rmSync(join(outdir, file))
await build({
  entryPoints: Object.fromEntries(
    ['main.js', ...threads].map((file) => [flat(file).replace(/\.js$/, ''), join(modules, file)]),
  ),
  outdir,
  bundle: true,
  // What a command does not need stays in files of its own, which are not read.
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  sourcemap: true,
  logLevel: 'warning',
  plugins: [placesInOneFolder],
  // Binaries, what finds its files by its own place, and what pg asks for without needing it.
  external: [
    '@duckdb/node-api',
    'snappy',
    '@bokuweb/zstd-wasm',
    'pino-pretty',
    'pg-native',
    'cloudflare:sockets',
  ],
  // For packages that are CommonJS.
  banner: {
    js: "import { createRequire as requireOf } from 'node:module'\nconst require = requireOf(import.meta.url)",
  },
})
for (const file of data) copyFileSync(join(modules, file), join(outdir, flat(file)))
