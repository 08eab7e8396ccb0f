import { common } from './jest.config.js'

/** Tests that start real servers: PostgreSQL, MinIO. One at a time, each has the machine to itself. */
export default {
  ...common,
  testMatch: ['<rootDir>/tests/**/*.integration.test.ts'],
  testTimeout: 120_000,
  maxWorkers: 1,
}
