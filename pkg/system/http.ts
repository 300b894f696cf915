/**
 * Node's HTTP, without what an `import` of it brings along: to list its exports the loader reads them all, one of which
 * is WebSocket, and with that comes the whole of `fetch`. That is 12 MB of memory and 30 ms of processor time in every
 * process that only wants a socket.
 */
export const http = process.getBuiltinModule("node:http");

/** The one that speaks to `url`; TLS is loaded when somebody wants it. */
export function httpFor({ protocol }: URL): Pick<typeof http, "Agent" | "request"> {
  return protocol === "https:" ? process.getBuiltinModule("node:https") : http;
}
