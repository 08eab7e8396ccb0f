export interface LockedPackage {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>
}

/**
 * Folders of the packages with these names and of all that they need, in the order in which they are found.
 * `packages` is the part of that name of package-lock.json: what each folder (`node_modules/a/node_modules/b`) asks for;
 * names are looked up in it as Node.js looks for folders. Throws an Error for a needed package that it does not have.
 */
export function closure(
  packages: Readonly<Record<string, LockedPackage>>,
  names: readonly string[],
): readonly string[] {
  const found = new Set<string>()
  const visit = (from: string, name: string, optional: boolean): void => {
    const folder = resolve(packages, from, name)
    if (folder === undefined) {
      if (optional) return
      throw new Error(`package-lock.json has no ${name}, which ${from || 'the bundle'} needs`)
    }
    if (found.has(folder)) return
    found.add(folder)
    const { dependencies, optionalDependencies, peerDependencies, peerDependenciesMeta } =
      packages[folder] ?? {}
    for (const next of Object.keys({ ...dependencies, ...peerDependencies })) {
      visit(
        folder,
        next,
        next in (optionalDependencies ?? {}) || peerDependenciesMeta?.[next]?.optional === true,
      )
    }
    for (const next of Object.keys(optionalDependencies ?? {})) visit(folder, next, true)
  }
  for (const name of names) visit('', name, false)
  return [...found]
}

function resolve(
  packages: Readonly<Record<string, unknown>>,
  from: string,
  name: string,
): string | undefined {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    const candidate = `${folder}${folder === '' ? '' : '/'}node_modules/${name}`
    if (candidate in packages) return candidate
    if (folder === '') return undefined
  }
}
