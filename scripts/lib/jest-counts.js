/**
 * `jest-counts.js <results.json> <exit status> <failures>` prints "passed failed skipped" of a Jest run, and the names of skipped
 * tests and the files that took longest on standard error; which tests failed, and the begin of why, is added to the file `failures`.
 * A file that could not run at all counts as a failure, and so does a run without results.
 */
import { appendFileSync, readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { stripVTControlCharacters } from 'node:util'

const [file, status, failures] = process.argv.slice(2)
const messageLines = 15

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

function addFailure(path, test, message) {
  const lines = stripVTControlCharacters(message).trim().split('\n').slice(0, messageLines)
  appendFileSync(failures, [`${relative(process.cwd(), path)} ${test}`, ...lines, ''].join('\n    '))
  appendFileSync(failures, '\n')
}
for (const { name, message, assertionResults } of testResults) {
  const failed = assertionResults.filter((test) => test.status === 'failed')
  for (const test of failed) addFailure(name, test.fullName, test.failureMessages.join('\n'))
  if (failed.length === 0 && message !== '') addFailure(name, '', message)
}

const slowest = testResults
  .map(({ name, startTime, endTime }) => ({ name, seconds: (endTime - startTime) / 1000 }))
  .sort((a, b) => b.seconds - a.seconds)
  .slice(0, 8)
for (const { name, seconds } of slowest)
  if (seconds >= 10) process.stderr.write(`${seconds.toFixed(0)} s: ${relative(process.cwd(), name)}\n`)

const failed = numFailedTests + numRuntimeErrorTestSuites
const counted = failed === 0 && status !== '0' ? 1 : failed
process.stdout.write(`${numPassedTests} ${counted} ${skipped.length}\n`)
