/**
 * Starts PostgreSQL and MinIO for the tests of this folder, prints where they are as one JSON line, and stops both
 * when standard input ends, so also when the tests' process is killed.
 */
import { compiled } from '../../support/compiled.js'

const { startPostgres } = await compiled('interop', 'postgres')
const { startMinio } = await compiled('interop', 'minio')
const running = await Promise.all([startPostgres(), startMinio()])
const stop = async () => {
  await Promise.all(running.map((server) => server.stop()))
}
process.stdin.resume().once('end', () => void stop())
process.once('SIGTERM', () => {
  process.stdin.destroy()
  void stop()
})
const [postgres, minio] = running
for (const database of ['source', 'lake', 'legacy']) await postgres.createDatabase(database)
const { host, port, user, password } = postgres
const { endpoint, accessKeyId, secretAccessKey } = minio
process.stdout.write(
  `${JSON.stringify({ host, port, user, password, endpoint, accessKeyId, secretAccessKey })}\n`,
)
