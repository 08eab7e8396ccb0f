import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const page = readFileSync(join(import.meta.dirname, '../../docs/permissions.md'), 'utf8')

/** The block of docs/permissions.md that stands below the comment `<!-- NAME -->`. */
export function documented(name: string): string {
  const [, block] = new RegExp(`^<!-- ${name} -->\n\`\`\`\\w+\n(.*?)^\`\`\``, 'ms').exec(page) ?? []
  if (block === undefined) throw new Error(`docs/permissions.md has no block ${name}`)
  return block
}

/** Its statements, without the last semicolon. */
export const statements = (name: string): string[] =>
  documented(name)
    .split(/;\n/)
    .filter((text) => text !== '')
