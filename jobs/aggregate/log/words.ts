/** The first `count` (1–3) bytes of a little-endian word. */
export const firstBytes = (word: number, count: number): number => word & ((1 << (8 * count)) - 1)
