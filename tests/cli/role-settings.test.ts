import { describe, expect, it } from '@jest/globals'
import { roleOf, roleSettings, settingsOf } from '../../jobs/cli/role-settings.ts'

const general = {
  POSTGRES_USER: 'source',
  ICEBERG_POSTGRES_USER: 'catalog',
  ICEBERG_POSTGRES_PASSWORD_COMMAND: 'print one',
  AWS_ACCESS_KEY_ID: 'exporter',
  AWS_SECRET_ACCESS_KEY: 'secret',
  AWS_SESSION_TOKEN: 'token',
  MINIO_ROOT_USER: 'root',
  MINIO_ROOT_PASSWORD: 'of root',
  WAREHOUSE: 's3://bucket/lake',
}
const reader = { READER_ICEBERG_POSTGRES_USER: 'reader', READER_ICEBERG_POSTGRES_PASSWORD: 'word' }
const maintainer = { MAINTAINER_AWS_PROFILE: 'maintainer' }

describe('a role', () => {
  it('has its own names in the place of all that belong to them, and leaves the rest as it is', () => {
    const { ICEBERG_POSTGRES_PASSWORD_COMMAND, ...others } = general
    expect(ICEBERG_POSTGRES_PASSWORD_COMMAND).toBe('print one')
    expect(settingsOf('READER', { ...general, ...reader, ...maintainer }).env).toEqual({
      ...others,
      ICEBERG_POSTGRES_USER: 'reader',
      ICEBERG_POSTGRES_PASSWORD: 'word',
    })
  })

  it('with a key of the store has nothing of another key, a session or the root', () => {
    const { POSTGRES_USER, ICEBERG_POSTGRES_USER, ICEBERG_POSTGRES_PASSWORD_COMMAND, WAREHOUSE } = general
    expect(settingsOf('MAINTAINER', { ...general, ...reader, ...maintainer }).env).toEqual({
      ...{ POSTGRES_USER, ICEBERG_POSTGRES_USER, ICEBERG_POSTGRES_PASSWORD_COMMAND, WAREHOUSE },
      AWS_PROFILE: 'maintainer',
    })
  })

  it('that has nothing of its own is the exporter, who sees no names of roles', () => {
    for (const role of ['DEMO', undefined] as const)
      expect(settingsOf(role, { ...general, ...reader, ...maintainer }).env).toEqual(general)
    expect(settingsOf('READER', general).env).toEqual(general)
  })

  it('tells by which name a value was given', () => {
    const { nameOf } = settingsOf('READER', { ...general, ...reader })
    expect(
      ['ICEBERG_POSTGRES_USER', 'ICEBERG_POSTGRES_PASSWORD_COMMAND', 'AWS_ACCESS_KEY_ID'].map(nameOf),
    ).toEqual(['READER_ICEBERG_POSTGRES_USER', 'ICEBERG_POSTGRES_PASSWORD_COMMAND', 'AWS_ACCESS_KEY_ID'])
  })

  it('is named by its settings, which are those of a source, a catalog or a store', () => {
    expect(roleSettings).toHaveLength(15)
    expect(roleSettings).toContain('DEMO_POSTGRES_PASSWORD_FILE')
    expect(roleSettings).not.toContain('DEMO_AWS_PROFILE')
  })
})

describe('a command', () => {
  it.each([
    ['export', {}, undefined],
    ['verify', {}, undefined],
    ['aggregate', {}, undefined],
    ['init', {}, undefined],
    ['seed', {}, 'DEMO'],
    ['maintain', {}, 'MAINTAINER'],
    ['sql', {}, 'READER'],
    ['report', {}, 'READER'],
    ['runs', {}, 'READER'],
    ['inspect', { files: true }, 'READER'],
    ['inspect', { tree: true }, 'MAINTAINER'],
    ['inspect', { storage: true }, 'MAINTAINER'],
    ['check', {}, undefined],
    ['check', { as: 'exporter' }, undefined],
    ['check', { as: 'reader' }, 'READER'],
    ['check', { as: 'maintainer' }, 'MAINTAINER'],
  ])('%s with %j is %s', (command, flags, role) => {
    expect(roleOf(command, flags)).toBe(role)
  })
})
