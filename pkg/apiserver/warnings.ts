import type { ServerResponse } from "node:http";

/** The most characters that the Warning headers of an answer have together before each is cut. */
const maxTotal = 4096;
/** The most that each then has. */
const maxEach = 256;

const all = new WeakMap<ServerResponse, Warnings>();

/** The one collection of an answer. */
export function warningsOf(response: ServerResponse): Warnings {
  let warnings = all.get(response);
  if (warnings === undefined) {
    warnings = new Warnings(response);
    all.set(response, warnings);
  }
  return warnings;
}

/** Collects what a client is to be warned of, as Warning headers of its answer: each text once, within bounds. */
export class Warnings {
  readonly #response: ServerResponse;
  readonly #texts = new Set<string>();
  /** How many characters the headers have together. */
  #total = 0;
  #isCut = false;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  readonly add = (text: string): void => {
    if (this.#isCut && this.#total >= maxTotal) return;
    // A header holds no control characters; what would have some is left out, as in kube-apiserver.
    if (text === "" || this.#texts.has(text) || /\p{Cc}/u.test(text)) return;
    this.#texts.add(text);
    if (!this.#isCut && this.#total + length(text) > maxTotal) this.#cutAll();
    else this.#send(this.#isCut ? cut(text) : text);
  };

  #cutAll(): void {
    this.#isCut = true;
    this.#total = 0;
    this.#response.removeHeader("warning");
    for (const text of this.#texts) if (this.#total < maxTotal) this.#send(cut(text));
  }

  #send(text: string): void {
    this.#total += length(text);
    this.#response.appendHeader("warning", header(text));
  }
}

function cut(text: string): string {
  return [...text].slice(0, maxEach).join("");
}

function length(text: string): number {
  return [...text].length;
}

/** Node writes a header's characters as bytes: those of UTF-8 are given one by one. */
function header(text: string): string {
  const quoted = text.replace(/["\\]/g, "\\$&");
  return `299 - "${Buffer.from(quoted).toString("latin1")}"`;
}
