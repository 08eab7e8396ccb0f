export { start, refilled, begin, merge, rows, emailBytes, wanted } from './merge'
export { encode } from './encode'
export { lines, linesEnd } from './lines'
