/** An object of strings that was not parsed yet; `parseWithArrays` alone makes it. */
export class JsonText {
  readonly source: string
  #parsed: Readonly<Record<string, string>> | undefined

  constructor(source: string) {
    this.source = source
  }

  /** The object; parsed once. */
  parsed(): Readonly<Record<string, string>> {
    return (this.#parsed ??= JSON.parse(this.source) as Record<string, string>)
  }
}

const asParsed: ProxyHandler<JsonText> = {
  get: (text, key) => Reflect.get(text.parsed(), key) as unknown,
  has: (text, key) => Reflect.has(text.parsed(), key),
  ownKeys: (text) => Reflect.ownKeys(text.parsed()),
  getOwnPropertyDescriptor: (text, key) => Reflect.getOwnPropertyDescriptor(text.parsed(), key),
  getPrototypeOf: (text) => Reflect.getPrototypeOf(text.parsed()),
  defineProperty: () => false,
}

/**
 * The object itself, read-only, which is parsed when it is first looked at. A proxy and not a getter of whatever it
 * belongs to: an object with a getter of its own is many times as large, and there are thousands.
 */
export const parsedLater = (text: JsonText): Readonly<Record<string, string>> =>
  new Proxy(text, asParsed) as unknown as Readonly<Record<string, string>>
