import { bool, listOf, mapOf, string, struct } from "../check/type.ts";
import { ArrayList } from "../values/lists.ts";
import { EntryMap } from "../values/maps.ts";
import { CelError, Opaque, type Value } from "../values/value.ts";
import { readFirst } from "./costs.ts";
import { decoded, type GoUrl, parseRequestUri, UrlError } from "./go-url.ts";
import { type Call, global, type Library, member, type Overload } from "./overload.ts";

export const urlType = struct("kubernetes.URL");

/** Kubernetes' functions on URLs. */
export const urls: Library = {
  url: [global("string_to_url", [string], urlType, urlFrom, { cost: readFirst })],
  isURL: [global("is_url_string", [string], bool, (args) => !(urlFrom(args) instanceof CelError))],
  getScheme: [getter("url_get_scheme", ({ scheme }) => scheme)],
  getHost: [getter("url_get_host", ({ host }) => host)],
  getHostname: [getter("url_get_hostname", ({ host }) => splitHost(host)[0])],
  getPort: [getter("url_get_port", ({ host }) => splitHost(host)[1])],
  getEscapedPath: [getter("url_get_escaped_path", ({ path }) => path)],
  getQuery: [
    member("url_get_query", [urlType], mapOf(string, listOf(string)), ([url]) => queryOf((url as Url).parts)),
  ],
};

class Url extends Opaque {
  readonly typeName = urlType.name;
  readonly parts: GoUrl;

  constructor(parts: GoUrl) {
    super();
    this.parts = parts;
  }

  equals(other: Url): boolean {
    return this.parts.text === other.parts.text;
  }
}

function urlFrom([text]: readonly Value[]): Value {
  try {
    return new Url(parseRequestUri(text as string));
  } catch (error) {
    if (!(error instanceof UrlError)) throw error;
    return new CelError(`URL parse error during conversion from string: ${error.message}`);
  }
}

function getter(id: string, part: (url: GoUrl) => string): Overload {
  const call: Call = ([url]) => part((url as Url).parts);
  return member(id, [urlType], string, call);
}

/** Name and port; an IPv6 address loses its brackets. */
function splitHost(host: string): readonly [string, string] {
  const [, bracketed, plain, port = ""] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d*))?$/.exec(host) ?? [];
  return [bracketed ?? plain ?? host, port];
}

/** Values by their names, each in the order written. What cannot be read is left out, as Go does. */
function queryOf({ query }: GoUrl): Value {
  const values = new Map<string, string[]>();
  for (const pair of query.split("&")) {
    if (pair === "" || pair.includes(";") || /%(?![0-9A-Fa-f]{2})/.test(pair)) continue;
    const [name = "", ...rest] = pair.split("=");
    const key = decoded(name.replaceAll("+", " "));
    values.set(key, [...(values.get(key) ?? []), decoded(rest.join("=").replaceAll("+", " "))]);
  }
  const map = new EntryMap();
  for (const [name, list] of values) map.insert(name, new ArrayList(list));
  return map;
}
