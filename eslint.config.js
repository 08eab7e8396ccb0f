import { defineConfig, globalIgnores } from 'eslint/config'
import tseslint from 'typescript-eslint'

/**
 * The arrows of docs/architecture.md: main -> commands -> job folders -> iceberg -> parquet, storage;
 * iceberg/catalog -> postgres; postgres -> parquet (column vectors). A folder may import only what is listed for it (and jobs/*.ts).
 */
const jobFolders = [
  'init',
  'check',
  'seed',
  'generate',
  'export',
  'aggregate',
  'verify',
  'inspect',
  'maintain',
  'report',
]
const libraries = {
  kernel: [],
  storage: [],
  parquet: ['kernel'],
  postgres: ['parquet', 'kernel'],
  iceberg: ['parquet', 'storage', 'postgres'],
}
const folders = ['commands', ...jobFolders, ...Object.keys(libraries)]

const boundary = (folder, allowed) => ({
  files: [`jobs/${folder}/**/*.ts`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            regex: `^(\\.\\./)+(${folders.filter((other) => other !== folder && !allowed.includes(other)).join('|')})/`,
            message: `jobs/${folder} may import ${['jobs/*.ts', ...allowed].join(', ')} only (docs/architecture.md)`,
          },
          { regex: '/main\\.ts$', message: 'nothing imports the entry point' },
        ],
      },
    ],
  },
})

export default defineConfig(
  // The kernel's sources are AssemblyScript, whose types TypeScript does not know.
  globalIgnores(['dist/', 'node_modules/', 'data/', '.cache/', 'coverage/', 'jobs/kernel/assembly/']),
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['*.js'] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      // A typed array's element inside its bounds is never undefined; the hot paths say so with `!`.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      'no-console': 'error',
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'only main.ts reads the environment' },
        { object: 'process', property: 'exit', message: 'only main.ts ends the process' },
        { object: 'process', property: 'exitCode', message: 'only main.ts sets the exit code' },
      ],
    },
  },
  boundary('commands', [...jobFolders, ...Object.keys(libraries)]),
  ...jobFolders.map((folder) => boundary(folder, Object.keys(libraries))),
  ...Object.entries(libraries).map(([folder, allowed]) => boundary(folder, allowed)),
  {
    files: ['jobs/main.ts', 'docker/filter/main.ts', 'tests/**', 'scripts/**'],
    rules: { 'no-restricted-properties': 'off' },
  },
  {
    files: ['**/*.js'],
    extends: [tseslint.configs.disableTypeChecked],
    // JavaScript has no annotations.
    rules: { '@typescript-eslint/explicit-module-boundary-types': 'off' },
  },
)
