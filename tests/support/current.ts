/** Stands for whatever `of` returns when it is asked: a constant for what `beforeEach` makes anew. */
export const current = <T extends object>(of: () => T): T =>
  new Proxy({} as T, {
    get: (_, name): unknown => Reflect.get(of(), name),
    ownKeys: () => Reflect.ownKeys(of()),
    getOwnPropertyDescriptor: (_, name) => Reflect.getOwnPropertyDescriptor(of(), name),
  })
