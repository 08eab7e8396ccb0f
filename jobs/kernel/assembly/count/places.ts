// Where the module's own tables lie: fixed, below the places that its user says (jobs/kernel/count-kernel.ts).

/** 32 bytes of ones, then 32 zeros: `MASKS + 32 - n` begins with n ones. */
export const MASKS: u32 = 64
/** Nine random words of 64 bits, the last one odd: the hash's key. */
export const KEY: u32 = 128
/** For each value of an action's first letter & 7: 32 bytes, its letters and comma, their mask, their count, its number. */
export const ACTIONS: u32 = 256
/** Four vectors of four words: a one for the action of this number. */
export const ONE_OF: u32 = 512
/** The 16 bytes of `-MM-DD HH:MM:SS` and a line end: the least that each may be, and how much above it may be; then the year. */
export const LEAST: u32 = 576
export const SPAN: u32 = 592
export const YEAR: u32 = 608
/** Rows that wait to be counted: hash, address, length << 2 | action, and what settle() puts there. */
export const BATCH: u32 = 640
export const BATCH_ROWS: u32 = 64
/** 256 words that a pass of the sort counts in. */
export const HISTOGRAM: u32 = 2048
/** Behind all of them. */
export const END: u32 = 4096
