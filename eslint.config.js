import { defineConfig, globalIgnores } from 'eslint/config'
import tseslint from 'typescript-eslint'
import { innerRooms, libraries, rooms } from './eslint.rooms.js'

const forbid = (files, patterns) => ({
  files,
  rules: {
    'no-restricted-imports': [
      'error',
      { patterns: [...patterns, { regex: '/main\\.ts$', message: 'nothing imports the entry point' }] },
    ],
  },
})
/** What is a run's, not a library's: its summary and its context. */
const run = {
  regex: '^(\\.\\./)+(summary|context)\\.ts$',
  message: 'libraries know neither the summary nor the context of a run (docs/architecture.md)',
}
const anyRoom = {
  regex: `^\\./(${Object.keys(rooms).join('|')})/`,
  message: 'the files directly in jobs/ import no room (docs/architecture.md)',
}
const others = (all, own, allowed) => all.filter((room) => room !== own && !allowed.includes(room)).join('|')
const outer = (room, allowed) => ({
  regex: `^(\\.\\./)+(${others(Object.keys(rooms), room, allowed)})/`,
  message: `jobs/${room} may import ${['jobs/*.ts', ...allowed].join(', ')} only (docs/architecture.md)`,
})
const inner = (folder, room, allowed) => ({
  regex: `^(\\.\\./)+(${others(Object.keys(innerRooms[folder]), room, allowed)})/`,
  message: `jobs/${folder}/${room} may import ${allowed.join(', ') || 'nothing'} of its folder (docs/architecture.md)`,
})
const boundaries = [
  forbid(['jobs/*.ts'], [anyRoom]),
  forbid(['jobs/errors.ts'], [{ regex: '^\\.', message: 'whatever fails imports it' }]),
  forbid(['jobs/main.ts'], []),
  ...Object.entries(rooms).map(([room, allowed]) =>
    forbid([`jobs/${room}/**/*.ts`], [outer(room, allowed), ...(room in libraries ? [run] : [])]),
  ),
  ...Object.entries(innerRooms).flatMap(([folder, all]) =>
    Object.entries(all).map(([room, allowed]) =>
      forbid(
        [`jobs/${folder}/${room}/**/*.ts`],
        [outer(folder, rooms[folder]), inner(folder, room, allowed), run],
      ),
    ),
  ),
]

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
  ...boundaries,
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
