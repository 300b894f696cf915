/** A request as it goes over the wire, before and after it is made worse. */
export interface FuzzRequest {
  method: string;
  /** With escapes as they are sent; may be no valid path at all. */
  path: string;
  query: readonly (readonly [name: string, value: string])[];
  headers: Readonly<Record<string, string>>;
  body: Buffer | undefined;
}

/** What follows the method on the request line. Names and values are escaped; the path is taken as it is. */
export function targetOf({ path, query }: FuzzRequest): string {
  const pairs = query.map(([name, value]) => `${escaped(name)}=${escaped(value)}`);
  return pairs.length === 0 ? path : `${path}?${pairs.join("&")}`;
}

/** One line that says which request it is, for people; bodies are cut. */
export function describeRequest(request: FuzzRequest): string {
  const body =
    request.body === undefined ? "" : ` ${JSON.stringify(request.body.toString("latin1").slice(0, 300))}`;
  const type = request.headers["content-type"];
  return `${request.method} ${targetOf(request).slice(0, 400)}${type === undefined ? "" : ` (${type})`}${body}`;
}

function escaped(text: string): string {
  // Half a surrogate pair can't be encoded; it is as good as any other odd character.
  return encodeURIComponent(text.toWellFormed());
}
