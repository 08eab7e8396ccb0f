/**
 * Starts PostgreSQL and MinIO for the tests of this folder, prints where they are as one JSON line, and stops both
 * when standard input ends, so also when the tests' process is killed.
 */
import { transformFile } from '@swc/core'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

// As deep as tests/support, and inside the repository: its relative paths and npm imports mean the same there.
const compiled = join(import.meta.dirname, '../../../.cache/interop')

/** A module of tests/support, compiled. */
async function support(name) {
  const { code } = await transformFile(join(import.meta.dirname, '../../support', `${name}.ts`), {
    jsc: { parser: { syntax: 'typescript' }, target: 'es2023' },
    module: { type: 'es6' },
  })
  await mkdir(compiled, { recursive: true })
  const file = join(compiled, `${name}.js`)
  await writeFile(file, code)
  return import(pathToFileURL(file).href)
}

const [{ startPostgres }, { startMinio }] = await Promise.all([support('postgres'), support('minio')])
const running = await Promise.all([startPostgres(), startMinio()])
const stop = async () => {
  await Promise.all(running.map((server) => server.stop()))
}
process.stdin.resume().once('end', () => void stop())
process.once('SIGTERM', () => {
  process.stdin.destroy()
  void stop()
})
const [postgres, minio] = running
for (const database of ['source', 'lake', 'legacy']) await postgres.createDatabase(database)
const { host, port, user, password } = postgres
const { endpoint, accessKeyId, secretAccessKey } = minio
process.stdout.write(
  `${JSON.stringify({ host, port, user, password, endpoint, accessKeyId, secretAccessKey })}\n`,
)
