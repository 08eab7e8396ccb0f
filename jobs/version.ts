/** The package's version, as in package.json (tests/project/version.test.ts). */
export const version = '0.1.0'

const program = 'lakejobs'

/** Who wrote a file, in the form that parquet-mr's version parser accepts. */
export const createdBy = `${program} version ${version} (build release)`

/** Whether a file was written by us, in this version or another: by what it says of who created it. */
export const isOwn = (created: string): boolean => created.startsWith(`${program} version `)
