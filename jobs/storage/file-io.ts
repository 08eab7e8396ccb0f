import type { Readable } from 'node:stream'

/**
 * The seam to the object store, Iceberg's `FileIO`. Implementations: local.ts (`file://`), s3.ts (`s3://`),
 * memory.ts (`memory://`); one conformance suite (tests/storage/conformance.ts) runs over all of them.
 *
 * A *location* is an absolute URI: `file:///data/x.csv`, `s3://bucket/key`, `memory://store/key`. What follows
 * the scheme is the path or key itself, never percent-encoded (place.ts says why). Keys are compared as bytes;
 * a location never ends in `/` except as a prefix for `list`.
 *
 * Everything written appears whole or not at all, and only once it is durable. Every failure is a `JobError`
 * that names the place and the fix; an aborted write fails with its signal's reason.
 */
export interface FileIO {
  readonly scheme: 'file' | 's3' | 'memory'

  /** What is at `location`; undefined when there is nothing (or only a folder). */
  stat(location: string): Promise<FileStat | undefined>

  /** The whole object. Throws `FileNotFound` when it is missing. */
  read(location: string): Promise<Buffer>

  /**
   * Bytes `start` to `end` (exclusive), as a stream; all of it without a range. A range is clipped to the
   * object. Throws `FileNotFound`; the stream errors, and never ends short, when the connection breaks.
   */
  stream(location: string, range?: { readonly start: number; readonly end: number }): Promise<Readable>

  /** Writes a whole object at once. `ifAbsent`: throws `FileExists` when there is one already. */
  write(location: string, body: Uint8Array, options?: WriteOptions): Promise<WrittenFile>

  /** Opens an object for writing in constant memory. Nothing is visible before `close` publishes it. */
  create(location: string, options?: WriteOptions): Promise<OutputFile>

  /**
   * Publishes a finished file of this machine as a new object, without a copy: from `path` it is gone then. False, and nothing is
   * changed, where that cannot be; a store that never can has no such function.
   */
  adopt?(path: string, location: string): Promise<boolean>

  /** Removes one object; removing what is not there is not an error. */
  delete(location: string): Promise<void>

  /**
   * Removes many objects, by few requests where the store allows; what is not there is done. Never fails for an object: what
   * could not be removed is told, each with its error, and the others are gone. `signal` ends it, with its reason, between
   * two requests.
   */
  deleteAll(locations: readonly string[], signal?: AbortSignal): Promise<Deletion>

  /** Every object whose location starts with `prefix` + '/', in no fixed order. Unpublished writes are never listed. */
  list(prefix: string): AsyncIterable<FileStat>

  /** Every write below `prefix` + '/' that was begun and not published, whoever makes it, or left it there. */
  unpublished(prefix: string): AsyncIterable<UnpublishedWrite>

  /** Drops such a write for good; one that is not there any more is done. */
  discard(write: UnpublishedWrite): Promise<void>

  /** What the store's clock says, by which objects are dated; milliseconds since 1970. `location`: any place in it. */
  now(location: string): Promise<number>

  /** The file's path for programs that open files themselves (engines); undefined unless the store is local. */
  localPath(location: string): string | undefined
}

/** What came of the removal of many objects. */
export interface Deletion {
  readonly failures: readonly { readonly location: string; readonly error: Error }[]
  /** How many are hidden and not gone: their bucket keeps versions. */
  readonly hidden: number
}

export interface WriteOptions {
  /** Create only: `write` or `close` fails with `FileExists` instead of replacing; of many creators one wins. */
  readonly ifAbsent?: boolean
  /** Drops an open file when it fires, also between two calls; a file being published is published. */
  readonly signal?: AbortSignal
}

export interface OutputFile {
  /** Waits while too much is buffered. The chunk may be reused by the caller once the promise has resolved. */
  write(chunk: Uint8Array): Promise<void>
  /**
   * Publishes the file. After a failure nothing is published and nothing is left behind. With `look` it replaces
   * only what that has seen, and fails with `FileChanged` where others come first again and again. The stores decide
   * that as they publish, but for files on disk: something that comes within the instant between a last comparison
   * and the rename is replaced unseen.
   */
  close(look?: Look): Promise<WrittenFile>
  /** Drops everything not yet published. Never fails; safe at any time, also after `close` or a failure. */
  abort(): Promise<void>
}

/**
 * Tells the identity of what is at the location now, undefined for nothing; throws if that may not be replaced, and
 * `close` fails with what it throws. Called right before the file appears, and again each time something else has
 * come there since.
 */
export type Look = () => Promise<string | undefined>

export interface WrittenFile {
  readonly location: string
  /** Bytes. */
  readonly size: number
  /**
   * Changes whenever the content may have changed: local `dev-inode-size-mtimeNs-ctimeNs`,
   * S3 `"etag"-size-versionId`, memory a write counter. S3 lists no version ids, so in a bucket with versions
   * compare an identity from `list` only with another one from `list`.
   */
  readonly identity: string
}

/** What an unfinished write takes of the store, unseen by `list`: a multipart upload, a temporary file of ours. */
export interface UnpublishedWrite {
  /** S3: where it would appear. Local files: the temporary file itself. */
  readonly location: string
  /** Bytes that are there. */
  readonly size: number
  /** When it was begun; of local files when it was last written to. Milliseconds since 1970. */
  readonly begunMs: number
  /** S3: the upload's id. */
  readonly id: string
}

export interface FileStat extends WrittenFile {
  /** Last modification, milliseconds since 1970. */
  readonly modifiedMs: number
  /** Local files only: the inode's change time (ctime), which no program can set. Milliseconds since 1970. */
  readonly changedMs?: number
}
