import { JobError } from '../errors.ts'

/** Nothing is at the location. */
export class FileNotFound extends JobError {
  readonly location: string

  constructor(location: string, cause?: unknown) {
    super('data', `no such file: ${location}`, { field: location, cause })
    this.location = location
  }
}

/** A create-only write found something at the location. */
export class FileExists extends JobError {
  readonly location: string

  constructor(location: string, cause?: unknown) {
    super('conflict', `file exists already: ${location}`, { field: location, cause })
    this.location = location
  }
}
