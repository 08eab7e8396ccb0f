/**
 * Starts PostgreSQL for the tests of this folder, prints where it is as one JSON line, and stops it when standard
 * input ends, so also when the tests' process is killed.
 */
import { transformFile } from '@swc/core'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

// As deep as tests/support, and inside the repository: its relative paths and npm imports mean the same there.
const compiled = join(import.meta.dirname, '../../../.cache/dags')

const { code } = await transformFile(join(import.meta.dirname, '../../support/postgres.ts'), {
  jsc: { parser: { syntax: 'typescript' }, target: 'es2023' },
  module: { type: 'es6' },
})
await mkdir(compiled, { recursive: true })
const file = join(compiled, 'postgres.js')
await writeFile(file, code)
const { startPostgres } = await import(pathToFileURL(file).href)

const postgres = await startPostgres()
process.stdin.resume().once('close', () => void postgres.stop())
process.once('SIGTERM', () => process.stdin.destroy())
const { host, port, user, password } = postgres
process.stdout.write(`${JSON.stringify({ host, port, user, password })}\n`)
