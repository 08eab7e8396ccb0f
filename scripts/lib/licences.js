import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const kept = /^(licen[cs]e|notice|copying|copyright)/i
const chapter = /^#+\s*licen[cs]e\b.*\n([^]*?)(?=^#|(?![^]))/im

/** The text that a package wants to be kept with its code: files of their own, else that chapter of its README. */
function licenceText(folder) {
  const files = readdirSync(folder).filter((file) => kept.test(file))
  if (files.length > 0)
    return files.map((file) => readFileSync(join(folder, file), 'utf8').trim()).join('\n\n')
  const readme = join(folder, 'README.md')
  return existsSync(readme) ? chapter.exec(readFileSync(readme, 'utf8'))?.[1]?.trim() : undefined
}

/**
 * Licences of the packages in these folders, as one text: each licence once, under the packages that it is of. Throws
 * an Error for a package that names none.
 */
export function licences(folders) {
  const packagesOf = new Map()
  for (const folder of folders) {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    if (!license) throw new Error(`${name} names no licence: look whether it may be part of dist/`)
    const text = licenceText(folder) ?? `The package has no text; its licence is ${license}.`
    packagesOf.set(text, [
      ...(packagesOf.get(text) ?? []),
      `${name} ${version.replace(/^v/, '')} (${license})`,
    ])
  }
  const entries = [...packagesOf].map(([text, packages]) => `${[...packages].sort().join('\n')}\n\n${text}\n`)
  return entries.join(`\n${'-'.repeat(80)}\n\n`)
}
