import { describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  bytes,
  callOf,
  createBody,
  isOurs,
  label,
  namesOf,
  Refusal,
  type Policy,
} from '../../docker/filter/policy.ts'

const policy: Policy = {
  image: 'lakejobs/jobs:latest',
  network: 'lakejobs',
  user: '50000:0',
  source: '/srv/data',
  tables: { source: '/srv/tables', target: '/opt/lakejobs/tables' },
  target: '/opt/lakejobs/data',
  memory: 2 * 1024 ** 3,
  names: namesOf(readFileSync(join(import.meta.dirname, '../../.env.example'), 'utf8')),
}
const id = 'a'.repeat(64)

/** What the DockerOperator 4.6.1 sends, word for word (docker SDK 7.2.0). */
const asked = {
  ExposedPorts: {},
  User: '50000:0',
  Tty: false,
  OpenStdin: false,
  StdinOnce: false,
  AttachStdin: false,
  AttachStdout: true,
  AttachStderr: true,
  Env: ['DEMO_DATA=true', 'POSTGRES_PASSWORD=secret'],
  Cmd: ['aggregate', '--date=2024-09-16'],
  Image: 'lakejobs/jobs:latest',
  NetworkDisabled: false,
  HostConfig: {
    NetworkMode: 'lakejobs',
    PortBindings: {},
    Ulimits: [],
    LogConfig: { Type: null, Config: {} },
    CpuShares: 1024,
    Mounts: [{ Target: '/opt/lakejobs/data', Source: '/srv/data', Type: 'bind', ReadOnly: false }],
  },
}
const [mount] = asked.HostConfig.Mounts
const withHost = (host: object): object => ({ ...asked, HostConfig: { ...asked.HostConfig, ...host } })
const made = (body: object): Record<string, unknown> =>
  JSON.parse(createBody(JSON.stringify(body), policy)) as Record<string, unknown>

describe('callOf', () => {
  it.each([
    ['GET', '/version', 'ask'],
    ['GET', '/v1.41/_ping', 'ask'],
    ['GET', '/v1.41/images/json?only_ids=0&all=0&filters=%7B%7D', 'ask'],
    ['POST', '/v1.41/containers/create', 'create'],
    ['POST', `/v1.41/containers/${id}/attach?logs=0&stdout=1&stderr=1&stream=1`, 'container'],
    ['GET', `/v1.41/containers/${id}/json`, 'container'],
    ['POST', `/v1.41/containers/${id}/start`, 'container'],
    ['POST', `/v1.41/containers/${id}/wait`, 'container'],
    ['POST', `/v1.41/containers/${id}/stop`, 'container'],
    ['DELETE', `/v1.41/containers/${id}?v=False&link=False&force=True`, 'container'],
  ])('lets the operator %s %s', (method, url, kind) => {
    expect(callOf(method, url)).toMatchObject({ kind, ...(kind === 'container' ? { id } : {}) })
  })

  it.each([
    ['POST', `/v1.41/containers/${id}/exec`],
    ['POST', '/v1.41/exec/abc/start'],
    ['POST', '/v1.41/build'],
    ['POST', '/v1.41/images/create?fromImage=alpine'],
    ['POST', '/v1.41/volumes/create'],
    ['POST', '/v1.41/networks/create'],
    ['GET', '/v1.41/containers/json'],
    ['GET', `/v1.41/containers/${id}/archive?path=/etc`],
    ['PUT', `/v1.41/containers/${id}/archive?path=/`],
    ['POST', `/v1.41/containers/${id}/update`],
    ['POST', '/v1.41/containers/create?name=postgres'],
    ['POST', '/v1.41/containers/postgres/stop'],
    ['GET', '/v1.41/info'],
    ['GET', `/v1.41/containers/${id}/json/../../../info`],
    ['POST', `/v1.41//containers/create`],
    ['POST', `http://docker/v1.41/containers/create`],
    // Before 1.24, start took the host's settings from its body.
    ['POST', `/v1.22/containers/${id}/start`],
    ['POST', '/v1.17/containers/create'],
  ])('refuses %s %s', (method, url) => {
    expect(() => callOf(method, url)).toThrow(Refusal)
  })
})

