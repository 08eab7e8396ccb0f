/**
 * Starts PostgreSQL for the tests of this folder, prints where it is as one JSON line, and stops it when standard
 * input ends, so also when the tests' process is killed.
 */
import { compiled } from '../../support/compiled.js'

const { startPostgres } = await compiled('dags', 'postgres')

const postgres = await startPostgres()
process.stdin.resume().once('close', () => void postgres.stop())
process.once('SIGTERM', () => process.stdin.destroy())
const { host, port, user, password } = postgres
process.stdout.write(`${JSON.stringify({ host, port, user, password })}\n`)
