/**
 * Stands in for what the SDK asks of the global `fetch` beside a `fetch` of its own, which it is given. Node loads all of
 * `fetch` as soon as one of its classes is named, 20 ms of processor time in each session host, and web streams with theirs, 2
 * ms. For processes that send and receive by `loopbackFetch` alone.
 */
export function replaceFetchClasses(): void {
  // By assignment: to define them anew reads what was there, and loads it.
  Object.assign(globalThis, { Headers: OwnHeaders, FormData: NoBody, ReadableStream: NoBody });
}

/** What no body is an instance of. */
class NoBody {}

/**
 * `Headers` of the Fetch standard, to be read and written by this process itself: whether names and values may be sent is
 * for Node's HTTP to say, which refuses what may not.
 */
export class OwnHeaders implements Headers {
  readonly #values = new Map<string, string[]>();

  constructor(init: NonNullable<ConstructorParameters<typeof Headers>[0]> = {}) {
    const pairs = Symbol.iterator in init ? init : Object.entries(init);
    for (const [name = "", value = ""] of pairs as Iterable<readonly string[]>) this.append(name, value);
  }

  append(name: string, value: string): void {
    const known = this.#values.get(name.toLowerCase()) ?? [];
    this.#values.set(name.toLowerCase(), [...known, trimmed(value)]);
  }

  set(name: string, value: string): void {
    this.#values.set(name.toLowerCase(), [trimmed(value)]);
  }

  delete(name: string): void {
    this.#values.delete(name.toLowerCase());
  }

  has(name: string): boolean {
    return this.#values.has(name.toLowerCase());
  }

  get(name: string): string | null {
    return this.#values.get(name.toLowerCase())?.join(", ") ?? null;
  }

  getSetCookie(): string[] {
    return [...(this.#values.get("set-cookie") ?? [])];
  }

  forEach(callback: (value: string, name: string, headers: Headers) => void, thisArg?: unknown): void {
    for (const [name, value] of this) callback.call(thisArg, value, name, this);
  }

  *entries(): ReturnType<Headers["entries"]> {
    for (const [name, values] of [...this.#values].sort(([one], [other]) => (one < other ? -1 : 1))) {
      const lines = name === "set-cookie" ? values : [values.join(", ")];
      for (const line of lines) yield [name, line];
    }
  }

  *keys(): ReturnType<Headers["keys"]> {
    for (const [name] of this) yield name;
  }

  *values(): ReturnType<Headers["values"]> {
    for (const [, value] of this) yield value;
  }

  [Symbol.iterator](): ReturnType<Headers["entries"]> {
    return this.entries();
  }
}

/** Without white space around it, which is none of a header's value. */
function trimmed(value: string): string {
  return String(value).replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, "");
}
