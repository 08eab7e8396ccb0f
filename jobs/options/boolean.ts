/** What a flag and an environment name take for true and for false, in any case. */
const meanings: Readonly<Record<string, boolean>> = {
  ...{ true: true, '1': true, yes: true, on: true },
  ...{ false: false, '0': false, no: false, off: false },
}

/** True, false, or undefined for what is neither: `yes`, `OFF`, `0`. */
export const booleanOf = (text: string): boolean | undefined => {
  const word = text.toLowerCase()
  return Object.hasOwn(meanings, word) ? meanings[word] : undefined
}

/** What to do about a value that is neither. */
export const booleanFix = 'give true or false (or 1, yes, on; 0, no, off)'
