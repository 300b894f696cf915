import type { Call } from "../../../pkg/cluster/exchange.ts";

/** A collection of Bosun's kinds: what there is of it may be nothing, but it is there as long as the kind is. */
const collection = /^\/apis\/bosun\.dev\/[^/]+\/(?:namespaces\/[^/]+\/)?([a-z]+)(?:\?|$)/;

/** A listener for answers of the server at `server`: a kind that was served, and is not any more, is told. */
export function kindsGone(server: string, note: (line: string) => void): (call: Call, code: number) => void {
  const served = new Set<string>();
  return ({ method, path }, code) => {
    const plural = method === "GET" ? collection.exec(path)?.[1] : undefined;
    if (plural === undefined) return;
    if (code === 200) served.add(plural);
    if (code !== 404 || !served.delete(plural)) return;
    note(
      `${server} does not serve ${plural}.bosun.dev any more: all objects of that kind are gone. What needs them waits. Run \`bosun install\`.`,
    );
  };
}
