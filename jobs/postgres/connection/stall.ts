import type { Socket } from 'node:net'

/** How often within the time one looks: what has stalled is noticed after at most a quarter more. */
const looks = 4

/**
 * Calls `onStall` once no byte has moved in either direction for `timeoutMs`; while the reader has paused the socket it
 * is not the server that is waited for. Returns what ends the watch. 0: never.
 */
export function watchProgress(socket: Socket, timeoutMs: number, onStall: () => void): () => void {
  if (timeoutMs === 0) return () => undefined
  let seen = -1
  let quiet = 0
  const timer = setInterval(() => {
    const moved = socket.bytesRead + socket.bytesWritten
    quiet = moved === seen && !socket.isPaused() ? quiet + 1 : 0
    seen = moved
    if (quiet < looks) return
    clearInterval(timer)
    onStall()
  }, timeoutMs / looks)
  return () => {
    clearInterval(timer)
  }
}
