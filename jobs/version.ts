/** The package's version, as in package.json (tests/version.test.ts). */
export const version = '0.1.0'

/** Who wrote a file, in the form that parquet-mr's version parser accepts. */
export const createdBy = `lakejobs version ${version} (build release)`
