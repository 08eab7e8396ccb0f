const smallest = 8 << 20
const largest = 1 << 30

/**
 * Bytes of the next part of an object of which `written` bytes are in parts already: a thousandth of them, from 8 MiB to
 * 1 GiB. S3 takes 10,000 parts and 5 TiB an object; these are 9,972 parts then, and an object of 8 GB has parts of 8 MiB.
 */
export const partSize = (written: number): number =>
  Math.min(Math.max(smallest, Math.ceil(written / 1000)), largest)
