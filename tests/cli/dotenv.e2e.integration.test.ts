import { beforeAll, describe, expect, it } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { passwords } from './dotenv-passwords.ts'

/** The table that tests/cli/dotenv.test.ts holds our parser to is Compose's own reading. */
describe('docker compose', () => {
  let values: Record<string, string> = {}

  beforeAll(() => {
    const folder = mkdtempSync(join(tmpdir(), 'lakejobs-dotenv-'))
    try {
      const names = passwords.map((_, index) => `PASSWORD_${index}`)
      const lines = passwords.map(([written], index) => `PASSWORD_${index}=${written}\n`)
      writeFileSync(join(folder, '.env'), `OTHER=other\nEMPTY=\n${lines.join('')}`)
      const environment = Object.fromEntries(names.map((name) => [name, `\${${name}}`]))
      writeFileSync(
        join(folder, 'compose.yml'),
        JSON.stringify({ services: { x: { image: 'x', environment } } }),
      )
      const command = ['compose', 'config', '--format', 'json']
      const { stdout, stderr } = spawnSync('docker', command, { cwd: folder, encoding: 'utf8' })
      if (stdout === '') throw new Error(`docker compose config: ${stderr}`)
      const config = JSON.parse(stdout) as { services: { x: { environment: Record<string, string> } } }
      values = config.services.x.environment
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it.each(passwords.map(([written, value], index) => [written, value, index] as const))(
    'reads %j as %j',
    (_, value, index) => {
      // `config` prints a dollar sign as two, so that its output can be read again.
      expect(values[`PASSWORD_${index}`]?.replaceAll('$$', '$')).toBe(value)
    },
  )
})
