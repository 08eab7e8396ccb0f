import { afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, run, summaryOf, type Ran } from '../../support/cli.ts'
import { freePort } from '../../support/free-port.ts'

let cwd: string
let server: Server
let url: string
let answer: { status: number; text: string; location?: string }
let posted: { method: string | undefined; body: unknown }[]

beforeAll(build)
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'lakejobs-alert-'))
  posted = []
  answer = { status: 200, text: 'ok' }
  server = createServer((request, response) => {
    let text = ''
    request.setEncoding('utf8').on('data', (part: string) => (text += part))
    request.on('end', () => {
      posted.push({ method: request.method, body: text === '' ? undefined : JSON.parse(text) })
      response.writeHead(answer.status, answer.location === undefined ? {} : { location: answer.location })
      response.end(answer.text)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?token=canary-token`
})
afterEach(async () => {
  server.close()
  await rm(cwd, { recursive: true, force: true })
})

const check = (env: Readonly<Record<string, string>>, more: readonly string[] = []): Promise<Ran> =>
  run(['check', '--alert', ...more], { cwd, env })

it('sends a test and tells the answer', async () => {
  const { checks, runId } = summaryOf(await check({ ALERT_WEBHOOK_URL: url }))
  expect(checks).toMatchObject([{ check: 'alert as json', status: 'ok', detail: 'answered 200 ok' }])
  const text = 'lakejobs check --alert: a test: nothing has failed'
  const body = {
    dag: null,
    task: null,
    day: null,
    log: null,
    run: runId,
    error: 'a test: nothing has failed',
    text,
  }
  expect(posted).toEqual([{ method: 'POST', body }])
})

it('in the form of Slack and of Teams', async () => {
  for (const form of ['slack', 'teams'])
    summaryOf(await check({ ALERT_WEBHOOK_URL: url, ALERT_WEBHOOK_FORMAT: form }))
  const [slack, teams] = posted.map(({ body }) => body)
  expect(slack).toEqual({ text: 'lakejobs check --alert: a test: nothing has failed' })
  expect(teams).toMatchObject({
    type: 'message',
    attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', content: { actions: [] } }],
  })
})

it.each([
  [{ status: 400, text: 'invalid_payload' }, 'answered 400 invalid_payload'],
  [{ status: 302, text: '', location: '/signin' }, 'answered 302'],
  [{ status: 500, text: 'no canary-token' }, 'answered 500 no canary-token'],
])('what refuses it is exit 1: %j', async (refusal, said) => {
  answer = refusal
  const ran = await check({ ALERT_WEBHOOK_URL: url })
  const { exit, error } = summaryOf(ran)
  expect([exit, error?.message]).toEqual([1, `ALERT_WEBHOOK_URL ${said}`])
  expect(error?.fix).toContain('ALERT_WEBHOOK_FORMAT')
  expect(posted).toHaveLength(1)
  expect(ran.stderr + ran.stdout).not.toContain(url)
})

it('what is away is exit 1, and the address is told to nobody', async () => {
  const ran = await check({
    ALERT_WEBHOOK_URL: `http://127.0.0.1:${await freePort()}/hook?token=canary-token`,
  })
  const message = 'ALERT_WEBHOOK_URL does not answer: ECONNREFUSED'
  expect(summaryOf(ran)).toMatchObject({ exit: 1, error: { field: 'ALERT_WEBHOOK_URL', message } })
  expect(ran.stderr + ran.stdout).not.toContain('canary-token')
})

it.each([
  [{}, 'ALERT_WEBHOOK_URL'],
  [{ ALERT_WEBHOOK_URL: 'hooks/canary-token' }, 'ALERT_WEBHOOK_URL'],
  [{ ALERT_WEBHOOK_URL: 'http://a:canary-token@127.0.0.1:1/' }, 'ALERT_WEBHOOK_URL'],
  [{ ALERT_WEBHOOK_URL: 'http://127.0.0.1:1/', ALERT_WEBHOOK_FORMAT: 'slak' }, 'ALERT_WEBHOOK_FORMAT'],
])('what is wrong with the settings is exit 2: %j', async (env, field) => {
  const ran = await check(env)
  expect(summaryOf(ran)).toMatchObject({ exit: 2, error: { field, fix: expect.any(String) } })
  expect(ran.stderr + ran.stdout).not.toContain('canary-token')
})

it('is a check of its own', async () => {
  const { exit, error } = summaryOf(
    await check({ ALERT_WEBHOOK_URL: url }, ['--permissions', '--fresh', '26h']),
  )
  expect([exit, error?.message]).toEqual([2, '--permissions and --alert and --fresh are three checks'])
  expect(posted).toEqual([])
})
