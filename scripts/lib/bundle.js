// What `npm run build` does after tsc: the modules in dist/modules and the packages they import become a few files in
// dist/. A job imports 160 modules of ours and 250 of packages, which took 80 ms of each start to find and read.
import { existsSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { build } from 'esbuild'
import { licences } from './licences.js'

const root = join(import.meta.dirname, '../..')
const outdir = join(root, 'dist')
const modules = join(outdir, 'modules')

/** Files that others name by their place beside them: threads' and a process's entry points, and data. All output lies in one folder. */
const threads = [
  'export/read/worker.js',
  'aggregate/day/worker.js',
  'maintain/compact/worker.js',
  'verify/pages/worker.js',
  'query/engine-process.js',
]
const data = ['kernel/kernel.wasm', 'kernel/count.wasm', 'kernel/merge.wasm', 'spark/connect.proto']
/**
 * Packages that stay outside: binaries, and what finds its files by its own place; and what others ask for and do without.
 * The images have these packages alone (docker/packages).
 */
const external = JSON.parse(readFileSync(join(import.meta.dirname, 'external.json'), 'utf8'))
const flat = (path) => path.replaceAll('/', '-')
const named = new Set([...threads, ...data])

function mustBeKnown(name, user) {
  if (!isBuiltin(name) && !external.packages.includes(name) && !external.absent.includes(name))
    throw new Error(`${user} loads ${name}, which is not in the bundle: name it in scripts/lib/external.json`)
}

const placesInOneFolder = {
  name: 'places in one folder',
  setup({ onLoad }) {
    onLoad({ filter: /\/dist\/modules\/.*\.js$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8')
      for (const [, name] of text.matchAll(/createRequire\(import\.meta\.url\)\('([^']+)'\)/g)) {
        mustBeKnown(name, path)
      }
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

const { metafile, outputFiles } = await build({
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
  external: [...external.packages, ...external.absent],
  // What is not used takes time of each start: yargs asks for string-width, which readies itself for emoji (25 ms), and
  // avsc is its RPC, too (15 ms).
  alias: { 'string-width': 'fast-string-width', avsc: 'avsc/etc/browser/avsc-types.js' },
  metafile: true,
  write: false,
  banner: {
    js: [
      // For packages that are CommonJS.
      "import { createRequire as requireOf } from 'node:module'",
      'const require = requireOf(import.meta.url)',
      // What jobs/postgres/connection/navigator.ts does ahead of pg: within a chunk it may come behind.
      "globalThis.navigator ??= { userAgent: 'Node.js/' + process.versions.node.split('.')[0] }",
    ].join('\n'),
  },
})
for (const [file, { imports }] of Object.entries(metafile.outputs)) {
  for (const { path, external: outside } of imports) if (outside === true) mustBeKnown(path, file)
}
const packageFolder = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/
const bundled = Object.keys(metafile.inputs).flatMap((file) => packageFolder.exec(file) ?? [])

/** Jobs may start from dist/ at any time: a file that changes is replaced in one step, one that does not is left alone. */
function put(file, contents) {
  const path = join(outdir, file)
  if (existsSync(path) && readFileSync(path).equals(contents)) return
  const temporary = `${path}.${process.pid}.tmp`
  writeFileSync(temporary, contents)
  renameSync(temporary, path)
}

const files = new Map([
  ...data.map((file) => [flat(file), readFileSync(join(modules, file))]),
  ...outputFiles.map(({ path, contents }) => [relative(outdir, path), Buffer.from(contents)]),
])
// What names others comes after them: chunks have the hash of their content in their names, entry points have not.
const isChunk = (file) => /-[0-9A-Z]{8}\.js(\.map)?$/.test(file)
for (const wanted of [true, false])
  for (const [file, contents] of files) if (isChunk(file) === wanted) put(file, contents)
put('THIRD-PARTY-LICENSES.txt', Buffer.from(licences(new Set(bundled.sort()))))
for (const file of readdirSync(outdir))
  if (/\.(js|map|wasm|proto)$/.test(file) && !files.has(file)) rmSync(join(outdir, file), { force: true })
