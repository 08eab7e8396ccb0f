/**
 * `jest-counts.js <results.json> <exit status>` prints "passed failed skipped" of a Jest run, and the names of skipped
 * tests and the files that took longest on standard error. A file that could not run at all counts as a failure, and so does a run without results.
 */
import { readFileSync } from 'node:fs'
import { relative } from 'node:path'

const [file, status] = process.argv.slice(2)

function read() {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return { numPassedTests: 0, numFailedTests: 0, numRuntimeErrorTestSuites: 0, testResults: [] }
  }
}

const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites, testResults } = read()
const skipped = testResults
  .flatMap(({ assertionResults }) => assertionResults)
  .filter((test) => ['pending', 'todo', 'disabled'].includes(test.status))
for (const { fullName } of skipped) process.stderr.write(`skipped: ${fullName}\n`)

const slowest = testResults
  .map(({ name, startTime, endTime }) => ({ name, seconds: (endTime - startTime) / 1000 }))
  .sort((a, b) => b.seconds - a.seconds)
  .slice(0, 8)
for (const { name, seconds } of slowest)
  if (seconds >= 10) process.stderr.write(`${seconds.toFixed(0)} s: ${relative(process.cwd(), name)}\n`)

const failed = numFailedTests + numRuntimeErrorTestSuites
const counted = failed === 0 && status !== '0' ? 1 : failed
process.stdout.write(`${numPassedTests} ${counted} ${skipped.length}\n`)
