import type { Call } from "../../../pkg/cluster/exchange.ts";

/** A collection of Bosun's kinds: what there is of it may be nothing, but it is there as long as the kind is. */
const collection = /^\/apis\/bosun\.dev\/[^/]+\/(?:namespaces\/[^/]+\/)?([a-z]+)(?:\?|$)/;

/** A listener for answers of the server at `server`: a kind that is not served any more is told, once until it is again. */
export function kindsGone(server: string, note: (line: string) => void): (call: Call, code: number) => void {
  const gone = new Set<string>();
  return ({ method, path }, code) => {
    const plural = method === "GET" ? collection.exec(path)?.[1] : undefined;
    if (plural === undefined) return;
    if (code === 200) gone.delete(plural);
    if (code !== 404 || gone.has(plural)) return;
    gone.add(plural);
    note(
      `${server} does not serve ${plural}.bosun.dev any more: all objects of that kind are gone. What needs them waits. Run \`bosun install\`.`,
    );
  };
}
