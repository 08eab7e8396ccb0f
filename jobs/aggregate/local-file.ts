/** A finished file of this run alone, on this machine. */
export interface LocalFile {
  readonly path: string
  /** Bytes. */
  readonly size: number
  readonly sha256: string
}
