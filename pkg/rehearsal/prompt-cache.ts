import { createHash } from "node:crypto";
import type { Clock } from "../runtime/clock.ts";
import { blocksOf, type MessagesRequest, type RequestBlock } from "./messages.ts";
import { countTokens } from "./tokens.ts";

/** Input tokens by what they cost. Their sum is the size of the prompt. */
export interface InputUsage {
  input: number;
  cacheRead: number;
  cacheWrite5m: number;
  cacheWrite1h: number;
}

/** Prefixes below this many tokens are not cached, as with the real API's larger models. */
const MINIMUM_TOKENS = 1024;
const LIFETIME_MS = { "5m": 5 * 60_000, "1h": 60 * 60_000 } as const;

/** Prompt caching as the API accounts for it: by prefix, up to the marked blocks, forgotten after its lifetime. */
export class PromptCache {
  readonly #clock: Clock;
  readonly #expiryByPrefix = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What the prompt of `request` costs now; remembers its marked prefixes for the next. */
  charge(request: MessagesRequest): InputUsage {
    const now = this.#clock.elapsed();
    for (const [prefix, expiry] of this.#expiryByPrefix)
      if (expiry <= now) this.#expiryByPrefix.delete(prefix);
    const parts = prefixes(request);
    const total = parts.at(-1)?.tokens ?? 0;
    const last = parts.findLast((part) => part.ttl !== undefined && part.tokens >= MINIMUM_TOKENS);
    if (last?.ttl === undefined) return { input: total, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0 };
    const reachable = parts.slice(0, parts.indexOf(last) + 1);
    const cacheRead = reachable.findLast((part) => this.#expiryByPrefix.has(part.hash))?.tokens ?? 0;
    for (const part of reachable) {
      if (part.tokens < MINIMUM_TOKENS) continue;
      if (part.ttl !== undefined || this.#expiryByPrefix.has(part.hash)) {
        const expiry = now + LIFETIME_MS[part.ttl ?? "5m"];
        this.#expiryByPrefix.set(part.hash, Math.max(expiry, this.#expiryByPrefix.get(part.hash) ?? 0));
      }
    }
    const written = last.tokens - cacheRead;
    return {
      input: total - last.tokens,
      cacheRead,
      cacheWrite5m: last.ttl === "5m" ? written : 0,
      cacheWrite1h: last.ttl === "1h" ? written : 0,
    };
  }
}

/** The size of the prompt in tokens, however it is charged. */
export function promptTokens(request: MessagesRequest): number {
  return prefixes(request).at(-1)?.tokens ?? 0;
}

interface Prefix {
  hash: string;
  tokens: number;
  /** Set where the request marks the end of a prefix to be cached. */
  ttl?: "5m" | "1h";
}

/** The prompt's prefixes in the order in which the API caches: tools, system, messages; one ends with each block. */
function prefixes(request: MessagesRequest): readonly Prefix[] {
  const blocks = [
    ...(request.tools ?? []),
    ...blocksOf(request.system),
    ...request.messages.flatMap((message) =>
      blocksOf(message.content).map((block) => ({ ...block, role: message.role })),
    ),
  ];
  const found: Prefix[] = [];
  let hash = request.model;
  let tokens = 0;
  for (const block of blocks) {
    const { cache_control, ...content } = block as RequestBlock;
    const text = JSON.stringify(content);
    hash = createHash("sha256").update(hash).update(text).digest("hex");
    tokens += block.type === "image" ? 1500 : countTokens(text);
    found.push({ hash, tokens, ...(cache_control ? { ttl: cache_control.ttl ?? "5m" } : {}) });
  }
  const last = found.at(-1);
  const automatic = request.cache_control as RequestBlock["cache_control"];
  if (last !== undefined && automatic) last.ttl = automatic.ttl ?? "5m";
  return found;
}
