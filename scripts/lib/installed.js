/**
 * Exits with 0 when node_modules is what package-lock.json says, judged by npm's own record of what it installed
 * (written last, so that an interrupted installation counts as none); with 1 otherwise.
 */
import { readFileSync } from 'node:fs'

const read = (path) => JSON.parse(readFileSync(path, 'utf8')).packages
const same = (a, b) => a?.version === b?.version && a?.integrity === b?.integrity

/** Optional packages are other systems' builds, except those that name this one. */
const needed = ({ optional, os, cpu, libc }) =>
  optional !== true ||
  (libc === undefined && os?.includes(process.platform) === true && cpu?.includes(process.arch) === true)

function isInstalled() {
  try {
    const wanted = read('package-lock.json')
    // The project itself, which npm's record leaves out.
    delete wanted['']
    const present = read('node_modules/.package-lock.json')
    return (
      Object.entries(wanted).every(([path, entry]) => !needed(entry) || same(present[path], entry)) &&
      Object.entries(present).every(([path, entry]) => same(wanted[path], entry))
    )
  } catch {
    return false
  }
}

process.exitCode = isInstalled() ? 0 : 1
