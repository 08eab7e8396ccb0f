import { JobError } from '../errors.ts'

/** Nothing is at the location. */
export class FileNotFound extends JobError {
  readonly location: string

  constructor(location: string, cause?: unknown) {
    super('data', `no such file: ${location}`, { field: location, cause })
    this.location = location
  }
}

/** The bucket does not exist. */
export class BucketNotFound extends JobError {
  readonly bucket: string

  /** @param places where each setting that names a place says it is: those in the bucket are named */
  constructor(bucket: string, places: Readonly<Record<string, string>> = {}, cause?: unknown) {
    const named = Object.keys(places).filter((name) => `${places[name]}/`.startsWith(`s3://${bucket}/`))
    const names = named.length === 0 ? 'its name' : named.join(' and ')
    super('usage', `no such bucket: ${bucket}`, {
      field: named[0] ?? `s3://${bucket}`,
      fix: `Create the bucket, or set S3_CREATE_BUCKET=true so that it is made, or correct ${names}.`,
      cause,
    })
    this.bucket = bucket
  }
}

/** The location is in no store that can be opened. */
export class UnknownStore extends JobError {
  constructor(location: string) {
    super('usage', `no store for ${location}`, {
      field: location,
      fix: 'Give a folder, a file:/// URI or an s3://bucket/prefix URI.',
    })
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
