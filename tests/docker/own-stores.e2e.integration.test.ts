import { beforeAll, describe, expect, it } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')

interface Service {
  readonly environment?: Readonly<Record<string, string | undefined>>
  readonly depends_on?: Readonly<Record<string, unknown>>
}

/** What Compose makes of the project with .env.example as .env, some lines of it changed. */
function configured(changes: Readonly<Record<string, string>>): Readonly<Record<string, Service>> {
  const folder = mkdtempSync(join(tmpdir(), 'lakejobs-own-stores-'))
  try {
    for (const name of ['docker', 'docker-compose.yml'])
      cpSync(join(root, name), join(folder, name), { recursive: true })
    let env = readFileSync(join(root, '.env.example'), 'utf8')
    const folders = { HOST_DATA_DIR: '/srv/lakejobs/data', HOST_TABLES_DIR: '/srv/lakejobs/tables' }
    for (const [name, value] of Object.entries({ ...folders, ...changes }))
      env = env.replace(new RegExp(`^#?${name}=.*$`, 'm'), `${name}=${value}`)
    writeFileSync(join(folder, '.env'), env)
    const command = ['compose', '--profile', 'jobs', 'config', '--format', 'json']
    const { PATH, HOME, DOCKER_CONFIG } = process.env
    const { stdout, stderr } = spawnSync('docker', command, {
      cwd: folder,
      env: { PATH, HOME, DOCKER_CONFIG, PWD: folder },
      encoding: 'utf8',
    })
    if (stdout === '') throw new Error(`docker compose config: ${stderr}`)
    return (JSON.parse(stdout) as { services: Record<string, Service> }).services
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const stores = ['postgres', 'iceberg-postgres', 'minio', 'postgres-roles', 'minio-roles']

describe('docker/own-stores.yml', () => {
  let whole: Readonly<Record<string, Service>>
  let own: Readonly<Record<string, Service>>
  beforeAll(() => {
    whole = configured({})
    own = configured({
      COMPOSE_FILE: 'docker-compose.yml:docker/own-stores.yml',
      POSTGRES_HOST: 'db.example.com',
      POSTGRES_PORT: '6432',
      ICEBERG_POSTGRES_HOST: 'catalog.example.com',
      S3_ENDPOINT: '',
    })
  })

  it('starts all but the demo stores, on which nothing waits', () => {
    expect(Object.keys(own)).toEqual(Object.keys(whole).filter((name) => !stores.includes(name)))
    const waited = Object.values(own).flatMap(({ depends_on }) => Object.keys(depends_on ?? {}))
    expect(waited.filter((name) => stores.includes(name))).toEqual([])
    expect(Object.keys(own['lakejobs-init']!.depends_on!)).toEqual(['data-init'])
  })

  it('gives every container of a job or a DAG the stores of .env and who it says, and leaves all else as it is', () => {
    const places = {
      POSTGRES_HOST: 'db.example.com',
      POSTGRES_PORT: '6432',
      ICEBERG_POSTGRES_HOST: 'catalog.example.com',
      ICEBERG_POSTGRES_PORT: '5435',
      S3_ENDPOINT: '',
    }
    const who = {
      POSTGRES_USER: 'myuser',
      POSTGRES_PASSWORD: 'mypassword',
      ICEBERG_POSTGRES_USER: 'iceberg',
      ICEBERG_POSTGRES_PASSWORD: 'icebergpassword',
      MINIO_ROOT_USER: 'minio',
      MINIO_ROOT_PASSWORD: 'minio123',
    }
    const isJob = (name: string): boolean => ['lakejobs-init', 'jobs', 'airflow-scheduler'].includes(name)
    for (const [name, service] of Object.entries(own)) {
      // What is in .env is in the environment of jobs, this name too. What is empty is unset.
      const said = ({ environment = {} }: Service) =>
        Object.fromEntries(
          Object.entries(environment).filter(([key, value]) => key !== 'COMPOSE_FILE' && value !== ''),
        )
      const before = said(whole[name]!)
      const isOfRole = (key: string): boolean =>
        /^(READER|MAINTAINER|DEMO)_(AWS|ICEBERG|POSTGRES)|^AWS_/.test(key)
      const rest = Object.entries(before).filter(
        ([key]) => !(isJob(name) && isOfRole(key) && key !== 'AWS_REGION'),
      )
      expect([name, said(service)]).toEqual([
        name,
        before['S3_ENDPOINT'] === undefined
          ? before
          : said({ environment: { ...Object.fromEntries(rest), ...places, ...(isJob(name) && who) } }),
      ])
    }
  })

  it('is refused by Compose where a host is missing', () => {
    const compose = 'docker-compose.yml:docker/own-stores.yml'
    expect(() => configured({ COMPOSE_FILE: compose, POSTGRES_HOST: '' })).toThrow('name the source in .env')
  })
})
