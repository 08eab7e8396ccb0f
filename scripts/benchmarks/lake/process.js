// A process measured from outside. Linux tells the memory while it lives.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'

const peakOf = async (pid) => {
  const [status, children] = await Promise.all(
    [`/proc/${pid}/status`, `/proc/${pid}/task/${pid}/children`].map((path) =>
      readFile(path, 'utf8').catch(() => ''),
    ),
  )
  const below = await Promise.all(children.trim().split(' ').filter(Boolean).map(peakOf))
  return below.reduce((sum, kilobytes) => sum + kilobytes, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0))
}

/** Seconds and megabytes of a Node.js process, those of the processes that it starts included. Throws where it fails. */
export async function measured(words, options) {
  const start = performance.now()
  const child = spawn(process.execPath, words, { ...options, stdio: ['ignore', 'ignore', 'inherit'] })
  const ended = once(child, 'exit')
  let kilobytes = 0
  const look = setInterval(async () => {
    kilobytes = Math.max(kilobytes, await peakOf(child.pid))
  }, 20)
  const [code] = await ended
  clearInterval(look)
  if (code !== 0) throw new Error(`${words.join(' ')} ended with ${code}`)
  return { seconds: (performance.now() - start) / 1000, megabytes: kilobytes / 1024 }
}

export const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1]
