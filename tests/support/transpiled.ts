import { transformFile, type Options } from '@swc/core'
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'

const jobs = join(import.meta.dirname, '../../jobs')

/**
 * Copies `files` (paths below jobs/) as JavaScript into a new temporary folder, which it returns, for tests that
 * run them in a process of its own. Only for files without npm imports.
 */
export async function transpiled(files: readonly string[]): Promise<string> {
  const out = await mkdtemp(join(tmpdir(), 'lakejobs-js-'))
  await writeFile(join(out, 'package.json'), '{"type":"module"}')
  for (const name of files) {
    const { code } = await transformFile(join(jobs, name), {
      jsc: { parser: { syntax: 'typescript' }, target: 'es2023', rewriteRelativeImportExtensions: true },
      module: { type: 'es6' },
    } as Options)
    await mkdir(join(out, dirname(name)), { recursive: true })
    await writeFile(join(out, dirname(name), `${basename(name, '.ts')}.js`), code)
  }
  return out
}
