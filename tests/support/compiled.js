import { transformFile } from '@swc/core'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/**
 * A module of this folder, compiled with those that it needs, for programs that Node.js runs as they are. `user` names a folder of
 * the program's own. As deep as this one, and inside the repository: npm imports mean the same there.
 */
export async function compiled(user, name) {
  const folder = join(import.meta.dirname, '../../.cache', user)
  await mkdir(folder, { recursive: true })
  for (const each of ['free-port', name]) {
    const { code } = await transformFile(join(import.meta.dirname, `${each}.ts`), {
      jsc: { parser: { syntax: 'typescript' }, target: 'es2023', rewriteRelativeImportExtensions: true },
      module: { type: 'es6' },
    })
    await writeFile(join(folder, `${each}.js`), code)
  }
  return import(pathToFileURL(join(folder, `${name}.js`)).href)
}
