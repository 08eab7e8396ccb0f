/** Least, median (the lower of two) and most; undefined of nothing. */
export function spreadOf(
  values: readonly number[],
): { readonly least: number; readonly median: number; readonly most: number } | undefined {
  const sorted = Float64Array.from(values).sort()
  if (sorted.length === 0) return undefined
  return {
    least: sorted[0]!,
    median: sorted[(sorted.length - 1) >> 1]!,
    most: sorted[sorted.length - 1]!,
  }
}

export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

/** A count of a summary, where all values are text; undefined for none. */
export function countIn(summary: Readonly<Record<string, string>>, key: string): number | undefined {
  const text = summary[key]
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

/** Without the members that are undefined, whose types are then optional. */
export const defined = <T extends object>(
  values: T,
): { [Key in keyof T as undefined extends T[Key] ? never : Key]: T[Key] } & {
  [Key in keyof T as undefined extends T[Key] ? Key : never]?: Exclude<T[Key], undefined>
} =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as ReturnType<
    typeof defined<T>
  >
