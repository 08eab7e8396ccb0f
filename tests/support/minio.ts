import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { get } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from './free-port.ts'

export interface Minio {
  /** With `https`, `https://localhost:…`. */
  readonly endpoint: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Ends the server and removes its data. */
  stop(): Promise<void>
}

/** Where a job finds it, with the keys of its owner. */
export const storeEnvironment = ({
  endpoint,
  accessKeyId,
  secretAccessKey,
}: Pick<Minio, 'endpoint' | 'accessKeyId' | 'secretAccessKey'>): Record<string, string> => ({
  S3_ENDPOINT: endpoint,
  MINIO_ROOT_USER: accessKeyId,
  MINIO_ROOT_PASSWORD: secretAccessKey,
})

const startAttempts = 3
const healthAttempts = 150
const healthPauseMs = 100
const stopWaitMs = 5000

function obtain(): string {
  const script = join(import.meta.dirname, '../../scripts/lib/obtain/minio')
  const { status, stdout, error } = spawnSync(script, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (error !== undefined) throw error
  if (status !== 0) throw new Error('scripts/lib/obtain/minio found no MinIO server')
  return stdout.trim()
}

/** PEM files: what the server shows for localhost, and the CA that signed it. */
export interface MinioCertificate {
  readonly cert: string
  readonly key: string
  readonly ca: string
}

async function answers(endpoint: string, ca: string | undefined): Promise<boolean> {
  const url = `${endpoint}/minio/health/ready`
  if (ca === undefined) return (await fetch(url).catch(() => undefined))?.ok === true
  return new Promise((resolve) => {
    get(url, { ca: readFileSync(ca) }, (answer) => {
      answer.resume()
      resolve(answer.statusCode === 200)
    }).on('error', () => {
      resolve(false)
    })
  })
}

async function start(binary: string, https: MinioCertificate | undefined): Promise<Minio | undefined> {
  const data = await mkdtemp(join(tmpdir(), 'lakejobs-minio-'))
  const accessKeyId = `test${randomBytes(4).toString('hex')}`
  const secretAccessKey = randomBytes(16).toString('hex')
  const address = `127.0.0.1:${await freePort()}`
  const endpoint = https === undefined ? `http://${address}` : `https://localhost:${address.split(':')[1]!}`
  const certificates = join(data, '.certificates')
  if (https !== undefined) {
    await mkdir(certificates)
    await copyFile(https.cert, join(certificates, 'public.crt'))
    await copyFile(https.key, join(certificates, 'private.key'))
  }
  const words = ['server', '--quiet', '--address', address, '--certs-dir', certificates, join(data, 'data')]
  const child = spawn(binary, words, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      PATH: process.env['PATH'],
      HOME: data,
      MINIO_BROWSER: 'off',
      MINIO_ROOT_USER: accessKeyId,
      MINIO_ROOT_PASSWORD: secretAccessKey,
    },
  })
  const exited = new Promise<void>((resolve) =>
    child.once('exit', () => {
      resolve()
    }),
  )
  const kill = (): void => {
    child.kill('SIGKILL')
  }
  process.once('exit', kill)

  const stop = async (): Promise<void> => {
    process.off('exit', kill)
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM')
      const timer = setTimeout(kill, stopWaitMs)
      await exited
      clearTimeout(timer)
    }
    await rm(data, { recursive: true, force: true })
  }

  for (let attempt = 0; attempt < healthAttempts && child.exitCode === null; attempt++) {
    if (await answers(endpoint, https?.ca)) return { endpoint, accessKeyId, secretAccessKey, stop }
    await sleep(healthPauseMs)
  }
  await stop()
  return undefined
}

/**
 * A real MinIO server on a free loopback port, with random credentials and an empty folder of its own. The
 * binary comes from scripts/lib/obtain/minio, which may take minutes the first time.
 */
export async function startMinio(https?: MinioCertificate): Promise<Minio> {
  const binary = obtain()
  for (let attempt = 0; attempt < startAttempts; attempt++) {
    // Another process may have taken the port between our look and the server's.
    const minio = await start(binary, https)
    if (minio !== undefined) return minio
  }
  throw new Error(`${binary} did not become ready`)
}
