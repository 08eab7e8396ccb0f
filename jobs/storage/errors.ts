import { JobError } from '../errors.ts'

/** Nothing is at the location. */
export class FileNotFound extends JobError {
  readonly location: string

  constructor(location: string, cause?: unknown) {
    super('data', `no such file: ${location}`, { field: location, cause })
    this.location = location
  }
}

/** Whenever a file was about to be published, something else had come to its location. */
export class FileChanged extends JobError {
  constructor(location: string, cause?: unknown) {
    super('conflict', `others keep replacing ${location}`, {
      field: location,
      fix: 'run again when the other runs that write it are through',
      cause,
    })
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
