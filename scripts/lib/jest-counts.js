/**
 * `jest-counts.js <results.json> <exit status>` prints "passed failed skipped" of a Jest run, and the names of skipped
 * tests on standard error. A file that could not run at all counts as a failure, and so does a run without results.
 */
import { readFileSync } from 'node:fs'

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

const failed = numFailedTests + numRuntimeErrorTestSuites
const counted = failed === 0 && status !== '0' ? 1 : failed
process.stdout.write(`${numPassedTests} ${counted} ${skipped.length}\n`)