describe('createBody', () => {
  it('passes on what the operator asks for, confined', () => {
    expect(made(asked)).toEqual({
      User: '50000:0',
      AttachStdout: true,
      AttachStderr: true,
      Env: asked.Env,
      Cmd: asked.Cmd,
      Image: 'lakejobs/jobs:latest',
      Labels: { [label]: 'lakejobs' },
      HostConfig: {
        NetworkMode: 'lakejobs',
        CpuShares: 1024,
        Mounts: [{ Target: '/opt/lakejobs/data', Source: '/srv/data', Type: 'bind' }],
        Memory: policy.memory,
        PidsLimit: 1024,
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges'],
      },
    })
  })

  it('mounts the folder of lakejobs.yaml beside it, to be read alone', () => {
    const tables = { Target: '/opt/lakejobs/tables', Source: '/srv/tables', Type: 'bind', ReadOnly: false }
    expect(made(withHost({ Mounts: [mount, tables] }))['HostConfig']).toMatchObject({
      Mounts: [{ Target: '/opt/lakejobs/data' }, { ...tables, ReadOnly: true }],
    })
    for (const wrong of [[{ ...tables, Source: '/srv/data' }], [tables, tables]])
      expect(() => made(withHost({ Mounts: wrong }))).toThrow('Mounts')
  })

  it('lets through how sources of lakejobs.yaml are reached', () => {
    const env = ['CRM_HOST=crm', 'CRM_PASSWORD=x', 'CRM_SSLMODE=require']
    expect(made({ ...asked, Env: env })['Env']).toEqual(env)
    for (const name of ['CRM_PASSWORD_COMMAND', 'CRM_OPTIONS', 'crm_HOST'])
      expect(() => made({ ...asked, Env: [`${name}=x`] })).toThrow(`${name} is no setting of a job here`)
  })

  it('sets user, network, memory and label where the request does not', () => {
    const body = made({ Image: policy.image, Labels: { team: 'data', [label]: 'other' } })
    expect(body).toMatchObject({ User: '50000:0', Labels: { team: 'data', [label]: 'lakejobs' } })
    expect(body['HostConfig']).toMatchObject({ NetworkMode: 'lakejobs', Memory: policy.memory })
    expect(made(withHost({ Memory: 1024 ** 4 }))['HostConfig']).toMatchObject({ Memory: policy.memory })
    expect(made(withHost({ Memory: 1024 ** 2 }))['HostConfig']).toMatchObject({ Memory: 1024 ** 2 })
  })

  it.each<readonly [string, object]>([
    ['Binds', withHost({ Binds: ['/:/host'] })],
    ['Mounts.Source', withHost({ Mounts: [{ ...mount, Source: '/' }] })],
    ['Mounts.Source', withHost({ Mounts: [{ ...mount, Source: '/srv/data/..' }] })],
    ['Mounts.Target', withHost({ Mounts: [{ ...mount, Target: '/opt/lakejobs/dist' }] })],
    ['Mounts.Type', withHost({ Mounts: [{ ...mount, Type: 'volume' }] })],
    ['BindOptions', withHost({ Mounts: [{ ...mount, BindOptions: { Propagation: 'rshared' } }] })],
    ['Mounts', withHost({ Mounts: [mount, mount] })],
    ['Privileged', withHost({ Privileged: true })],
    ['PidMode', withHost({ PidMode: 'host' })],
    ['IpcMode', withHost({ IpcMode: 'host' })],
    ['UTSMode', withHost({ UTSMode: 'host' })],
    ['UsernsMode', withHost({ UsernsMode: 'host' })],
    ['CgroupnsMode', withHost({ CgroupnsMode: 'host' })],
    ['NetworkMode', withHost({ NetworkMode: 'host' })],
    ['NetworkMode', withHost({ NetworkMode: 'container:postgres' })],
    ['CapAdd', withHost({ CapAdd: ['SYS_ADMIN'] })],
    ['Devices', withHost({ Devices: [{ PathOnHost: '/dev/sda' }] })],
    ['DeviceRequests', withHost({ DeviceRequests: [{ Count: -1 }] })],
    ['SecurityOpt', withHost({ SecurityOpt: ['seccomp=unconfined'] })],
    ['VolumesFrom', withHost({ VolumesFrom: ['lakejobs-postgres-1'] })],
    ['PortBindings', withHost({ PortBindings: { '80/tcp': [{ HostPort: '80' }] } })],
    ['LogConfig', withHost({ LogConfig: { Type: 'syslog' } })],
    ['Memory', withHost({ Memory: -1 })],
    ['Runtime', withHost({ Runtime: 'other' })],
    ['Image', { ...asked, Image: 'alpine' }],
    ['Image', { ...asked, Image: null }],
    ['User', { ...asked, User: '0:0' }],
    ['Entrypoint', { ...asked, Entrypoint: ['sh'] }],
    ['Volumes', { ...asked, Volumes: { '/host': {}, x: 1 } }],
    ['NetworkingConfig', { ...asked, NetworkingConfig: { EndpointsConfig: { bridge: { Links: ['a'] } } } }],
    // The engine's JSON takes names in any case.
    ['hostconfig', { ...asked, hostconfig: { Privileged: true } }],
    ['privileged', withHost({ privileged: true })],
    ['__proto__', JSON.parse(`{"Image":"${policy.image}","__proto__":{"Privileged":true}}`) as object],
    ['Cmd', { ...asked, Cmd: 'sh' }],
    ['the container', []],
  ])('refuses %s', (name, body) => {
    expect(() => made(body)).toThrow(Refusal)
    expect(() => made(body)).toThrow(name)
  })

  it('passes nothing on that it did not understand, and tells no environment', () => {
    expect(made({ ...asked, Volumes: { '/host': {} }, Whatever: [] })).not.toHaveProperty('Volumes')
    expect(() => made({ ...asked, Env: { POSTGRES_PASSWORD: 'secret' } })).toThrow(/^the container\.Env$/)
  })

  it.each([
    '{',
    `{"Image":${'['.repeat(200_000)}${']'.repeat(200_000)}}`,
    `{"Image":"${policy.image}","Labels":${'{"a":'.repeat(40)}1${'}'.repeat(40)}}`,
  ])('calls %.20s wrong, not refused', (body) => {
    expect(() => createBody(body, policy)).toThrow(expect.objectContaining({ status: 400 }))
  })

  it.each(['NODE_OPTIONS', 'NODE_EXTRA_CA_CERTS', 'LD_PRELOAD', 'BASH_ENV', 'PATH', 'HOME', '__proto__', ''])(
    'refuses %p in the environment, without its value',
    (name) => {
      expect(() => made({ ...asked, Env: ['WAREHOUSE=x', `${name}=secret`] })).toThrow(
        expect.objectContaining({ status: 403, message: expect.stringMatching(/^(?!.*secret)/) as unknown }),
      )
    },
  )

  it.each([
    'POSTGRES_PASSWORD_COMMAND=x',
    'AWS_CONFIG_FILE=x',
    'PGSERVICEFILE=x',
    'AIRFLOW_PASSWORD=x',
    'AIRFLOW_CTX_=x',
    'LAKEJOBS_RUNNER=x',
    'WAREHOUSE',
    7,
  ])('refuses %p in the environment', (entry) => {
    expect(() => made({ ...asked, Env: [entry] })).toThrow(Refusal)
  })

  it('knows the settings of jobs, those of AWS and libpq, and the task', () => {
    const Env = [
      'WAREHOUSE=a=b',
      'LAKEJOBS_CODEC=zstd',
      'AWS_ROLE_ARN=x',
      'POSTGRES_HOST=',
      'PGSSLMODE=verify-full',
      'AIRFLOW_CTX_DAG_RUN_ID=scheduled__2024-09-17T07:00:00+00:00',
    ]
    expect(made({ ...asked, Env })).toMatchObject({ Env })
  })
})

describe('isOurs', () => {
  it.each([
    [{ [label]: 'lakejobs' }, true],
    [{ [label]: 'another' }, false],
    [{}, false],
    [null, false],
  ])('%j: %j', (Labels, expected) => {
    expect(isOurs(JSON.stringify({ Config: { Labels } }), policy)).toBe(expected)
  })
})

describe('bytes', () => {
  it('reads what Compose reads', () => {
    expect(['7', '7b', '5k', '512m', '2g', '2GB'].map(bytes)).toEqual([
      7,
      7,
      5120,
      512 * 1024 ** 2,
      2 * 1024 ** 3,
      2 * 1024 ** 3,
    ])
    expect(() => bytes('much')).toThrow('"much" is no amount of memory')
  })
})
