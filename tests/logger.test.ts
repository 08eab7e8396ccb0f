import { describe, expect, it } from '@jest/globals'
import { execFile } from 'node:child_process'
import { rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { transpiled } from './support/transpiled.ts'

/** Logs in a process of its own, which ends at once: what it had logged is there all the same. */
async function logged(settings: string): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const folder = await transpiled(['logger.ts'])
  try {
    await symlink(join(import.meta.dirname, '../node_modules'), join(folder, 'node_modules'))
    const code = `import { createLogger } from ${JSON.stringify(join(folder, 'logger.js'))}
      const logger = createLogger(${settings})
      logger.debug('hidden')
      logger.warn({ day: '2024-09-16' }, 'a warning')
      logger.info({ rows: 5, files: ['a', 'b'] }, 'a sentence')
      logger.info({ table: 't', operation: '1', folder: 'f' }, 'a trace')
      logger.error({ code: 'usage', field: '--x' }, 'a failure')
      process.kill(process.pid, 'SIGKILL')`
    const run = promisify(execFile)(process.execPath, ['--input-type=module', '-e', code])
    return await run.catch((error: unknown) => error as { stdout: string; stderr: string })
  } finally {
    await rm(folder, { recursive: true })
  }
}

describe('createLogger', () => {
  it('writes an object per line to standard error', async () => {
    const { stdout, stderr } = await logged(`{ format: 'json', level: 'info' }`)
    expect(stdout).toBe('')
    const line = { time: expect.stringMatching(/^\d{4}-.*Z$/) as unknown }
    expect(
      stderr
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as object),
    ).toEqual([
      { ...line, level: 'warn', day: '2024-09-16', msg: 'a warning' },
      { ...line, level: 'info', rows: 5, files: ['a', 'b'], msg: 'a sentence' },
      { ...line, level: 'info', table: 't', operation: '1', folder: 'f', msg: 'a trace' },
      { ...line, level: 'error', code: 'usage', field: '--x', msg: 'a failure' },
    ])
  })

  it('writes for people, there too', async () => {
    const { stdout, stderr } = await logged(`{ format: 'pretty', level: 'info' }`)
    expect(stdout).toBe('')
    expect(stderr.replaceAll(/^\[[\d:]+\] /gm, '')).toBe(
      'WARN: a warning {"day":"2024-09-16"}\nINFO: a sentence\nERROR: a failure\n',
    )
  })

  it('for people who look closer, with fields and traces, each on one line', async () => {
    const { stderr } = await logged(`{ format: 'pretty', level: 'debug' }`)
    expect(stderr).toMatch(/INFO: a trace {"table":"t","operation":"1","folder":"f"}\n/)
    expect(stderr).toMatch(/ERROR: a failure {"code":"usage","field":"--x"}\n/)
    expect(stderr.trimEnd().split('\n')).toHaveLength(5)
  })

  it('keeps silent', async () => {
    expect(await logged(`{ format: 'json', level: 'silent' }`)).toMatchObject({ stdout: '', stderr: '' })
  })
})
