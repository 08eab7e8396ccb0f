/** Unit tests: nothing but Node. The others are in jest.integration.config.js. */
export const common = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  // parquetjs requires thrift, which requires uuid: an ES module, which Jest cannot require before Node 24.9.
  // Parquet's structures hold no Thrift uuid, so nothing is missed.
  moduleNameMapper: { '^uuid$': '<rootDir>/tests/no-uuid.json' },
  transform: {
    '^.+\\.ts$': [
      '<rootDir>/scripts/lib/jest-transform.js',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2023' }, sourceMaps: 'inline' },
    ],
  },
}

export default {
  ...common,
  testMatch: ['<rootDir>/tests/**/*.test.ts'],
  // Ends what hangs; a busy machine is no failure.
  testTimeout: 30_000,
  testPathIgnorePatterns: ['\\.integration\\.test\\.ts$'],
  // They work more than they wait, and Jest would leave one processor free: half of them on two.
  maxWorkers: '100%',
}
