import './navigator.ts'
import pg from 'pg'

/** The driver; nothing else imports it, because what it needs has to be there before. */
export { pg }
