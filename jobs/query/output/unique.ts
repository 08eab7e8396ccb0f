/** A column of a name that another has is `name_1`: an object would keep one of them. */
export function unique(names: readonly string[]): string[] {
  const taken = new Set(names)
  const seen = new Set<string>()
  return names.map((name) => {
    let free = name
    for (let at = 1; seen.has(free); at++) free = taken.has(`${name}_${at}`) ? free : `${name}_${at}`
    seen.add(free)
    return free
  })
}
