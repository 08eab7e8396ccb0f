/** A copy without some keys, each of which must be there: a test that takes away what is not there would show nothing. */
export function without<T extends object, Key extends keyof T & string>(
  record: T,
  ...keys: readonly Key[]
): Omit<T, Key> {
  const missing = keys.find((key) => record[key] === undefined)
  if (missing !== undefined) throw new Error(`there is no ${missing} to be taken away`)
  return Object.fromEntries(
    Object.entries(record).filter(([key]) => !keys.some((one) => one === key)),
  ) as Omit<T, Key>
}
