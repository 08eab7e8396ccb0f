/**
 * `side-by-side.js <script>…` runs scripts of package.json at the same time, and prints each one's output whole when it has ended,
 * with the seconds it took. Exit 1 if any failed; the last line names them.
 */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const root = join(import.meta.dirname, '../..')
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const env = { ...process.env, PATH: join(root, 'node_modules/.bin') + delimiter + process.env.PATH }
if (process.stdout.isTTY) env.FORCE_COLOR ??= '1'

/** Resolves to whether it went well. Without npm between: that takes a third of a second each. */
const run = (name) =>
  new Promise((resolve) => {
    const started = performance.now()
    const output = []
    const child = spawn(scripts[name], { cwd: root, env, shell: true, stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => output.push(bytes))
    child.on('close', (code) => {
      process.stdout.write(Buffer.concat(output))
      const seconds = ((performance.now() - started) / 1000).toFixed(1)
      process.stdout.write(`${name}: ${code === 0 ? 'good' : 'FAILED'} (${seconds} s)\n`)
      resolve(code === 0)
    })
  })

const names = process.argv.slice(2)
const unknown = names.find((name) => scripts[name] === undefined)
if (unknown !== undefined) throw new Error(`package.json has no script ${unknown}`)
const good = await Promise.all(names.map(run))
const failed = names.filter((_, index) => !good[index])
if (failed.length > 0) process.stdout.write(`failed: ${failed.join(', ')}\n`)
process.exitCode = failed.length > 0 ? 1 : 0
