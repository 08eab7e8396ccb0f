import { homedir } from 'node:os'

/** The user's home folder; undefined for a user id that the system has no name for, as in containers, where HOME is not set. */
export function homeFolder(): string | undefined {
  try {
    return homedir()
  } catch {
    return undefined
  }
}
