import { common } from './jest.config.js'

/** Tests that start real servers: PostgreSQL, MinIO. They wait more than they work: two at a time. */
export default {
  ...common,
  testMatch: ['<rootDir>/tests/**/*.integration.test.ts'],
  testTimeout: 120_000,
  maxWorkers: 2,
}
