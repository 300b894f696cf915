/** Values that only the server knows: put into requests as it last said them. */
import type { FuzzRequest } from "./request.ts";

const patterns: Readonly<Record<string, RegExp>> = {
  rv: /"resourceVersion":"([^"]{1,40})"/,
  uid: /"uid":"([^"]{1,64})"/,
  continue: /"continue":"([^"]{1,400})"/,
  name: /"name":"([a-z0-9.-]{1,80})"/,
};

export class Placeholders {
  readonly #seen = new Map<string, string>();

  learn(text: string): void {
    const head = text.slice(0, 2_000);
    for (const [name, pattern] of Object.entries(patterns)) {
      const value = pattern.exec(head)?.[1];
      if (value !== undefined) this.#seen.set(name, value);
    }
  }

  /** `request` with each `$(NAME)` replaced; one that was never seen becomes "1". */
  fill(request: FuzzRequest): FuzzRequest {
    const { path, query, headers, body } = request;
    return {
      ...request,
      path: this.#filled(path),
      query: query.map(([name, value]) => [name, this.#filled(value)] as const),
      headers: Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [name, this.#filled(value)]),
      ),
      body: body?.includes("$(") ? Buffer.from(this.#filled(body.toString("latin1")), "latin1") : body,
    };
  }

  #filled(text: string): string {
    if (!text.includes("$(")) return text;
    return text.replace(/\$\(([\w-]+)\)/g, (_, name: string) => this.#seen.get(this.#kindOf(name)) ?? "1");
  }

  /** The scenarios call a resourceVersion rv, rv1, listRv, ... */
  #kindOf(name: string): string {
    if (/rv|version/i.test(name)) return "rv";
    return /uid/i.test(name) ? "uid" : name;
  }
}
