import type { ServerResponse } from "node:http";

/** The most characters that the Warning headers of an answer have together before each is cut. */
const maxTotal = 4096;
/** The most that each then has. */
const maxEach = 256;

/** Collects what a client is to be warned of, as Warning headers of its answer: each text once, within bounds. */
export class Warnings {
  readonly #response: ServerResponse;
  readonly #texts = new Set<string>();

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  readonly add = (text: string): void => {
    // A header holds no control characters; what would have some is left out, as in kube-apiserver.
    if (text === "" || this.#texts.has(text) || /\p{Cc}/u.test(text)) return;
    this.#texts.add(text);
    this.#response.setHeader("warning", headersOf([...this.#texts]));
  };
}

function headersOf(texts: readonly string[]): string[] {
  if (length(texts) <= maxTotal) return texts.map(header);
  const cut: string[] = [];
  for (const text of texts) {
    if (length(cut) >= maxTotal) break;
    cut.push([...text].slice(0, maxEach).join(""));
  }
  return cut.map(header);
}

function length(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + [...text].length, 0);
}

/** Node writes a header's characters as bytes: those of UTF-8 are given one by one. */
function header(text: string): string {
  const quoted = text.replace(/["\\]/g, "\\$&");
  return `299 - "${Buffer.from(quoted).toString("latin1")}"`;
}
