/**
 * Whether Go's url.ParseRequestURI takes `text`: an absolute path, or a scheme and anything whose authority, where it
 * has one, is well formed.
 */
export function isRequestUri(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones meant
  if (/[\x00-\x1f\x7f]/.test(text)) return false;
  if (text === "*") return true;
  const [, scheme, rest = text] = /^([a-z][a-z0-9+.-]*):([\s\S]*)$/i.exec(text) ?? [];
  const [before = ""] = rest.split("?", 1);
  if (!before.startsWith("/")) return scheme !== undefined;
  if (scheme === undefined || !before.startsWith("//")) return isEscaped(before);
  const end = before.indexOf("/", 2);
  const [authority, path] = end < 0 ? [before.slice(2), ""] : [before.slice(2, end), before.slice(end)];
  return isAuthority(authority) && isEscaped(path);
}

function isEscaped(text: string): boolean {
  return !/%(?![0-9a-f]{2})/i.test(text);
}

function isAuthority(text: string): boolean {
  const at = text.lastIndexOf("@");
  const user = at < 0 ? "" : text.slice(0, at);
  return /^[a-z0-9\-._:~!$&'()*+,;=%@]*$/i.test(user) && isEscaped(user) && isHost(text.slice(at + 1));
}

function isHost(text: string): boolean {
  if (text.startsWith("[")) {
    const end = text.lastIndexOf("]");
    const [address = "", zone = ""] = text.slice(1, end).split("%25", 2);
    return end > 0 && hasHostCharacters(address) && isEscaped(zone) && isPort(text.slice(end + 1));
  }
  const colon = text.lastIndexOf(":");
  return hasHostCharacters(text) && (colon < 0 || isPort(text.slice(colon)));
}

/** Of escapes a host takes those beyond ASCII alone. */
function hasHostCharacters(text: string): boolean {
  return (
    /^[a-z0-9\-_.~!$&'()*+,;=:[\]<>"%\u0080-\uffff]*$/i.test(text) && !/%(?!25|[89a-f][0-9a-f])/i.test(text)
  );
}

function isPort(text: string): boolean {
  return text === "" || /^:\d*$/.test(text);
}
