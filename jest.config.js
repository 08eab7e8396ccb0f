/** Unit tests need nothing but Node; integration tests start real servers. Both mirror jobs/. */
const common = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  // parquetjs requires thrift, which requires uuid: an ES module, which Jest cannot require before Node 24.9.
  // Parquet's structures hold no Thrift uuid, so nothing is missed.
  moduleNameMapper: { '^uuid$': '<rootDir>/tests/no-uuid.json' },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2023' }, sourceMaps: 'inline' },
    ],
  },
}

export default {
  projects: [
    {
      ...common,
      displayName: 'unit',
      testMatch: ['<rootDir>/tests/**/*.test.ts'],
      testPathIgnorePatterns: ['\\.integration\\.test\\.ts$'],
    },
    { ...common, displayName: 'integration', testMatch: ['<rootDir>/tests/**/*.integration.test.ts'] },
  ],
}
