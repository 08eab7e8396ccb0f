export { setUp, takeRows, rows, emailBytes } from './rows'
export { reset, add, emails, slotCount, arenaTop } from './table'
export { sort, takeColumns } from './sort'
