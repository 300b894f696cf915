/** A URL as Go's net/url takes it apart. */
export interface GoUrl {
  readonly scheme: string;
  /** With the port. */
  readonly host: string;
  /** Encoded. */
  readonly path: string;
  readonly query: string;
  /** As it would be written again. */
  readonly text: string;
}

/** A text that is no URL; the message is Go's. */
export class UrlError extends Error {
  override readonly name = "UrlError";
}

/**
 * What Go's url.ParseRequestURI takes: an absolute URI or an absolute path.
 *
 * @throws UrlError
 */
export function parseRequestUri(text: string): GoUrl {
  // Whether it is one at all is asked with the fragment as a part of the path; then the fragment is cut off.
  parse(text, text);
  return parse(text, text.split("#", 1)[0] ?? "");
}

function parse(whole: string, text: string): GoUrl {
  const refuse = (why: string): never => {
    throw new UrlError(`parse ${JSON.stringify(whole)}: ${why}`);
  };
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\x00-\x1f\x7f]/.test(text)) refuse("net/url: invalid control character in URL");
  if (text === "") refuse("empty url");
  if (text === "*") return { scheme: "", host: "", path: "*", query: "", text };
  if (text.startsWith(":")) refuse("missing protocol scheme");
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text)?.[1] ?? "";
  const rest = scheme === "" ? text : text.slice(scheme.length + 1);
  const mark = rest.indexOf("?");
  const query = mark < 0 ? "" : rest.slice(mark + 1);
  const hierarchy = mark < 0 ? rest : rest.slice(0, mark);
  const named = { scheme: scheme.toLowerCase(), query, text };
  if (!hierarchy.startsWith("/")) {
    if (scheme === "") refuse("invalid URI for request");
    return { ...named, host: "", path: "" };
  }
  const hasHost = scheme !== "" && hierarchy.startsWith("//");
  const authority = hasHost ? (/^\/\/([^/]*)/.exec(hierarchy)?.[1] ?? "") : "";
  const path = hasHost ? hierarchy.slice(2 + authority.length) : hierarchy;
  const at = authority.lastIndexOf("@");
  const problem = userProblem(authority.slice(0, Math.max(0, at))) ?? hostProblem(authority.slice(at + 1));
  if (problem !== undefined) refuse(problem);
  const bad = badEscape(path);
  if (bad !== undefined) refuse(`invalid URL escape ${JSON.stringify(bad)}`);
  return { ...named, host: authority.slice(at + 1), path: encodedPath(path) };
}

function userProblem(user: string): string | undefined {
  return /^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(user) ? undefined : "net/url: invalid userinfo";
}

function hostProblem(host: string): string | undefined {
  let port = "";
  if (host.startsWith("[")) {
    const end = host.lastIndexOf("]");
    if (end < 0) return "missing ']' in host";
    port = host.slice(end + 1);
  } else {
    const colon = host.lastIndexOf(":");
    if (colon >= 0) port = host.slice(colon);
  }
  if (!/^(:\d*)?$/.test(port)) return `invalid port ${JSON.stringify(port)} after host`;
  const wrong = badEscape(host);
  if (wrong !== undefined) return `invalid URL escape ${JSON.stringify(wrong)}`;
  const bad = /[ "\\^`{|}#/?@]/.exec(host.replaceAll('"', ""))?.[0];
  return bad === undefined ? undefined : `invalid character ${JSON.stringify(bad)} in host name`;
}

function badEscape(text: string): string | undefined {
  return /%(?![0-9A-Fa-f]{2})[\s\S]{0,2}/.exec(text)?.[0];
}

/** The path as it was written where that is a valid encoding, else encoded anew. */
function encodedPath(path: string): string {
  if (/^[A-Za-z0-9\-_.~$&+,/:;=@!'()*[\]%]*$/.test(path)) return path;
  const plain = decoded(path);
  return [...Buffer.from(plain)].map(encodedByte).join("");
}

function encodedByte(byte: number): string {
  const char = String.fromCharCode(byte);
  if (/[A-Za-z0-9\-_.~$&+,/:;=@]/.test(char)) return char;
  return `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
}

/** The text that an encoded one stands for; what is no UTF-8 becomes replacement characters. */
export function decoded(text: string): string {
  const bytes: number[] = [];
  const encoded = Buffer.from(text);
  for (let i = 0; i < encoded.length; i++) {
    const hex = encoded[i] === 0x25 ? encoded.toString("latin1", i + 1, i + 3) : "";
    if (/^[0-9A-Fa-f]{2}$/.test(hex)) {
      bytes.push(Number.parseInt(hex, 16));
      i += 2;
    } else {
      bytes.push(encoded[i] ?? 0);
    }
  }
  return Buffer.from(bytes).toString("utf8");
}
